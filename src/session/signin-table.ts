import { ownOf } from '../base/own.ts';
import type { Etcd, Provider, SessionPolicy } from '../policy/checked/types.ts';
import type { RefusedPage } from './pages/types.ts';

/** A provider, as the sign-in uses it. */
export interface SigninProvider
  extends Pick<Provider, 'name' | 'kind' | 'issuer' | 'issuers' | 'privateAddresses' | 'timeout'>,
    Required<Pick<Provider, 'client' | 'signin'>> {}

export interface SigninHost {
  readonly name: string;
  /** Names of the host's providers at which people can sign in. */
  readonly providers: readonly string[];
  /** The cookies that a sign-out deletes, each with a path: the session cookies that the host's services name. */
  readonly sessionCookies: readonly (readonly [name: string, path: string])[];
  /** Whether all services of the host name theirs, so that their other cookies stay. */
  readonly namesAllCookies: boolean;
}

/** What a role requires of the sign-in. A step-up requests this from the provider. */
export interface StepUp {
  /** The `acr` must be one of these values; absent: any value is accepted. */
  readonly acrValues?: readonly string[];
  /** Maximum age of the sign-in in seconds. */
  readonly maxAge?: number;
}

/** What a refusal page shows about a route's owner. */
type PageRoute = Pick<RefusedPage, 'owner' | 'ask'>;

/** signin-policy.js: the parts of the policy that only the JavaScript of the sign-in needs. */
export interface SigninTable {
  readonly session: SessionPolicy;
  readonly publicPort: number;
  /** The sign-in host; absent: people sign in at each host. */
  readonly signinHost?: string;
  readonly providers: Readonly<Record<string, SigninProvider>>;
  readonly hosts: readonly SigninHost[];
  readonly stepUps: Readonly<Record<string, StepUp>>;
  /** Contents of refusal pages by route. */
  readonly routes: Readonly<Record<string, PageRoute>>;
  readonly pagesDir?: string;
  readonly stateDir: string;
  /** Unix socket of the egress server. */
  readonly egress: string;
  readonly store?: Pick<Etcd, 'endpoints' | 'prefix'>;
}

/** Returns the provider of a session or of an attempt; undefined if the policy no longer has it, or its name now belongs
 * to another issuer: that provider must get no code, token or hint of this one. */
export function signinProvider(
  { providers }: Pick<SigninTable, 'providers'>,
  { provider: name, issuer }: { readonly provider: string; readonly issuer: string },
): SigninProvider | undefined {
  const provider = ownOf(providers, name);
  return provider?.issuer === issuer ? provider : undefined;
}

/** Returns the names of the providers that send browsers back to a host. On the sign-in host, this is every host's. */
export function answering(
  { signinHost, providers }: Pick<SigninTable, 'signinHost' | 'providers'>,
  host: Pick<SigninHost, 'name' | 'providers'> | undefined,
): readonly string[] {
  return host === undefined || host.name === signinHost ? Object.keys(providers) : host.providers;
}

/** Returns the provider's name in its redirect URI at a host; undefined if the host has only one provider. */
export const nameInCallback = (answeringThere: readonly string[], provider: string): string | undefined =>
  answeringThere.length > 1 ? provider : undefined;
