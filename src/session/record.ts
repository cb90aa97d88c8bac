import { MAX_RECORD_LENGTH } from '../limits.ts';
import { objectIn } from '../token/json.ts';
import type { SessionRecord } from './types.ts';

/** Changes with the shape of a record: one of another version is no record of ours. */
const VERSION = 1;

/**
 * A record as the text that is sealed.
 *
 * @throws Error with one line for the log where the provider's claims and tokens are too long to keep
 */
export function recordText(record: SessionRecord): string {
  const text = JSON.stringify({ v: VERSION, ...record });
  if (text.length > MAX_RECORD_LENGTH)
    throw new Error(`what the provider says of a session takes more than ${MAX_RECORD_LENGTH} characters`);
  return text;
}

/**
 * The record that {@link recordText} wrote.
 *
 * @param sid whose it should be: sealed text that was moved under another session's name is no record of that one
 * @returns `undefined` where it is none: of another version, or of another session
 */
export function readRecord(text: string, sid: string): SessionRecord | undefined {
  const { v, ...record } = (objectIn(text) ?? {}) as Partial<SessionRecord> & { readonly v?: unknown };
  return v === VERSION && record.session?.sid === sid ? (record as SessionRecord) : undefined;
}
