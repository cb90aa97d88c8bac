import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { RecordSeal } from '../../../src/njs/shared/dict-store.ts';
import { REVOCATIONS_READ, REVOCATIONS_SEEN } from '../../../src/njs/shared/dicts.ts';
import { EtcdClient } from '../../../src/njs/shared/etcd-client.ts';
import { EtcdStore } from '../../../src/njs/shared/etcd-store.ts';
import { MAX_REVOCATIONS_ANSWER_BYTES } from '../../../src/session/limits.ts';
import { ofIssuer } from '../../../src/session/revocation/revocation.ts';
import type { Revocation } from '../../../src/session/revocation/store.ts';
import { record, session } from '../session/sample.ts';
import { FakeEtcd } from './fake-etcd.ts';
import { fakeNgx, stopClock } from './fake-ngx.ts';

const fake = fakeNgx();
stopClock(fake);

const seal: RecordSeal = {
  seal: async (text) => `sealed ${Buffer.from(text).toString('base64')}`,
  open: async (text) => (text.startsWith('sealed ') ? Buffer.from(text.slice(7), 'base64').toString() : undefined),
};

let etcd: FakeEtcd;
let revoked: Revocation[];
let store: EtcdStore;
let other: EtcdStore;

const replica = (): EtcdStore =>
  new EtcdStore(new EtcdClient('/run/egress.sock', 3), '/meshgate/', seal, (revocations) =>
    revoked.push(...revocations),
  );

beforeEach(() => {
  for (const zone of Object.values(fake.zones)) zone.clear();
  etcd = new FakeEtcd();
  fake.fetch = etcd.fetch;
  revoked = [];
  store = replica();
  other = replica();
});

const keys = () => [...etcd.entries.keys()].map((key) => Buffer.from(key, 'base64').toString());

const until = Math.floor(Date.now() / 1000) + 3600;
const revocation = (value: string): Revocation => ({ kind: 'sid', value, before: 5, until, made: 4 });

describe('records', () => {
  it('are found by every replica, sealed, and gone when deleted', async () => {
    await store.put(record, 60);
    expect(await other.get(session.sid)).toEqual(record);
    const value = [...etcd.entries.values()][0]!.value;
    expect(Buffer.from(value, 'base64').toString()).toMatch(/^sealed /);
    await other.delete(session.sid);
    expect(await store.get(session.sid)).toBeUndefined();
  });

  it('stay if the response to their storage was lost', async () => {
    const ask = etcd.fetch;
    fake.fetch = (url, options) => {
      etcd.fates[0] = url.endsWith('/put') && !etcd.calls.includes('0 /v3/kv/put') ? 'loses' : 'answers';
      return ask(url, options);
    };
    await store.put(record, 60);
    expect(etcd.calls.filter((call) => call.endsWith('/put'))).toEqual(['0 /v3/kv/put', '1 /v3/kv/put']);
    expect(await store.get(session.sid)).toEqual(record);
  });

  it('have one lease, however often they are stored', async () => {
    await store.put(record, 60);
    await store.put(record, 90.2);
    expect([...etcd.leases.values()]).toEqual([91]);
    expect(await store.get(session.sid)).toEqual(record);
  });
});

describe('locks', () => {
  it('are held by one replica at a time, and free when released', async () => {
    const lock = await store.lock('s', 30_000);
    expect(await other.lock('s', 30_000)).toBeUndefined();
    expect([...etcd.leases.values()]).toEqual([30]);
    await lock!.release();
    expect(keys()).toEqual([]);
    expect(await other.lock('s', 30_000)).toBeDefined();
  });

  it('are held by their creator, even if the response was lost', async () => {
    const lease = await new EtcdClient('/run/egress.sock', 3).lease(30);
    void lease;
    etcd.calls.length = 0;
    const ask = etcd.fetch;
    // The first transaction is processed, and its response lost: the next endpoint says that the key exists.
    fake.fetch = (url, options) => {
      const first = url.endsWith('/txn') && !etcd.calls.some((call) => call.endsWith('/txn'));
      etcd.fates[0] = first ? 'loses' : 'answers';
      return ask(url, options);
    };
    expect(await store.lock('s', 30_000)).toBeDefined();
    expect(etcd.calls.filter((call) => call.endsWith('/txn'))).toEqual(['0 /v3/kv/txn', '1 /v3/kv/txn']);
  });
});

