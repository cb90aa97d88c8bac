import { MAX_LOG_CLAIMS, PROOF_PARTS } from '../../base/limits.ts';
import type { TokenAgent } from '../../caller/types.ts';
import type { Fact, HeaderSource, Headers, Policy, ProofPolicy, Provider, Route } from '../../policy/checked/types.ts';
import { networkName } from '../../policy/facts/network.ts';
import { CERTIFICATE } from '../../policy/facts/operator.ts';
import { everyFact } from '../../policy/facts/walk.ts';
import { DEFAULTS } from '../../policy/forms/bounds.ts';
import { sha256 } from '../../session/flow/random.ts';
import type { TokenProvider } from '../../token/types.ts';
import { budgetsOf, tableBudgets } from '../budgets.ts';
import { dependsOn } from '../per-policy.ts';
import { CHECKED, type Rule, type Table, type TableHop, type TableRequest, type TableRoute } from '../types.ts';
import { pick, withoutPrototype } from '../without-prototype.ts';
import { answerRoom, answerSize } from './answer-size.ts';
import { groupsOf, isQueried } from './client-table.ts';
import { keptClaims, signinClaims } from './kept-claims.ts';
import { loggedClaims } from './logged-claims.ts';
import { roleScopes } from './scopes.ts';
import { stepUps } from './step-ups.ts';

export { tableModule } from './table-module.ts';

export interface TableOptions {
  readonly egress: string;
  /** The unix socket of the check's server, which renews sessions. Only policies with sessions need this socket. */
  readonly check?: string;
}

/** Returns every identity header once, in the order of first use, without regard to case. Responses contain the
 * index. */
export function headerNames(policy: Policy): readonly string[] {
  const names = new Map<string, string>();
  for (const route of policy.hosts.flatMap((host) => host.routes)) {
    for (const name of Object.keys(route.headers)) {
      if (!names.has(name.toLowerCase())) names.set(name.toLowerCase(), name);
    }
  }
  return [...names.values()];
}

/** Returns the headers of a route, with names in the spelling of {@link headerNames}. */
export function spelled(headers: Headers, names: readonly string[]): Headers {
  const spelling = new Map(names.map((name) => [name.toLowerCase(), name]));
  return Object.fromEntries(
    Object.entries(headers).map(([name, source]) => [spelling.get(name.toLowerCase()) ?? name, source]),
  );
}

/** Parts of a provider that other JavaScript or nginx uses. A change of them flushes no known token. */
type Elsewhere = 'at' | 'caFile' | 'client' | 'signin' | 'timeout' | 'introspection' | 'groupsEndpoint';
const ELSEWHERE: readonly Elsewhere[] = [
  'at',
  'caFile',
  'client',
  'signin',
  'timeout',
  'introspection',
  'groupsEndpoint',
];

function tokenProvider(policy: Policy, provider: Provider): TokenProvider {
  const { introspection, groupsEndpoint } = provider;
  const kept = Object.entries(provider).filter(([key]) => !(ELSEWHERE as readonly string[]).includes(key));
  const others = Object.fromEntries(kept) as unknown as Omit<Provider, Elsewhere>;
  const requested = groupsEndpoint === undefined || groupsOf(policy, provider).length === 0;
  const rest = requested ? others : { ...others, asksGroups: true as const };
  if (introspection === undefined) return rest;
  const { endpoint: _, timeout: __, ...answers } = introspection;
  return { ...rest, introspection: answers, ...(isKeyless(provider) && { keyless: true as const }) };
}

/** Whether a provider has an introspection endpoint and no address of keys. */
export const isKeyless = ({ introspection, jwksUri }: Provider): boolean =>
  introspection?.endpoint !== undefined && jwksUri === undefined;

/** Returns a fact without its place in the file. Only `explain` needs places. */
function bare<F extends Fact>(fact: F): F {
  const { at: _, ...rest } = fact as Fact;
  return ('facts' in rest ? { ...rest, facts: rest.facts.map(bare) } : rest) as F;
}

