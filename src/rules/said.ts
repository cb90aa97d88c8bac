import { writtenKey } from '../policy/mapping.ts';
import { times } from '../policy/schema.ts';
import type { Limit } from '../policy/types.ts';
import { limitText } from './budgets.ts';

/* Values of a checked policy as policies write them, and whether two are equal. */

/** Whether a value is a place in a file, which does not count in a comparison. */
const isPlace = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'file' in value && 'line' in value && 'column' in value;

/** A value without places, with sorted keys. */
function bare(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bare);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, own]) => !isPlace(own));
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, own]) => [key, bare(own)]));
}

/** Whether two values are equal, wherever they stand in the file. */
export const isSameValue = (a: unknown, b: unknown): boolean => JSON.stringify(bare(a)) === JSON.stringify(bare(b));

const seconds = (key: string, value: unknown): value is number => typeof value === 'number' && times.has(key);

const isLimit = (value: object): value is Limit => 'written' in value && 'burst' in value;

/** The keys of labels are the policy's own and keep their spelling. */
function written(key: string, value: unknown): unknown {
  if (seconds(key, value)) return `${value}s`;
  if (Array.isArray(value)) return value.map((part) => written('', part));
  if (typeof value !== 'object' || value === null || key === 'labels') return value;
  if (isLimit(value)) return limitText(value);
  const entries = Object.entries(value).filter(([, own]) => !isPlace(own));
  return Object.fromEntries(entries.map(([own, part]) => [writtenKey(own), written(own, part)]));
}

/** The value of a key as JSON, with the keys, times and limits of policies; undefined if it is absent. */
export function said(key: string, value: unknown): string | undefined {
  return seconds(key, value) ? `${value}s` : JSON.stringify(written(key, value));
}
