import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A counterexample of a property: its values, or the way to values that JSON cannot hold. */
export type PropertyCase =
  | { readonly property: string; readonly values: readonly unknown[] }
  | { readonly property: string; readonly seed: number; readonly path: string; readonly shown: string };

/** A counterexample that `make fuzz` found, and that each run tries first. */
export type Case = PropertyCase;

/** One line of JSON for each case. */
const FILE = process.env.MESHGATE_CASES ?? fileURLToPath(new URL('../cases.jsonl', import.meta.url));

let cases: readonly Case[] | undefined;

/** All stored cases. */
export function storedCases(): readonly Case[] {
  cases ??= existsSync(FILE)
    ? readFileSync(FILE, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Case)
    : [];
  return cases;
}

export const isReplayOf = (one: Case, property: string): one is PropertyCase => one.property === property;

/** Stores a case. @returns the file */
export function store(found: Case): string {
  appendFileSync(FILE, `${JSON.stringify(found)}\n`);
  return FILE;
}