const sourcesOf = (policy: Policy, counts: (route: Route) => boolean = () => true): readonly HeaderSource[] =>
  policy.hosts.flatMap((host) => host.routes.filter(counts).flatMap((route) => Object.values(route.headers)));

const claimsOf = (sources: readonly HeaderSource[]): readonly string[] => [
  ...new Set(sources.flatMap((source) => (typeof source === 'object' && 'claim' in source ? source.claim : []))),
];

/** Returns the origins whose pages may send requests with credentials that browsers add. */
function originsOf(
  { accept, cors, serviceCredential }: Route,
  networks: boolean,
): Pick<TableRoute, 'origins' | 'openOrigins'> {
  if (cors === undefined) return {};
  const named = cors.origins.filter((origin) => origin !== '*');
  const ambient = accept.includes('session') || accept.includes('certificate') || serviceCredential !== undefined;
  return {
    ...(ambient && cors.credentials && { origins: named }),
    // A route can allow pages of any origin. But unless the policy names its origin, a page must not use the network of
    // the person who opens it.
    ...(networks && named.length > 0 && { openOrigins: named }),
  };
}

function tableRoutes(policy: Policy, rules: readonly Rule[], names: readonly string[]): [string, TableRoute][] {
  const networks = (requestFacts(policy)?.networks.length ?? 0) > 0;
  return policy.hosts.flatMap((host) =>
    host.routes.map((route): [string, TableRoute] => [
      route.name,
      {
        providers: host.providers,
        rules: rules
          .filter((rule) => rule.route === route.name)
          .map(({ id, methods, who, service, as }) => ({ id, ...(methods && { methods }), who, service, as })),
        headers: spelled(route.headers, names),
        ...pick(route, CHECKED),
        ...(route.accept.join() !== 'bearer' && { accept: route.accept }),
        ...originsOf(route, networks),
        ...tableBudgets(budgetsOf(policy, host, route)),
        ...(host.team !== undefined && teamsOf(policy).length > 0 && { team: host.team }),
      },
    ]),
  );
}

/** Returns the team of each role that a team defines. */
const teamsOf = ({ roles }: Policy): readonly (readonly [role: string, team: string])[] =>
  Object.values(roles).flatMap(({ name, team }) => (team === undefined ? [] : [[name, team] as const]));

const tokenAgents = ({ agents }: Policy): readonly TokenAgent[] =>
  Object.values(agents).flatMap(({ at: _, limit: __, match, ...rest }): TokenAgent[] => {
    if (match.kind === 'service') return [];
    return [{ ...rest, match: match.kind === 'claim' ? { ...match, fact: bare(match.fact) } : match }];
  });

/** Returns the ranges and certificate names in facts, each once. The ranges of one fact are one text. */
export function requestFacts({ roles }: Policy): TableRequest | undefined {
  const facts = Object.values(roles).flatMap(({ fact }) => everyFact(fact));
  const networks = new Set(facts.flatMap((fact) => (fact.op === 'network' ? networkName(fact.value) : [])));
  const certificates = new Set(facts.flatMap((fact) => (fact.op === 'certificate' ? fact.value : [])));
  if (networks.size + certificates.size === 0) return undefined;
  return { networks: [...networks], certificates: [...certificates] };
}

/** Returns the agents that are services, by SPIFFE id. The parser has checked that each service has its own id. */
function tableHop({ gateway, agents, services, hosts, roles }: Policy): TableHop | undefined {
  if (gateway.assertion === undefined || gateway.inner === undefined) return undefined;
  const known = withoutPrototype(
    Object.values(agents).flatMap(({ name, match, actsFor, hops }) => {
      if (match.kind !== 'service') return [];
      const { service } = match;
      const spiffe = services[service]?.spiffe;
      if (spiffe === undefined) throw new Error(`nginx: the service of agent ${name} has no SPIFFE id`);
      return [[spiffe, { name, service, actsFor, hops }] as const];
    }),
  );
  const withCa = hosts.flatMap(({ name, clientCaFile: file }) => (file === undefined ? [] : [{ name, file }]));
  const files = [...new Set(withCa.map(({ file }) => file))];
  const clientCas = withCa.map(({ name, file }) => [name, files.indexOf(file)] as const);
  const depends = dependsOn({ roles });
  const certificateRoles = Object.keys(roles).filter((role) => (depends.role(role) & CERTIFICATE) !== 0);
  return {
    selection: sha256(JSON.stringify([known, gateway.assertion.issuer, gateway.clockSkew])),
    agents: known,
    ...(clientCas.length > 0 && { clientCas: withoutPrototype(clientCas) }),
    ...(clientCas.length > 0 && certificateRoles.length > 0 && { certificateRoles }),
  };
}

