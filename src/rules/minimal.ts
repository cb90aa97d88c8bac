import type { Parting } from './callers.ts';
import type { Implied } from './implied.ts';
import { messageText } from './tools.ts';
import type { Rule } from './types.ts';

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

const mark = ({ left, right }: Parting): string => JSON.stringify([left?.id, right?.id]);

function change(person: Affected, { caller, left, right }: Parting): MinimalChange {
  const message = caller?.mcp === undefined ? {} : { message: messageText(caller.mcp) };
  const who = caller?.agent === undefined ? person : { ...person, agent: caller.agent, ...message };
  return { who, ...(left && { before: left }), ...(right && { after: right }) };
}

/** Whether the change for a role follows from the change for a role that it implies. */
function follows(single: Parting, singles: readonly Parting[]): boolean {
  const held = single.caller?.roles ?? [];
  return singles.some((it) => it !== single && held.includes(it.named[0] as string) && mark(it) === mark(single));
}

function withoutRoles(nobody: Parting | undefined, somebody: Parting | undefined): MinimalChange[] {
  if (nobody && somebody && mark(nobody) === mark(somebody)) return [change({ kind: 'anyone' }, nobody)];
  const first = nobody ? [change({ kind: 'nobody' }, nobody)] : [];
  return somebody ? [...first, change({ kind: 'authenticated' }, somebody)] : first;
}

/** Returns the changes from which all others follow. It omits a change for one role that applies to all callers, and a
 * change for two roles that applies to one of them. */
export function minimal(partings: readonly Parting[]): readonly MinimalChange[] {
  const groups = new Map<string, Parting[]>();
  for (const parting of partings) {
    const key = JSON.stringify([parting.caller?.agent, parting.caller?.mcp]);
    groups.set(key, [...(groups.get(key) ?? []), parting]);
  }
  return [...groups.values()].flatMap((own) => {
    const people = own.filter(({ caller }) => !caller?.alone);
    const said = new Set(people.map(sayingOf));
    return [
      ...itself(own.filter((it) => it.caller?.alone && (it.named.length === 0 || !said.has(sayingOf(it))))),
      ...ofOne(people),
    ];
  });
}

const sayingOf = (it: Parting): string => JSON.stringify([it.named, mark(it)]);

/** Returns the changes for an agent that is alone. A change with roles is listed only if none without is equal. */
const itself = (partings: readonly Parting[]): readonly MinimalChange[] =>
  ofOne(partings).map((it): MinimalChange => {
    const { who } = it;
    const roles = who.kind === 'roles' ? { roles: who.roles } : {};
    return { ...it, who: { ...who, kind: 'alone', agent: who.agent as string, ...roles } };
  });

/** Returns which side gives the role that decides, if only one side does. */
function givenBy({ caller, left, right }: Parting): 'now' | 'no longer' | undefined {
  const [before, after] = [caller?.left ?? caller?.roles ?? [], caller?.roles ?? []];
  if (right?.who.kind === 'role' && !before.includes(right.who.role)) return 'now';
  return left?.who.kind === 'role' && !after.includes(left.who.role) ? 'no longer' : undefined;
}

/** Returns the changes for anonymous callers with a role, unless the same change applies to all anonymous callers. If
 * all callers with the role lose access, another change says so. A gain is always listed. */
function anonymous(
  bare: readonly Parting[],
  nobody: Parting | undefined,
  singles: readonly Parting[],
): MinimalChange[] {
  const isSaid = (it: Parting): boolean =>
    it.left !== undefined &&
    givenBy(it) === undefined &&
    singles.some((other) => other.named[0] === it.named[0] && mark(other) === mark(it));
  const own = bare.filter((it) => (nobody === undefined || mark(it) !== mark(nobody)) && !isSaid(it));
  const once = new Map(own.map((it) => [JSON.stringify([it.named, mark(it), givenBy(it)]), it]));
  return [...once.values()].map((it) => {
    const given = givenBy(it);
    return change({ kind: 'nobody', roles: it.named, ...(given && { given }) }, it);
  });
}

/** Returns the changes from which all others follow, for people without an agent or for one agent. */
function ofOne(partings: readonly Parting[]): readonly MinimalChange[] {
  const nobody = partings.find(({ caller }) => caller === null);
  const somebody = partings.find(({ caller, named }) => caller !== null && !caller.nobody && named.length === 0);
  const bare = partings.filter(({ caller }) => caller?.nobody);
  const own = partings.filter((it) => !it.caller?.nobody && (somebody === undefined || mark(it) !== mark(somebody)));
  const singles = own.filter(({ named }) => named.length === 1);
  const isSingle = ({ caller, named }: Parting) => named.length === 1 && !caller?.nobody;
  const changed = new Set(partings.filter(isSingle).flatMap(({ named }) => named));
  const pairs = own.filter(({ named }) => named.length === 2 && !named.some((role) => changed.has(role)));
  const withRoles = [...singles.filter((it) => !follows(it, singles)), ...pairs];
  return [
    ...withoutRoles(nobody, somebody),
    ...anonymous(bare, nobody, singles),
    ...withRoles.map((it) => change({ kind: 'roles', roles: it.named }, it)),
  ];
}

/** Returns roles that a rule still allows although other callers lose access; for an agent, only if it keeps a rule. */
export function keepers(rules: readonly Rule[], who: Affected, implied: Implied): readonly string[] {
  if (who.kind === 'nobody' || who.kind === 'alone') return [];
  const losing = who.kind === 'roles' ? who.roles : [];
  const all = new Set(rules.flatMap((rule) => (rule.who.kind === 'role' ? [rule.who.role] : [])));
  const roles = [...all].filter((role) => losing.every((it) => implied(role).has(it)));
  if (who.agent === undefined) return roles;
  const [acting] = rules.flatMap((it) => (it.who.kind === 'agent' && it.who.agent === who.agent ? [it.who] : []));
  return roles.filter((role) => acting?.actsFor.includes(role));
}
