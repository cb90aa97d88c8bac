import { Likely } from './likely.ts';
import type { Mutant } from './mutants.ts';
import type { Answer, Cell, Mutable, OriginalTrial, Trial } from './types.ts';

/** A cell with another answer than the policy's. */
interface Told {
  readonly cell: Cell;
  readonly expected: Answer;
  readonly got: Answer;
}

/** A mutant that was noticed. The original, put back into its slot, was not. */
export interface Kill {
  readonly mutant: Mutant;
  /** The first cell that distinguished it from the original, or the error with which it was rejected. */
  readonly by: Told | { readonly rejected: string };
}

export interface SearchResult {
  readonly kills: readonly Kill[];
  readonly survivors: readonly Mutant[];
  /** Mutants that no request can distinguish from the original, and why. */
  readonly equivalent: readonly { readonly mutant: Mutant; readonly reason: string }[];
  /** Number of requests. */
  readonly requested: number;
}

/** Why a mutant means the same as the original; undefined: there is no reason. */
export type Proof = (mutant: Mutant) => string | undefined;

export interface SearchOptions {
  /** The number of cells that must not notice a mutant before its proof counts; default 20. */
  readonly beforeProof?: number;
  /** The number of concurrent trials of the side that share the mutants; default one. */
  readonly lanes?: number;
}

/** Number of cells for the original, of all kinds. The cell of each kill is asked of it as well. */
const CONTROL = 200;

/** Numbers of concurrent cells, which grow while none kills. */
const FIRST = 2;
const MOST = 8;

type Loaded = Exclude<Trial, { rejected: string }>;

const titleOf = ({ object, path, change }: Mutant): string => `${object}/${path}: ${change}`;

class Hunter {
  readonly #side: Mutable;
  readonly #likely: Likely;
  readonly #proof: Proof;
  readonly #beforeProof: number;
  readonly kills: Kill[] = [];
  readonly survivors: Mutant[] = [];
  readonly equivalent: { mutant: Mutant; reason: string }[] = [];
  requested = 0;

  constructor(side: Mutable, likely: Likely, proof: Proof, { beforeProof = 20 }: SearchOptions) {
    this.#side = side;
    this.#likely = likely;
    this.#proof = proof;
    this.#beforeProof = beforeProof;
  }

  /** Tries mutants, one after the other. A kill counts once the original has the right answer in the same slot. */
  async tryAll(mutants: readonly Mutant[]): Promise<void> {
    const unconfirmed = new Map<number, Kill>();
    let tried = 0;
    for await (const trial of this.#side.trials(mutants.map(({ version }) => version))) {
      if ('originalOf' in trial) {
        const kills = trial.originalOf.flatMap((index) => unconfirmed.get(index) ?? []);
        for (const index of trial.originalOf) unconfirmed.delete(index);
        await this.#confirm(kills, trial);
      } else {
        tried += 1;
        const mutant = mutants[trial.version] as Mutant;
        const by = 'rejected' in trial ? { rejected: trial.rejected } : await this.#search(mutant, trial);
        if (by !== undefined) unconfirmed.set(trial.version, { mutant, by });
      }
    }
    const { name } = this.#side;
    if (tried !== mutants.length) throw new Error(`${name}: ${tried} trials for ${mutants.length} mutants`);
    if (unconfirmed.size > 0)
      throw new Error(`${name}: what was rendered was not tried after ${unconfirmed.size} kills`);
  }

