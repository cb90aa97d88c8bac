import type { Mutant } from './mutants.ts';
import type { Cell } from './types.ts';

/** A cell's kind: the wrong part, or how it passes, without the names of the rule. */
function kindOf({ name, rule, part, credential }: Cell): string {
  const how = name.slice(rule.length).replace(/^(: \w+).*?(, \D*)?$/, '$1$2');
  return part === undefined
    ? name.slice(rule.length).replace(/ at .*| with [A-Z]+$/, '')
    : `${how} ${credential?.flaw}`;
}

function grouped<T>(items: readonly T[], by: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const name = by(item);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [item]);
    else group.push(item);
  }
  return groups;
}

/** One cell of each kind in each round, so that few requests cover many kinds. */
function mixed(cells: readonly Cell[]): readonly Cell[] {
  const seen = new Map<string, number>();
  const round = cells.map((cell) => {
    const kind = cell.part ?? 'passes';
    const n = seen.get(kind) ?? 0;
    seen.set(kind, n + 1);
    return [n, cell] as const;
  });
  return round.sort(([a], [b]) => a - b).map(([, cell]) => cell);
}

/** Names of a cell that may occur in the objects rendered for it. */
function namesOf({ rule, authority, service, path, method, credential, connects }: Cell): readonly string[] {
  const identity = 'identity' in connects ? [connects.identity] : [];
  return [...new Set([rule, authority, service, path, method, ...identity, ...(credential?.roles ?? [])])];
}

/** The number of cells of a kind that are tried first. */
const BEST = 3;

/** The number of characters around a field that are compared. */
const AROUND = 700;

/** Kinds of cells that killed mutants of a field before, in any policy. */
const KILLERS = new Map<string, readonly string[]>();

/** Cells in the order in which they probably kill a mutant. */
export class Likely {
  readonly #cells: readonly { readonly cell: Cell; readonly kind: string; readonly names: readonly number[] }[];
  /** The names in cells, with the cells' numbers. */
  readonly #texts: readonly string[];
  readonly #names: readonly string[];
  readonly #fields = new Map<Mutant, string>();
  readonly #shapes = new Map<Mutant, string>();

  constructor(cells: readonly Cell[]) {
    const numbers = new Map([...new Set(cells.flatMap(namesOf))].map((text, i) => [text, i]));
    this.#texts = [...numbers.keys()];
    this.#cells = mixed(cells).map((cell) => ({
      cell,
      kind: kindOf(cell),
      names: namesOf(cell).map((text) => numbers.get(text) as number),
    }));
    const names = cells.flatMap((cell) => [cell.rule, cell.service, cell.authority]);
    this.#names = [...new Set(names)].sort((a, b) => b.length - a.length);
  }

  /** All cells, with each kind early. */
  get all(): readonly Cell[] {
    return this.#cells.map(({ cell }) => cell);
  }

  /** A text without names and numbers, which differ if everything else is the same. */
  #plain(text: string): string {
    return this.#names.reduce((all, name) => all.replaceAll(name, '*'), text).replace(/\d+/g, 'N');
  }

  /** The field and its change, in any object of its kind. */
  field(mutant: Mutant): string {
    const known = this.#fields.get(mutant);
    if (known !== undefined) return known;
    const field = `${this.#plain(`${mutant.object} ${mutant.path}`)} ${mutant.change}`;
    this.#fields.set(mutant, field);
    return field;
  }

  /** The same with its context, except the texts there. */
  shape(mutant: Mutant): string {
    const known = this.#shapes.get(mutant);
    if (known !== undefined) return known;
    const around = this.#plain(mutant.around(AROUND)).replace(/"(?:[^"\\]|\\.)*"(:?)/g, (text, key) =>
      key ? text : '""',
    );
    const shape = `${this.field(mutant)} ${around}`;
    this.#shapes.set(mutant, shape);
    return shape;
  }

  /** The field, and the beginning of its value: elements of one list may be of many kinds. */
  #about(mutant: Mutant): string {
    return `${this.field(mutant)} ${this.#plain((JSON.stringify(mutant.was) ?? '').slice(0, 80))}`;
  }

  /** The same mutants by shape, with those of one field in a row. */
  shapes(mutants: readonly Mutant[]): Iterable<readonly Mutant[]> {
    const fields = [...grouped(mutants, (mutant) => this.field(mutant)).values()];
    return grouped(fields.flat(), (mutant) => this.shape(mutant)).values();
  }

  /** How much of a cell occurs in the context of a mutant, and how much in the changed value, by the cell's number. */
  #scores(mutant: Mutant): readonly number[] {
    const around = `${mutant.path}/ ${mutant.around(AROUND)}`;
    const was = (JSON.stringify(mutant.was) ?? '').slice(0, AROUND);
    const worth = this.#texts.map((text) => {
      const stands = around.includes(`"${text}"`) || around.includes(`/${text}/`);
      // A rule or a service on the path is what the mutant is about.
      return (stands ? 1 : 0) + (was.includes(`"${text}"`) ? 2 : 0) + (mutant.path.includes(`/${text}/`) ? 4 : 0);
    });
    return this.#cells.map(({ names }) => names.reduce((sum, name) => sum + worth[name]!, 0));
  }

  /** The best cells of each kind that killed such a mutant before, and all others, the most likely first. */
  order(mutant: Mutant): { readonly first: readonly Cell[]; readonly rest: () => readonly Cell[] } {
    const scores = this.#scores(mutant);
    const bestOf = (own: string) => {
      const best: number[] = [];
      for (const [i, { kind }] of this.#cells.entries()) {
        if (kind !== own || (best.length === BEST && scores[best.at(-1)!]! >= scores[i]!)) continue;
        best.push(i);
        best.sort((a, b) => scores[b]! - scores[a]!);
        best.length = Math.min(best.length, BEST);
      }
      return best;
    };
    const first = (KILLERS.get(this.#about(mutant)) ?? []).flatMap(bestOf);
    const cellOf = (i: number) => this.#cells[i]!.cell;
    const rest = () =>
      [...this.#cells.keys()]
        .filter((i) => !first.includes(i))
        .sort((a, b) => scores[b]! - scores[a]!)
        .map(cellOf);
    return { first: first.map(cellOf), rest };
  }

  killed(mutant: Mutant, by: Cell): void {
    const about = this.#about(mutant);
    const kinds = KILLERS.get(about) ?? [];
    if (!kinds.includes(kindOf(by))) KILLERS.set(about, [kindOf(by), ...kinds]);
  }
}
