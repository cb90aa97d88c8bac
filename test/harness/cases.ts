import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A counterexample of a property: its values, or the path to values that JSON cannot express. */
export type PropertyCase = { readonly property: string } & (
  | { readonly values: readonly unknown[] }
  | { readonly seed: number; readonly path: string; readonly shown: string }
);

/** A result of a hunt with a seed: a mutant that no cell distinguishes from the original, or a cell with a wrong
 * answer. */
export type SearchCase = { readonly search: string; readonly seed: string } & (
  | { readonly mutant: { readonly object: string; readonly path: string; readonly change: string } }
  | { readonly cell: string }
);

/** A counterexample that `make fuzz` found. Each run tries it first. */
export type Case = PropertyCase | SearchCase;

/** One line of JSON for each case. */
export const casesFile = process.env.MESHGATE_CASES ?? fileURLToPath(new URL('../cases.jsonl', import.meta.url));

/** All stored cases. */
export function storedCases(): readonly Case[] {
  if (!existsSync(casesFile)) return [];
  const lines = readFileSync(casesFile, 'utf8').split('\n');
  return lines.flatMap((line, index) => (line === '' ? [] : [caseIn(line, index + 1)]));
}

function caseIn(line: string, number: number): Case {
  try {
    return JSON.parse(line) as Case;
  } catch (error) {
    throw new Error(`${casesFile}:${number} is not JSON: ${(error as Error).message}`, { cause: error });
  }
}

/** Stores a case, unless it is stored already. */
export function storeCase(found: Case): void {
  const line = JSON.stringify(found);
  if (!storedCases().some((one) => JSON.stringify(one) === line)) appendFileSync(casesFile, `${line}\n`);
}
