import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Disagreement } from './agree.ts';
import type { Hunt } from './hunt.ts';

const FILE = new URL('../matrix.json', import.meta.url);
/** What each test file did; the next one that ends puts all of it together. */
const PARTS = new URL('../../../test-results/matrix/', import.meta.url);

/** What one side did for one policy. */
interface SideCount {
  /** Requests that it was asked. */
  cells: number;
  disagreements: number;
  /** Absent: its objects are not changed here. */
  mutants?: number;
  killed?: number;
}

type Policies = Record<string, Record<string, SideCount>>;

interface Part {
  readonly policies: Policies;
  readonly equivalent: Record<string, number>;
}

/** All parts, this one's as it is now. */
function joined(): Part {
  const all: Part = { policies: {}, equivalent: {} };
  for (const file of readdirSync(PARTS).sort()) {
    const { policies, equivalent }: Part = JSON.parse(readFileSync(new URL(file, PARTS), 'utf8'));
    for (const [name, sides] of Object.entries(policies)) all.policies[name] = { ...all.policies[name], ...sides };
    for (const [reason, count] of Object.entries(equivalent))
      all.equivalent[reason] = (all.equivalent[reason] ?? 0) + count;
  }
  return all;
}

/** What became of a run, policy by policy and side by side. */
export class Report {
  readonly #part: string;
  readonly #policies: Policies = {};
  readonly #equivalent: Record<string, number> = {};

  /** @param part name of what one test file does of the matrix */
  constructor(part: string) {
    this.#part = part;
  }

  agreed(policy: string, side: string, asked: number, disagreements: readonly Disagreement[]): void {
    this.#of(policy)[side] = { cells: asked, disagreements: disagreements.length };
  }

  hunted(policy: string, side: string, { kills, survivors, equivalent }: Hunt): void {
    const own = this.#of(policy)[side];
    if (own === undefined) throw new Error(`${side} was not asked`);
    own.mutants = kills.length + survivors.length;
    own.killed = kills.length;
    for (const { reason } of equivalent) this.#equivalent[reason] = (this.#equivalent[reason] ?? 0) + 1;
  }

  #of(policy: string): Record<string, SideCount> {
    this.#policies[policy] ??= {};
    return this.#policies[policy];
  }

  /** Writes this part, and test/mesh/matrix.json: all parts. */
  write(): void {
    mkdirSync(PARTS, { recursive: true });
    const part: Part = { policies: this.#policies, equivalent: this.#equivalent };
    writeFileSync(new URL(`${this.#part}.json`, PARTS), JSON.stringify(part));
    const { policies, equivalent } = joined();
    const all = Object.values(policies).flatMap((sides) => Object.entries(sides));
    const sum = (of: (count: SideCount) => number | undefined) =>
      all.reduce((total, [, count]) => total + (of(count) ?? 0), 0);
    const text = {
      cells: sum((it) => it.cells),
      disagreements: sum((it) => it.disagreements),
      sides: [...new Set(all.map(([side]) => side))].sort(),
      mutants: sum((it) => it.mutants),
      killed: sum((it) => it.killed),
      equivalent,
      policies,
    };
    writeFileSync(FILE, `${JSON.stringify(text, null, 2)}\n`);
  }
}

/** Disagreements as lines, so many at most. */
export function lines(disagreements: readonly Disagreement[]): readonly string[] {
  return disagreements
    .slice(0, 40)
    .map(
      ({ side, cell, expected, got }) =>
        `${side}: ${cell.name} (${cell.method} ${cell.host}${cell.path}): by the policy ${expected}, there ${got}`,
    );
}