it('a value that was spoilt here is refused without a call, and one that was spoilt is refused by every replica', async () => {
  store.spoilHere('ab', 60);
  expect([await store.claim('ab', 60), await store.once('ab', 60)]).toEqual([undefined, false]);
  expect([etcd.calls, keys()]).toEqual([[], []]);
  await store.spoil('cd', 60);
  expect(await other.claim('cd', 60)).toBeUndefined();
});

it('once is true once for all replicas', async () => {
  expect(await store.once('a', 60)).toBe(true);
  expect(await other.once('a', 60)).toBe(false);
  expect(keys()).toEqual(['/meshgate/once/a']);
  expect([...etcd.leases.values()]).toEqual([60]);
});

describe('endpoints', () => {
  it('that hang cost one call, and are called again when another one is down', async () => {
    vi.useFakeTimers();
    try {
      etcd.fates[0] = 'hangs';
      const got = store.get('s');
      await vi.advanceTimersByTimeAsync(900);
      expect(await got).toBeUndefined();
      expect(etcd.calls).toEqual(['0 /v3/kv/range', '1 /v3/kv/range']);
      await store.get('s');
      expect(etcd.calls.slice(2)).toEqual(['1 /v3/kv/range']);
      fake.clock += 10_000;
      await store.get('s');
      expect(etcd.calls.slice(3)).toEqual(['1 /v3/kv/range']);
      Object.assign(etcd.fates, { 0: 'answers', 1: 'refuses', 2: 'refuses' });
      await store.get('s');
      await store.get('s');
      expect(etcd.calls.slice(4)).toEqual(['1', '2', '0', '0'].map((endpoint) => `${endpoint} /v3/kv/range`));
    } finally {
      vi.useRealTimers();
    }
  });

  it('that are all down are an error, and are called again each time', async () => {
    for (const i of [0, 1, 2]) etcd.fates[i] = 'refuses';
    await expect(store.get('s')).rejects.toThrow('etcd does not answer (it answered 502)');
    etcd.calls.length = 0;
    etcd.fates[2] = 'answers';
    expect(await store.get('s')).toBeUndefined();
    expect(etcd.calls).toHaveLength(3);
  });
});

