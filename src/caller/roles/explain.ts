import { claimAt } from '../../base/claim-at.ts';
import type { At } from '../../policy/checked/types.ts';
import { factText, isLeaf, providerOf, readsOf, unsaidOf } from '../../policy/facts/describe.ts';
import type { Fact, Leaf } from '../../policy/facts/index.ts';
import { TOKEN } from '../../policy/facts/operator.ts';
import { dependsOn } from '../../policy/facts/walk.ts';
import { claimHelp } from '../../providers/index.ts';
import { type CallerFactContext, factTruth, type Truth } from './truth.ts';

/** Explains the truth of a fact as a tree of its parts. The part of a role is the role's fact. */
export interface FactExplanation {
  /** The fact in words, such as `group "wiki-editors"`. */
  readonly text: string;
  readonly truth: Truth;
  /** The fact's place in the policy; absent for facts of a rendered table. */
  readonly at?: At;
  /** What to change at the provider, if the fact depends on a claim that the token lacks. */
  readonly help?: string;
  readonly unsaid?: string;
  /** Whether the parts of this fact were already listed before. */
  readonly above?: true;
  readonly parts: readonly FactExplanation[];
}

function helpOf(fact: Leaf, { kind, verified }: CallerFactContext): string | undefined {
  if ((providerOf(fact) ?? verified.provider) !== verified.provider) return undefined;
  const path = readsOf(fact, kind)[0]?.path;
  if (path === undefined || claimAt(verified.claims, path) !== undefined) return undefined;
  return claimHelp(kind, path);
}

/** Returns why a fact about the token or the request is unknown. */
const unknownOf = (fact: Leaf, context: CallerFactContext): string | undefined =>
  (dependsOn(fact) & TOKEN) !== 0 && context.verified.provider === '' ? 'there is no token' : unsaidOf(fact, context);

function partsOf(fact: Fact, context: CallerFactContext, known: Known): readonly FactExplanation[] {
  if ('facts' in fact) return fact.facts.map((part) => explainFact(part, context, known));
  if (fact.op !== 'role') return [];
  const found = known.get(fact.value);
  if (found !== undefined) return found;
  // This ends the recursion for a role that depends on itself.
  known.set(fact.value, []);
  const role = context.roles.get(fact.value);
  const parts = role === undefined ? [] : [explainFact(role, context, known)];
  known.set(fact.value, parts);
  return parts;
}

type Known = Map<string, readonly FactExplanation[]>;

/** Explains what decided a fact, for the command `explain`, without any value of the token. A role that is named
 * several times has one explanation.
 * @param known explanations of roles that were made so far */
export function explainFact(fact: Fact, context: CallerFactContext, known: Known = new Map()): FactExplanation {
  const truth = factTruth(fact, context);
  const unknown = truth === undefined && isLeaf(fact) ? fact : undefined;
  const help = unknown && helpOf(unknown, context);
  const unsaid = unknown && unknownOf(unknown, context);
  return {
    text: 'facts' in fact ? fact.op : factText(fact),
    truth,
    ...(fact.at !== undefined && { at: fact.at }),
    ...(help !== undefined && { help }),
    ...(unsaid !== undefined && { unsaid }),
    parts: partsOf(fact, context, known),
  };
}
