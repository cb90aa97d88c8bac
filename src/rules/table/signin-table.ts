import type { Policy, Route } from '../../policy/checked/types.ts';
import { DEFAULTS } from '../../policy/forms/bounds.ts';
import { answering, nameInCallback, type SigninTable } from '../../session/signin-table.ts';
import { redirectUri } from '../../session/urls.ts';
import { pick, withoutPrototype } from '../without-prototype.ts';
import { stepUps } from './step-ups.ts';

export interface SigninOptions {
  readonly egress: string;
  /** The folder in which the workers keep data over a restart. */
  readonly stateDir: string;
}

function providersOf(policy: Policy): SigninTable['providers'] {
  const all = Object.values(policy.providers).flatMap((provider) => {
    const { name, kind, issuer, client, signin } = provider;
    const more = pick(provider, ['issuers', 'privateAddresses', 'timeout']);
    return client && signin ? [[name, { name, kind, issuer, client, signin, ...more }] as const] : [];
  });
  return withoutPrototype(all);
}

/** The session cookies that the services of a host name, at each path where the services are. */
function sessionCookies({ services }: Policy, routes: readonly Route[]) {
  const named = routes.flatMap(({ path, allow, service: own }) =>
    allow.map(({ service = own }) => ({ path: path === '' ? '/' : path, names: services[service]?.sessionCookies })),
  );
  const pairs = named.flatMap(({ path, names = [] }) => names.flatMap((name) => [`${name} /`, `${name} ${path}`]));
  return {
    sessionCookies: [...new Set(pairs)].map((pair) => pair.split(' ') as [string, string]),
    namesAllCookies: named.every(({ names }) => names !== undefined),
  };
}

const hostsOf = (policy: Policy): SigninTable['hosts'] =>
  policy.hosts
    .filter(({ routes }) => routes.some(({ accept }) => accept.includes('session')))
    .map(({ name, providers, routes }) => ({
      name,
      ...sessionCookies(policy, routes),
      providers: providers.filter((provider) => policy.providers[provider]?.client !== undefined),
    }));

/** Returns the names of providers in a host's redirect URIs. With one provider, the URI contains no name. */
export function callbackNames(policy: Policy, host: string): readonly (string | undefined)[] {
  const signinHost = policy.gateway.signin?.host;
  const of = hostsOf(policy).find(({ name }) => name === host);
  const there = answering({ ...(signinHost !== undefined && { signinHost }), providers: providersOf(policy) }, of);
  return there.length > 1 ? there : [undefined];
}

/** Returns the redirect URIs of each provider at which people can sign in. With a sign-in host, all are at this host. */
export function redirectUris(policy: Policy): ReadonlyMap<string, readonly string[]> {
  const { signin, publicPort = DEFAULTS.publicPort } = policy.gateway;
  const all = Object.keys(providersOf(policy));
  const hosts = signin?.host === undefined ? hostsOf(policy) : [{ name: signin.host, providers: all }];
  const found = new Map(all.map((provider): [string, string[]] => [provider, []]));
  for (const { name, providers } of hosts) {
    for (const one of providers) found.get(one)?.push(redirectUri(name, publicPort, nameInCallback(providers, one)));
  }
  return found;
}

/** Returns the routes with data for the page of a refusal: an owner, or a link for people who need access. */
function pageRoutes(policy: Policy): SigninTable['routes'] {
  const routes = policy.hosts.flatMap((host) => host.routes);
  const named = routes.filter(({ owner, ask }) => owner !== undefined || ask !== undefined);
  return withoutPrototype(named.map((route) => [route.name, pick(route, ['owner', 'ask'])]));
}

/** Returns the content of signin-policy.js: the data that only sign-ins need; undefined without sessions. */
export function toSigninTable(policy: Policy, { egress, stateDir }: SigninOptions): SigninTable | undefined {
  const { session, signin, store, publicPort = DEFAULTS.publicPort } = policy.gateway;
  if (session === undefined) return undefined;
  return {
    session,
    publicPort,
    ...(signin?.host !== undefined && { signinHost: signin.host }),
    providers: providersOf(policy),
    hosts: hostsOf(policy),
    stepUps: stepUps(policy),
    routes: pageRoutes(policy),
    ...(signin?.pagesDir !== undefined && { pagesDir: signin.pagesDir }),
    stateDir,
    egress,
    ...(store && { store: { endpoints: store.endpoints, prefix: store.prefix } }),
  };
}