function tableSession(policy: Policy, check: string): Table['session'] {
  const { session } = policy.gateway;
  if (session === undefined) return undefined;
  const sources = sourcesOf(policy, ({ accept }) => accept.includes('session'));
  const shared = policy.gateway.store === undefined ? {} : { shared: true as const };
  const help = signinClaims(policy);
  return { ...session, keep: keptClaims(policy, sources), socket: check, ...shared, ...(help && { help }) };
}

/** Only nginx's configuration needs `rate`. */
const tableProof = ({ rate, ...proof }: ProofPolicy) => ({ ...proof, perCaller: rate / PROOF_PARTS });

/** Returns the part of a policy that the gateway's JavaScript needs, with the rules compiled from the policy. */
export function toTable(policy: Policy, rules: readonly Rule[], options: TableOptions): Table {
  const { clockSkew, tokenCache, keys, assertion, audit } = policy.gateway;
  const logged = loggedClaims(policy);
  const all = Object.values(policy.providers);
  const providers = withoutPrototype(all.map((provider) => [provider.name, tokenProvider(policy, provider)]));
  const roles = Object.values(policy.roles).map((role) => [role.name, bare(role.fact)] as const);
  const sources = sourcesOf(policy);
  const claims = claimsOf(sources);
  const sends = {
    ...{ email: sources.includes('email'), name: sources.includes('name'), groups: sources.includes('groups') },
  };
  const names = headerNames(policy);
  const hop = tableHop(policy);
  const session = tableSession(policy, options.check ?? '');
  const requested = stepUps(policy);
  const scopes = roleScopes(policy);
  const { publicPort, credentialHeader } = policy.gateway;
  const agents = tokenAgents(policy);
  const request = requestFacts(policy);
  const teams = teamsOf(policy);
  const certificates = policy.hosts.some(({ routes }) => routes.some((route) => route.accept.includes('certificate')));
  return {
    selection: sha256(
      JSON.stringify([
        ...[providers, roles, claims, sends, clockSkew, ...(session ? [session.keep] : [])],
        ...(agents.length > 0 ? [agents] : []),
        ...(certificates ? ['certificates'] : []),
        ...(logged ? [logged] : []),
      ]),
    ),
    clockSkew,
    tokenCache,
    keys,
    providers,
    roles,
    ...(teams.length > 0 && { teams: withoutPrototype(teams) }),
    claims,
    sends,
    ...(agents.length > 0 && { agents }),
    ...(logged && { logged }),
    ...(audit?.pseudonyms && { pseudonyms: audit.pseudonyms.keyFile }),
    headerNames: names,
    routes: withoutPrototype(tableRoutes(policy, rules, names)),
    answerRoom: answerRoom(answerSize(policy, rules)) - (logged ? MAX_LOG_CLAIMS : 0),
    egress: options.egress,
    ...(assertion && { assertion }),
    ...(hop && { hop }),
    ...(policy.gateway.proof && { proof: tableProof(policy.gateway.proof) }),
    ...(session && { session }),
    ...(Object.keys(requested).length > 0 && { stepUps: requested }),
    ...(all.some(isQueried) && { asking: options.check ?? '' }),
    ...(Object.keys(scopes).length > 0 && { scopes }),
    ...(publicPort !== undefined && publicPort !== DEFAULTS.publicPort && { publicPort }),
    ...(credentialHeader !== undefined && { credentialHeader }),
    ...(policy.gateway.limits?.passWhenFull && { passWhenFull: true as const }),
    ...(request && { request }),
    ...(certificates && { certificates }),
  };
}
