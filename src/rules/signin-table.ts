import { DEFAULTS } from '../limits.ts';
import type { At, Fact, Policy } from '../policy/types.ts';
import type { PageRoute, SigninHost, SigninProvider, SigninTable, StepUp } from '../session/signin-table.ts';
import { record } from './record.ts';

export interface SigninOptions {
  /** Path of the egress server's unix socket. */
  readonly egress: string;
  /** Directory where the workers keep what outlives a restart. */
  readonly stateDir: string;
}

/** Providers that people sign in through. */
function providersOf(policy: Policy): readonly SigninProvider[] {
  return Object.values(policy.providers).flatMap(({ name, kind, issuer, client, signin }) =>
    client && signin ? [{ name, kind, issuer, client, signin }] : [],
  );
}

/** Hosts where some route takes sessions. */
function hostsOf(policy: Policy): readonly SigninHost[] {
  return policy.hosts
    .filter(({ routes }) => routes.some(({ accept }) => accept.includes('session')))
    .map(({ name, providers }) => ({
      name,
      providers: providers.filter((provider) => policy.providers[provider]?.client !== undefined),
    }));
}

const nowhere: At = { file: '', line: 0, column: 0 };

/** What a fact asks of the sign-in itself; of what must not be, a step up makes nothing true. */
function asked(fact: Fact, policy: Policy, under: readonly string[]): readonly Fact[] {
  if (fact.op === 'acr' || fact.op === 'max_age') return [fact];
  if (fact.op === 'any' || fact.op === 'all') return fact.facts.flatMap((part) => asked(part, policy, under));
  if (fact.op !== 'role' || under.includes(fact.value)) return [];
  const role = policy.roles[fact.value];
  return role === undefined ? [] : asked(role.fact, policy, [...under, fact.value]);
}

/**
 * What a provider is asked for so that a role comes to be held: every `acr` that it names, in the policy's order, and
 * the shortest age. Where the role has alternatives, that satisfies each of them. Undefined where it asks for nothing.
 */
export function stepUpOf(role: string, policy: Policy): StepUp | undefined {
  const facts = asked({ op: 'role', value: role, at: nowhere }, policy, []);
  if (facts.length === 0) return undefined;
  const acrValues = [...new Set(facts.flatMap((it) => (it.op === 'acr' ? it.value : [])))];
  const ages = facts.flatMap((it) => (it.op === 'max_age' ? it.value : []));
  return { ...(acrValues.length > 0 && { acrValues }), ...(ages.length > 0 && { maxAge: Math.min(...ages) }) };
}

function stepUps(policy: Policy): Readonly<Record<string, StepUp>> {
  const all = Object.values(policy.roles).map(({ name }) => [name, stepUpOf(name, policy)] as const);
  return record(all.filter((entry): entry is [string, StepUp] => entry[1] !== undefined));
}

/** Routes whose denied page names somebody. */
function pageRoutes(policy: Policy): Readonly<Record<string, PageRoute>> {
  const routes = policy.hosts.flatMap((host) => host.routes);
  const named = routes.filter(({ owner, ask }) => owner !== undefined || ask !== undefined);
  return record(
    named.map(({ name, owner, ask }) => [
      name,
      { ...(owner !== undefined && { owner }), ...(ask !== undefined && { ask }) },
    ]),
  );
}

/**
 * All that the sign-in's JavaScript needs of a policy beside the table, as {@link tableModule} renders it to
 * signin-policy.js; undefined where nobody signs in.
 */
export function toSigninTable(policy: Policy, { egress, stateDir }: SigninOptions): SigninTable | undefined {
  const { session, signin, store, publicPort = DEFAULTS.publicPort } = policy.gateway;
  if (session === undefined) return undefined;
  return {
    session,
    publicPort,
    ...(signin?.host !== undefined && { signinHost: signin.host }),
    providers: record(providersOf(policy).map((provider) => [provider.name, provider])),
    hosts: hostsOf(policy),
    stepUps: stepUps(policy),
    routes: pageRoutes(policy),
    ...(signin?.pagesDir !== undefined && { pagesDir: signin.pagesDir }),
    stateDir,
    egress,
    ...(store && { store: { endpoints: store.endpoints, prefix: store.prefix } }),
  };
}
