import type { Fact } from '../policy/types.ts';
import { type ProviderKind, providerKinds } from '../providers/index.ts';
import type { Verified } from '../token/types.ts';
import { type FactContext, type SigninFact, signedInSo, type Truth, truthOf } from './facts.ts';
import { isRequestFact, type RequestView } from './request.ts';
import { askedOfSignin, isMet } from './step-up.ts';
import type { Caller, CallerTable } from './types.ts';

/*
 * Roles that rest on facts of the request: a token is verified once, and its caller has other roles by another network.
 * What the token says of each fact that such a role rests on is kept, a letter each, so that nobody needs its claims.
 */

/** The roles of a policy that rest on facts of the request. */
export interface RequestRoles {
  readonly names: readonly string[];
  /** All roles of the policy, in its order. */
  readonly roles: ReadonlyMap<string, Fact>;
  /** The facts of tokens that they rest on, with the place of each in {@link Caller.truths}. */
  readonly leaves: ReadonlyMap<Fact, number>;
  /** Those of {@link names} that rest on no token. */
  readonly bare: ReadonlySet<string>;
  /** Those that rest on how or when somebody signed in as well. */
  readonly bySignin: readonly string[];
  /** By agents that come with tokens, the roles that travel. */
  readonly actsFor: ReadonlyMap<string, readonly string[]>;
}

type Roles = ReadonlyMap<string, Fact>;

/** The facts that are no others' sum, of a fact and of the roles that it names, each as often as it stands there. */
function leavesOf(fact: Fact, roles: Roles, under: readonly string[]): readonly Fact[] {
  if ('facts' in fact) return fact.facts.flatMap((part) => leavesOf(part, roles, under));
  if (fact.op !== 'role') return [fact];
  const role = under.includes(fact.value) ? undefined : roles.get(fact.value);
  return role === undefined ? [] : leavesOf(role, roles, [...under, fact.value]);
}

const isSigninFact = (fact: Fact): fact is SigninFact => fact.op === 'acr' || fact.op === 'max_age';

function prepare({ roles: list, agents = [] }: Pick<CallerTable, 'roles' | 'agents'>): RequestRoles | undefined {
  const roles = new Map(list);
  const resting = [...roles]
    .map(([name, fact]) => ({ name, leaves: leavesOf(fact, roles, [name]) }))
    .filter(({ leaves }) => leaves.some(isRequestFact));
  if (resting.length === 0) return undefined;
  const ofTokens = new Set(resting.flatMap(({ leaves }) => leaves.filter((leaf) => !isRequestFact(leaf))));
  const named = (counts: (leaves: readonly Fact[]) => boolean): readonly string[] =>
    resting.flatMap(({ name, leaves }) => (counts(leaves) ? [name] : []));
  return {
    names: named(() => true),
    roles,
    leaves: new Map([...ofTokens].map((leaf, place) => [leaf, place])),
    bare: new Set(named((leaves) => leaves.every(isRequestFact))),
    bySignin: named((leaves) => leaves.some(isSigninFact)),
    actsFor: new Map(agents.map(({ name, actsFor }) => [name, actsFor])),
  };
}

const prepared = new WeakMap<CallerTable, RequestRoles | null>();

/** The roles that rest on facts of the request, found once; undefined: the policy has none. */
export function requestRoles(table: CallerTable): RequestRoles | undefined {
  let made = prepared.get(table);
  if (made === undefined) {
    made = prepare(table) ?? null;
    prepared.set(table, made);
  }
  return made ?? undefined;
}

const letterOf = (truth: Truth): string => (truth === undefined ? 'u' : truth ? 't' : 'f');
const truthOfLetter = (letter: string | undefined): Truth =>
  letter === 't' ? true : letter === 'f' ? false : undefined;

/**
 * What a token says of each fact that roles of the request rest on: true, false, or unknown. Of a fact about the sign-in
 * it is what is so; in a capital where the fact speaks of another provider, and is not known therefore.
 */
export function truthsOf({ leaves }: RequestRoles, context: FactContext): string {
  const { verified, signin } = context;
  let letters = '';
  for (const fact of leaves.keys()) {
    if (!isSigninFact(fact) || signin === undefined) letters += letterOf(truthOf(fact, context));
    else {
      const letter = letterOf(signedInSo(fact, verified.claims, signin));
      const isOther = fact.provider !== undefined && fact.provider !== verified.provider;
      letters += isOther ? letter.toUpperCase() : letter;
    }
  }
  return letters;
}

