import type { At, Fact } from '../policy/types.ts';
import { claimHelp, type ProviderKind } from '../providers/index.ts';
import { claimAt } from '../token/claim-at.ts';
import { type FactContext, type Truth, truthOf } from './facts.ts';

/** Why a fact holds or not, as a tree: its parts, or the role behind a name. */
export interface FactExplanation {
  /** The fact in words, e.g. `group "wiki-editors"`. */
  readonly text: string;
  readonly truth: Truth;
  /** Where it stands in the policy; absent for facts of a rendered table. */
  readonly at?: At;
  /** What to do at the provider, where it rests on a claim that the token lacks. */
  readonly help?: string;
  readonly parts: readonly FactExplanation[];
}

function textOf(fact: Fact): string {
  const from = 'provider' in fact && fact.provider !== undefined ? ` of ${fact.provider}` : '';
  switch (fact.op) {
    case 'group':
    case 'scope':
    case 'provider':
    case 'role':
    case 'acr':
    case 'bound':
      return `${fact.op} ${JSON.stringify(fact.value)}${from}`;
    case 'max_age':
      return `signed in no longer than ${fact.value}s ago${from}`;
    case 'network':
      return `network ${fact.value.join(', ')}`;
    case 'certificate':
      return `certificate ${JSON.stringify(fact.value)}`;
    case 'is':
    case 'has':
    case 'like':
      return `claim ${JSON.stringify(fact.claim)} ${fact.op} ${JSON.stringify(fact.value)}${from}`;
    default:
      return fact.op;
  }
}

/** The claim that a fact about one claim rests on. */
function claimOf(fact: Fact, { groups, scopes }: ProviderKind): string | undefined {
  switch (fact.op) {
    case 'group':
      return groups;
    case 'scope':
      return scopes[0];
    case 'acr':
      return 'acr';
    case 'max_age':
      return 'auth_time';
    default:
      return 'claim' in fact ? fact.claim : undefined;
  }
}

function helpOf(fact: Fact, truth: Truth, { kind, verified }: FactContext): string | undefined {
  if (truth !== undefined || ('provider' in fact && (fact.provider ?? verified.provider) !== verified.provider))
    return undefined;
  const claim = claimOf(fact, kind);
  if (claim === undefined || claimAt(verified.claims, claim) !== undefined) return undefined;
  return claimHelp(kind, claim);
}

function partsOf(fact: Fact, context: FactContext, under: readonly string[]): FactExplanation[] {
  if ('facts' in fact) return fact.facts.map((part) => explainFact(part, context, under));
  if (fact.op !== 'role' || under.includes(fact.value)) return [];
  const role = context.roles.get(fact.value);
  return role === undefined ? [] : [explainFact(role, context, [...under, fact.value])];
}

/**
 * Says what decided a fact, for the `explain` command. No value of the token is in it.
 *
 * @param under names of the roles being explained, so that one which refers to itself ends
 */
export function explainFact(fact: Fact, context: FactContext, under: readonly string[] = []): FactExplanation {
  const truth = truthOf(fact, context, under);
  const help = helpOf(fact, truth, context);
  return {
    text: textOf(fact),
    truth,
    ...(fact.at !== undefined && { at: fact.at }),
    ...(help !== undefined && { help }),
    parts: partsOf(fact, context, under),
  };
}
