import * as z from 'zod';
import { isLike } from '../../base/like.ts';
import { emailRefusal, identityAt } from '../../providers/email.ts';
import { type ProviderKind, unverifiedNames } from '../../providers/index.ts';
import { hints } from '../forms/hints.ts';
import { optional } from '../forms/mapping.ts';
import * as s from '../forms/scalars.ts';
import { claimHas, claimIs } from './claim-values.ts';
import {
  type Evaluation,
  type Mistake,
  type OfProvider,
  type Operator,
  type Surroundings,
  TOKEN,
  type Truth,
  type Written,
  worded,
} from './operator.ts';

/** A fact about one claim. `is` and `like` compare the claim or one of its elements; in `like`, `*` matches any
 * characters. `has` compares the elements of a list or the words of a text. */
export type ClaimFact = OfProvider &
  (
    | { readonly op: 'is' | 'has'; readonly claim: string; readonly value: string | number | boolean }
    | { readonly op: 'like'; readonly claim: string; readonly value: string }
  );

/** Whether a text, or a text in a list, matches. Unknown if no text matches and the list has other elements. */
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

export function valueTruth(fact: ClaimFact, value: unknown): Truth {
  if (fact.op === 'like') return claimLike(value, fact.value);
  return fact.op === 'is' ? claimIs(value, fact.value) : claimHas(value, fact.value);
}

export const evaluation: Evaluation<ClaimFact> = {
  on: TOKEN,
  truth: (fact, { verified, kind }) => valueTruth(fact, identityAt(verified.claims, fact.claim, kind)),
};

/** Beyond these bounds, JavaScript reads different numbers as equal ones. */
const safeNumber = () => z.number().min(Number.MIN_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER);

const claimValue = () =>
  z.union([s.plainText, safeNumber(), z.boolean()]).register(hints, {
    what: `a text, true, false or a number up to ${Number.MAX_SAFE_INTEGER}`,
    write: 'the value that the claim must have; if the provider sends a larger number as a text, write the text',
  });

export const keys = () => {
  const value = claimValue();
  return {
    claim: optional(
      { decides: 'request', team: { may: 'claims' } },
      s.claimPath,
      'The path of a claim; it needs is, has or like.',
    ),
    is: optional({ decides: 'request', team: 'free' }, value, 'The claim, or one of its elements, equals this.'),
    has: optional({ decides: 'request', team: 'free' }, value, 'The list or space-delimited claim contains this.'),
    like: optional(
      { decides: 'request', team: 'free' },
      s.plainText,
      'The claim, or one of its elements, is a text that matches this; * matches any characters.',
    ),
  };
};

export type WrittenClaim = Written<typeof keys>;

export const operator: Operator<ClaimFact, typeof keys> = {
  keys,
  provider: 'required',
  build: ({ claim = '', is, has, like }) => {
    if (like !== undefined) return { op: 'like', claim, value: like };
    return is === undefined ? { op: 'has', claim, value: has ?? '' } : { op: 'is', claim, value: is };
  },
  text: ({ op, claim, value }) => `${worded('claim', claim)} ${worded(op, value)}`,
  reads: (fact) => [{ path: fact.claim, ...(fact.op !== 'like' && { value: fact.value }) }],
  unsaid: ({ claim }, { kind, verified }) => (claim === kind.email ? emailRefusal(verified.claims, kind) : undefined),
  malformed: (fact) => malformed(fact),
  never,
};

function patternMistake(like: string): string | undefined {
  if (!/[*]/.test(like)) return `the pattern has no *; write is: ${like}, or add a *`;
  return like.includes('**') ? `one * matches any characters; write ${like.replace(/[*]+/g, '*')}` : undefined;
}

/** @param noun what the errors call the mapping that has these keys */
export function malformed(fact: WrittenClaim, noun = 'fact'): Mistake | undefined {
  const isWritten = (key: string) => Object.hasOwn(fact, key);
  const [key, second] = ['is', 'has', 'like'].filter(isWritten);
  if (key !== undefined && !isWritten('claim')) {
    return {
      path: [key],
      message: `${key} needs a claim; write { claim: NAME, ${key}: VALUE }`,
      part: 'key',
    };
  }
  if (second !== undefined) {
    return { path: [], message: `one ${noun} has ${key} and ${second}; keep one of them`, part: 'key' };
  }
  if (key === undefined && isWritten('claim')) {
    const message = 'a claim needs its value; write { claim: NAME, is: VALUE }, or has for a list';
    return { path: [], message, part: 'key' };
  }
  const message = fact.like === undefined ? undefined : patternMistake(fact.like);
  return message === undefined ? undefined : { path: ['like'], message };
}

/** A claim with an unverified name must be compared as a whole. */
export function never({ claim = '', like }: WrittenClaim, { kind }: Pick<Surroundings, 'kind'>): Mistake | undefined {
  if (!like?.includes('*') || kind === undefined || !isUnverified(claim, kind)) return undefined;
  const message = `${claim} is not verified, and x@evil@example.com is like *@example.com; write a group, or { claim: email, … }, which needs the claim xms_edov`;
  return { path: ['like'], message };
}

export const isUnverified = (claim: string | undefined, kind: ProviderKind): boolean =>
  claim !== undefined && unverifiedNames[kind.name]?.includes(claim) === true;
