import { type DraftFact, type DraftPolicy, entriesOf, writes } from './draft.ts';
import type { Path } from './path.ts';

/** A fact in a draft, where it stands, and the provider that an `all` around it names. */
export interface FactAt {
  readonly fact: DraftFact;
  readonly path: Path;
  readonly provider?: string;
  /** Each `all` around it: what the others in there say, holds where this is asked. */
  readonly within?: readonly DraftFact[];
}

export const GROUPINGS = ['any', 'all', 'none'] as const;

/** Keys of a fact that say something of a token or a request; a fact has one of them, or a grouping, or its provider alone. */
export const OPERATORS = ['group', 'claim', 'scope', 'acr', 'max_age', 'bound', 'network', 'certificate'] as const;

/** The facts directly inside a fact. */
export function innerFacts({ fact, path, provider, within = [] }: FactAt): FactAt[] {
  if (typeof fact === 'string') return [];
  return GROUPINGS.flatMap((op) => {
    const inner = fact[op] ?? [];
    const named = (op === 'all' ? inner.map(ownProvider).find((it) => it !== undefined) : undefined) ?? provider;
    const around = {
      within: op === 'all' ? [...within, fact] : within,
      ...(named !== undefined && { provider: named }),
    };
    return inner.flatMap((it, index) =>
      it === undefined ? [] : [{ fact: it, path: [...path, op, index], ...around }],
    );
  });
}

/** A fact and everything inside it. */
export function allFacts(fact: FactAt): FactAt[] {
  return [fact, ...innerFacts(fact).flatMap(allFacts)];
}

/** Each role's fact. */
export function roleFacts(draft: DraftPolicy): (FactAt & { readonly role: string })[] {
  return entriesOf(draft.roles).map(([role, fact]) => ({ role, fact, path: ['roles', role] }));
}

function ownProvider(fact: DraftFact | undefined): string | undefined {
  if (typeof fact !== 'object') return undefined;
  return writes(fact, ...OPERATORS, ...GROUPINGS) ? undefined : fact.provider;
}

/**
 * Providers whose tokens can make a fact true; undefined: any. Roles that are being looked at already count as any,
 * so that a cycle ends.
 */
export function providersOf(
  draft: DraftPolicy,
  fact: DraftFact | undefined,
  open: readonly string[] = [],
): Set<string> | undefined {
  if (fact === undefined) return undefined;
  if (typeof fact === 'string') {
    return open.includes(fact) ? undefined : providersOf(draft, draft.roles?.[fact], [...open, fact]);
  }
  if (fact.all) return fact.all.map((it) => providersOf(draft, it, open)).reduce(intersect, undefined);
  if (fact.any) {
    const sets = fact.any.map((it) => providersOf(draft, it, open));
    return sets.includes(undefined) ? undefined : new Set(sets.flatMap((it) => [...(it ?? [])]));
  }
  return writes(fact, 'none') || fact.provider === undefined ? undefined : new Set([fact.provider]);
}

/** Whether a fact may be true of nobody in particular, since it rests on the client's network. */
export function restsOnNetwork(draft: DraftPolicy, fact: DraftFact | undefined, open: readonly string[] = []): boolean {
  if (fact === undefined) return false;
  if (typeof fact === 'string') {
    return !open.includes(fact) && restsOnNetwork(draft, draft.roles?.[fact], [...open, fact]);
  }
  return writes(fact, 'network') || GROUPINGS.some((op) => fact[op]?.some((it) => restsOnNetwork(draft, it, open)));
}

function intersect(a: Set<string> | undefined, b: Set<string> | undefined): Set<string> | undefined {
  return a && b ? new Set([...a].filter((it) => b.has(it))) : (a ?? b);
}

/** True if whoever has the first role has the second as well, as far as their definitions name each other. */
export function implies(draft: DraftPolicy, role: string, other: string): boolean {
  return factImplies(draft, role, other, []);
}

function factImplies(draft: DraftPolicy, fact: DraftFact | undefined, other: string, open: readonly string[]): boolean {
  if (fact === undefined) return false;
  if (typeof fact === 'string') {
    if (fact === other || includes(draft, other, fact, [])) return true;
    return !open.includes(fact) && factImplies(draft, draft.roles?.[fact], other, [...open, fact]);
  }
  if (fact.all) return fact.all.some((it) => factImplies(draft, it, other, open));
  return fact.any !== undefined && fact.any.length > 0 && fact.any.every((it) => factImplies(draft, it, other, open));
}

/** True if a role is, by its definition, given to everybody with another one. */
function includes(draft: DraftPolicy, role: string, other: string, open: readonly string[]): boolean {
  const fact = draft.roles?.[role];
  const names = typeof fact === 'string' ? [fact] : typeof fact === 'object' && fact.any ? fact.any : [];
  return names.some(
    (it) =>
      typeof it === 'string' && (it === other || (!open.includes(it) && includes(draft, it, other, [...open, it]))),
  );
}
