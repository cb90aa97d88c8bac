import { evaluations, type Fact, type Leaf } from '../../policy/facts/index.ts';
import { ADDRESS, REQUEST, type RequestView, SIGNIN, TOKEN, type Truth } from '../../policy/facts/operator.ts';
import { dependsOn, type FactReading, leaves, readFacts } from '../../policy/facts/walk.ts';
import { type ProviderKind, providerKinds } from '../../providers/index.ts';
import type { Verified } from '../../token/types.ts';
import type { Caller, CallerTable } from '../types.ts';
import { factsOfRoles, type RoleFacts } from './role-facts.ts';
import { type CallerFactContext, factTruth, isSatisfied, roleTruth, type SigninFact, signedInSo } from './truth.ts';

/* Roles that depend on the request. A token is verified once, but its caller can have other roles from another network.
 * So the truth of each fact about the token on which such a role depends is stored, one letter for each, and the claims
 * are not needed again. */

/** The roles of a policy that depend on the request. */
export interface RequestRoles extends Pick<RoleFacts, 'roles' | 'requested'> {
  readonly names: readonly string[];
  /** The facts about tokens on which these roles depend, with the index of each fact in {@link Caller.truths}. */
  readonly leaves: ReadonlyMap<Leaf, number>;
  /** The names of the roles that do not depend on a token. */
  readonly bare: ReadonlySet<string>;
  /** The names of the roles that also depend on how or when the person signed in. */
  readonly bySignin: readonly string[];
  /** For each agent that sends tokens, the roles in its `acts_for`. */
  readonly actsFor: ReadonlyMap<string, readonly string[]>;
}

const isSigninFact = (fact: Leaf): fact is SigninFact => (dependsOn(fact) & SIGNIN) !== 0;

function prepare(table: Pick<CallerTable, 'roles' | 'agents'>): RequestRoles | undefined {
  const { roles, roleOf, depends, requested } = factsOfRoles(table);
  const dependOn = (bit: number, names: readonly string[]) => names.filter((name) => (depends.role(name) & bit) !== 0);
  const names = dependOn(REQUEST, [...roles.keys()]);
  if (names.length === 0) return undefined;
  const ofToken = leaves(roleOf, TOKEN, true);
  const facts = new Set(names.flatMap((name) => ofToken.role(name)));
  const byToken = dependOn(TOKEN, names);
  return {
    ...{ names, roles, requested },
    leaves: new Map([...facts].map((fact, place) => [fact, place])),
    bare: new Set(names.filter((name) => !byToken.includes(name))),
    bySignin: dependOn(SIGNIN, names),
    actsFor: new Map((table.agents ?? []).map(({ name, actsFor }) => [name, actsFor])),
  };
}

const prepared = new WeakMap<CallerTable, RequestRoles | null>();

/** Returns the roles that depend on the request, computed once; undefined if the policy has none. */
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

/** Returns the truth of each fact about the token on which roles of the request depend: true, false or unknown. For a
 * fact about the sign-in, the provider is not compared; if it is another provider, the letter is a capital letter,
 * which counts as unknown. */
export function truthsOf({ leaves }: RequestRoles, context: CallerFactContext): string {
  const { verified, signin } = context;
  let letters = '';
  for (const fact of leaves.keys()) {
    if (!isSigninFact(fact) || signin === undefined) letters += letterOf(factTruth(fact, context));
    else {
      const letter = letterOf(signedInSo(fact, context));
      const isOther = fact.provider !== undefined && fact.provider !== verified.provider;
      letters += isOther ? letter.toUpperCase() : letter;
    }
  }
  return letters;
}

const noToken: Verified = Object.freeze({ provider: '', claims: Object.freeze({}), expires: 0, key: '' });
const noKind: ProviderKind = providerKinds.generic;

