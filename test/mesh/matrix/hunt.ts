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

export interface HuntOptions {
  /** So many cells must not tell a mutant from the original before its proof counts; default 20. */
  readonly beforeProof?: number;
  /** The mutants are shared out among so many trials of the side at once; default one. */
  readonly lanes?: number;
  /**
   * So many mutants of each shape are tried first. If the side takes none of them, those of the same field, change and
   * surroundings are held to be rejected as well: what is not taken says nothing about cells. Default: all are tried.
   */
  readonly ofShape?: number;
}

/** Cells that are asked of what was rendered. */
const CONTROL = 600;

/** Cells that are asked at once, more and more of them as none kills. */
const FIRST = 2;
const MOST = 8;

type Loaded = Exclude<Trial, { rejected: string }>;

class Hunter {
  readonly #side: Mutable;
  readonly #likely: Likely;
  readonly #proof: Proof;
  readonly #beforeProof: number;
  readonly kills: Kill[] = [];
  readonly survivors: Mutant[] = [];
  readonly equivalent: { mutant: Mutant; reason: string }[] = [];
  asked = 0;

  constructor(side: Mutable, likely: Likely, proof: Proof, { beforeProof = 20 }: HuntOptions) {
    this.#side = side;
    this.#likely = likely;
    this.#proof = proof;
    this.#beforeProof = beforeProof;
  }

  /** Tries mutants, one after the other. */
  async tryAll(mutants: readonly Mutant[]): Promise<void> {
    let index = 0;
    for await (const trial of this.#side.trials(mutants.map(({ version }) => version))) {
      const mutant = mutants[index++] as Mutant;
      if ('rejected' in trial) this.kills.push({ mutant, by: trial });
      else await this.#hunt(mutant, trial);
    }
    if (index !== mutants.length) throw new Error(`${this.#side.name}: ${index} trials for ${mutants.length} mutants`);
  }

  /**
   * Tries what was rendered as mutants are.
   *
   * @throws Error where it does not do as it must: whatever kills it would seem to kill mutants
   */
  async control(): Promise<void> {
    const { objects, name } = this.#side;
    for await (const trial of this.#side.trials([objects])) {
      if ('rejected' in trial) throw new Error(`${name}: what was rendered is not taken: ${trial.rejected}`);
      const found = await this.#telling(trial, this.#likely.all.slice(0, CONTROL));
      if (found) throw new Error(`${name}: what was rendered: ${found.cell.name}: ${found.expected}, got ${found.got}`);
    }
  }

  async #hunt(mutant: Mutant, trial: Loaded): Promise<void> {
    const { first, rest } = this.#likely.order(mutant);
    if (await this.#any(mutant, trial, first)) return;
    const cells = rest();
    if (await this.#any(mutant, trial, cells.slice(0, this.#beforeProof))) return;
    const reason = this.#proof(mutant);
    if (reason !== undefined) this.equivalent.push({ mutant, reason });
    else if (!(await this.#any(mutant, trial, cells.slice(this.#beforeProof)))) this.survivors.push(mutant);
  }

  /** Whether one of the cells kills it. */
  async #any(mutant: Mutant, trial: Loaded, cells: readonly Cell[]): Promise<boolean> {
    const by = await this.#telling(trial, cells);
    if (by === undefined) return false;
    this.kills.push({ mutant, by });
    this.#likely.killed(mutant, by.cell);
    return true;
  }

  /** The first cell that is answered in another way than the policy says. */
  async #telling(trial: Loaded, cells: readonly Cell[]) {
    for (let at = 0, size = FIRST; at < cells.length; at += size, size = Math.min(MOST, 2 * size)) {
      const some = cells.slice(at, at + size);
      const answers = await Promise.all(some.map((cell) => trial.ask(cell)));
      this.asked += some.length;
      for (const [i, cell] of some.entries()) {
        const [expected, got] = [this.#side.expected(cell) as Answer, answers[i] as Answer];
        if (got !== 'not askable' && got !== expected) return { cell, expected, got };
      }
    }
    return undefined;
  }
}

/** Items shared out, alike ones in a row staying in a row. */
function shared<T>(items: readonly T[], parts: number): readonly (readonly T[])[] {
  const size = Math.ceil(items.length / parts);
  return Array.from({ length: parts }, (_, i) => items.slice(i * size, (i + 1) * size));
}

/** Of each group some, and the rest. */
function some<T>(groups: Iterable<readonly T[]>, count: number): readonly [first: readonly T[], later: readonly T[]] {
  const all = [...groups];
  return [all.flatMap((group) => group.slice(0, count)), all.flatMap((group) => group.slice(count))];
}

/**
 * Looks for a cell that tells each mutant from what was rendered, and stops at the first.
 *
 * @throws Error where what was rendered, tried as mutants are, is told from itself
 */
export async function hunt(
  side: Mutable,
  cells: readonly Cell[],
  mutants: readonly Mutant[],
  proof: Proof = () => undefined,
  options: HuntOptions = {},
): Promise<Hunt> {
  const { lanes = 1, ofShape = Infinity } = options;
  const likely = new Likely(cells.filter((cell) => side.expected(cell) !== undefined));
  const hunter = new Hunter(side, likely, proof, options);
  await hunter.control();
  const tryAll = (all: readonly Mutant[]) => Promise.all(shared(all, lanes).map((part) => hunter.tryAll(part)));
  // Alike ones in a row: what a side does not take of one, it does not take of the next.
  const [first, later] = some(likely.shapes(mutants), ofShape);
  await tryAll(first);
  const rejected = new Set(hunter.kills.flatMap(({ by, mutant }) => ('rejected' in by ? [mutant] : [])));
  const taken = new Set(first.filter((it) => !rejected.has(it)).map((it) => likely.shape(it)));
  await tryAll(later.filter((it) => taken.has(likely.shape(it))));
  const like = later.filter((it) => !taken.has(likely.shape(it)));
  const { kills, survivors, equivalent, asked } = hunter;
  const more = like.map((mutant): Kill => ({ mutant, by: { rejected: 'as others of its shape' } }));
  return { kills: [...kills, ...more], survivors, equivalent, asked };
}
