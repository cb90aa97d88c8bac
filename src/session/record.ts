import { objectIn } from '../token/json.ts';
import { MAX_RECORD_LENGTH } from './limits.ts';
import type { SessionRecord } from './types.ts';

/** Version of the format of a record. A record of another version is ignored. */
const VERSION = 2;

/** Writes a record as text, which is then sealed.
 * @throws Error with one line for the log if the claims and tokens of the provider are too long to keep */
export function recordText(record: SessionRecord): string {
  const text = JSON.stringify({ v: VERSION, ...record });
  if (text.length > MAX_RECORD_LENGTH)
    throw new Error(`the claims and tokens of a session take more than ${MAX_RECORD_LENGTH} characters`);
  return text;
}

/** Reads the result of {@link recordText}; `undefined` for another version.
 * @param sid the expected session id, because the record may be that of another session */
export function readRecord(text: string, sid: string): SessionRecord | undefined {
  const { v, ...record } = (objectIn(text) ?? {}) as Partial<SessionRecord> & { readonly v?: unknown };
  return v === VERSION && record.session?.sid === sid ? (record as SessionRecord) : undefined;
}
