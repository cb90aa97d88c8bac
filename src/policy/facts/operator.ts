import type * as z from 'zod';
import type { Claims } from '../../claim-at.ts';
import type { ProviderKind } from '../../providers/index.ts';
import type { At } from '../at.ts';

/*
 * What the files of this folder have in common. Each holds one operator: the form of its facts, how the gateway evaluates
 * them (`evaluation`, all that the bundles of nginx contain), and what policies and their commands know of them (`operator`).
 */

/**
 * True, false, or unknown because the token does not say: the claim is absent, has another form, or the fact is about
 * tokens of another provider. What is unknown gives no role, neither by itself nor through `none` (Kleene's logic).
 */
export type Truth = boolean | undefined;

/** What facts depend on, one bit each. */
export const TOKEN = 1;
/** How and when the person signed in: a part of what the token says. */
export const SIGNIN = 2;
/** The scopes of the token. */
export const SCOPE = 4;
export const REQUEST = 8;
/** The client's address: a part of the request. */
export const ADDRESS = 16;
/** The client's certificate: a part of the request. */
export const CERTIFICATE = 32;

/** What facts of the token are evaluated against. */
export interface TokenView {
  readonly provider: string;
  readonly claims: Claims;
  /** Absent: whoever has the token may use it. */
  readonly binding?: { readonly kind: 'dpop' | 'certificate' };
}

/** What facts about the sign-in are evaluated against; made only if a policy has such facts. */
export interface SigninView {
  /** Seconds since the epoch. */
  readonly now: number;
  /** Facts about the sign-in count as true: what would be after a new and stronger one. */
  readonly assumed: boolean;
  /** Until when all that was evaluated at {@link now} stays as it is. */
  until: number;
}

/** What a request says beside its token. */
export interface RequestView {
  /** Whether the client's address is in one of these ranges; undefined: the address is unknown. */
  readonly within: (ranges: readonly string[]) => Truth;
  /** Whether its certificate has this name; undefined: it showed none that is good. */
  readonly named: (name: string) => Truth;
}

/** What facts are evaluated against. */
export interface FactContext<F = unknown> {
  readonly verified: TokenView;
  /** Where tokens of this provider keep groups and scopes. */
  readonly kind: ProviderKind;
  /** The policy's roles by name. */
  readonly roles: ReadonlyMap<string, F>;
  /** Absent: how and when the person signed in is unknown. */
  readonly signin?: SigninView | undefined;
  /** Scopes that count as granted: what would be with a token that has them. */
  readonly scopes?: readonly string[];
  /** Absent: nothing is known of the request that comes with the token. */
  readonly request?: RequestView | undefined;
  /** The truth of roles so far: each is evaluated once, however often others name it. */
  known?: Map<string, Truth>;
}

/** Evaluates any fact: operators that are made of other facts are handed it. */
export type Evaluate<F> = (fact: F, context: FactContext<F>) => Truth;

/** How the gateway evaluates the facts of an operator. */
export interface Evaluation<F> {
  /** What they depend on, in bits. */
  readonly on: number;
  /** Of a fact that is about this token's provider; a fact about the sign-in is evaluated only if `signin` is known. */
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

/** What a policy writes with the keys of an operator. */
export type Written<Keys extends () => z.ZodRawShape> = Partial<z.output<z.ZodObject<ReturnType<Keys>>>>;

/** What an operator builds of a fact: its place and provider are added for all alike. */
export type Unplaced<F> = F extends unknown ? Omit<F, 'at' | 'provider'> : never;

/** A claim that a fact reads. */
export interface Read {
  readonly path: string;
  /** Only whether the claim is this, or has it among its elements; absent: all of it. */
  readonly value?: string | number | boolean;
  /** Every session keeps it anyway. */
  readonly kept?: true;
}

/** What is wrong with a fact: where in it, and what to write. */
export interface Mistake {
  readonly path: readonly (string | number)[];
  readonly message: string;
  /** What an error points at; absent: the value. */
  readonly part?: 'key';
}

/** What a policy says beside a fact, by which the fact can be true or not. */
export interface Surroundings {
  /** The kind of the provider whose tokens the fact is about; absent: it is not known. */
  readonly kind?: ProviderKind | undefined;
  /** Some host asks for certificates. */
  readonly certificates: boolean;
  /** Why no token is bound so; undefined where one can be. */
  readonly unbound: (by: 'dpop' | 'certificate' | 'any') => string | undefined;
}

/** What policies and their commands know of an operator. */
export interface Operator<F, Keys extends () => z.ZodRawShape> {
  /** Schemas by key: its own, which has the operator's name, and those that stand beside it. */
  readonly keys: Keys;
  /** Whether its facts say whose tokens they are about if a policy has several providers; absent: about no provider's. */
  readonly provider?: 'required' | 'required unless pinned' | 'optional';
  /** Absent: the name and the value of the own key. */
  build?(written: Written<Keys>): Unplaced<F>;
  /** The fact in the policy's words, without its provider; absent: {@link worded}. */
  text?(fact: F): string;
  /** Claims of tokens of a kind of provider, the first one first; absent: none. */
  reads?(fact: F, kind: ProviderKind): readonly Read[];
  /** Why a fact is unknown, where that is not for want of a claim. */
  unsaid?(fact: F, context: FactContext): string | undefined;
  /** What is wrong with a fact by itself. */
  malformed?(written: Written<Keys>): Mistake | undefined;
  /** Why a fact with the own key is never true, by what else the policy says; a text stands at that key. */
  never?(written: Written<Keys>, around: Surroundings): Mistake | readonly Mistake[] | string | undefined;
}

/** An operator and its value, in the policy's words. */
export const worded = (op: string, value: unknown): string => `${op} ${JSON.stringify(value)}`;
