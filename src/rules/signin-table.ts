import { DEFAULTS } from '../policy/bounds.ts';
import type { Policy } from '../policy/types.ts';
import {
  answering,
  type PageRoute,
  type SigninHost,
  type SigninProvider,
  type SigninTable,
} from '../session/signin-table.ts';
import { stepUps } from './step-ups.ts';
import { withoutPrototype } from './without-prototype.ts';

export interface SigninOptions {
  /** Path of the egress server's unix socket. */
  readonly egress: string;
  /** Folder where the workers keep what must survive a restart. */
  readonly stateDir: string;
}

/** Providers at which people sign in. */
function providersOf(policy: Policy): readonly SigninProvider[] {
  return Object.values(policy.providers).flatMap(({ name, kind, issuer, issuers, client, signin, privateAddresses }) =>
    client && signin
      ? [
          {
            ...{ name, kind, issuer, client, signin },
            ...(issuers && { issuers }),
            ...(privateAddresses && { privateAddresses }),
          },
        ]
      : [],
  );
}

/** Hosts where a route accepts sessions. */
function hostsOf(policy: Policy): readonly SigninHost[] {
  return policy.hosts
    .filter(({ routes }) => routes.some(({ accept }) => accept.includes('session')))
    .map(({ name, providers }) => ({
      name,
      providers: providers.filter((provider) => policy.providers[provider]?.client !== undefined),
    }));
}

/** Names in the redirect URIs of a host: one for each of several providers; only `undefined` for a single one. */
export function callbackNames(policy: Policy, host: string): readonly (string | undefined)[] {
  const signinHost = policy.gateway.signin?.host;
  const providers = withoutPrototype(providersOf(policy).map((provider) => [provider.name, provider]));
  const of = hostsOf(policy).find(({ name }) => name === host);
  const there = answering({ ...(signinHost !== undefined && { signinHost }), providers }, of);
  return there.length > 1 ? there : [undefined];
}

/** Routes with an owner or a link for the refusal page. */
function pageRoutes(policy: Policy): Readonly<Record<string, PageRoute>> {
  const routes = policy.hosts.flatMap((host) => host.routes);
  const named = routes.filter(({ owner, ask }) => owner !== undefined || ask !== undefined);
  return withoutPrototype(
    named.map(({ name, owner, ask }) => [
      name,
      { ...(owner !== undefined && { owner }), ...(ask !== undefined && { ask }) },
    ]),
  );
}

/** The part of a policy for the sign-in's JavaScript besides the table. {@link tableModule} renders it to
 * signin-policy.js; undefined if nobody signs in. */
export function toSigninTable(policy: Policy, { egress, stateDir }: SigninOptions): SigninTable | undefined {
  const { session, signin, store, publicPort = DEFAULTS.publicPort } = policy.gateway;
  if (session === undefined) return undefined;
  return {
    session,
    publicPort,
    ...(signin?.host !== undefined && { signinHost: signin.host }),
    providers: withoutPrototype(providersOf(policy).map((provider) => [provider.name, provider])),
    hosts: hostsOf(policy),
    stepUps: stepUps(policy),
    routes: pageRoutes(policy),
    ...(signin?.pagesDir !== undefined && { pagesDir: signin.pagesDir }),
    stateDir,
    egress,
    ...(store && { store: { endpoints: store.endpoints, prefix: store.prefix } }),
  };
}
