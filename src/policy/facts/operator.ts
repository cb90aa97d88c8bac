import type * as z from 'zod';
import type { Claims } from '../../claim-at.ts';
import type { ProviderKind } from '../../providers/index.ts';
import type { At } from '../at.ts';

/* The types for the files of this folder. Each file has one operator: the form of its facts, how the gateway evaluates
 * them (`evaluation`, the only part in nginx's bundles), and its part for policies and their commands (`operator`). */

/** True, false, or unknown because the token does not say it: the claim is absent or has another form, or the fact is
 * about tokens of another provider. An unknown fact gives no role, neither by itself nor through `none` (Kleene's
 * logic). */
export type Truth = boolean | undefined;

/** What facts depend on, one bit each. */
export const TOKEN = 1;
/** How and when the person signed in, which is a part of the token. */
export const SIGNIN = 2;
/** The scopes of the token. */
export const SCOPE = 4;
export const REQUEST = 8;
/** The client's address, which is a part of the request. */
export const ADDRESS = 16;
/** The client's certificate, which is a part of the request. */
export const CERTIFICATE = 32;

/** The input for facts about the token. */
export interface TokenView {
  readonly provider: string;
  readonly claims: Claims;
  /** Absent: anyone who has the token may use it. */
  readonly binding?: { readonly kind: 'dpop' | 'certificate' };
}

/** The input for facts about the sign-in; made only if a policy has such facts. */
export interface SigninView {
  /** Seconds since the epoch. */
  readonly now: number;
  /** Whether facts about the sign-in count as true: the result after a new and stronger sign-in. */
  readonly assumed: boolean;
  /** Until when the results at {@link now} are valid. */
  until: number;
}

/** The properties of a request besides its token. */
export interface RequestView {
  /** Whether the client's address is in one of these ranges; undefined: the address is unknown. */
  readonly within: (ranges: readonly string[]) => Truth;
  /** Whether its certificate has this name; undefined: it showed no valid one. */
  readonly named: (name: string) => Truth;
}

/** The input for evaluating facts. */
export interface FactContext<F = unknown> {
  readonly verified: TokenView;
  /** The kind of the provider, which says where its tokens have groups and scopes. */
  readonly kind: ProviderKind;
  /** The policy's roles by name. */
  readonly roles: ReadonlyMap<string, F>;
  /** Absent: how and when the person signed in is unknown. */
  readonly signin?: SigninView | undefined;
  /** Scopes that count as granted: the result for a token with them. */
  readonly scopes?: readonly string[];
  /** Absent: nothing is known about the request. */
  readonly request?: RequestView | undefined;
  /** The truth of roles so far: each is evaluated once, however often others name it. */
  known?: Map<string, Truth>;
}

/** Evaluates any fact; passed to operators with inner facts. */
export type Evaluate<F> = (fact: F, context: FactContext<F>) => Truth;

/** How the gateway evaluates the facts of an operator. */
export interface Evaluation<F> {
  /** What they depend on, in bits. */
  readonly on: number;
  /** Called if the fact is about this token's provider; for a fact about the sign-in, only if `signin` is known. */
  readonly truth: (fact: F, context: FactContext) => Truth;
}

/** A fact with its place in the policy. */
export interface Placed {
  readonly at: At;
}

/** A fact about tokens, perhaps of one provider only. */
export interface OfProvider extends Placed {
  readonly provider?: string;
}

/** The keys of an operator as a policy writes them. */
export type Written<Keys extends () => z.ZodRawShape> = Partial<z.output<z.ZodObject<ReturnType<Keys>>>>;

/** What an operator builds. Place and provider are added for all operators alike. */
export type Unplaced<F> = F extends unknown ? Omit<F, 'at' | 'provider'> : never;

/** A claim that a fact reads. */
export interface Read {
  readonly path: string;
  /** Only whether the claim is this value, or has it among its elements; absent: all of it. */
  readonly value?: string | number | boolean;
  /** Every session keeps it anyway. */
  readonly kept?: true;
}

/** What is wrong with a fact: where in it, and what to write. */
export interface Mistake {
  readonly path: readonly (string | number)[];
  readonly message: string;
  /** The part that an error points at; absent: the value. */
  readonly part?: 'key';
}

/** The parts of a policy that determine whether a fact can be true. */
export interface Surroundings {
  /** The kind of the provider whose tokens the fact is about; absent: not known. */
  readonly kind?: ProviderKind | undefined;
  /** Whether a host requests certificates. */
  readonly certificates: boolean;
  /** Why no token can be bound in this way; undefined if one can. */
  readonly unbound: (by: 'dpop' | 'certificate' | 'any') => string | undefined;
}

/** The part of an operator for policies and their commands. */
export interface Operator<F, Keys extends () => z.ZodRawShape> {
  /** Schemas by key: its own, which has the operator's name, and those beside it. */
  readonly keys: Keys;
  /** Whether its facts must name their provider if a policy has several; absent: they are not about a provider. */
  readonly provider?: 'required' | 'required unless pinned' | 'optional';
  /** Absent: the name and the value of the own key. */
  build?(written: Written<Keys>): Unplaced<F>;
  /** The fact in the policy's words, without its provider; absent: {@link worded}. */
  text?(fact: F): string;
  /** Claims that it reads in tokens of a kind of provider, the first one first; absent: none. */
  reads?(fact: F, kind: ProviderKind): readonly Read[];
  /** Why a fact is unknown, if not because a claim is missing. */
  unsaid?(fact: F, context: FactContext): string | undefined;
  /** What is wrong with a fact by itself. */
  malformed?(written: Written<Keys>): Mistake | undefined;
  /** Why a fact with the own key is never true in this policy; a text is an error at that key. */
  never?(written: Written<Keys>, around: Surroundings): Mistake | readonly Mistake[] | string | undefined;
}

/** An operator and its value, in the policy's words. */
export const worded = (op: string, value: unknown): string => `${op} ${JSON.stringify(value)}`;
