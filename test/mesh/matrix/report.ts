import { writeFileSync } from 'node:fs';
import type { Disagreement } from './agree.ts';
import type { Hunt } from './hunt.ts';

const FILE = new URL('../matrix.json', import.meta.url);

/** What one side did for one policy. */
interface SideCount {
  /** Requests that it was asked. */
  cells: number;
  disagreements: number;
  /** Absent: its objects are not changed here. */
  mutants?: number;
  killed?: number;
}

/** What became of a run, policy by policy and side by side. */
export class Report {
  readonly #policies: Record<string, Record<string, SideCount>> = {};
  readonly #equivalent: Record<string, number> = {};

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

  /** Writes test/mesh/matrix.json. */
  write(): void {
    const all = Object.values(this.#policies).flatMap((sides) => Object.entries(sides));
    const sum = (of: (count: SideCount) => number | undefined) =>
      all.reduce((total, [, count]) => total + (of(count) ?? 0), 0);
    const text = {
      cells: sum((it) => it.cells),
      disagreements: sum((it) => it.disagreements),
      sides: [...new Set(all.map(([side]) => side))].sort(),
      mutants: sum((it) => it.mutants),
      killed: sum((it) => it.killed),
      equivalent: this.#equivalent,
      policies: this.#policies,
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
