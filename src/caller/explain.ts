import type { At, Fact } from '../policy/types.ts';
import { claimHelp, type ProviderKind } from '../providers/index.ts';
import { claimAt } from '../token/claim-at.ts';
import { emailRefusal } from './email.ts';
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
  /** Why it is not known, where that is not for want of a claim. */
  readonly unsaid?: string;
  /** Its parts were said before. */
  readonly above?: true;
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

function unsaidOf(fact: Fact, truth: Truth, { kind, verified }: FactContext): string | undefined {
  if (truth !== undefined || 'facts' in fact || fact.op === 'role') return undefined;
  if (fact.op === 'network') return 'the address is not said';
  if (fact.op === 'certificate') return 'no certificate is shown';
  if (verified.provider === '') return 'there is no token';
  return 'claim' in fact && fact.claim === kind.email ? emailRefusal(verified.claims, kind) : undefined;
}

function partsOf(fact: Fact, context: FactContext, known: Known): readonly FactExplanation[] {
  if ('facts' in fact) return fact.facts.map((part) => explainFact(part, context, known));
  if (fact.op !== 'role') return [];
  const found = known.get(fact.value);
  if (found !== undefined) return found;
  // A role that rests on itself ends here.
  known.set(fact.value, []);
  const role = context.roles.get(fact.value);
  const parts = role === undefined ? [] : [explainFact(role, context, known)];
  known.set(fact.value, parts);
  return parts;
}

type Known = Map<string, readonly FactExplanation[]>;

/**
 * Says what decided a fact, for the `explain` command. No value of the token is in it. What is said of a role is one
 * object wherever the role is named.
 *
 * @param known what was said of roles so far
 */
export function explainFact(fact: Fact, context: FactContext, known: Known = new Map()): FactExplanation {
  const truth = truthOf(fact, context);
  const help = helpOf(fact, truth, context);
  const unsaid = unsaidOf(fact, truth, context);
  return {
    text: textOf(fact),
    truth,
    ...(fact.at !== undefined && { at: fact.at }),
    ...(help !== undefined && { help }),
    ...(unsaid !== undefined && { unsaid }),
    parts: partsOf(fact, context, known),
  };
}
