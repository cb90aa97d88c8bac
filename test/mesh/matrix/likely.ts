import type { Mutant } from './mutants.ts';
import type { Cell } from './types.ts';

/** A cell's kind: what is wrong, and how, whatever the rule. */
const kindOf = (cell: Cell): string => cell.name.slice(cell.rule.length).replace(/ at .*/, '');

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

/** Round after round one of each kind, so that few requests see many kinds. */
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

/** Names of a cell that may stand in what was rendered for it. */
function namesOf({ rule, authority, service, path, method, credential, connects }: Cell): readonly string[] {
  const identity = 'identity' in connects ? [connects.identity] : [];
  return [...new Set([rule, authority, service, path, method, ...identity, ...(credential?.roles ?? [])])];
}

/** What stands around a field is looked at up to so many characters. */
const AROUND = 700;

/** Cells in the order in which they are likely to kill a mutant. */
export class Likely {
  readonly #cells: readonly { readonly cell: Cell; readonly names: readonly string[] }[];
  readonly #names: readonly string[];
  /** By the mutant's field: kinds of cells that killed such ones. */
  readonly #killers = new Map<string, readonly string[]>();

  constructor(cells: readonly Cell[]) {
    this.#cells = mixed(cells).map((cell) => ({ cell, names: namesOf(cell) }));
    const names = cells.flatMap((cell) => [cell.rule, cell.service, cell.authority]);
    this.#names = [...new Set(names)].sort((a, b) => b.length - a.length);
  }

  /** All, each kind soon. */
  get all(): readonly Cell[] {
    return this.#cells.map(({ cell }) => cell);
  }

  /** The field and its change, whatever object of its kind it is in. */
  field({ object, path, change }: Mutant): string {
    const plain = this.#names.reduce((text, name) => text.replaceAll(name, '*'), `${object} ${path}`);
    return `${plain.replace(/\d+/g, 'N')} ${change}`;
  }

  /** The same mutants, those of one field in a row. */
  alike(mutants: readonly Mutant[]): readonly Mutant[] {
    return [...grouped(mutants, (mutant) => this.field(mutant)).values()].flat();
  }

  order(mutant: Mutant): readonly Cell[] {
    const around = `${mutant.path}/ ${mutant.around(AROUND)}`;
    const stands = (name: string) => around.includes(`"${name}"`) || around.includes(`/${name}/`);
    const known = new Map<string, boolean>();
    const score = (names: readonly string[]) => {
      let sum = 0;
      for (const name of names) {
        const found = known.get(name) ?? stands(name);
        known.set(name, found);
        if (found) sum += 1;
      }
      return sum;
    };
    const scored = this.#cells.map(({ cell, names }) => [score(names), cell] as const);
    const all = scored.sort(([a], [b]) => b - a).map(([, cell]) => cell);
    const kinds = this.#killers.get(this.field(mutant)) ?? [];
    const first = kinds.flatMap((kind) => all.find((cell) => kindOf(cell) === kind) ?? []);
    return [...new Set([...first, ...all])];
  }

  killed(mutant: Mutant, by: Cell): void {
    const field = this.field(mutant);
    const kinds = this.#killers.get(field) ?? [];
    if (!kinds.includes(kindOf(by))) this.#killers.set(field, [kindOf(by), ...kinds]);
  }
}
