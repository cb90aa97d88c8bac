import { beforeEach, describe, expect, it } from 'vitest';
import { composed } from '../../../src/base/composed-key.ts';
import { DictStore, type RecordSeal } from '../../../src/njs/shared/dict-store.ts';
import type { Revocation } from '../../../src/session/revocation/store.ts';
import { record, session } from '../session/sample.ts';
import { fakeNgx } from './fake-ngx.ts';

const fake = fakeNgx();

/** Without a cipher: only the calls matter here. */
const seal: RecordSeal = {
  seal: async (text) => `sealed ${Buffer.from(text).toString('base64')}`,
  open: async (text) => (text.startsWith('sealed ') ? Buffer.from(text.slice(7), 'base64').toString() : undefined),
};

const revoked: Revocation[] = [];
const store = new DictStore(seal, (revocations) => revoked.push(...revocations));
const { sessions, once, locks, renewals } = fake.zones;

beforeEach(() => {
  fake.logged.length = 0;
  for (const zone of Object.values(fake.zones)) {
    zone.clear();
    zone.room = Number.POSITIVE_INFINITY;
  }
});

describe('records', () => {
  it('are found by their id until they expire, and gone when deleted', async () => {
    await store.put(record, 60);
    expect(await store.get(session.sid)).toEqual(record);
    fake.clock += 60_000;
    expect(await store.get(session.sid)).toBeUndefined();
    await store.put(record, 60);
    await store.delete(session.sid);
    expect(await store.get(session.sid)).toBeUndefined();
  });

  it('are sealed', async () => {
    await store.put(record, 60);
    expect(sessions.get(session.sid)).toMatch(/^sealed /);
  });

  it('that do not open, or were moved from another session, do not count', async () => {
    sessions.set(session.sid, 'not sealed');
    expect(await store.get(session.sid)).toBeUndefined();
    await store.put(record, 60);
    sessions.set('other', sessions.get(session.sid)!);
    expect(await store.get('other')).toBeUndefined();
  });

  it('live no longer than a dict can count', async () => {
    await store.put(record, 400 * 86400);
    fake.clock += 46 * 86400_000;
    expect(await store.get(session.sid)).toEqual(record);
  });

  it('without room throw an error', async () => {
    sessions.room = 0;
    await expect(store.put(record, 60)).rejects.toThrow('meshgate_sessions has no room');
  });
});

describe('records of one person', () => {
  const of = (sid: string, sub: string) => ({
    ...record,
    session: { ...session, sid },
    claims: { ...record.claims, sub },
  });

  it('replace their own, and no one else’s', async () => {
    sessions.room = 40;
    await store.put(of('ada-1', 'ada'), 60);
    for (let i = 0; i < 100; i++) await store.put(of(`eve-${i}`, 'eve'), 60);
    expect(await store.get('ada-1')).toBeDefined();
    expect(await store.get('eve-99')).toBeDefined();
    expect(await store.get('eve-83')).toBeUndefined();
    expect(sessions.keys().filter((key) => key.startsWith('eve-'))).toHaveLength(16);
  });

  it('that are stored again take no more room', async () => {
    for (let i = 0; i < 50; i++) await store.put(of(`ada-${i % 2}`, 'ada'), 60);
    expect(sessions.keys().filter((key) => key.startsWith('ada-'))).toEqual(['ada-0', 'ada-1']);
  });
});

describe('locks', () => {
  it('are held by one at a time, and free when released or expired', async () => {
    const lock = await store.lock('s', 1000);
    expect(await store.lock('s', 1000)).toBeUndefined();
    expect(await store.lock('t', 1000)).toBeDefined();
    await lock!.release();
    expect(await store.lock('s', 1000)).toBeDefined();
    fake.clock += 1000;
    expect(await store.lock('s', 1000)).toBeDefined();
  });

  it('that expired are not released for their new holder', async () => {
    const late = await store.lock('s', 1000);
    fake.clock += 1000;
    await store.lock('s', 1000);
    await late!.release();
    expect(renewals.has(composed('session', 's'))).toBe(true);
  });

  it('have their own zone, which others’ sessions may fill, and log that once', async () => {
    renewals.room = 3;
    const held = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((sid) => store.lock(sid, 1000)));
    expect(held.map((lock) => lock !== undefined)).toEqual([true, true, true, false, false]);
    expect(fake.logged).toEqual([expect.stringContaining('meshgate_renewals is full')]);
    // Another test covers the locks of providers.
    expect(locks.keys()).toEqual(['said\nrenewals full\n']);
    await held[0]!.release();
    expect(await store.lock('d', 1000)).toBeDefined();
  });
});

describe('once', () => {
  it('is true once, until it may be forgotten', async () => {
    expect(await store.once('a', 60)).toBe(true);
    expect(await store.once('a', 60)).toBe(false);
    expect(await store.once('b', 60)).toBe(true);
    fake.clock += 60_000;
    expect(await store.once('a', 60)).toBe(true);
  });

  it('is false for a value that was spoilt', async () => {
    store.spoilHere('ab', 60);
    expect([await store.once('ab', 60), await store.claim('ab', 60)]).toEqual([false, undefined]);
    expect(await store.once('ac', 60)).toBe(true);
  });

  it('refuses if there is no room to remember', async () => {
    once.room = 0;
    await expect(store.once('a', 60)).rejects.toThrow('meshgate_once is full');
  });
});

it('passes revocations on', async () => {
  await store.revoke({ kind: 'sid', value: 's', before: 1, until: 2, made: 1 });
  expect(revoked).toEqual([{ kind: 'sid', value: 's', before: 1, until: 2, made: 1 }]);
});
