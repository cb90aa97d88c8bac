import type * as z from 'zod';
import type { ProviderKind } from '../../providers/index.ts';
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

/** A key of policies that names an operator. */
export type OperatorKey = keyof Operators;

type Shape<K extends OperatorKey> = { [P in K]: (shape: ReturnType<Operators[P]['keys']>) => void }[K] extends (
  shape: infer S,
) => void
  ? S
  : never;

/** All keys of facts without inner facts. */
export type LeafShape = Shape<OperatorKey>;

/** Such a fact as policies write it; in a draft any value may be missing. */
export type WrittenLeaf = Partial<z.output<z.ZodObject<LeafShape>>>;

type AnyOperator = Operator<Leaf, () => LeafShape>;

const entries = Object.entries(operators) as [OperatorKey, AnyOperator][];

/** The keys that name an operator besides a provider: a fact has one of them. */
export const OPERATORS = entries.map(([key]) => key).filter((key) => key !== 'provider');

/** What facts with a key depend on, in bits. */
export const bitsOf = (key: OperatorKey): number => evaluations[key === 'claim' ? 'is' : key].on;

/** The operator of a fact: three of them are one key with a word beside it. */
const operatorOf = ({ op }: Leaf) =>
  operators[op === 'is' || op === 'has' || op === 'like' ? 'claim' : op] as AnyOperator;

export const isLeaf = (fact: Fact): fact is Leaf => fact.op !== 'role' && !('facts' in fact);

/** The provider whose tokens a fact is about; undefined: any. */
export const providerOf = (fact: Leaf): string | undefined => ('provider' in fact ? fact.provider : undefined);

/** A fact in the policy's words. */
export function factText(fact: Fact): string {
  if ('facts' in fact) return `${fact.op} (${fact.facts.map(factText).join(', ')})`;
  if (fact.op === 'role') return worded(fact.op, fact.value);
  const provider = providerOf(fact);
  return `${operatorOf(fact).text?.(fact) ?? worded(fact.op, fact.value)}${provider === undefined ? '' : ` of ${provider}`}`;
}

/** Claims that a fact reads in tokens of a kind of provider, the first one first. */
export const readsOf = (fact: Leaf, kind: ProviderKind): readonly Read[] => operatorOf(fact).reads?.(fact, kind) ?? [];

/** Why a fact is unknown, if not because a claim is missing. */
export const unsaidOf = (fact: Leaf, context: FactContext): string | undefined =>
  operatorOf(fact).unsaid?.(fact, context);

/** What is wrong with a fact by itself. */
export function malformedIn(written: WrittenLeaf): Mistake | undefined {
  for (const [, { malformed }] of entries) {
    const mistake = malformed?.(written);
    if (mistake !== undefined) return mistake;
  }
  return undefined;
}

/** Why a fact is never true in this policy. */
export const neverIn = (written: WrittenLeaf, around: Surroundings): readonly Mistake[] =>
  entries.flatMap(([key, { never }]) => {
    const mistakes = Object.hasOwn(written, key) ? never?.(written, around) : undefined;
    if (typeof mistakes !== 'string') return mistakes ?? [];
    return { path: [key], message: `never true: ${mistakes}`, part: 'key' as const };
  });

/** Schemas of all keys of such facts. */
export const leafShape = (): LeafShape => Object.assign({}, ...entries.map(([, { keys }]) => keys()));

/** Builds a fact that has been checked. */
export function buildLeaf(written: WrittenLeaf): Unplaced<Leaf> & { readonly provider?: string } {
  const [key, { build, provider }] = entries.find(([own]) => written[own] !== undefined) as (typeof entries)[number];
  const fact = build?.(written) ?? ({ op: key, value: written[key] } as Unplaced<Leaf>);
  return { ...fact, ...(provider !== undefined && written.provider !== undefined && { provider: written.provider }) };
}
