import { describe, expect, test } from 'vitest';
import { newSigningKeys } from '../../../src/assertion/rotate.ts';
import {
  examine,
  type FileLook,
  fileLine,
  filePart,
  isFatal,
  problemOf,
  remarksPart,
} from '../../../src/health/files.ts';
import type { MonitoredFile } from '../../../src/health/types.ts';
import { newRing } from '../../../src/session/keys/rotate-ring.ts';
import { createCa } from '../../harness/pki.ts';

const NOW = 1_800_000_000;
const DAY = 86_400;
const ca = await createCa('ca');
const at = (seconds: number) => new Date((NOW + seconds) * 1000);

const file = (kind: MonitoredFile['kind'], more: Partial<MonitoredFile> = {}): MonitoredFile => ({
  kind,
  name: '',
  path: '/run/file',
  ...more,
});

const found = (text: string, mode = 0o100640, links = 1): FileLook => ({ mode, links, text });

/** The reason and state of a file with this content. */
async function reported(of: MonitoredFile, ...looks: readonly FileLook[]): Promise<readonly (string | undefined)[]> {
  const all = new Map([of.path, of.keyPath ?? ''].map((path, i) => [path, looks[i]]));
  const state = await examine(of, (path) => all.get(path) as FileLook, NOW);
  return [problemOf(of, state, NOW)?.reason, filePart(of, state, NOW).state];
}

const signing = await newSigningKeys(NOW);
const expired = JSON.stringify({
  keys: JSON.parse(newRing(NOW)).keys.map((key: object) => ({ ...key, until: NOW - 1 })),
});

describe('keys that seal sessions', () => {
  test.each<[string, FileLook, string | undefined, string]>([
    ['from "meshgate keys new --session" are right', found(newRing(NOW)), undefined, 'ok'],
    ['are missing', { code: 'ENOENT' }, 'file_missing', 'failed'],
    ['may not be read', { code: 'EACCES' }, 'file_unreadable', 'failed'],
    ['are in a closed folder', { code: 'EACCES', closed: '/run' }, 'folder_closed', 'failed'],
    ['are an empty file', found(' \n'), 'keys_file_empty', 'failed'],
    ['are an empty list', found('{"keys":[]}'), 'keys_file_empty', 'failed'],
    ['have no current key', found(expired), 'keys_file_expired', 'failed'],
    ['are something else', found('secret'), 'keys_file_malformed', 'failed'],
    ['are keys that sign', found(signing), 'keys_file_malformed', 'failed'],
  ])('%s', async (_, look, reason, state) => {
    expect(await reported(file('session'), look)).toEqual([reason, state]);
    for (const kind of ['proof', 'pseudonyms'] as const) {
      if (reason !== 'keys_file_expired') expect(await reported(file(kind), look)).toEqual([reason, state]);
    }
  });
});

test('keys that sign are checked in the same way', async () => {
  expect(await reported(file('assertion'), found(signing))).toEqual([undefined, 'ok']);
  expect(await reported(file('assertion'), found(''))).toEqual(['keys_file_empty', 'failed']);
  expect(await reported(file('assertion'), found(newRing(NOW)))).toEqual(['keys_file_malformed', 'failed']);
});

test('a client secret is a line that is not empty', async () => {
  expect(await reported(file('client_secret'), found('s3cret\n'))).toEqual([undefined, 'ok']);
  expect(await reported(file('client_secret'), found(' \n\n'))).toEqual(['secret_empty', 'failed']);
});

test('a client secret that signs has at least 32 bytes, and so has the next one in the file', async () => {
  const signs = file('client_secret', { signs: true });
  expect(await reported(signs, found(`${'s'.repeat(32)}\n`))).toEqual([undefined, 'ok']);
  expect(await reported(signs, found(`${'é'.repeat(16)}\n`))).toEqual([undefined, 'ok']);
  for (const text of ['hunter2', `${'s'.repeat(32)}\n${'s'.repeat(31)}`]) {
    expect(await reported(signs, found(text))).toEqual(['secret_short', 'failed']);
  }
  expect(await reported(signs, found('\n'))).toEqual(['secret_empty', 'failed']);
});

