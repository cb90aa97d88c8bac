import type { Limit } from '../../policy/checked/types.ts';
import { writtenKey } from '../../policy/forms/mapping.ts';
import { times } from '../../policy/schema/policy.ts';
import { limitText } from '../budgets.ts';

/* This file writes values of a checked policy as policies do, and tests whether two values are equal. */

/** Whether a value is a place in a file. Comparisons ignore places. */
const isPlace = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'file' in value && 'line' in value && 'column' in value;

function bare(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bare);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, own]) => !isPlace(own));
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, own]) => [key, bare(own)]));
}

/** Whether two values are equal. Their places in the file do not matter. */
export const isSameValue = (a: unknown, b: unknown): boolean => JSON.stringify(bare(a)) === JSON.stringify(bare(b));

const seconds = (key: string, value: unknown): value is number => typeof value === 'number' && times.has(key);

const isLimit = (value: object): value is Limit => 'written' in value && 'burst' in value;

/** Returns a value in the spelling of policies. The policy's author chooses the keys of labels, so they stay. */
function written(key: string, value: unknown): unknown {
  if (seconds(key, value)) return `${value}s`;
  if (Array.isArray(value)) return value.map((part) => written('', part));
  if (typeof value !== 'object' || value === null || key === 'labels') return value;
  if (isLimit(value)) return limitText(value);
  const entries = Object.entries(value).filter(([, own]) => !isPlace(own));
  return Object.fromEntries(entries.map(([own, part]) => [writtenKey(own), written(own, part)]));
}

/** Returns a key's value as JSON, with keys, times and limits as policies write them; undefined if it is absent. */
export const declared = (key: string, value: unknown): string | undefined =>
  seconds(key, value) ? `${value}s` : JSON.stringify(written(key, value));