/** Returns the input for facts: the stored letters and the request. Without a token, facts about tokens are unknown. */
function contextOf(of: RequestRoles, truths: string, request: RequestView, assumed: boolean): CallerFactContext {
  const given = (fact: Leaf): Truth => {
    const letter = truths[of.leaves.get(fact) as number];
    if (!assumed || !isSigninFact(fact)) return truthOfLetter(letter);
    return letter !== undefined && letter === letter.toLowerCase() ? true : undefined;
  };
  return { verified: noToken, kind: noKind, roles: of.roles, request, given };
}

/** The truths that a fact can have if only the address changes, as bits. */
const CAN_HOLD = 1;
const CAN_FAIL = 2;

const swapped = (truths: number): number => ((truths & CAN_HOLD) << 1) | ((truths & CAN_FAIL) >> 1);

const elsewhereOf = (context: CallerFactContext): FactReading<Fact, number> =>
  readFacts((role) => context.roles.get(role), {
    leaf: (fact) => {
      if ((evaluations[fact.op].on & ADDRESS) !== 0) return CAN_HOLD | CAN_FAIL;
      const truth = factTruth(fact, context);
      return truth === undefined ? 0 : truth ? CAN_HOLD : CAN_FAIL;
    },
    sum: (op, parts) => {
      const [one, each] = op === 'all' ? [CAN_FAIL, CAN_HOLD] : [CAN_HOLD, CAN_FAIL];
      const some = parts.some((part) => (part & one) !== 0) ? one : 0;
      const truths = some | (parts.every((part) => (part & each) !== 0) ? each : 0);
      return op === 'none' ? swapped(truths) : truths;
    },
    missing: 0,
  });

/** Returns the roles of a caller, those of the request included, in the policy's order. */
function merged(of: RequestRoles, anyway: readonly string[], more: readonly string[]): readonly string[] {
  if (more.every((name) => anyway.includes(name))) return anyway;
  return [...of.roles.keys()].filter((name) => anyway.includes(name) || more.includes(name));
}

/** Returns the roles that another sign-in would give, at the same address of the client. */
function stepUps(of: RequestRoles, caller: Caller, held: readonly string[], request: RequestView): readonly string[] {
  const truths = caller.truths ?? '';
  const assumed = contextOf(of, truths, request, true);
  const isSo = (fact: SigninFact): boolean => truths[of.leaves.get(fact) as number]?.toLowerCase() === 't';
  const more = of.bySignin.filter((name) => {
    if (held.includes(name) || roleTruth(name, assumed) !== true) return false;
    return !isSatisfied(of.requested.role(name), isSo);
  });
  const before = (caller.stepUp ?? []).filter((name) => !held.includes(name));
  return merged(of, before, more);
}

/** Returns the roles that a request can give to a caller: an agent's `acts_for`; none for an agent alone. */
function namesFor(of: RequestRoles, { agent, alone }: Caller): readonly string[] {
  if (agent === undefined) return of.names;
  const travels = alone ? [] : (of.actsFor.get(agent) ?? []);
  return of.names.filter((name) => travels.includes(name));
}

/** Returns the caller of one request, with the roles that the request gives and those that only the address prevents.
 * @param caller the result of {@link toCaller}, or {@link NOBODY} */
export function inView(caller: Caller, of: RequestRoles, request: RequestView): Caller {
  const now = contextOf(of, caller.truths ?? '', request, false);
  const names = namesFor(of, caller);
  const elsewhere = elsewhereOf(now);
  const given = names.filter((name) => roleTruth(name, now) === true);
  const roles = merged(of, caller.roles, given);
  const lacks = names.filter(
    (name) => !roles.includes(name) && (!caller.nobody || of.bare.has(name)) && (elsewhere.role(name) & CAN_HOLD) !== 0,
  );
  const stepUp = caller.nobody || caller.agent !== undefined ? [] : stepUps(of, caller, roles, request);
  const { stepUp: _, elsewhere: __, ...rest } = caller;
  return { ...rest, roles, ...(stepUp.length > 0 && { stepUp }), ...(lacks.length > 0 && { elsewhere: lacks }) };
}
