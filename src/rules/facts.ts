import type { Fact, Policy } from '../policy/types.ts';

/** A fact in the policy's words. */
export function factText(fact: Fact): string {
  const of = 'provider' in fact && fact.provider !== undefined ? ` of ${fact.provider}` : '';
  switch (fact.op) {
    case 'group':
    case 'scope':
    case 'provider':
    case 'role':
    case 'acr':
    case 'bound':
      return `${fact.op} ${JSON.stringify(fact.value)}${of}`;
    case 'max_age':
      return `max_age ${fact.value}s${of}`;
    case 'network':
      return `network ${fact.value.join(' or ')}`;
    case 'certificate':
      return `certificate ${JSON.stringify(fact.value)}`;
    case 'is':
    case 'has':
    case 'like':
      return `claim ${fact.claim} ${fact.op} ${JSON.stringify(fact.value)}${of}`;
    default:
      return `${fact.op} (${fact.facts.map(factText).join(', ')})`;
  }
}

/** What a change of a fact does to how many it is true of, and the facts that do it. */
export interface Effect {
  readonly kind: 'wider' | 'narrower' | 'other';
  /** Alternatives, or all that is needed. */
  readonly of: 'any' | 'all';
  readonly came: readonly string[];
  readonly went: readonly string[];
}

const partsOf = (fact: Fact, op: 'any' | 'all'): readonly string[] =>
  (fact.op === op ? fact.facts : [fact]).map(factText);

/** What a change does where the two sides have something in common; undefined where they have nothing. */
export function effectOf(before: Fact, after: Fact): Effect | undefined {
  for (const op of ['any', 'all'] as const) {
    const [was, is] = [partsOf(before, op), partsOf(after, op)];
    const came = is.filter((it) => !was.includes(it));
    const went = was.filter((it) => !is.includes(it));
    if (went.length === was.length || came.length + went.length === 0) continue;
    const more = op === 'any' ? came : went;
    const kind = came.length > 0 && went.length > 0 ? 'other' : more.length > 0 ? 'wider' : 'narrower';
    return { kind, of: op, came, went };
  }
  return undefined;
}

function mentions(fact: Fact, role: string): boolean {
  if ('facts' in fact) return fact.facts.some((part) => mentions(part, role));
  return fact.op === 'role' && fact.value === role;
}

/** Roles that are made of a role, directly or not. */
export function madeOf(role: string, policy: Policy, found: Set<string> = new Set()): ReadonlySet<string> {
  for (const { name, fact } of Object.values(policy.roles)) {
    if (found.has(name) || !mentions(fact, role)) continue;
    found.add(name);
    madeOf(name, policy, found);
  }
  return found;
}
