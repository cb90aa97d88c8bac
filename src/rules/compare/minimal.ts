import type { Implied } from '../implied.ts';
import { messageText } from '../tools.ts';
import type { Rule } from '../types.ts';
import type { Divergence } from './compared-callers.ts';

/** The callers that a change affects. With `agent`, the change affects only what this agent does for them. */
export type Affected = {
  readonly agent?: string;
  /** The MCP message of the agent; absent: the request contains none, or no rule reads it. */
  readonly message?: string;
} & (
  | Person
  /** With `roles`: one side does not know the agent and treats it as a person with the roles of its token. */
  | { readonly kind: 'alone'; readonly agent: string; readonly roles?: readonly string[] }
);

type Person =
  | { readonly kind: 'anyone' }
  /** Anonymous callers, perhaps only those with these roles from the request. With `given`: only one side gives
   * them. */
  | { readonly kind: 'nobody'; readonly roles?: readonly string[]; readonly given?: 'now' | 'no longer' }
  | { readonly kind: 'authenticated' }
  /** Callers with this role, or with both of these roles. */
  | { readonly kind: 'roles'; readonly roles: readonly string[] };

export interface MinimalChange {
  readonly who: Affected;
  readonly before?: Rule;
  readonly after?: Rule;
}

const mark = ({ left, right }: Divergence): string => JSON.stringify([left?.id, right?.id]);

function change(person: Affected, { caller, left, right }: Divergence): MinimalChange {
  const message = caller?.mcp === undefined ? {} : { message: messageText(caller.mcp) };
  const who = caller?.agent === undefined ? person : { ...person, agent: caller.agent, ...message };
  return { who, ...(left && { before: left }), ...(right && { after: right }) };
}

function withoutRoles(nobody: Divergence | undefined, somebody: Divergence | undefined): MinimalChange[] {
  if (nobody && somebody && mark(nobody) === mark(somebody)) return [change({ kind: 'anyone' }, nobody)];
  const first = nobody ? [change({ kind: 'nobody' }, nobody)] : [];
  return somebody ? [...first, change({ kind: 'authenticated' }, somebody)] : first;
}

/** Returns the changes from which all others follow. It omits a change for one role that applies to all callers, and a
 * change for two roles that applies to one of them. */
export function minimal(divergences: readonly Divergence[]): readonly MinimalChange[] {
  const groups = new Map<string, Divergence[]>();
  for (const divergence of divergences) {
    const key = JSON.stringify([divergence.caller?.agent, divergence.caller?.mcp]);
    const group = groups.get(key) ?? [];
    group.push(divergence);
    groups.set(key, group);
  }
  return [...groups.values()].flatMap((own) => {
    const people = own.filter(({ caller }) => !caller?.alone);
    const declared = new Set(people.map(sayingOf));
    return [
      ...itself(own.filter((it) => it.caller?.alone && (it.named.length === 0 || !declared.has(sayingOf(it))))),
      ...ofOne(people),
    ];
  });
}

const sayingOf = (it: Divergence): string => JSON.stringify([it.named, mark(it)]);

/** Returns the changes for an agent that is alone. A change with roles is listed only if none without is equal. */
const itself = (divergences: readonly Divergence[]): readonly MinimalChange[] =>
  ofOne(divergences).map((it): MinimalChange => {
    const { who } = it;
    const roles = who.kind === 'roles' ? { roles: who.roles } : {};
    return { ...it, who: { ...who, kind: 'alone', agent: who.agent as string, ...roles } };
  });

/** Returns which side gives the role that decides, if only one side does. */
function givenBy({ caller, left, right }: Divergence): 'now' | 'no longer' | undefined {
  const [before, after] = [caller?.left ?? caller?.roles ?? [], caller?.roles ?? []];
  if (right?.who.kind === 'role' && !before.includes(right.who.role)) return 'now';
  return left?.who.kind === 'role' && !after.includes(left.who.role) ? 'no longer' : undefined;
}

/** Returns the changes for anonymous callers with a role, unless the same change applies to all anonymous callers. If
 * all callers with the role lose access, another change says so. A gain is always listed. */
function anonymous(
  bare: readonly Divergence[],
  nobody: Divergence | undefined,
  marks: ReadonlyMap<string | undefined, string>,
): MinimalChange[] {
  const isDeclared = (it: Divergence): boolean =>
    it.left !== undefined && givenBy(it) === undefined && marks.get(it.named[0]) === mark(it);
  const own = bare.filter((it) => (nobody === undefined || mark(it) !== mark(nobody)) && !isDeclared(it));
  const once = new Map(own.map((it) => [JSON.stringify([it.named, mark(it), givenBy(it)]), it]));
  return [...once.values()].map((it) => {
    const given = givenBy(it);
    const who = (given === 'now' ? it.right : it.left)?.who;
    const roles = given !== undefined && who?.kind === 'role' ? [who.role] : it.named;
    return change({ kind: 'nobody', roles, ...(given && { given }) }, it);
  });
}

/** Returns the changes from which all others follow, for people without an agent or for one agent. */
function ofOne(divergences: readonly Divergence[]): readonly MinimalChange[] {
  const nobody = divergences.find(({ caller }) => caller === null);
  const somebody = divergences.find(({ caller, named }) => caller !== null && !caller.nobody && named.length === 0);
  const bare = divergences.filter(({ caller }) => caller?.nobody);
  const own = divergences.filter((it) => !it.caller?.nobody && (somebody === undefined || mark(it) !== mark(somebody)));
  const [singles, pairs] = [1, 2].map((size) => own.filter(({ named }) => named.length === size)) as [
    Divergence[],
    Divergence[],
  ];
  const marks = new Map(singles.map((it) => [it.named[0], mark(it)]));
  // The change for a role may follow from the change for a role that it implies.
  const follows = ({ caller, named: [own] }: Divergence) =>
    caller?.roles.some((role) => role !== own && marks.get(role) === marks.get(own));
  return [
    ...withoutRoles(nobody, somebody),
    ...anonymous(bare, nobody, marks),
    ...[...singles.filter((it) => !follows(it)), ...pairs].map((it) => change({ kind: 'roles', roles: it.named }, it)),
  ];
}

/** Returns a function that lists the roles that a rule still allows although other callers lose access; for an agent,
 * only if it keeps a rule. */
export function keepersOf(rules: readonly Rule[], implied: Implied): (who: Affected) => readonly string[] {
  const all = new Set<string>();
  const having = new Map<string, string[]>();
  const acting = new Map<string, readonly string[]>();
  for (const { who } of rules) {
    if (who.kind === 'agent' && !acting.has(who.agent)) acting.set(who.agent, who.actsFor);
    if (who.kind !== 'role' || all.has(who.role)) continue;
    all.add(who.role);
    for (const role of implied(who.role)) {
      const roles = having.get(role) ?? [];
      roles.push(who.role);
      having.set(role, roles);
    }
  }
  return (who) => {
    if (who.kind === 'nobody' || who.kind === 'alone') return [];
    const [first, ...others] = who.kind === 'roles' ? who.roles : [];
    const some = first === undefined ? [...all] : (having.get(first) ?? []);
    const roles = some.filter((role) => others.every((it) => implied(role).has(it)));
    return who.agent === undefined ? roles : roles.filter((role) => acting.get(who.agent as string)?.includes(role));
  };
}