describe('a certificate', () => {
  const pair = (notBefore: number, notAfter: number) =>
    ca.client('spiffe://example.org/a', { notBefore: at(notBefore), notAfter: at(notAfter) });
  const listener = file('listener', { path: '/c', keyPath: '/k' });
  test.each<[string, number, number, string | undefined]>([
    ['of 90 days with 8 days left is right', -82 * DAY, 8 * DAY, undefined],
    ['of 90 days with 6 days left is about to expire', -84 * DAY, 6 * DAY, 'certificate_expiring'],
    ['of 24 hours with 7 hours left is right', -17 * 3600, 7 * 3600, undefined],
    ['of 24 hours with 5 hours left is about to expire', -19 * 3600, 5 * 3600, 'certificate_expiring'],
    ['has expired', -DAY, -60, 'certificate_expired'],
    ['is not valid yet', 60, DAY, 'certificate_not_yet_valid'],
  ])('%s', async (_, from, to, reason) => {
    const { cert, key } = await pair(from, to);
    expect(await reported(listener, found(cert), found(key))).toEqual([
      reason,
      reason === undefined ? 'ok' : 'warning',
    ]);
    const client = { ...listener, kind: 'client_certificate' } as const;
    const usable = reason === undefined ? 'ok' : reason === 'certificate_expiring' ? 'warning' : 'failed';
    expect(await reported(client, found(cert), found(key))).toEqual([reason, usable]);
  });

  test('with the key of another one, or without one, is a problem', async () => {
    const [one, other] = [await pair(0, DAY), await pair(0, DAY)];
    expect((await reported(listener, found(one.cert), found(other.key)))[0]).toBe('certificate_key_mismatch');
    expect((await reported(listener, found(one.cert), found('')))[0]).toBe('certificate_malformed');
    expect((await reported(listener, found(one.cert), { code: 'ENOENT' }))[0]).toBe('file_missing');
  });

  test('is not secret, but its key is', async () => {
    const { cert, key } = await pair(-10 * DAY, 90 * DAY);
    expect((await reported(listener, found(cert, 0o100644), found(key)))[0]).toBeUndefined();
    expect((await reported(listener, found(cert, 0o100644), found(key, 0o100644)))[0]).toBe('file_exposed');
  });
});

test('a file that works has a remark if all users can read it, or it was replaced outside; its part stays ok', async () => {
  expect(await reported(file('session'), found(newRing(NOW), 0o100644))).toEqual(['file_exposed', 'ok']);
  expect(await reported(file('session'), found(newRing(NOW), 0o100640, 0))).toEqual(['file_replaced', 'ok']);
  expect(await reported(file('policy'), found('version: 1', 0o100644, 0))).toEqual(['file_replaced', 'ok']);
  expect(await reported(file('policy'), found('version: 1', 0o100644))).toEqual([undefined, 'ok']);
});

test('readyz has one part for all remarks, and says first which file was replaced', async () => {
  const looks = [found('a', 0o100644), found('a', 0o100640, 0)];
  const states = await Promise.all(looks.map((look) => examine(file('client_secret'), () => look, NOW)));
  expect(remarksPart(states)).toMatchObject({ state: 'warning', reason: 'file_replaced' });
  expect(remarksPart([])).toEqual({ state: 'ok' });
});

test('a line names the file and what to do, and nothing of the text', async () => {
  const of = file('session');
  const state = await examine(of, () => found('top secret'), NOW);
  const problem = problemOf(of, state, NOW)!;
  expect(fileLine(of, problem)).toBe(
    'session keys (/run/file): keys_file_malformed: The file is not a JWKS with the keys that the gateway needs. nginx’s error log says why. (the file is not JSON)',
  );
  expect(isFatal(of, problem)).toBe(true);
});
