import type { At, Fact } from '../policy/types.ts';
import { type FactContext, type Truth, truthOf } from './facts.ts';

/** Why a fact holds or not, as a tree: its parts, or the role behind a name. */
export interface FactExplanation {
  /** The fact in words, e.g. `group "wiki-editors"`. */
  readonly text: string;
  readonly truth: Truth;
  /** Where it stands in the policy; absent for facts of a rendered table. */
  readonly at?: At;
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
  return {
    text: textOf(fact),
    truth: truthOf(fact, context, under),
    ...(fact.at !== undefined && { at: fact.at }),
    parts: partsOf(fact, context, under),
  };
}
