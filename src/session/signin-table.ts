import type { Etcd, Provider, SessionPolicy } from '../policy/types.ts';

/** A provider, as the sign-in uses it. */
export interface SigninProvider
  extends Pick<Provider, 'name' | 'kind' | 'issuer' | 'issuers' | 'privateAddresses'>,
    Required<Pick<Provider, 'client' | 'signin'>> {}

/** A host where people sign in. */
export interface SigninHost {
  readonly name: string;
  /** Names of its providers at which people can sign in. */
  readonly providers: readonly string[];
}

/** What a role requires of the sign-in, so that a step-up can request it from the provider. */
export interface StepUp {
  /** The provider must return one of them; absent: any. */
  readonly acrValues?: readonly string[];
  /** Seconds. */
  readonly maxAge?: number;
}

/** What a refusal page shows about a route's owner. */
export interface PageRoute {
  readonly owner?: string;
  readonly ask?: string;
}

/** signin-policy.js: what the sign-in's JavaScript knows of the policy besides policy.js. */
export interface SigninTable {
  readonly session: SessionPolicy;
  /** Port of the gateway's public URLs. */
  readonly publicPort: number;
  /** The sign-in host; absent: people sign in at each host. */
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

/** Names of the providers that send browsers back to a host: its own providers, or on the sign-in host those of all
 * hosts. */
export function answering(
  { signinHost, providers }: Pick<SigninTable, 'signinHost' | 'providers'>,
  host: Pick<SigninHost, 'name' | 'providers'> | undefined,
): readonly string[] {
  return host === undefined || host.name === signinHost ? Object.keys(providers) : host.providers;
}

/** The provider's name in its redirect URI at a host; a single provider has none. */
export const nameInCallback = (answeringThere: readonly string[], provider: string): string | undefined =>
  answeringThere.length > 1 ? provider : undefined;
