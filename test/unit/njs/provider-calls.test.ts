import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ProviderCalls } from '../../../src/njs/callers/provider-calls.ts';
import { fakeNgx, stopClock } from './fake-ngx.ts';

/** Questions about tokens that only a provider can read, while an attacker makes tokens up. */

const fake = fakeNgx();
stopClock(fake);

const introspection = { cache: 60, negative: 10, stale: 0 };
const named = (name: string) => ({ name, introspection }) as Parameters<ProviderCalls['introspect']>[0];
const provider = named('legacy');

const HONEST = '192.0.2.1';
const OTHER = '198.51.100.7';

const providerCalls = new ProviderCalls('/run/check.sock', 'sel');

/** Tokens that the provider knows; it answers these at once, and others on release. */
const good = new Set<string>();
let requested: string[];
let held: (() => void)[];

const answer = (active: boolean) => ({
  status: active ? 200 : 204,
  text: async () => JSON.stringify({ sub: 'ada' }),
});

beforeEach(() => {
  for (const zone of Object.values(fake.zones)) zone.clear();
  good.clear();
  requested = [];
  held = [];
  fake.fetch = (_, options) => {
    const token = String(options?.body);
    requested.push(token);
    if (good.has(token)) return Promise.resolve(answer(true));
    return new Promise((resolve) => {
      held.push(() => resolve(answer(false)));
    });
  };
});

const running: Promise<unknown>[] = [];

