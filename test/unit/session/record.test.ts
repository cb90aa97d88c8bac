import { expect, it } from 'vitest';
import { MAX_RECORD_LENGTH } from '../../../src/session/limits.ts';
import { readRecord, recordText } from '../../../src/session/record.ts';
import { record, session } from './sample.ts';

it('reads what it wrote', () => {
  expect(readRecord(recordText(record), session.sid)).toEqual(record);
});

it('rejects a record of another session, of another version, and invalid text', () => {
  expect(readRecord(recordText(record), 'another')).toBeUndefined();
  expect(readRecord(JSON.stringify({ ...record, v: 1 }), session.sid)).toBeUndefined();
  expect(readRecord('', session.sid)).toBeUndefined();
  expect(readRecord('{}', session.sid)).toBeUndefined();
});

it('stores no record that is too long, and does not show its content', () => {
  const idToken = 'x'.repeat(MAX_RECORD_LENGTH);
  expect(() => recordText({ ...record, idToken })).toThrow(
    /^the claims and tokens of a session take more than \d+ characters$/,
  );
});
