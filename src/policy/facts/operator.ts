import type * as z from 'zod';
import type { Claims } from '../../base/claim-at.ts';
import type { ProviderKind } from '../../providers/index.ts';
import type { At } from '../forms/at.ts';
import type { Forms, TeamKeys } from '../forms/mapping.ts';

/* The types for the files of this folder. Each file defines one operator: the form of its facts, how the gateway
 * evaluates them (`evaluation`), and what policies and commands need (`operator`). The bundles for nginx contain only
 * `evaluation`. */

/** True, false or unknown. A fact is unknown if the claim is absent or has another form, or if the fact is about tokens
 * of another provider. An unknown fact gives no role, neither by itself nor through `none` (Kleene's logic). */
export type Truth = boolean | undefined;

/** The inputs of facts, as one bit each. This bit is the token. */
export const TOKEN = 1;
/** The bit for how and when the person signed in, which is a part of the token. */
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
  /** How the token is bound. Absent: anyone who has the token can use it. */
  readonly binding?: { readonly kind: 'dpop' | 'certificate' };
}

/** The input for facts about the sign-in. It exists only if a policy has such facts. */
export interface SigninView {
  readonly now: number;
  /** If true, facts about the sign-in count as true, as they would after a new and stronger sign-in. */
  readonly assumed: boolean;
  until: number;
}

/** The properties of a request besides its token. */
export interface RequestView {
  /** Whether the client's address is in one of these ranges; undefined if the address is unknown. */
  readonly within: (ranges: readonly string[]) => Truth;
  /** Whether the client's certificate has this name; undefined if the client showed no valid certificate. */
  readonly named: (name: string) => Truth;
}

/** The input for evaluating facts. */
export interface FactContext<F = unknown> {
  readonly verified: TokenView;
  /** The kind of the provider. It says which claims have the groups and scopes. */
  readonly kind: ProviderKind;
  readonly roles: ReadonlyMap<string, F>;
  /** How and when the person signed in; absent if this is unknown. */
  readonly signin?: SigninView | undefined;
  /** Scopes that count as granted, as if the token had them. */
  readonly scopes?: readonly string[];
  /** The properties of the request; absent if nothing is known about it. */
  readonly request?: RequestView | undefined;
  /** The results for roles so far. Each role is evaluated once, even if several facts name it. */
  known?: Map<string, Truth>;
}

/** Evaluates any fact. Operators with inner facts get this function. */
export type Evaluate<F> = (fact: F, context: FactContext<F>) => Truth;

/** How the gateway evaluates the facts of an operator. */
export interface Evaluation<F> {
  readonly on: number;
  /** Evaluates a fact. The provider has been checked, and for facts about the sign-in, `signin` is known. */
  readonly truth: (fact: F, context: FactContext) => Truth;
}

export interface Placed {
  readonly at: At;
}

/** A fact with one value: that of the operator's key. */
export interface Valued<Op extends string, Value = string> extends Placed {
  readonly op: Op;
  readonly value: Value;
}

/** A fact about tokens. If it names a provider, it is about tokens of this provider only. */
export interface OfProvider extends Placed {
  readonly provider?: string;
}

/** The keys of an operator as a policy writes them. */
export type Written<Keys extends () => TeamKeys> = Partial<z.output<z.ZodObject<Forms<ReturnType<Keys>>>>>;

/** What an operator builds. {@link buildLeaf} adds the place and the provider for all operators. */
export type Unplaced<F> = F extends unknown ? Omit<F, 'at' | 'provider'> : never;

export interface Read {
  readonly path: string;
  /** The fact only compares the claim or its elements with this value. Absent: the fact reads the whole claim. */
  readonly value?: string | number | boolean;
  /** Set if every session keeps this claim, even if no fact reads it. */
  readonly kept?: true;
}

/** What is wrong with a fact: the key in the fact, and what to write instead. */
export interface Mistake {
  readonly path: readonly (string | number)[];
  readonly message: string;
  /** The part of the entry that an error points at; absent: the value. */
  readonly part?: 'key';
}

/** The parts of a policy that decide whether a fact can be true. */
export interface Surroundings {
  /** The kind of the provider whose tokens the fact is about; absent if it is unknown. */
  readonly kind?: ProviderKind | undefined;
  readonly certificates: boolean;
  /** Returns why no token can be bound in this way; undefined if tokens can. */
  readonly unbound: (by: 'dpop' | 'certificate' | 'any') => string | undefined;
}

/** What policies and commands need of an operator. */
export interface Operator<F, Keys extends () => TeamKeys> {
  /** The schemas of its keys: the key with the name of the operator, and the keys that may stand next to it. */
  readonly keys: Keys;
  /** Whether facts must name their provider if a policy has several. Absent: the facts are not about a provider. */
  readonly provider?: 'required' | 'required unless pinned' | 'optional';
  /** Builds the fact. Absent: the fact has the name and the value of the operator's key. */
  build?(written: Written<Keys>): Unplaced<F>;
  /** The fact in the policy's words. Absent: the operator and its value. */
  text?(fact: F): string;
  /** The claims that a fact reads in tokens of one kind of provider, the most important one first. Absent: no claims. */
  reads?(fact: F, kind: ProviderKind): readonly Read[];
  /** Why a fact is unknown, if the reason is not an absent claim. */
  unsaid?(fact: F, context: FactContext): string | undefined;
  /** Returns what is wrong with a fact by itself, without the rest of the policy. */
  malformed?(written: Written<Keys>): Mistake | undefined;
  /** Returns why a fact can never be true in this policy. A text is an error at the operator's key. */
  never?(written: Written<Keys>, around: Surroundings): Mistake | readonly Mistake[] | string | undefined;
}

/** An operator and its value, as policies write them. */
export const worded = (op: string, value: unknown): string => `${op} ${JSON.stringify(value)}`;
