import { isLike } from '../like.ts';
import { MAX_CLOCK_SKEW } from '../limits.ts';
import type { ClaimFact, Fact } from '../policy/types.ts';
import type { ProviderKind } from '../providers/index.ts';
import { claimAt } from '../token/claim-at.ts';
import type { Claims, Verified } from '../token/types.ts';
import { identityAt } from './email.ts';
import { type RequestFact, type RequestView, requestTruth } from './request.ts';

/**
 * True, false, or not known because the token does not say: the claim is absent, is of another form, or the fact speaks
 * of another provider's tokens. Not known gives no role, neither by itself nor through `none` (Kleene's logic).
 */
export type Truth = boolean | undefined;

/** What facts about the sign-in itself are judged by; made only where a policy has such facts. */
export interface SigninView {
  /** Seconds since the epoch. */
  readonly now: number;
  /** Facts about the sign-in count as true: what would be after a new and stronger one. */
  readonly assumed: boolean;
  /** Until when all that was judged by {@link now} stays as it is. */
  until: number;
}

/** What facts are evaluated against. */
export interface FactContext {
  readonly verified: Verified;
  /** Where tokens of this provider keep groups and scopes. */
  readonly kind: ProviderKind;
  /** The policy's roles by name. */
  readonly roles: ReadonlyMap<string, Fact>;
  /** Absent: how and when somebody signed in is not known. */
  readonly signin?: SigninView | undefined;
  /** Scopes that count as granted: what would be with a token that has them. */
  readonly scopes?: readonly string[];
  /** Absent: nothing is known of the request that comes with the token. */
  readonly request?: RequestView | undefined;
  /** Says of facts about the token what is so, instead of the token itself. */
  readonly given?: ((fact: Fact) => Truth) | undefined;
  /** What came of roles so far: each is evaluated once, however often others name it. */
  known?: Map<string, Truth>;
}

/** Whether one part has the wanted truth: else not known if one is not known, and false if all are. Of no parts, not known. */
function anyOf(parts: readonly Fact[], context: FactContext, wanted: boolean): Truth {
  let unknown = parts.length === 0;
  for (const part of parts) {
    const truth = truthOf(part, context);
    if (truth === wanted) return true;
    unknown ||= truth === undefined;
  }
  return unknown ? undefined : false;
}

function not(truth: Truth): Truth {
  return truth === undefined ? undefined : !truth;
}

/** A value of another type says nothing about the one asked for. */
function sameValue(present: unknown, wanted: string | number | boolean): Truth {
  return typeof present === typeof wanted ? present === wanted : undefined;
}

/** Whether a list holds the value. An empty list says no; one with elements of other types says nothing else than yes. */
function listHolds(list: readonly unknown[], wanted: string | number | boolean): Truth {
  if (list.includes(wanted)) return true;
  const type = typeof wanted;
  for (let i = 0; i < list.length; i++) if (typeof list[i] !== type) return undefined;
  return false;
}

/** Beyond these, several numbers of a token are read as one. */
const isOneOfMany = (wanted: string | number | boolean): boolean =>
  typeof wanted === 'number' && !(Math.abs(wanted) <= Number.MAX_SAFE_INTEGER);

function claimIs(claim: unknown, wanted: string | number | boolean): Truth {
  if (isOneOfMany(wanted)) return undefined;
  return Array.isArray(claim) ? listHolds(claim, wanted) : sameValue(claim, wanted);
}

function claimHas(claim: unknown, wanted: string | number | boolean): Truth {
  if (isOneOfMany(wanted)) return undefined;
  const list = typeof claim === 'string' ? claim.split(' ').filter((word) => word !== '') : claim;
  return Array.isArray(list) ? listHolds(list, wanted) : undefined;
}

/** Whether a text, or one of a list, is like the pattern. A list with elements of other types says nothing else than yes. */
function claimLike(claim: unknown, pattern: string): Truth {
  if (typeof claim === 'string') return isLike(claim, pattern);
  if (!Array.isArray(claim)) return undefined;
  let unknown = false;
  for (let i = 0; i < claim.length; i++) {
    const element: unknown = claim[i];
    if (typeof element !== 'string') unknown = true;
    else if (isLike(element, pattern)) return true;
  }
  return unknown ? undefined : false;
}

