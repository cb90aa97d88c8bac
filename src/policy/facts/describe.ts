import type * as z from 'zod';
import type { ProviderKind } from '../../providers/index.ts';
import type { Forms } from '../forms/mapping.ts';
import { evaluations, type Fact, type Leaf, operators } from './index.ts';
import {
  type FactContext,
  type Mistake,
  type Operator,
  type Read,
  type Surroundings,
  type Unplaced,
  worded,
} from './operator.ts';

type Operators = typeof operators;

export type OperatorKey = keyof Operators;

type Shape<K extends OperatorKey> = { [P in K]: (shape: ReturnType<Operators[P]['keys']>) => void }[K] extends (
  shape: infer S,
) => void
  ? S
  : never;

export type LeafShape = Shape<OperatorKey>;

/** A fact without inner facts, as policies write it. In a draft any value may be missing. */
export type WrittenLeaf = Partial<z.output<z.ZodObject<Forms<LeafShape>>>>;

type AnyOperator = Operator<Leaf, () => LeafShape>;

const entries = Object.entries(operators) as [OperatorKey, AnyOperator][];

/** The keys that name an operator, except `provider`. A fact has at most one of them. */
export const OPERATORS = entries.map(([key]) => key).filter((key) => key !== 'provider');

export const bitsOf = (key: OperatorKey): number => evaluations[key === 'claim' ? 'is' : key].on;

/** The operator of a fact. `is`, `has` and `like` belong to one operator, `claim`. */
const operatorOf = ({ op }: Leaf) =>
  operators[op === 'is' || op === 'has' || op === 'like' ? 'claim' : op] as AnyOperator;

export const isLeaf = (fact: Fact): fact is Leaf => fact.op !== 'role' && !('facts' in fact);

/** The provider whose tokens a fact is about; undefined if it is about tokens of any provider. */
export const providerOf = (fact: Leaf): string | undefined => ('provider' in fact ? fact.provider : undefined);

/** A fact in the policy's words. */
export function factText(fact: Fact): string {
  if ('facts' in fact) return `${fact.op} (${fact.facts.map(factText).join(', ')})`;
  if (fact.op === 'role') return worded(fact.op, fact.value);
  const provider = providerOf(fact);
  return `${operatorOf(fact).text?.(fact) ?? worded(fact.op, fact.value)}${provider === undefined ? '' : ` of ${provider}`}`;
}

/** The claims that a fact reads in tokens of one kind of provider, in the order in which they count. */
export const readsOf = (fact: Leaf, kind: ProviderKind): readonly Read[] => operatorOf(fact).reads?.(fact, kind) ?? [];

/** Why a fact is unknown, if the reason is not an absent claim. */
export const unsaidOf = (fact: Leaf, context: FactContext): string | undefined =>
  operatorOf(fact).unsaid?.(fact, context);

/** Returns what is wrong with a fact by itself, without the rest of the policy. */
export function malformedIn(written: WrittenLeaf): Mistake | undefined {
  for (const [, { malformed }] of entries) {
    const mistake = malformed?.(written);
    if (mistake !== undefined) return mistake;
  }
  return undefined;
}

/** The reasons why a fact can never be true in this policy. */
export const neverIn = (written: WrittenLeaf, around: Surroundings): readonly Mistake[] =>
  entries.flatMap(([key, { never }]) => {
    const mistakes = Object.hasOwn(written, key) ? never?.(written, around) : undefined;
    if (typeof mistakes !== 'string') return mistakes ?? [];
    return { path: [key], message: `never true: ${mistakes}`, part: 'key' as const };
  });

export const leafShape = (): LeafShape => Object.assign({}, ...entries.map(([, { keys }]) => keys()));

/** Builds a fact that was checked before. */
export function buildLeaf(written: WrittenLeaf): Unplaced<Leaf> & { readonly provider?: string } {
  const [key, { build, provider }] = entries.find(([own]) => written[own] !== undefined) as (typeof entries)[number];
  const fact = build?.(written) ?? ({ op: key, value: written[key] } as Unplaced<Leaf>);
  return { ...fact, ...(provider !== undefined && written.provider !== undefined && { provider: written.provider }) };
}
