import type { Gateway, Host, Ingress, Limit, Policy, Route } from '../policy/types.ts';
import { limitText } from './budgets.ts';
import { type Effect, effectOf, factText, madeOf } from './facts.ts';
import { headerChanges } from './header-diff.ts';
import type { Rule } from './types.ts';

/** Something that a policy defines and that rules rest on, and what of it changed. */
export interface DefinitionChange {
  readonly section:
    | 'gateway'
    | 'provider'
    | 'role'
    | 'agent'
    | 'identity'
    | 'ingress'
    | 'service'
    | 'host'
    | 'route'
    | 'header';
  /** Name of the provider, role, identity, service, host, route or header. */
  readonly name: string;
  /** The key that changed, as policies write it; absent: the whole thing. */
  readonly key?: string;
  /** As text; absent: it was not there, or is not. */
  readonly before?: string;
  readonly after?: string;
  /** Roles that are made of this one; where this header goes, as policies write it. */
  readonly affects: readonly string[];
  /** Whether a role is given to more or to fewer, where that can be told. */
  readonly effect?: Effect;
  /** Ids of the rules, as they are to be, that name this role or one that is made of it. */
  readonly rules?: readonly string[];
}

/** `caFile` as policies write it; names of the policy's own stay. */
const snake = (key: string): string =>
  /^[a-z]+([A-Z][a-z]*)+$/.test(key) ? key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`) : key;

function text(value: unknown): string | undefined {
  return JSON.stringify(value, (_, part) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    const entries = Object.entries(part).filter(([key]) => key !== 'at');
    return Object.fromEntries(entries.map(([key, own]) => [snake(key), own]));
  });
}

type Named = Readonly<Record<string, unknown>>;

type Part = Pick<DefinitionChange, 'key' | 'before' | 'after' | 'effect'>;

const sides = (before: string | undefined, after: string | undefined) => ({
  ...(before !== undefined && { before }),
  ...(after !== undefined && { after }),
});

/** Keys of one thing that changed: its name and place do not count. */
function parts(before: Named, after: Named): Part[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((key) => key !== 'at' && key !== 'name' && text(before[key]) !== text(after[key]))
    .map((key) => ({ key: snake(key), ...sides(text(before[key]), text(after[key])) }));
}

/** Things of a section that came, went or changed. */
function section<T>(
  name: DefinitionChange['section'],
  before: Readonly<Record<string, T>>,
  after: Readonly<Record<string, T>>,
  compare: (before: T, after: T) => Part[],
  whole: (it: T) => string,
): DefinitionChange[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key): DefinitionChange[] => {
    const [old, fresh] = [before[key], after[key]];
    const common = { section: name, name: key, affects: [] };
    if (old !== undefined && fresh !== undefined) return compare(old, fresh).map((part) => ({ ...common, ...part }));
    return [{ ...common, ...sides(old && whole(old), fresh && whole(fresh)) }];
  });
}

/** Roles whose facts changed. */
export function roleChanges(before: Policy, after: Policy): readonly DefinitionChange[] {
  const compare = (old: Policy['roles'][string], fresh: Policy['roles'][string]): Part[] => {
    const [was, is] = [factText(old.fact), factText(fresh.fact)];
    const effect = effectOf(old.fact, fresh.fact);
    return was === is ? [] : [{ before: was, after: is, ...(effect && { effect }) }];
  };
  const found = section('role', before.roles, after.roles, compare, ({ fact }) => factText(fact));
  const made = madeOf(after);
  return found.map((change) => ({ ...change, affects: [...made(change.name)] }));
}

/** With the rules that a role is named in, by itself or through another; a role that came or went is in what they allow. */
function withRules(change: DefinitionChange, rules: readonly Rule[]): DefinitionChange {
  if (change.before === undefined || change.after === undefined) return change;
  const roles = [change.name, ...change.affects];
  return {
    ...change,
    rules: rules.flatMap(({ id, who }) => (who.kind === 'role' && roles.includes(who.role) ? [id] : [])),
  };
}

/** Providers, which of them a host accepts, the CA of client certificates there, and how much callers may ask of it. */
export function providerChanges(before: Policy, after: Policy): readonly DefinitionChange[] {
  const whole = ({ issuer, audiences, client }: Policy['providers'][string]) =>
    [
      `issuer ${issuer}`,
      ...(audiences.length === 0 ? [] : [`audiences ${audiences.join(', ')}`]),
      ...(client === undefined ? [] : [`client ${client.id}`]),
    ].join(', ');
  const accepted = (hosts: readonly Host[]) => Object.fromEntries(hosts.map((host) => [host.name, host]));
  const known = ({ providers, clientCaFile, limit }: Host) => ({
    providers: [...providers].sort(),
    clientCaFile,
    limit: saidLimit(limit),
  });
  const both = (old: Host, fresh: Host): Part[] => parts(known(old), known(fresh));
  return [
    ...section('provider', before.providers, after.providers, (a, b) => parts({ ...a }, { ...b }), whole),
    ...section('host', accepted(before.hosts), accepted(after.hosts), both, () => '').filter(({ key }) => key),
  ];
}

/** A limit in words; null where none is to hold. */
const saidLimit = (limit: Limit | null | undefined): string | null | undefined => (limit ? limitText(limit) : limit);

/** The gateway's own keys, limits in words. */
function gatewayKeys({ limits, ...rest }: Gateway): Named {
  if (limits === undefined) return rest;
  const { callers, agents, anonymous, ...room } = limits;
  const said = { callers: saidLimit(callers), agents: saidLimit(agents), anonymous: saidLimit(anonymous) };
  return { ...rest, limits: { ...said, ...room } };
}

type Known = Policy['agents'][string];

/** How an agent is known, as policies write it. */
export function matchText({ match }: Known): string {
  const from = 'provider' in match && match.provider !== undefined ? ` of ${match.provider}` : '';
  switch (match.kind) {
    case 'service':
      return `service ${match.service}`;
    case 'client':
      return `client_id ${match.client}${from}`;
    case 'spiffe':
      return `${match.spiffe}${from}`;
    case 'claim':
      return factText(match.fact);
  }
}

/**
 * Agents that are known by something else, may stand in longer chains, whose tokens have to be bound otherwise, or that may
 * ask for more or less. For whom they act, their rules say.
 */
export function agentChanges(before: Policy, after: Policy): readonly DefinitionChange[] {
  const known = (agent: Known) => ({
    match: matchText(agent),
    hops: agent.hops,
    bound: agent.bound,
    limit: saidLimit(agent.limit),
  });
  const whole = (agent: Known) =>
    [
      matchText(agent),
      ...(agent.actsFor.length === 0 ? [] : [`acts for ${agent.actsFor.join(', ')}`, `hops ${agent.hops}`]),
      ...(agent.alone ? ['alone'] : []),
      ...(agent.bound === undefined ? [] : [`bound ${agent.bound}`]),
    ].join(', ');
  return section('agent', before.agents, after.agents, (a, b) => parts(known(a), known(b)), whole);
}

/**
 * Routes of both sides that take other credentials or tokens for others, whose requests are carried otherwise, that pages
 * of other origins may ask otherwise, which may be asked for more or less, or whose denied page names somebody else.
 */
export function routeChanges(before: Policy, after: Policy): readonly DefinitionChange[] {
  const named = ({ hosts }: Policy) =>
    Object.fromEntries(hosts.flatMap(({ routes }) => routes.map((route) => [route.name, route])));
  const known = ({ accept, audiences, proxy, cors, limit, owner, ask }: Route) => ({
    accept,
    audiences,
    proxy,
    cors,
    limit: saidLimit(limit),
    owner,
    ask,
  });
  const both = (old: Route, fresh: Route): Part[] => parts(known(old), known(fresh));
  return section('route', named(before), named(after), both, () => '').filter(({ key }) => key);
}

/** Ingresses by name; the only one of a policy has none. */
const doors = ({ mesh }: Policy): Readonly<Record<string, Ingress>> =>
  Object.fromEntries(
    Object.entries(mesh?.ingresses ?? {}).map(([key, it]) => [key === 'default' ? 'ingress' : key, it]),
  );

/** Keys of `gateway:` that changed. */
export const gatewayChanges = (before: Policy, after: Policy): readonly DefinitionChange[] =>
  parts(gatewayKeys(before.gateway), gatewayKeys(after.gateway)).map((part) => ({
    section: 'gateway',
    name: 'gateway',
    ...part,
    affects: [],
  }));

/** All else that the rules rest on: what changed of the policy's definitions, section by section. */
export function definitionChanges(
  old: { readonly policy: Policy; readonly rules: readonly Rule[] },
  fresh: { readonly policy: Policy; readonly rules: readonly Rule[] },
): readonly DefinitionChange[] {
  const [before, after] = [old.policy, fresh.policy];
  const all = (a: object, b: object) => parts({ ...a }, { ...b });
  return [
    ...gatewayChanges(before, after),
    ...providerChanges(before, after),
    ...roleChanges(before, after).map((change) => withRules(change, fresh.rules)),
    ...agentChanges(before, after),
    ...section(
      'ingress',
      doors(before),
      doors(after),
      all,
      ({ host, port, caFile }) => `address ${host}:${port}, ca_file ${caFile}`,
    ),
    ...section('identity', before.mesh?.identities ?? {}, after.mesh?.identities ?? {}, all, ({ spiffe }) => spiffe),
    ...section('service', before.services, after.services, all, ({ authority }) => `authority ${authority}`),
    ...routeChanges(before, after),
    ...headerChanges(old, fresh).map(({ on, ...change }) => ({ section: 'header' as const, ...change, affects: on })),
  ];
}