describe('revocations', () => {
  it('are known to the replica that made them at once, and to others at their next read', async () => {
    await store.revoke(revocation('a'));
    expect(revoked).toEqual([revocation('a')]);
    revoked = [];
    await other.poll(900);
    expect(revoked).toEqual([revocation('a')]);
    expect(fake.zones.locks.get(REVOCATIONS_SEEN)).toBeGreaterThan(0);
    expect(Number(fake.zones.revoked.get(REVOCATIONS_READ))).toBe(Math.floor(Date.now() / 1000));
    revoked = [];
    await other.poll(900);
    expect(revoked).toEqual([]);
    await store.revoke(revocation('b'));
    revoked = [];
    await other.poll(900);
    expect(revoked).toEqual([revocation('b')]);
  });

  it('are read by pages, and the longest page fits into a response', async () => {
    const long = (i: number) => ofIssuer('okta', `${i} ${'"'.repeat(240)}`);
    for (let i = 0; i < 1000; i++) await store.revoke({ ...revocation(long(i)), kind: 'sub' });
    revoked = [];
    etcd.calls.length = 0;
    etcd.longest = MAX_REVOCATIONS_ANSWER_BYTES;
    await store.poll(30_000);
    expect(etcd.calls).toHaveLength(3);
    expect(new Set(revoked.map(({ value }) => value)).size).toBe(1000);
  });

  it('are read by shorter pages if a response is too long all the same', async () => {
    for (let i = 0; i < 100; i++) await store.revoke(revocation(`s${i}`));
    revoked = [];
    etcd.longest = 5000;
    await store.poll(30_000);
    expect(new Set(revoked.map(({ value }) => value)).size).toBe(100);
    expect(fake.zones.locks.has(REVOCATIONS_SEEN)).toBe(true);
  });

  it.each([ofIssuer('okta', 'a\nb\u0001'), ofIssuer('okta', 'x'.repeat(5000)), ofIssuer('okta', '\u00e9'.repeat(300))])(
    'of %j are in force on each replica',
    async (value) => {
      await store.revoke({ ...revocation(value), kind: 'sub' });
      revoked = [];
      await other.poll(900);
      expect(revoked).toEqual([{ ...revocation(value), kind: 'sub' }]);
    },
  );

  it('keep the later end, in whatever order they come', async () => {
    const [short, long] = [revocation('a'), { ...revocation('a'), until: until + 9000, made: 3 }];
    for (const [first, last] of [
      [short, long],
      [long, short],
    ] as const) {
      etcd.entries.clear();
      await store.revoke(first);
      await other.revoke(last);
      revoked = [];
      await replica().poll(900);
      expect(revoked).toEqual([{ ...revocation('a'), until: until + 9000, made: 4 }]);
      const leases = [...etcd.entries.values()].map(({ lease }) => etcd.leases.get(lease));
      expect(leases).toEqual([expect.any(Number)]);
      expect(leases[0]).toBeGreaterThan(9000);
      fake.zones.once.clear();
    }
  });

  it('of one person that are made at once on two replicas are both stored', async () => {
    const ended = (name: string): Revocation => ({
      ...revocation('p'),
      kind: 'out',
      before: 0,
      ended: [name.repeat(12)],
    });
    await Promise.all([store.revoke(ended('a')), other.revoke(ended('b'))]);
    revoked = [];
    await replica().poll(900);
    expect(revoked.map((one) => one.ended?.toSorted())).toEqual([['a'.repeat(12), 'b'.repeat(12)]]);
    expect(etcd.leases.size).toBe(1);
  });

  it('are read from the start if etcd is another one, or was restored', async () => {
    await store.revoke(revocation('a'));
    await store.poll(900);
    for (const change of [() => (etcd.cluster = '78'), () => (etcd.revision = 1)]) {
      change();
      revoked = [];
      await store.poll(900);
      expect(revoked).toEqual([revocation('a')]);
    }
  });

  it('that are invalid or expired are left out', async () => {
    const lease = await new EtcdClient('/run/egress.sock', 3).lease(60);
    void lease;
    await new EtcdClient('/run/egress.sock', 3).put('/meshgate/revoked/sid/x', '{"kind":"sid"}', 60);
    await store.revoke({ kind: 'sid', value: 'old', before: 5, until: 6, made: 4 });
    revoked = [];
    fake.logged.length = 0;
    await store.poll(900);
    expect(revoked).toEqual([]);
    expect(fake.logged).toEqual([expect.stringMatching(/^meshgate: 1 entries in etcd .* are ignored: revoke again$/)]);
  });

  it.each([0, 1800])('stay if the response about a change was lost, of one %i s shorter', async (shorter) => {
    await store.revoke(revocation('a'));
    const ask = etcd.fetch;
    let changes = 0;
    // The change is processed, and the next endpoint finds it.
    fake.fetch = (url, options) => {
      if (url.endsWith('/txn')) changes++;
      etcd.fates[0] = url.endsWith('/txn') && changes === 1 ? 'loses' : 'answers';
      return ask(url, options);
    };
    await store.revoke({ ...revocation('a'), until: until - shorter, made: 5 });
    expect(changes).toBe(2);
    revoked = [];
    await replica().poll(900);
    expect(revoked).toEqual([{ ...revocation('a'), made: 5 }]);
    expect(etcd.leases.size).toBe(1);
  });

  it('count as read once all pages are read', async () => {
    for (const i of [0, 1, 2]) etcd.fates[i] = 'refuses';
    await expect(store.poll(900)).rejects.toThrow('etcd does not answer');
    expect(fake.zones.revoked.has(REVOCATIONS_READ)).toBe(false);
  });

  it('stay in force while etcd is down, and their age is known', async () => {
    await store.poll(900);
    const seen = fake.zones.locks.get(REVOCATIONS_SEEN);
    for (const i of [0, 1, 2]) etcd.fates[i] = 'refuses';
    await expect(store.poll(900)).rejects.toThrow('etcd does not answer');
    expect(fake.zones.locks.get(REVOCATIONS_SEEN)).toBe(seen);
  });
});