  /**
   * Asks the killing cells of the original, in the slot of these mutants.
   *
   * @throws Error where it fails as they did: then the slot, and not the change, is why
   */
  async #confirm(kills: readonly Kill[], original: OriginalTrial): Promise<void> {
    const { name } = this.#side;
    const [first] = kills;
    if (first === undefined) return;
    if ('rejected' in original)
      throw new Error(`${name}: the original fails too: ${titleOf(first.mutant)}: ${original.rejected}`);
    const killers = new Map(kills.flatMap((kill) => ('cell' in kill.by ? [[kill.by.cell, kill] as const] : [])));
    const found = await this.#telling(original, [...killers.keys()]);
    if (found !== undefined) {
      const killed = titleOf((killers.get(found.cell) as Kill).mutant);
      throw new Error(
        `${name}: the original fails too: ${killed}: ${found.cell.name}: ${found.expected}, got ${found.got}`,
      );
    }
    this.kills.push(...kills);
  }

  /**
   * Tries the original as mutants are tried.
   *
   * @throws Error where it does not do as it must: whatever kills it would seem to kill mutants
   */
  async control(): Promise<void> {
    const { objects, name } = this.#side;
    for await (const trial of this.#side.trials([objects])) {
      if ('originalOf' in trial) continue;
      if ('rejected' in trial) throw new Error(`${name}: what was rendered is not taken: ${trial.rejected}`);
      const found = await this.#telling(trial, this.#likely.all.slice(0, CONTROL));
      if (found) throw new Error(`${name}: what was rendered: ${found.cell.name}: ${found.expected}, got ${found.got}`);
    }
  }

  /** The first cell that kills it. */
  async #search(mutant: Mutant, trial: Loaded): Promise<Told | undefined> {
    const { first, rest } = this.#likely.order(mutant);
    const cells = rest();
    const early =
      (await this.#telling(trial, first)) ?? (await this.#telling(trial, cells.slice(0, this.#beforeProof)));
    const reason = early === undefined ? this.#proof(mutant) : undefined;
    if (reason !== undefined) {
      this.equivalent.push({ mutant, reason });
      return undefined;
    }
    const by = early ?? (await this.#telling(trial, cells.slice(this.#beforeProof)));
    if (by === undefined) {
      this.survivors.push(mutant);
      return undefined;
    }
    // Another answer to the same question would mean that something else than the change decides.
    const again = await trial.ask(by.cell);
    if (again !== by.got) {
      throw new Error(`${this.#side.name}: unstable: ${titleOf(mutant)}: ${by.cell.name}: ${by.got}, then ${again}`);
    }
    this.#likely.killed(mutant, by.cell);
    return by;
  }

  /** The first cell with another answer than the policy's. */
  async #telling(trial: Loaded, cells: readonly Cell[]): Promise<Told | undefined> {
    for (let at = 0, size = FIRST; at < cells.length; at += size, size = Math.min(MOST, 2 * size)) {
      const some = cells.slice(at, at + size);
      const answers = await Promise.all(some.map((cell) => trial.ask(cell)));
      this.requested += some.length;
      for (const [i, cell] of some.entries()) {
        const [expected, got] = [this.#side.expected(cell) as Answer, answers[i] as Answer];
        if (got !== 'not askable' && got !== expected) return { cell, expected, got };
      }
    }
    return undefined;
  }
}

/** Distributes items; equal ones that follow each other stay together. */
function shared<T>(items: readonly T[], parts: number): readonly (readonly T[])[] {
  const size = Math.ceil(items.length / parts);
  return Array.from({ length: parts }, (_, i) => items.slice(i * size, (i + 1) * size));
}

/**
 * Looks for a cell that distinguishes each mutant from the original, and stops at the first.
 *
 * @throws Error if the original, tried as mutants are or in the slot of one, is distinguished from itself
 */
export async function search(
  side: Mutable,
  cells: readonly Cell[],
  mutants: readonly Mutant[],
  proof: Proof = () => undefined,
  options: SearchOptions = {},
): Promise<SearchResult> {
  const { lanes = 1 } = options;
  const likely = new Likely(cells.filter((cell) => side.expected(cell) !== undefined));
  const hunter = new Hunter(side, likely, proof, options);
  await hunter.control();
  // Similar mutants in a row: a cell that kills one probably kills the next.
  const parts = shared([...likely.shapes(mutants)].flat(), lanes);
  const lanesDone = await Promise.allSettled(parts.map((part) => hunter.tryAll(part)));
  // A lane that continues after another has failed would change the state of the next test: the error waits for all.
  for (const done of lanesDone) if (done.status === 'rejected') throw done.reason;
  const { kills, survivors, equivalent, requested } = hunter;
  return { kills, survivors, equivalent, requested };
}
