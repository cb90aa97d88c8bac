import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { tellFuzz } from '../../fuzz/searched.ts';
import type { Disagreement } from './agree.ts';
import type { SearchResult } from './mutant-search.ts';
import { searchSeed } from './sample.ts';

/** Numbers by name. */
export type Count = Readonly<Record<string, number>>;

/** The results of one side for one policy. */
export interface SideCount {
  /** Requests that it was asked. */
  readonly cells: number;
  readonly disagreements: number;
  /** Absent, as all below, if its objects are not changed. Equivalent mutants are not counted here. */
  readonly mutants?: number;
  readonly killed?: number;
  /** The killed mutants that the side rejected, so that they would never run. */
  readonly rejected?: number;
  /** Mutants that mean the same as the original, by reason. */
  readonly equivalent?: Count;
}

/** Policy → side → results. */
export type Policies = Readonly<Record<string, Readonly<Record<string, SideCount>>>>;

/** test/mesh/matrix.json; docs/contributing/matrix.md says how to read it. */
export interface Written {
  readonly cells: number;
  readonly disagreements: number;
  readonly sides: readonly string[];
  readonly mutants: number;
  readonly killed: number;
  readonly rejected: number;
  readonly equivalent: Count;
  readonly policies: Policies;
}

function sorted<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The number of occurrences of each name. */
export function counted(names: readonly string[]): Count {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return sorted(counts);
}

/** The written results of all policies, in a fixed order. */
export function written(policies: Policies): Written {
  const inOrder = sorted(Object.fromEntries(Object.entries(policies).map(([name, sides]) => [name, sorted(sides)])));
  const all = Object.values(inOrder).flatMap((sides) => Object.entries(sides));
  const sum = (of: (count: SideCount) => number | undefined) =>
    all.reduce((total, [, count]) => total + (of(count) ?? 0), 0);
  const reasons = all.flatMap(([, { equivalent = {} }]) => Object.keys(equivalent));
  return {
    cells: sum((it) => it.cells),
    disagreements: sum((it) => it.disagreements),
    sides: [...new Set(all.map(([side]) => side))].sort(),
    mutants: sum((it) => it.mutants),
    killed: sum((it) => it.killed),
    rejected: sum((it) => it.rejected),
    equivalent: sorted(Object.fromEntries(reasons.map((it) => [it, sum(({ equivalent }) => equivalent?.[it])]))),
    policies: inOrder,
  };
}

const FILE = new URL('../matrix.json', import.meta.url);
/** The results of each test file; the next one that ends merges them. */
const PARTS = new URL('../../../test-results/matrix/', import.meta.url);

/** All parts that are there. */
function joined(parts: URL): Policies {
  const all: Record<string, Record<string, SideCount>> = {};
  for (const file of readdirSync(parts).filter((name) => name.endsWith('.json'))) {
    const policies: Policies = JSON.parse(readFileSync(new URL(file, parts), 'utf8'));
    for (const [name, sides] of Object.entries(policies)) all[name] = { ...all[name], ...sides };
  }
  return all;
}

/** The results of a run, by policy and side. */
export class Report {
  readonly #part: string;
  readonly #policies: Record<string, Record<string, SideCount>> = {};

  /** @param part name of what one test file does of the matrix */
  constructor(part: string) {
    this.#part = part;
  }

  agreed(policy: string, side: string, requested: number, disagreements: readonly Disagreement[]): void {
    const count = { cells: requested, disagreements: disagreements.length };
    const search = `${policy}, ${side}`;
    const found = disagreements.map(({ cell }) => ({ search, seed: searchSeed, cell: cell.name }));
    tellFuzz({ what: `cells of ${search}`, runs: requested, found });
    this.#policies[policy] = { ...this.#policies[policy], [side]: count };
  }

  hunted(policy: string, side: string, { kills, survivors, equivalent }: SearchResult): void {
    const own = this.#policies[policy]?.[side];
    if (own === undefined) throw new Error(`${side} was not asked`);
    const search = `${policy}, ${side}`;
    const found = survivors.map(({ object, path, change }) => {
      return { search, seed: searchSeed, mutant: { object, path, change } };
    });
    tellFuzz({ what: `mutants of ${search}`, runs: kills.length + survivors.length, found });
    const count: SideCount = {
      ...own,
      mutants: kills.length + survivors.length,
      killed: kills.length,
      rejected: kills.filter(({ by }) => 'rejected' in by).length,
      equivalent: counted(equivalent.map(({ reason }) => reason)),
    };
    this.#policies[policy] = { ...this.#policies[policy], [side]: count };
  }

  /** Writes this part, and test/mesh/matrix.json: all parts. */
  write(file = FILE, parts = PARTS): void {
    mkdirSync(parts, { recursive: true });
    // Another file of tests may read all parts at this moment.
    const part = new URL(`${this.#part}.json`, parts);
    const beside = new URL(`${this.#part}.new`, parts);
    writeFileSync(beside, JSON.stringify(this.#policies));
    renameSync(beside, part);
    writeFileSync(file, `${JSON.stringify(written(joined(parts)), null, 2)}\n`);
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

/** Survivors as lines, so many at most. */
export function survivorLines({ survivors }: SearchResult): readonly string[] {
  return survivors.slice(0, 40).map(({ object, path, change }) => `${object}/${path}: ${change}`);
}
