import type { Fact, Host, Ingress, Policy, Route } from '../policy/types.ts';
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
}

function factText(fact: Fact): string {
  const of = 'provider' in fact && fact.provider !== undefined ? ` of ${fact.provider}` : '';
  switch (fact.op) {
    case 'group':
    case 'scope':
    case 'provider':
    case 'role':
      return `${fact.op} ${JSON.stringify(fact.value)}${of}`;
    case 'is':
    case 'has':
      return `claim ${fact.claim} ${fact.op} ${JSON.stringify(fact.value)}${of}`;
    default:
      return `${fact.op} (${fact.facts.map(factText).join(', ')})`;
  }
}

/** `caFile` as policies write it. */
const snake = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

function text(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value, (key, part) => (key === 'at' ? undefined : part));
}

type Named = Readonly<Record<string, unknown>>;

type Part = Pick<DefinitionChange, 'key' | 'before' | 'after'>;

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

function mentions(fact: Fact, role: string): boolean {
  if ('facts' in fact) return fact.facts.some((part) => mentions(part, role));
  return fact.op === 'role' && fact.value === role;
}

/** Roles that are made of a role, directly or not. */
function madeOf(role: string, policy: Policy, found: Set<string> = new Set()): ReadonlySet<string> {
  for (const { name, fact } of Object.values(policy.roles)) {
    if (found.has(name) || !mentions(fact, role)) continue;
    found.add(name);
    madeOf(name, policy, found);
  }
  return found;
}

/** Roles whose facts changed. */
export function roleChanges(before: Policy, after: Policy): readonly DefinitionChange[] {
  const compare = (old: Policy['roles'][string], fresh: Policy['roles'][string]): Part[] => {
    const [was, is] = [factText(old.fact), factText(fresh.fact)];
    return was === is ? [] : [{ before: was, after: is }];
  };
  const found = section('role', before.roles, after.roles, compare, ({ fact }) => factText(fact));
  return found.map((change) => ({ ...change, affects: [...madeOf(change.name, after)] }));
}

/** Providers, and which of them a host accepts. */
export function providerChanges(before: Policy, after: Policy): readonly DefinitionChange[] {
  const whole = ({ issuer, audiences }: Policy['providers'][string]) => text({ issuer, audiences }) as string;
  const accepted = (hosts: readonly Host[]) => Object.fromEntries(hosts.map((host) => [host.name, host]));
  const both = (old: Host, fresh: Host): Part[] =>
    parts({ providers: [...old.providers].sort() }, { providers: [...fresh.providers].sort() });
  return [
    ...section('provider', before.providers, after.providers, (a, b) => parts({ ...a }, { ...b }), whole),
    ...section('host', accepted(before.hosts), accepted(after.hosts), both, () => '').filter(({ key }) => key),
  ];
}

/** Agents that are another service, or may stand in longer chains. For whom they act, their rules say. */
export function agentChanges(before: Policy, after: Policy): readonly DefinitionChange[] {
  const known = ({ service, hops }: Policy['agents'][string]) => ({ service, hops });
  const whole = (agent: Policy['agents'][string]) => text({ ...known(agent), acts_for: agent.actsFor }) as string;
  return section('agent', before.agents, after.agents, (a, b) => parts(known(a), known(b)), whole);
}

/** Routes of both sides whose requests are carried otherwise, or that pages of other origins may ask otherwise. */
function routeChanges(before: Policy, after: Policy): readonly DefinitionChange[] {
  const named = ({ hosts }: Policy) =>
    Object.fromEntries(hosts.flatMap(({ routes }) => routes.map((route) => [route.name, route])));
  const known = ({ proxy, cors }: Route) => ({ proxy, cors });
  const both = (old: Route, fresh: Route): Part[] => parts(known(old), known(fresh));
  return section('route', named(before), named(after), both, () => '').filter(({ key }) => key);
}

/** Ingresses by name; the only one of a policy has none. */
const doors = ({ mesh }: Policy): Readonly<Record<string, Ingress>> =>
  Object.fromEntries(
    Object.entries(mesh?.ingresses ?? {}).map(([key, it]) => [key === 'default' ? 'ingress' : key, it]),
  );

/** All else that the rules rest on: what changed of the policy's definitions, section by section. */
export function definitionChanges(
  old: { readonly policy: Policy; readonly rules: readonly Rule[] },
  fresh: { readonly policy: Policy; readonly rules: readonly Rule[] },
): readonly DefinitionChange[] {
  const [before, after] = [old.policy, fresh.policy];
  const gateway = parts({ ...before.gateway }, { ...after.gateway });
  const all = (a: object, b: object) => parts({ ...a }, { ...b });
  return [
    ...gateway.map((part) => ({ section: 'gateway' as const, name: 'gateway', ...part, affects: [] })),
    ...providerChanges(before, after),
    ...roleChanges(before, after),
    ...agentChanges(before, after),
    ...section(
      'ingress',
      doors(before),
      doors(after),
      all,
      ({ host, port, caFile }) => text({ host, port, caFile }) as string,
    ),
    ...section(
      'identity',
      before.mesh?.identities ?? {},
      after.mesh?.identities ?? {},
      all,
      (it) => text({ spiffe: it.spiffe }) as string,
    ),
    ...section('service', before.services, after.services, all, ({ authority }) => text({ authority }) as string),
    ...routeChanges(before, after),
    ...headerChanges(old, fresh).map(({ on, ...change }) => ({ section: 'header' as const, ...change, affects: on })),
  ];
}
