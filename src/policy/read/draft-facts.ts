import { COMBINED } from '../facts/combined.ts';
import { bitsOf, OPERATORS } from '../facts/describe.ts';
import { ADDRESS } from '../facts/operator.ts';
import { type FactReader, type FactReading, reading, type Shape } from '../facts/walk.ts';
import type { Path } from '../forms/path.ts';
import { type DraftFact, type DraftPolicy, entriesOf, writes } from './draft.ts';

/** A fact in a draft, with its path and with the provider that an `all` around it names. */
export interface FactAt {
  readonly fact: DraftFact;
  readonly path: Path;
  readonly provider?: string;
  /** The other facts of each `all` around this fact. They are true whenever this fact decides something. */
  readonly within?: readonly DraftFact[];
}

export type DraftForm = Exclude<DraftFact, string>;

export function innerFacts({ fact, path, provider, within = [] }: FactAt): FactAt[] {
  if (typeof fact === 'string') return [];
  return COMBINED.flatMap((op) => {
    const inner = fact[op] ?? [];
    const named = (op === 'all' ? inner.map(ownProvider).find((it) => it !== undefined) : undefined) ?? provider;
    const around = {
      within: op === 'all' ? [...within, fact] : within,
      ...(named !== undefined && { provider: named }),
    };
    return inner.flatMap((it, i) => (it === undefined ? [] : [{ fact: it, path: [...path, op, i], ...around }]));
  });
}

export const allFacts = (fact: FactAt): FactAt[] => [fact, ...innerFacts(fact).flatMap(allFacts)];

export const roleFacts = (draft: DraftPolicy): (FactAt & { readonly role: string })[] =>
  entriesOf(draft.roles).map(([role, fact]) => ({ role, fact, path: ['roles', role] }));

/** Whether a fact requires this provider and nothing else. */
export const isProviderAlone = (fact: DraftFact | undefined): boolean =>
  typeof fact === 'object' && fact.provider !== undefined && !writes(fact, ...OPERATORS, ...COMBINED);

const ownProvider = (fact: DraftFact | undefined) =>
  typeof fact === 'object' && isProviderAlone(fact) ? fact.provider : undefined;

/** Returns what a fact without inner facts depends on, as bits of its operators. */
export const draftBits = (fact: DraftForm): number =>
  OPERATORS.reduce((all, key) => (writes(fact, key) ? all | bitsOf(key) : all), 0);

function draftShape(fact: DraftFact): Shape<DraftFact> | undefined {
  if (typeof fact === 'string') return { role: fact };
  if (fact.all) return { op: 'all', parts: fact.all };
  if (fact.any) return { op: 'any', parts: fact.any };
  return fact.none && { op: 'none', parts: fact.none };
}

/** {@link reading} for a draft. All callers of the function share the results. */
export function draftReader<T>(reader: FactReader<DraftForm, T>): (draft: DraftPolicy) => FactReading<DraftFact, T> {
  const made = new WeakMap<DraftPolicy, FactReading<DraftFact, T>>();
  return (draft) => {
    const read =
      made.get(draft) ?? reading(draftShape, (role) => draft.roles?.[role], reader as FactReader<DraftFact, T>);
    made.set(draft, read);
    return read;
  };
}

/** The providers whose tokens can make a fact true; undefined if tokens of any provider can. */
export const providersOf = draftReader<ReadonlySet<string> | undefined>({
  leaf: ({ provider, ...rest }) => (provider === undefined || writes(rest, 'none') ? undefined : new Set([provider])),
  sum: (op, parts) => {
    if (op === 'all') return parts.reduce(intersect, undefined);
    return op === 'none' || parts.includes(undefined) ? undefined : new Set(parts.flatMap((it) => [...(it ?? [])]));
  },
  missing: undefined,
});

function intersect(
  a: ReadonlySet<string> | undefined,
  b: ReadonlySet<string> | undefined,
): ReadonlySet<string> | undefined {
  return a && b ? new Set([...a].filter((it) => b.has(it))) : (a ?? b);
}

/** Whether a fact may be true for an anonymous caller, because it depends on the client's address. */
export const restsOnNetwork = draftReader<boolean>({
  leaf: (fact) => (draftBits(fact) & ADDRESS) !== 0,
  sum: (_, parts) => parts.includes(true),
  missing: false,
});

/** Each `acr` that a fact requires. A sign-in has only one `acr`. */
export const neededAcrs = draftReader<readonly string[]>({
  leaf: ({ acr }) => (acr === undefined ? [] : [acr]),
  sum: (op, parts) => (op === 'all' ? [...new Set(parts.flat())] : []),
  missing: [],
});

/** Returns the roles that name a role alone or in `any`, so that each caller with the role has them, and so on. */
function namedBy(draft: DraftPolicy): (role: string) => ReadonlySet<string> {
  const direct = new Map<string, string[]>();
  for (const [role, fact] of entriesOf(draft.roles)) {
    for (const name of typeof fact === 'string' ? [fact] : (fact.any ?? [])) {
      if (typeof name !== 'string') continue;
      const roles = direct.get(name) ?? [];
      roles.push(role);
      direct.set(name, roles);
    }
  }
  return (role) => {
    const found = new Set([role]);
    // The loop adds roles to this set and visits them, too.
    for (const name of found) for (const it of direct.get(name) ?? []) found.add(it);
    return found;
  };
}

const implications = new WeakMap<DraftPolicy, FactReading<DraftFact, ReadonlySet<string>>>();

/** Returns the roles that each caller with a role also has. Considers only the references between roles. */
export function implied(draft: DraftPolicy, role: string): ReadonlySet<string> {
  const known = implications.get(draft);
  if (known !== undefined) return known.role(role);
  const none: ReadonlySet<string> = new Set();
  const above = namedBy(draft);
  const inAll = (a: ReadonlySet<string>, b: ReadonlySet<string>) => new Set([...a].filter((it) => b.has(it)));
  const read = draftReader<ReadonlySet<string>>({
    leaf: () => none,
    sum: (op, parts) => {
      if (op === 'any') return parts.length === 0 ? none : parts.reduce(inAll);
      return op === 'all' ? new Set(parts.flatMap((part) => [...part])) : none;
    },
    role: (name, inner) => new Set([...inner, ...above(name)]),
    missing: none,
  })(draft);
  implications.set(draft, read);
  return read.role(role);
}
