import type { Etcd, Provider, SessionPolicy } from '../policy/types.ts';

/** A provider as somebody signs in through it. */
export interface SigninProvider
  extends Pick<Provider, 'name' | 'kind' | 'issuer' | 'issuers' | 'privateAddresses'>,
    Required<Pick<Provider, 'client' | 'signin'>> {}

/** A host where people sign in. */
export interface SigninHost {
  readonly name: string;
  /** Names of its providers that have a client. */
  readonly providers: readonly string[];
}

/** What a role asks of the sign-in itself, so that a step up can ask the provider for it. */
export interface StepUp {
  /** One of them must come; absent: any will do. */
  readonly acrValues?: readonly string[];
  /** Seconds. */
  readonly maxAge?: number;
}

/** What a page says of a route's owner. */
export interface PageRoute {
  readonly owner?: string;
  readonly ask?: string;
}

/** signin-policy.js: what the JavaScript of the sign-in knows of the policy beside policy.js. */
export interface SigninTable {
  readonly session: SessionPolicy;
  /** Port of the gateway's own URLs. */
  readonly publicPort: number;
  /** Where all hosts sign in; absent: each by itself. */
  readonly signinHost?: string;
  readonly providers: Readonly<Record<string, SigninProvider>>;
  readonly hosts: readonly SigninHost[];
  /** By role. */
  readonly stepUps: Readonly<Record<string, StepUp>>;
  /** By route. */
  readonly routes: Readonly<Record<string, PageRoute>>;
  readonly pagesDir?: string;
  readonly stateDir: string;
  /** Unix socket of the egress server. */
  readonly egress: string;
  readonly store?: Pick<Etcd, 'endpoints' | 'prefix'>;
}

/** Names of the providers whose answers come to a host: its own, or on the sign-in host those of all hosts. */
export function answering(
  { signinHost, providers }: Pick<SigninTable, 'signinHost' | 'providers'>,
  host: Pick<SigninHost, 'name' | 'providers'> | undefined,
): readonly string[] {
  return host === undefined || host.name === signinHost ? Object.keys(providers) : host.providers;
}

/** The name of a provider in its redirect URI at a host; a single provider has none. */
export const nameInCallback = (answeringThere: readonly string[], provider: string): string | undefined =>
  answeringThere.length > 1 ? provider : undefined;
