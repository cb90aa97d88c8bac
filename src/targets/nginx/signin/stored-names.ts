import type { Provider } from '../../../policy/checked/types.ts';
import { DEFAULTS } from '../../../policy/forms/bounds.ts';
import { originOf } from '../../../policy/schema/audit.ts';
import { budgetsOf, counts, limitText } from '../../../rules/budgets.ts';
import { redirectUris } from '../../../rules/table/signin-table.ts';
import type { StoredNames } from '../../../rules/table/stored.ts';
import { pick } from '../../../rules/without-prototype.ts';
import { proofZoneBytes } from '../check/proof-headers.ts';
import { allHosts, type Context } from '../render-context.ts';
import { hasSessions } from './sessions.ts';
import { sessionRoom } from './signin.ts';

/** Returns the budgets of a policy by all that their keys have of it. */
function limitNames({ policy }: Context): readonly string[] {
  const names = policy.hosts.flatMap((host) =>
    host.routes.flatMap((route) => {
      const { callers, anonymous, agents } = budgetsOf(policy, host, route);
      const people = [callers, anonymous].flatMap((limit) => (limit === undefined ? [] : [['', limit] as const]));
      const acting = agents.flatMap(([agent, limits]) => limits.map((limit) => [`agent ${agent}, `, limit] as const));
      return [...people, ...acting].map(([who, limit]) => `${who}${limit.of || 'gateway.limits'}: ${limitText(limit)}`);
    }),
  );
  return [...new Set(names)].sort();
}

const issuersOf = ({ issuer, issuers = [] }: Pick<Provider, 'issuer' | 'issuers'>): readonly string[] =>
  [...new Set([issuer, ...issuers])].sort();

const megabytes = (bytes: number): string => `${bytes / 2 ** 20} MB`;

function sizesOf(context: Context): string {
  const { records, revocations, once } = sessionRoom(context.policy.gateway);
  return `${megabytes(records)} for records, ${megabytes(revocations)} for revocations, ${megabytes(once)} for used values`;
}

/** Returns the names of a policy under which gateways store something. */
export function storedNames(context: Context): StoredNames {
  const { policy, options } = context;
  const { gateway } = policy;
  const { session, signin, store, audit, assertion, proof, limits } = gateway;
  const log = audit && { ...audit, ...(options.instance !== undefined && { instance: options.instance }) };
  const people = hasSessions(context);
  const uris = redirectUris(policy);
  const counted = policy.hosts.some((host) => host.routes.some((route) => counts(budgetsOf(policy, host, route))));
  return {
    providers: Object.fromEntries(
      Object.values(policy.providers).map(({ name, subject, ...it }) => [
        name,
        [issuersOf(it), subject.claim, subject.prefix, (people && uris.get(name)) || []],
      ]),
    ),
    one: {
      name: gateway.name,
      ...(people && session && { keysFile: session.keysFile, sessions: 'accepted', people: sizesOf(context) }),
      ...(people && { signinHost: signin?.host ?? 'each host' }),
      ...(people && store && { store: [...[...store.endpoints].sort(), store.prefix].join(' ') }),
      ...(counted && { budgets: `${(limits?.zone ?? DEFAULTS.limitsZone) >> 10} KB` }),
      ...(proof && { proof: `room of ${proofZoneBytes(gateway) >> 10} KB` }),
      ...(audit?.pseudonyms && { pseudonyms: audit.pseudonyms.keyFile }),
      ...(log && { log: originOf(log) }),
      ...(assertion && { assertion: assertion.issuer }),
    },
    many: {
      host: allHosts(context).flatMap(({ host, sessions }) => (sessions ? [host.name] : [])),
      limit: limitNames(context),
      service: assertion === undefined ? [] : Object.keys(policy.services),
    },
  };
}

/** The host of a redirect URI, if people sign in at each host. */
const EACH_HOST = 'https://HOST';

/** Returns the names that the gateway compares with those of the policy before. A list of all hosts would be long, and
 * `diff` says which of them are gone. */
export function renderedNames(context: Context): StoredNames {
  const { providers, one, many } = storedNames(context);
  const isAtEach = context.policy.gateway.signin?.host === undefined;
  const short = (uris: readonly string[] = []) => [
    ...new Set(isAtEach ? uris.map((uri) => uri.replace(/^https:\/\/[^/:]*/, EACH_HOST)) : uris),
  ];
  return {
    providers: Object.fromEntries(
      Object.entries(providers).map(([name, [issuers, claim, prefix, uris]]) => [
        name,
        [issuers, claim, prefix, short(uris)],
      ]),
    ),
    one,
    many: pick(many, ['limit']),
  };
}