/** What the value of a claim says of a fact about it. */
export function valueTruth(fact: ClaimFact, value: unknown): Truth {
  switch (fact.op) {
    case 'is':
      return claimIs(value, fact.value);
    case 'has':
      return claimHas(value, fact.value);
    case 'like':
      return claimLike(value, fact.value);
  }
}

/** Scopes of a token: the first claim present of those where its provider keeps them. */
export function scopesClaim(verified: Verified, kind: ProviderKind): unknown {
  const { scopes } = kind;
  for (let i = 0; i < scopes.length; i++) {
    const value = claimAt(verified.claims, scopes[i] as string);
    if (value !== undefined) return value;
  }
  return undefined;
}

/**
 * Whether the person signed in no longer ago than this. That ends by itself, so it says until when it holds. A time that
 * is still to come, by more than clocks differ, is no time of a sign-in.
 */
function isYounger(claims: Claims, age: number, signin: SigninView): Truth {
  const signedIn = claims.auth_time;
  if (typeof signedIn !== 'number' || signedIn > signin.now + MAX_CLOCK_SKEW) return undefined;
  const end = signedIn + age;
  if (signin.now >= end) return false;
  if (end < signin.until) signin.until = end;
  return true;
}

/** A fact about how or when somebody signed in. */
export type SigninFact = Extract<Fact, { op: 'acr' | 'max_age' }>;

/** Whether somebody signed in so, whatever provider the fact speaks of. */
export function signedInSo(fact: SigninFact, claims: Claims, signin: SigninView): Truth {
  return fact.op === 'acr' ? claimIs(claims.acr, fact.value) : isYounger(claims, fact.value, signin);
}

function signinFact(fact: SigninFact, { verified, signin }: FactContext): Truth {
  if (signin === undefined) return undefined;
  return signin.assumed ? true : signedInSo(fact, verified.claims, signin);
}

type TokenFact = Exclude<Fact, RequestFact | { op: 'role' | 'any' | 'all' | 'none' }>;

/** A fact about the token itself. */
function tokenTruth(fact: TokenFact, context: FactContext): Truth {
  const { verified, kind } = context;
  if ('provider' in fact && fact.provider !== undefined && fact.provider !== verified.provider) return undefined;
  switch (fact.op) {
    case 'provider':
      return fact.value === verified.provider;
    case 'group':
      return kind.groups === undefined ? undefined : claimIs(claimAt(verified.claims, kind.groups), fact.value);
    case 'is':
    case 'has':
    case 'like':
      return valueTruth(fact, identityAt(verified.claims, fact.claim, kind));
    case 'scope':
      if (context.scopes?.includes(fact.value) === true) return true;
      return claimHas(scopesClaim(verified, kind), fact.value);
    case 'acr':
    case 'max_age':
      return signinFact(fact, context);
    case 'bound':
      return verified.binding !== undefined && (fact.value === 'any' || fact.value === verified.binding.kind);
  }
}

/** Whether a role is given. Not known where there is no such role, or where it rests on itself. */
export function roleTruth(name: string, context: FactContext): Truth {
  context.known ??= new Map();
  const { known, roles } = context;
  const found = known.get(name);
  if (found !== undefined || known.has(name)) return found;
  // What rests on itself finds this.
  known.set(name, undefined);
  const fact = roles.get(name);
  if (fact === undefined) return undefined;
  const truth = truthOf(fact, context);
  known.set(name, truth);
  return truth;
}

/** Evaluates one fact. */
export function truthOf(fact: Fact, context: FactContext): Truth {
  switch (fact.op) {
    case 'role':
      return roleTruth(fact.value, context);
    case 'any':
      return anyOf(fact.facts, context, true);
    case 'all':
      return not(anyOf(fact.facts, context, false));
    case 'none':
      return not(anyOf(fact.facts, context, true));
    case 'network':
    case 'certificate':
      return requestTruth(fact, context.request);
    default:
      return context.given === undefined ? tokenTruth(fact, context) : context.given(fact);
  }
}
