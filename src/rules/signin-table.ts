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
import { pick, withoutPrototype } from './without-prototype.ts';

export interface SigninOptions {
  readonly egress: string;
  /** The folder in which the workers keep data over a restart. */
  readonly stateDir: string;
}

function providersOf(policy: Policy): readonly SigninProvider[] {
  return Object.values(policy.providers).flatMap(
    ({ name, kind, issuer, issuers, client, signin, privateAddresses }) => {
      const more = { ...(issuers && { issuers }), ...(privateAddresses && { privateAddresses }) };
      return client && signin ? [{ name, kind, issuer, client, signin, ...more }] : [];
    },
  );
}

function hostsOf(policy: Policy): readonly SigninHost[] {
  return policy.hosts
    .filter(({ routes }) => routes.some(({ accept }) => accept.includes('session')))
    .map(({ name, providers }) => ({
      name,
      providers: providers.filter((provider) => policy.providers[provider]?.client !== undefined),
    }));
}

/** The names of providers in a host's redirect URIs; only `undefined` if there is one provider. */
export function callbackNames(policy: Policy, host: string): readonly (string | undefined)[] {
  const signinHost = policy.gateway.signin?.host;
  const providers = withoutPrototype(providersOf(policy).map((provider) => [provider.name, provider]));
  const of = hostsOf(policy).find(({ name }) => name === host);
  const there = answering({ ...(signinHost !== undefined && { signinHost }), providers }, of);
  return there.length > 1 ? there : [undefined];
}

/** Routes with data for the page of a refusal: an owner, or a link for people who need access. */
function pageRoutes(policy: Policy): Readonly<Record<string, PageRoute>> {
  const routes = policy.hosts.flatMap((host) => host.routes);
  const named = routes.filter(({ owner, ask }) => owner !== undefined || ask !== undefined);
  return withoutPrototype(named.map((route) => [route.name, pick(route, ['owner', 'ask'])]));
}

/** signin-policy.js: what policy.js does not contain. Undefined if the policy has no sessions. */
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