const noToken: Verified = Object.freeze({ provider: '', claims: Object.freeze({}), expires: 0, key: '' });
const noKind: ProviderKind = providerKinds.generic;

/** Facts as letters say, and the request does. Of no token, no fact is known. */
function contextOf(of: RequestRoles, truths: string, request: RequestView, assumed: boolean): FactContext {
  const given = (fact: Fact): Truth => {
    const letter = truths[of.leaves.get(fact) as number];
    if (!assumed || !isSigninFact(fact)) return truthOfLetter(letter);
    return letter !== undefined && letter === letter.toLowerCase() ? true : undefined;
  };
  return { verified: noToken, kind: noKind, roles: of.roles, request, given };
}

/** Whether a fact could have a truth if the client were somewhere else, all but that as it is. */
function canBe(fact: Fact, wanted: boolean, context: FactContext, under: readonly string[]): boolean {
  if (fact.op === 'network') return true;
  if ('facts' in fact) {
    const part = (it: Fact): boolean => canBe(it, wanted !== (fact.op === 'none'), context, under);
    return (fact.op === 'any') === wanted ? fact.facts.some(part) : fact.facts.every(part);
  }
  if (fact.op !== 'role') return truthOf(fact, context, under) === wanted;
  const role = under.includes(fact.value) ? undefined : context.roles.get(fact.value);
  return role !== undefined && canBe(role, wanted, context, [...under, fact.value]);
}

/** The roles of a caller in the policy's order: those held anyway, and those that the request gives. */
function merged(of: RequestRoles, anyway: readonly string[], more: readonly string[]): readonly string[] {
  if (more.every((name) => anyway.includes(name))) return anyway;
  return [...of.roles.keys()].filter((name) => anyway.includes(name) || more.includes(name));
}

/** Roles that another sign-in would give, where the client is. */
function stepUps(of: RequestRoles, caller: Caller, held: readonly string[], request: RequestView): readonly string[] {
  const truths = caller.truths ?? '';
  const assumed = contextOf(of, truths, request, true);
  const isSo = (fact: SigninFact): boolean => truths[of.leaves.get(fact) as number]?.toLowerCase() === 't';
  const roleOf = (role: string): Fact | undefined => of.roles.get(role);
  const more = of.bySignin.filter((name) => {
    const fact = of.roles.get(name) as Fact;
    if (held.includes(name) || truthOf(fact, assumed, [name]) !== true) return false;
    return !isMet(askedOfSignin(fact, roleOf, [name]), isSo);
  });
  return merged(
    of,
    (caller.stepUp ?? []).filter((name) => !held.includes(name)),
    more,
  );
}

/** The roles that a request can give a caller: of a person behind an agent those that travel, and an agent alone none. */
function namesFor(of: RequestRoles, { agent, alone }: Caller): readonly string[] {
  if (agent === undefined) return of.names;
  const travels = alone ? [] : (of.actsFor.get(agent) ?? []);
  return of.names.filter((name) => travels.includes(name));
}

/**
 * Who a caller is in one request: with the roles that the request gives, and those that it does not give for no more than
 * where it comes from.
 *
 * @param caller what {@link toCaller} says, or {@link NOBODY}
 */
export function inView(caller: Caller, of: RequestRoles, request: RequestView): Caller {
  const now = contextOf(of, caller.truths ?? '', request, false);
  const names = namesFor(of, caller);
  const given = names.filter((name) => truthOf(of.roles.get(name) as Fact, now, [name]) === true);
  const roles = merged(of, caller.roles, given);
  const lacks = names.filter(
    (name) =>
      !roles.includes(name) &&
      (!caller.nobody || of.bare.has(name)) &&
      canBe(of.roles.get(name) as Fact, true, now, [name]),
  );
  const stepUp = caller.nobody || caller.agent !== undefined ? [] : stepUps(of, caller, roles, request);
  const { stepUp: _, elsewhere: __, ...rest } = caller;
  return {
    ...rest,
    roles,
    ...(stepUp.length > 0 && { stepUp }),
    ...(lacks.length > 0 && { elsewhere: lacks }),
  };
}
