import { type DraftFact, type DraftPolicy, entriesOf, writes } from './draft.ts';
import type { Path } from './path.ts';
import { draftReader, type FactReading } from './read-facts.ts';

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

/** Providers whose tokens can make a fact true; undefined: any. */
export const providersOf = draftReader<ReadonlySet<string> | undefined>(() => ({
  leaf: (fact) => {
    const { provider, ...rest } = fact as Exclude<DraftFact, string>;
    return provider === undefined || writes(rest, 'none') ? undefined : new Set([provider]);
  },
  sum: (op, parts) => {
    if (op === 'all') return parts.reduce(intersect, undefined);
    return op === 'none' || parts.includes(undefined) ? undefined : new Set(parts.flatMap((it) => [...(it ?? [])]));
  },
  missing: undefined,
}));

function intersect(
  a: ReadonlySet<string> | undefined,
  b: ReadonlySet<string> | undefined,
): ReadonlySet<string> | undefined {
  return a && b ? new Set([...a].filter((it) => b.has(it))) : (a ?? b);
}

/** Whether a fact may be true of nobody in particular, since it rests on the client's network. */
export const restsOnNetwork = draftReader<boolean>(() => ({
  leaf: (fact) => writes(fact as object, 'network'),
  sum: (_, parts) => parts.includes(true),
  missing: false,
}));

/** Each `acr` that has to be for a fact to be true: a sign-in has one. */
export const neededAcrs = draftReader<readonly string[]>(() => ({
  leaf: (fact) => (typeof fact === 'object' && fact.acr !== undefined ? [fact.acr] : []),
  sum: (op, parts) => (op === 'all' ? [...new Set(parts.flat())] : []),
  missing: [],
}));

/** Says of roles whether whoever has one has another as well, as far as their definitions name each other. */
function implying(draft: DraftPolicy, other: string): FactReading<DraftFact, boolean> {
  const covered = coveredBy(draft, other);
  const reader = draftReader<boolean>(() => ({
    leaf: () => false,
    sum: (op, parts) =>
      op === 'all' ? parts.includes(true) : op === 'any' && parts.length > 0 && !parts.includes(false),
    role: (name, inner) => inner || covered.has(name),
    missing: false,
  }));
  return reader(draft);
}

const impliers = new WeakMap<DraftPolicy, Map<string, FactReading<DraftFact, boolean>>>();

/** True if whoever has the first role has the second as well, as far as their definitions name each other. */
export function implies(draft: DraftPolicy, role: string, other: string): boolean {
  const known = impliers.get(draft) ?? new Map<string, FactReading<DraftFact, boolean>>();
  impliers.set(draft, known);
  const reading = known.get(other) ?? implying(draft, other);
  known.set(other, reading);
  return reading.role(role);
}

/** A role, and those of which everybody has it by its definition. */
function coveredBy(draft: DraftPolicy, role: string): ReadonlySet<string> {
  const found = new Set([role]);
  // What is added meanwhile has its turn.
  for (const name of found) {
    const fact = draft.roles?.[name];
    const names = typeof fact === 'string' ? [fact] : typeof fact === 'object' && fact.any ? fact.any : [];
    for (const it of names) if (typeof it === 'string') found.add(it);
  }
  return found;
}
