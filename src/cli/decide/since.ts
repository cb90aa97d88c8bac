import { parseDuration } from '../common/context.ts';
import type { Runtime } from '../machine/runtime.ts';
import { parseTime } from './asker.ts';

/** A time before now, or a point in time, in seconds. */
export type Since = { readonly ago: number } | { readonly at: number };

/** Parses the value of `--since`. */
export function parseSince(text: string): Since {
  if (/^\d+[smhd]$/.test(text)) return { ago: parseDuration(text) };
  try {
    return { at: parseTime(text) };
  } catch {
    throw new Error('write how long ago, such as 30m or 1h, or a date such as 2026-01-31T12:00:00Z');
  }
}

/** Returns the time of `--since` in milliseconds since the epoch. */
export const sinceMs = (runtime: Runtime, since: Since): number =>
  ('at' in since ? since.at : runtime.now() - since.ago) * 1000;
