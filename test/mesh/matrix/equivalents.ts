import type { Mutant } from './mutants.ts';
import type { Rendered } from './types.ts';

/** Mutants that mean the same as the rendered object, and why. */
export interface Equivalent {
  /** Matches the object's name and the path: `envoy.yaml/admin`. Everything below is included. */
  readonly at?: RegExp;
  /** Default: every change. */
  readonly change?: RegExp;
  /** Whether it applies to a mutant of these objects; by default to all. */
  readonly proves?: (mutant: Mutant, objects: readonly Rendered[]) => boolean;
  readonly reason: string;
}

function fits({ at, change, proves }: Equivalent, mutant: Mutant, objects: readonly Rendered[]): boolean {
  const name = `${mutant.object}/${mutant.path}`;
  const isAt = at === undefined || matchesUpTo(at, name);
  return isAt && (change?.test(mutant.change) ?? true) && (proves?.(mutant, objects) ?? true);
}

/** Whether the path, or one above it, matches. */
function matchesUpTo(at: RegExp, name: string): boolean {
  for (let end = name.length; end > 0; end = name.lastIndexOf('/', end - 1)) {
    if (at.test(name.slice(0, end))) return true;
  }
  return false;
}

/** A list of equivalents that records which of them it needed. */
export class Equivalents {
  readonly #list: readonly Equivalent[];
  readonly #used = new Set<Equivalent>();

  constructor(list: readonly Equivalent[]) {
    this.#list = list;
  }

  /** Why a mutant of these objects that no cell killed means the same; undefined: there is no reason. */
  reason(mutant: Mutant, objects: readonly Rendered[]): string | undefined {
    const found = this.#list.find((it) => fits(it, mutant, objects));
    if (found !== undefined) this.#used.add(found);
    return found?.reason;
  }

  /** Reasons that no mutant needed: they must be removed. */
  get unused(): readonly string[] {
    return this.#list.filter((it) => !this.#used.has(it)).map(({ reason }) => reason);
  }
}