/** Lets all questions end. */
async function flushPromises(): Promise<void> {
  const all = Promise.allSettled(running.splice(0));
  let done = false;
  void all.then(() => {
    done = true;
  });
  while (!done) {
    for (const one of held.splice(0)) one();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
afterEach(flushPromises);

const ask = (token: string, from: string, isSigned = false) =>
  providerCalls.introspect(provider, token, { now: fake.clock / 1000, from, isSigned });

/** Introspects this many made-up tokens. */
function madeUp(count: number, from: (i: number) => string): void {
  for (let i = 0; i < count; i++) running.push(ask(`made-up-${i}`, from(i)));
}

const told = async (token: string, from: string, isSigned = false) => {
  const result = await ask(token, from, isSigned);
  return result.ok ? 'active' : result.reason;
};

/** Sends new tokens that the provider knows from one address, one after the other. */
async function honest(count: number, meanwhile = () => {}): Promise<void> {
  for (let i = 0; i < count; i++) {
    meanwhile();
    good.add(`honest-${i}`);
    expect(await told(`honest-${i}`, HONEST)).toBe('active');
  }
}

describe('made-up tokens', () => {
  it('from one address leave room for tokens of others', async () => {
    madeUp(300, () => OTHER);
    expect(requested).toHaveLength(8);
    await honest(60);
  });

  it.each([2, 5])('from %i addresses leave room for tokens of one more', async (addresses) => {
    const flood = () => madeUp(40 * addresses, (i) => `198.51.100.${i % addresses}`);
    flood();
    flood();
    await honest(60, () => flood());
  });

  it('leave each further address fewer questions, and the next one some', () => {
    const counts = [1, 2, 3, 4, 5].map((address) => {
      const before = requested.length;
      for (let i = 0; i < 100; i++) running.push(ask(`of-${address}-${i}`, `198.51.100.${address}`));
      return requested.length - before;
    });
    expect(counts).toEqual([8, 6, 4, 2, 2]);
  });

  it('for a provider that does not answer leave other providers all of their room', async () => {
    madeUp(300, (i) => `198.51.${i % 100}.${i}`);
    expect(await told('one-more', '203.0.113.1')).toBe('provider_unavailable');
    good.add('b');
    const { ok } = await providerCalls.introspect(named('other'), 'b', { now: fake.clock / 1000, from: HONEST });
    expect(ok).toBe(true);
  });

  it('whose worker died keep no other token from its turn, while requests go on', async () => {
    madeUp(300, (i) => `198.51.${i % 100}.${i}`);
    const dead = held.splice(0);
    for (let second = 0; second < 30; second++) {
      fake.clock += 1000;
      vi.setSystemTime(fake.clock);
      good.add(`meanwhile-${second}`);
      running.push(ask(`meanwhile-${second}`, OTHER));
    }
    await honest(1);
    held.push(...dead);
  });

  it('from one address are refused beyond its part', async () => {
    madeUp(64, () => OTHER);
    expect(await told('one-more', OTHER)).toBe('limit_exceeded');
  });

  it('are introspected once for many requests with one new token', async () => {
    const all = Array.from({ length: 60 }, () => ask('new', OTHER));
    running.push(...all);
    await flushPromises();
    expect(requested).toEqual(['new']);
    for (const one of await Promise.all(all)) expect(one).toMatchObject({ ok: false, reason: 'token_inactive' });
  });

  it('are introspected once, if another worker stores the answer just before this one has the lock', async () => {
    good.add('new');
    expect(await told('new', OTHER)).toBe('active');
    const { answers, locks } = fake.zones;
    const [stored] = answers.keys() as [string];
    const text = answers.get(stored)!;
    answers.delete(stored);
    // Between the look and the lock of the next one, the other worker stores the answer and releases its lock.
    vi.spyOn(locks, 'add').mockImplementationOnce((...of) => {
      answers.set(stored, text);
      return locks.add(...of);
    });
    expect(await told('new', HONEST)).toBe('active');
    expect(requested).toEqual(['new']);
  });

  it('from one network of IPv6 are from one address', async () => {
    madeUp(64, (i) => `2001:db8:0:1::${(i + 1).toString(16)}`);
    expect(await told('one-more', '2001:db8:0:1:ffff::1')).toBe('limit_exceeded');
  });

  it('from all networks of one site of IPv6 leave room for tokens of others', async () => {
    const site = () => madeUp(300, (i) => `2001:db8:7:${i.toString(16)}::1`);
    site();
    expect(requested).toHaveLength(12);
    expect(await told('one-more', '2001:db8:7:ffff::1')).toBe('limit_exceeded');
    await honest(60, site);
  });

  it('leave each further site of IPv6 fewer questions, and the next one some', () => {
    const counts = [1, 2, 3, 4, 5].map((site) => {
      const before = requested.length;
      for (let i = 0; i < 100; i++) running.push(ask(`of-${site}-${i}`, `2001:db8:${site}:${i.toString(16)}::1`));
      return requested.length - before;
    });
    expect(counts).toEqual([12, 6, 3, 2, 1]);
  });

  it('from many addresses leave room for tokens that were active before', async () => {
    good.add('old');
    expect(await told('old', HONEST)).toBe('active');
    fake.clock += 61_000;
    madeUp(300, (i) => `198.51.${i % 100}.${i}`);
    expect(requested.length).toBeLessThan(32);
    expect(await told('old', HONEST)).toBe('active');
  });

  it('leave room for tokens whose signature is good', async () => {
    madeUp(300, (i) => `198.51.${i % 100}.${i}`);
    good.add('signed');
    expect(await told('signed', HONEST, true)).toBe('active');
  });

  it('use no memory longer than their questions', async () => {
    madeUp(300, (i) => `198.51.${i % 100}.${i}`);
    await flushPromises();
    expect(fake.zones.locks.keys()).toEqual([]);
    expect(fake.zones.answers.size()).toBe(0);
  });

  it('are introspected again after a pause', async () => {
    madeUp(1, () => OTHER);
    await flushPromises();
    expect(await told('made-up-0', OTHER)).toBe('token_inactive');
    expect(requested).toEqual(['made-up-0']);
    fake.clock += 10_001;
    madeUp(1, () => OTHER);
    expect(requested).toEqual(['made-up-0', 'made-up-0']);
  });
});

describe('tokens that were active before', () => {
  it('from one address have a part as well', async () => {
    const tokens = Array.from({ length: 65 }, (_, i) => `old-${i}`);
    for (const token of tokens) good.add(token);
    for (const token of tokens) expect(await told(token, OTHER)).toBe('active');
    fake.clock += 61_000;
    good.clear();
    for (const token of tokens.slice(1)) running.push(ask(token, OTHER));
    expect(await told('old-0', OTHER)).toBe('limit_exceeded');
  });

  it.each([0, 86_400])('use no room of verified tokens, with answers that are reused for %i s', async (stale) => {
    const lasting = { ...provider, introspection: { ...introspection, stale } } as typeof provider;
    for (let i = 0; i < 60; i++) {
      good.add(`new-${i}`);
      const { ok } = await providerCalls.introspect(lasting, `new-${i}`, { now: fake.clock / 1000, from: HONEST });
      expect(ok).toBe(true);
      expect(fake.zones.tokens.size()).toBe(0);
    }
    fake.clock += 61_000;
    expect([fake.zones.answers.size(), fake.zones.active.size()]).toEqual([stale === 0 ? 0 : 60, 60]);
  });

  it('are like others once the provider has ended them', async () => {
    good.add('old');
    expect(await told('old', OTHER)).toBe('active');
    fake.clock += 61_000;
    good.clear();
    running.push(ask('old', OTHER));
    await flushPromises();
    fake.clock += 11_000;
    madeUp(64, () => OTHER);
    expect(await told('old', OTHER)).toBe('limit_exceeded');
  });
});

describe('tokens whose signature is good', () => {
  it.each([1, 5])('of one account at %i addresses leave room for others of each kind', async (addresses) => {
    good.add('old');
    expect(await told('old', HONEST)).toBe('active');
    fake.clock += 61_000;
    for (let i = 0; i < 200; i++) running.push(ask(`mine-${i}`, `198.51.100.${i % addresses}`, true));
    await honest(60);
    expect(await told('old', HONEST)).toBe('active');
    good.add('signed');
    expect(await told('signed', HONEST, true)).toBe('active');
  });

  it('from one address are refused beyond its part', async () => {
    for (let i = 0; i < 64; i++) running.push(ask(`mine-${i}`, OTHER, true));
    expect(await told('one-more', OTHER, true)).toBe('limit_exceeded');
  });

  it('leave no mark as active, because no one can forge them', async () => {
    good.add('signed');
    await told('signed', HONEST, true);
    expect(fake.zones.active.size()).toBe(0);
  });
});

describe('if the zone of locks is full', () => {
  afterEach(() => {
    fake.zones.locks.room = Number.POSITIVE_INFINITY;
  });

  // A place needs three entries: for all, for the address and for its site.
  it.each([0, 1, 2])('with room for %i entries, a token is not introspected, and nothing rejects', async (room) => {
    fake.zones.locks.room = room;
    expect(await told('new', '2001:db8::1')).toBe('provider_unavailable');
    expect([requested, fake.zones.locks.keys()]).toEqual([[], []]);
  });

  // A question needs four: a lock, and three like those.
  it.each([3, 4, 5, 6])('with room for %i entries, a question waits until there is room', async (room) => {
    good.add('new');
    fake.zones.locks.room = room;
    const answered = told('new', '2001:db8::1');
    expect(requested).toEqual([]);
    fake.zones.locks.room = Number.POSITIVE_INFINITY;
    expect(await answered).toBe('active');
    expect(fake.zones.locks.keys()).toEqual([]);
  });

  it('a provider that does not answer is not marked, and nothing rejects', async () => {
    fake.fetch = () => {
      fake.zones.locks.room = 0;
      return Promise.reject(new Error('nothing listens'));
    };
    expect(await told('new', HONEST)).toBe('provider_unavailable');
  });
});
