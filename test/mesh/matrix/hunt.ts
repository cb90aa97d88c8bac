import { Likely } from './likely.ts';
import type { Mutant } from './mutants.ts';
import type { Answer, Cell, Mutable, Trial } from './types.ts';

export interface Kill {
  readonly mutant: Mutant;
  /** The first cell that told it from the original, or the words with which it was not taken. */
  readonly by: { readonly cell: Cell; readonly expected: Answer; readonly got: Answer } | { readonly rejected: string };
}

export interface Hunt {
  readonly kills: readonly Kill[];
  readonly survivors: readonly Mutant[];
  /** Those that no request can tell from the original, and why. */
  readonly equivalent: readonly { readonly mutant: Mutant; readonly reason: string }[];
  /** Requests that it took. */
  readonly asked: number;
}

/** Why a mutant means the same as what was rendered; undefined: nothing says so. */
export type Proof = (mutant: Mutant) => string | undefined;

/** So many cells are asked before a mutant is held to be the same, and a proof is looked for. */
const BEFORE_PROOF = 40;

class Hunter {
  readonly #side: Mutable;
  readonly #likely: Likely;
  readonly #proof: Proof;
  readonly kills: Kill[] = [];
  readonly survivors: Mutant[] = [];
  readonly equivalent: { mutant: Mutant; reason: string }[] = [];
  asked = 0;

  constructor(side: Mutable, likely: Likely, proof: Proof) {
    this.#side = side;
    this.#likely = likely;
    this.#proof = proof;
  }

  async hunt(mutant: Mutant, trial: Exclude<Trial, { rejected: string }>): Promise<void> {
    const cells = this.#likely.order(mutant);
    if (await this.#any(mutant, trial, cells.slice(0, BEFORE_PROOF))) return;
    const reason = this.#proof(mutant);
    if (reason !== undefined) this.equivalent.push({ mutant, reason });
    else if (!(await this.#any(mutant, trial, cells.slice(BEFORE_PROOF)))) this.survivors.push(mutant);
  }

  /** Whether one of the cells kills it. */
  async #any(mutant: Mutant, trial: Exclude<Trial, { rejected: string }>, cells: readonly Cell[]): Promise<boolean> {
    for (const cell of cells) {
      const expected = this.#side.expected(cell) as Answer;
      const got = await trial.ask(cell);
      this.asked += 1;
      if (got === 'not askable' || got === expected) continue;
      this.kills.push({ mutant, by: { cell, expected, got } });
      this.#likely.killed(mutant, cell);
      return true;
    }
    return false;
  }
}

/** Looks for a cell that tells each mutant from what was rendered, and stops at the first. */
export async function hunt(
  side: Mutable,
  cells: readonly Cell[],
  mutants: readonly Mutant[],
  proof: Proof = () => undefined,
): Promise<Hunt> {
  const likely = new Likely(cells.filter((cell) => side.expected(cell) !== undefined));
  const hunter = new Hunter(side, likely, proof);
  // Alike ones in a row: what a side does not take of one, it does not take of the next.
  const sorted = likely.alike(mutants);
  let index = 0;
  for await (const trial of side.trials(sorted.map(({ version }) => version))) {
    const mutant = sorted[index++] as Mutant;
    if ('rejected' in trial) hunter.kills.push({ mutant, by: trial });
    else await hunter.hunt(mutant, trial);
  }
  if (index !== mutants.length) throw new Error(`${side.name}: ${index} trials for ${mutants.length} mutants`);
  const { kills, survivors, equivalent, asked } = hunter;
  return { kills, survivors, equivalent, asked };
}
