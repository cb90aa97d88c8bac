import type { At, Policy } from '../../policy/checked/types.ts';
import { pathAtoms } from '../../rules/compare/atoms.ts';
import { overlap } from '../../rules/compare/cover.ts';
import { type Enforced, enforced } from '../../rules/enforced.ts';
import type { MeshRule, Path, Rule } from '../../rules/types.ts';

/** The rules of services in the mesh. Each can be enforced alone. */
export const meshRules = (policy: Policy, rules: readonly Rule[]): readonly Enforced[] =>
  enforced(rules).filter((rule) => policy.services[rule.service]?.direct === undefined);

/** Groups items by key. The order is that of the first item of each group. */
export function grouped<T, K>(items: Iterable<T>, key: (item: T) => K): ReadonlyMap<K, readonly [T, ...T[]]> {
  const groups = new Map<K, [T, ...T[]]>();
  for (const item of items) {
    const own = groups.get(key(item));
    if (own === undefined) groups.set(key(item), [item]);
    else own.push(item);
  }
  return groups;
}

/** The SPIFFE id of the connection for requests of a rule. */
export function spiffeOf({ mesh }: Policy, { id, as }: Rule): string {
  const identity = mesh?.identities[as];
  if (identity === undefined) throw new Error(`rule ${id} names an undefined identity`);
  return identity.spiffe;
}

/** The members of a rule that depend on the assertion. */
type Says = Pick<MeshRule, 'who' | 'agent' | 'alone' | 'tools' | 'asserted'>;

/** A rule as a mesh enforces it.
 * @param file the file that the rule is read from, without line numbers
 * @param to the host, which also names the service, and the identity of the connection
 * @param says what the assertion must contain; absent: the rule allows any caller with this connection */
export function meshRule(
  file: string,
  { id, route, path, methods }: Pick<Rule, 'id' | 'route' | 'path' | 'methods'>,
  to: Pick<MeshRule, 'host' | 'as'>,
  says: Says = { who: { kind: 'anyone' } },
): MeshRule {
  const at: At = { file, line: 0, column: 0 };
  return { id, at, route, path, ...(methods !== undefined && { methods }), ...says, ...to, service: to.host };
}

const baseOf = (path: Path): string => ('exact' in path ? path.exact : path.prefix);

/** Whether a path is the prefix itself or below it. */
export const isInside = (path: string, prefix: string): boolean => path === prefix || path.startsWith(`${prefix}/`);

/** The smallest sets of paths that the given paths distinguish, each with one path that represents the set. */
export function regionsOf(paths: Iterable<Path>): readonly { readonly path: Path; readonly sample: string }[] {
  const atoms = pathAtoms(paths);
  const plain = atoms.map(
    ({ kind, base }): Path => (kind === 'point' ? { exact: base } : { prefix: base, except: [] }),
  );
  return atoms.map(({ kind, base, path }) => {
    if (kind === 'point') return { path: { exact: base }, sample: path };
    const inner = plain.filter((it) => isInside(baseOf(it), base) && !('prefix' in it && it.prefix === base));
    return { path: { prefix: base, except: inner }, sample: path };
  });
}

/** The callers of a rule, in words. */
export function callersText({ who, agent, alone }: Pick<Enforced, 'who' | 'agent' | 'alone'>): string {
  if (alone) return `agent ${agent} alone`;
  const person = who.kind === 'role' ? `role ${who.role}` : who.kind;
  return typeof agent === 'string' ? `agent ${agent} for ${person}` : person;
}

const methodsOverlap = (a: Rule, b: Rule): boolean =>
  a.methods === undefined || b.methods === undefined || a.methods.some((method) => b.methods?.includes(method));

/** The rules for other callers that a mesh confuses with the callers of a rule, because both rules cover the same
 * request.
 * @param seen what the mesh sees of a rule besides the request
 * @returns a function that returns these rules for one of the rules */
export function indistinctIn(
  rules: readonly Enforced[],
  seen: (rule: Enforced) => string,
): (rule: Enforced) => readonly Enforced[] {
  // The rules are grouped by path, because most rules share their path with others.
  const places = new Map([...grouped(rules, seen)].map(([name, own]) => [name, grouped(own, ({ path }) => path)]));
  return (rule) => {
    const who = callersText(rule);
    const near = [...(places.get(seen(rule)) ?? [])].flatMap(([path, own]) => (overlap(rule.path, path) ? own : []));
    return near.filter((other) => methodsOverlap(rule, other) && callersText(other) !== who);
  };
}

/** How many rules a text names at most. */
const NAMES = 3;

/** Other rules, in words. */
export function othersText(others: readonly Enforced[]): string {
  const named = others.slice(0, NAMES).map((other) => `${callersText(other)} (${other.id})`);
  const more = others.length - named.length;
  return `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

export const connectionOf =
  ({ services, mesh }: Policy) =>
  (rule: Rule): string =>
    JSON.stringify([services[rule.service]?.authority, mesh?.identities[rule.as]?.spiffe]);

/** The text about callers that the mesh confuses with a rule's callers: {@link connectionOf} is the same for both. */
export function sharingText(rule: Enforced, others: readonly Enforced[], policy: Policy): string {
  const hosts = others.some((other) => other.host !== rule.host);
  const where = hosts ? ` and the authority ${policy.services[rule.service]?.authority}` : '';
  return `${callersText(rule)} shares the identity ${rule.as}${where} with ${othersText(others)} on the same requests`;
}
