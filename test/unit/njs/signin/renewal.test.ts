import { beforeEach, expect, it, vi } from 'vitest';
import { DictStore } from '../../../../src/njs/shared/dict-store.ts';
import { type RenewalContext, Renewals } from '../../../../src/njs/signin/renew/renewal.ts';
import type { Refreshed } from '../../../../src/session/renew.ts';
import type { SessionStore } from '../../../../src/session/revocation/store.ts';
import type { SessionClaims, SessionRecord } from '../../../../src/session/types.ts';
import { until } from '../../../harness/until.ts';
import { record as sample } from '../../session/sample.ts';
import { fakeNgx, stopClock } from '../fake-ngx.ts';

const fake = fakeNgx();
const store = new DictStore({ seal: async (text) => text, open: async (text) => text }, () => {});
const policy = { keysFile: '/k', idle: 28_800, absolute: 86_400, fresh: 600 };

const now = Math.floor(Date.now() / 1000);
stopClock(fake, now);

/** A session that is past its fresh time. */
const session: SessionClaims = {
  ...sample.session,
  authTime: now - 700,
  sealed: now - 700,
  fresh: now - 100,
  end: now + 80_000,
};
const record: SessionRecord = { ...sample, session };
const early: SessionRecord = { ...sample, session: { ...session, fresh: now + 60 } };

let requested: string[];
let answers: (record: SessionRecord) => Promise<Refreshed>;
let revoked: boolean;
/** Sessions that were revoked because their provider ended them. */
let ended: string[];

const good: Refreshed = { kind: 'confirmed', claims: { sub: 'u1', groups: ['other'] }, refreshToken: 'refresh-2' };

/** One worker's, or one replica's renewal: they share the store. */
const renewals = (more: Partial<RenewalContext> = {}): Renewals =>
  new Renewals({
    store,
    longest: 60_000,
    look: 5,
    choose: ({ groups }) => ({ groups }),
    refresh: (of) => {
      requested.push(String(of.refreshToken));
      return answers(of);
    },
    isRevoked: () => revoked,
    knows: () => true,
    end: async (of) => {
      ended.push(of.sid);
    },
    policy,
    skew: 30,
    selection: 'sel-1',
    ...more,
  });

const renew = (cookie = session, wait = true, on = renewals()) => on.renew(cookie, 'wiki.example.com', wait);

/** The number of entries that are counted under a name. */
const counted = (name: string): number =>
  fake.zones.locks.items().reduce((sum, [key, count]) => (key.startsWith(`${name}\n`) ? sum + Number(count) : sum), 0);

/** This many requests wait for a renewal that another one leads. */
const waiting = (count: number) => until(() => counted('waiting renewal') === count, { what: `${count} that wait` });

const pass = (milliseconds: number): void => {
  fake.clock += milliseconds;
  vi.setSystemTime(fake.clock);
};

/** Sessions of other people are renewed after the response, by workers that die meanwhile. */
async function die(count: number): Promise<void> {
  answers = () => new Promise(() => {});
  for (let i = 0; i < count; i++) {
    const other = { ...early.session, sid: `dead-${i}` };
    await store.put({ ...early, session: other, claims: { ...early.claims, sub: `dead-${i}` } }, 80_000);
    const renewal = await renew(other, false);
    void (renewal as { go?: () => Promise<void> }).go?.();
  }
  await until(() => requested.length === count, { what: 'the calls' });
  answers = async () => good;
}

beforeEach(async () => {
  for (const zone of Object.values(fake.zones)) zone.clear();
  fake.logged.length = 0;
  requested = [];
  revoked = false;
  ended = [];
  answers = async () => good;
  await store.put(record, 80_000);
});

it('calls the provider once for twenty requests on two workers, and gives each the new claims', async () => {
  answers = async () => {
    await waiting(19);
    return good;
  };
  const workers = [renewals(), renewals()];
  const all = await Promise.all(Array.from({ length: 20 }, (_, i) => renew(session, true, workers[i % 2])));
  expect(requested).toEqual(['refresh-1']);
  for (const one of all)
    expect(one).toMatchObject({ kind: 'session', session: { gen: 2, claims: { groups: ['other'] } } });
  expect(await store.get(session.sid)).toMatchObject({ refreshToken: 'refresh-2', session: { gen: 2 } });
  expect((await store.get(session.sid))?.lost).toBeUndefined();
});

it('gives an old cookie the new generation without another call', async () => {
  await renew();
  expect(await renew()).toMatchObject({ kind: 'session', session: { gen: 2 } });
  expect(requested).toHaveLength(1);
});

it('calls the provider after the response if no request waits, once', async () => {
  await store.put(early, 80_000);
  const [first, second] = await Promise.all([renew(early.session, false), renew(early.session, false)]);
  expect(first.kind).toBe('going');
  expect(second).toEqual({ kind: 'going' });
  await (first as { go: () => Promise<void> }).go();
  expect(requested).toHaveLength(1);
  expect(await renew(early.session, false)).toMatchObject({ kind: 'session', session: { gen: 2 } });
});

it('does not use a token again if the answer was lost, and the cookie stays valid', async () => {
  answers = async () => ({ kind: 'lost', detail: 'it took too long', away: true });
  expect(await renew()).toEqual({ kind: 'alone' });
  fake.clock += 60_000;
  expect(await renew()).toEqual({ kind: 'alone' });
  expect(requested).toHaveLength(1);
  expect((await store.get(session.sid))?.refreshToken).toBeUndefined();
});

it('does not use a token again if its worker died, and locks no one out', async () => {
  answers = () => new Promise(() => {});
  void renew();
  await until(() => requested.length === 1, { what: 'the call' });
  fake.clock += 61_000;
  expect(await renew()).toEqual({ kind: 'alone' });
  expect(requested).toHaveLength(1);
});

// Ten calls of four seconds: discovery, four secrets, discovery and keys, UserInfo, a wait and a request for groups.
it('keeps the lock of its session while the provider is slow', async () => {
  let meanwhile: unknown;
  answers = async () => {
    pass(40_000);
    meanwhile = await renew(session, false);
    return good;
  };
  expect(await renew()).toMatchObject({ kind: 'session', session: { gen: 2 } });
  expect(meanwhile).toEqual({ kind: 'going' });
});

it('takes over from a worker that died before its call', async () => {
  await store.lock(session.sid, 40);
  const renewed = renew();
  await waiting(1);
  fake.clock += 50;
  expect(await renewed).toMatchObject({ kind: 'session', session: { gen: 2 } });
});

/** Another person's session. */
const others: SessionRecord = { ...record, session: { ...session, sid: 'others' } };

it('pauses calls to a provider that is down, for every session', async () => {
  await store.put(others, 80_000);
  answers = async () => ({ kind: 'unused', detail: 'https://op.example/token answered 502', away: true });
  expect(await renew()).toEqual({ kind: 'alone' });
  expect(await renew(others.session)).toEqual({ kind: 'alone' });
  expect(requested).toHaveLength(1);
});

it.each(['unused', 'lost'] as const)('renews other sessions while the provider refuses one: %s', async (kind) => {
  await store.put(others, 80_000);
  answers = async () => ({ kind, detail: 'the token endpoint refused: invalid_scope' });
  const left = kind === 'lost' ? 'stale' : 'alone';
  expect(await renew()).toEqual({ kind: left });
  answers = async () => good;
  expect(await renew(others.session)).toMatchObject({ kind: 'session', session: { gen: 2 } });
  // The refused session is not tried again.
  expect(await renew()).toEqual({ kind: left });
  expect(requested).toHaveLength(2);
});

const unsaid: Refreshed = { kind: 'unsaid', detail: 'the UserInfo endpoint answered 429', refreshToken: 'refresh-2' };

it('renews other sessions while UserInfo does not answer for one, which is stale until it does', async () => {
  await store.put(others, 80_000);
  answers = async () => unsaid;
  expect(await renew()).toEqual({ kind: 'stale' });
  answers = async () => good;
  expect(await renew(others.session)).toMatchObject({ kind: 'session', session: { gen: 2 } });
  expect(await renew()).toEqual({ kind: 'stale' });
  expect(requested).toEqual(['refresh-1', 'refresh-1']);
  pass(10_000);
  expect(await renew()).toMatchObject({ kind: 'session', session: { gen: 2, claims: { groups: ['other'] } } });
  expect(requested.at(-1)).toBe('refresh-2');
  // It is called all the same when it is due again.
  pass(700_000);
  answers = async () => ({ kind: 'unused', detail: 'https://op.example/token answered 502', away: true });
  const { session: next } = (await store.get(session.sid))!;
  expect(await renew(next)).toEqual({ kind: 'alone' });
});

it('is stale for an older cookie, for another policy’s, and for waiting ones, while UserInfo does not answer', async () => {
  answers = async () => unsaid;
  await renew();
  expect(await renew({ ...session, gen: 0 })).toEqual({ kind: 'stale' });
  expect(await renew({ ...session, selection: 'other' })).toEqual({ kind: 'stale' });
  pass(10_000);
  answers = async () => {
    await waiting(1);
    return unsaid;
  };
  expect(await Promise.all([renew(), renew()])).toEqual([{ kind: 'stale' }, { kind: 'stale' }]);
});

it('passes while its claims are fresh, even if UserInfo does not answer', async () => {
  await store.put(early, 80_000);
  answers = async () => unsaid;
  const renewal = await renew(early.session, false);
  await (renewal as { go: () => Promise<void> }).go();
  expect(await renew(early.session)).toEqual({ kind: 'alone' });
  pass(60_000);
  expect(await renew(early.session)).toEqual({ kind: 'stale' });
});

it('suspends a session, on every replica, after an answer without claims that may have used the token', async () => {
  await store.put(record, 1000);
  answers = async () => ({ kind: 'lost', detail: 'the token endpoint answered without "access_token"' });
  expect(await renew()).toEqual({ kind: 'stale' });
  // Neither the memory of the replica nor the time that has passed matters.
  fake.zones.renewals.clear();
  fake.zones.locks.clear();
  vi.setSystemTime(Date.now() + 600_000);
  expect(await renew()).toEqual({ kind: 'stale' });
  expect(requested).toEqual(['refresh-1']);
});

it('continues a session within its fresh time after an answer without claims', async () => {
  await store.put(early, 1000);
  answers = async () => ({ kind: 'lost', detail: 'the token endpoint answered without "access_token"' });
  expect((await renew(early.session)).kind).toBe('alone');
});

it('does not suspend a session whose answer was lost in an outage', async () => {
  await store.put(record, 1000);
  answers = async () => ({ kind: 'lost', detail: 'it took too long', away: true });
  expect((await renew()).kind).toBe('alone');
});

const limited: Refreshed = { kind: 'unsaid', detail: 'the token endpoint answered 429', limited: true };

/** A session of a person. */
async function sessionOf(sub: string, sid = sub): Promise<SessionClaims> {
  const one: SessionRecord = { ...record, session: { ...session, sid }, claims: { ...record.claims, sub } };
  await store.put(one, 80_000);
  return one.session;
}

it('renews other sessions while the token endpoint has too many calls about one person, in many sessions', async () => {
  answers = async () => limited;
  for (let i = 0; i < 10; i++) expect(await renew(await sessionOf('eve', `eve-${i}`))).toEqual({ kind: 'stale' });
  answers = async () => good;
  expect(await renew(await sessionOf('ada'))).toMatchObject({ kind: 'session', session: { gen: 2 } });
  // No call is made about her for a while, and her refresh token was not used.
  const [eve] = [await store.get('eve-0')];
  expect([eve?.refreshToken, eve?.lost]).toEqual(['refresh-1', undefined]);
  expect(await renew(eve!.session)).toEqual({ kind: 'stale' });
  expect(requested).toHaveLength(11);
  pass(10_000);
  expect(await renew(eve!.session)).toMatchObject({ kind: 'session', session: { gen: 2 } });
});

it('pauses calls to a provider whose token endpoint has too many calls about three people in a row', async () => {
  answers = async () => limited;
  const kinds = [];
  for (const sub of ['ada', 'ben', 'eve', 'dan']) kinds.push((await renew(await sessionOf(sub))).kind);
  expect(kinds).toEqual(['stale', 'stale', 'alone', 'alone']);
  expect(requested).toHaveLength(3);
  // Then it is called once each time, and the stale sessions continue.
  for (const sub of ['ada', 'ben', 'eve', 'dan']) {
    pass(10_000);
    expect(await renew(await sessionOf(sub))).toEqual({ kind: 'alone' });
    expect(await renew(await sessionOf('ron'))).toEqual({ kind: 'alone' });
  }
  expect(requested).toHaveLength(7);
  pass(10_000);
  answers = async () => good;
  expect(await renew(await sessionOf('ada'))).toMatchObject({ kind: 'session' });
  answers = async () => limited;
  expect(await renew(await sessionOf('ron'))).toEqual({ kind: 'stale' });
});

it.each([
  good,
  { kind: 'over', detail: 'invalid_grant' },
  { kind: 'unused', detail: 'invalid_scope' },
] satisfies Refreshed[])('counts people with too many calls from the start after another answer: %j', async (other) => {
  for (let round = 0; round < 3; round++) {
    answers = async () => limited;
    for (const sub of ['ada', 'ben'])
      expect(await renew(await sessionOf(sub, `${sub}-${round}`))).toEqual({ kind: 'stale' });
    answers = async () => other;
    await renew(await sessionOf('eve', `eve-${round}`));
  }
  expect(requested).toHaveLength(9);
});

it('keeps one entry for each provider, however many people have too many calls', async () => {
  answers = async () => limited;
  for (let i = 0; i < 100; i++) {
    await renew(await sessionOf(`person-${i}`));
    fake.zones.locks.delete('pause\nokta\n');
  }
  expect(requested).toHaveLength(100);
  expect(fake.zones.locks.keys().sort()).toEqual(['limited\nokta\n', 'said\none\\nokta\\n\n']);
});

it('stores marks of single sessions outside the room of providers', async () => {
  const before = fake.zones.locks.size();
  answers = async () => ({ kind: 'unused', detail: 'the token endpoint refused: invalid_scope' });
  for (let i = 0; i < 50; i++) {
    await store.put({ ...record, session: { ...session, sid: `s${i}` } }, 80_000);
    await renew({ ...session, sid: `s${i}` });
  }
  // Only this is logged.
  expect(fake.zones.locks.size() - before).toBe(1);
});

it('renews single sessions no more often if there is no room for marks, and throws nothing', async () => {
  fake.zones.renewals.room = 1;
  answers = async () => ({ kind: 'unused', detail: 'the token endpoint refused: invalid_scope' });
  expect(await renew()).toEqual({ kind: 'alone' });
  fake.zones.renewals.room = Number.POSITIVE_INFINITY;
});

it('logs once a minute that a provider refuses single sessions', async () => {
  answers = async () => ({ kind: 'unused', detail: 'the token endpoint refused: invalid_scope' });
  for (let i = 0; i < 3; i++) {
    await store.put({ ...record, session: { ...session, sid: `s${i}` } }, 80_000);
    await renew({ ...session, sid: `s${i}` });
  }
  expect(requested).toHaveLength(3);
  expect(fake.logged).toEqual([expect.stringContaining('a session is not renewed by provider okta just now')]);
});

it('uses an unused token again, after a pause for the provider', async () => {
  answers = async () => ({ kind: 'unused', detail: 'https://op.example/token answered 502', away: true });
  expect(await renew()).toEqual({ kind: 'alone' });
  expect(await renew()).toEqual({ kind: 'alone' });
  expect(requested).toHaveLength(1);
  expect(fake.logged).toHaveLength(1);
  expect(fake.logged[0]).toContain('provider okta');
  fake.clock += 10_000;
  answers = async () => good;
  expect(await renew()).toMatchObject({ kind: 'session', session: { gen: 2 } });
  expect(requested).toEqual(['refresh-1', 'refresh-1']);
});

it('ends a session that the provider ended, for each of its cookies', async () => {
  answers = async () => ({ kind: 'over', detail: 'the token endpoint refused: invalid_grant' });
  expect(await renew()).toEqual({ kind: 'ended' });
  expect(fake.logged).toEqual(['meshgate: provider okta ends a session: the token endpoint refused: invalid_grant']);
  expect(ended).toEqual([session.sid]);
  expect(await renew()).toEqual({ kind: 'ended' });
  expect(await renew(early.session, false)).toEqual({ kind: 'ended' });
  expect(requested).toHaveLength(1);
});

it('renews no session that was signed out meanwhile', async () => {
  answers = async () => {
    revoked = true;
    return good;
  };
  expect(await renew()).toEqual({ kind: 'ended' });
  expect(await store.get(session.sid)).toBeUndefined();
  expect(await renew()).toEqual({ kind: 'ended' });
  expect(requested).toHaveLength(1);
});

it('keeps the record of a sign-in that came during the call', async () => {
  await store.put(record, 80_000);
  const later: SessionRecord = { ...record, session: { ...session, gen: 5, since: now, end: session.end + 9 } };
  answers = async () => {
    await store.put(later, 80_000);
    return good;
  };
  await renew();
  expect(await store.get(session.sid)).toEqual(later);
});

it('selects claims from the record for another policy, without the provider', async () => {
  await store.put(early, 80_000);
  const fresher = { ...early.session, fresh: now + 500 };
  await store.put({ ...early, session: fresher }, 80_000);
  const other = renewals({ selection: 'sel-2' });
  expect(await renew(fresher, true, other)).toMatchObject({
    kind: 'session',
    session: { gen: 1, selection: 'sel-2', claims: { groups: ['staff', 'other'] } },
  });
  expect(requested).toEqual([]);
});

it('rejects a record of another host', async () => {
  expect(await renewals().renew(session, 'other.example.com', true)).toEqual({ kind: 'alone' });
  expect(requested).toEqual([]);
});

it('lets only a limited number of requests wait', async () => {
  const lock = (await store.lock(session.sid, 90_000))!;
  const all = Array.from({ length: 128 }, () => renew());
  await waiting(128);
  expect(await renew()).toEqual({ kind: 'alone' });
  expect(counted('waiting renewal')).toBe(128);
  await lock.release();
  expect([...new Set((await Promise.all(all)).map(({ kind }) => kind))]).toEqual(['session']);
  expect(counted('waiting renewal')).toBe(0);
});

it('lets sessions of another provider wait, and be renewed after the response, while the limit for one is reached', async () => {
  const of = (one: SessionRecord): SessionRecord => ({
    ...one,
    session: { ...one.session, provider: 'partners', sid: `of-${one.session.fresh}` },
  });
  const [later, stale] = [of(early), of(record)];
  await die(32);
  for (const one of [later, stale]) await store.put(one, 80_000);
  expect(await renew(later.session, false)).toMatchObject({ kind: 'going', go: expect.any(Function) });
  const locks = await Promise.all([session.sid, stale.session.sid].map((sid) => store.lock(sid, 90_000)));
  const all = Array.from({ length: 128 }, () => renew());
  await waiting(128);
  expect(await renew()).toEqual({ kind: 'alone' });
  const other = renew(stale.session);
  await waiting(129);
  for (const lock of locks) await lock!.release();
  expect(await other).toMatchObject({ kind: 'session', session: { gen: 2 } });
  await Promise.all(all);
});

it('allows only a limited number of calls after the response, and leaves no lock behind', async () => {
  await die(32);
  expect(await renew(session, false)).toEqual({ kind: 'going' });
  expect(await store.lock(session.sid, 1000)).toBeDefined();
});

it('calls after the response again, even if workers died with all such calls that are allowed at once', async () => {
  await die(32);
  await store.put(early, 80_000);
  let renewal = await renew(early.session, false);
  for (let second = 0; second < 200 && renewal.kind === 'going' && renewal.go === undefined; second++) {
    pass(1000);
    renewal = await renew({ ...early.session, fresh: early.session.fresh + second }, false);
  }
  expect(renewal).toMatchObject({ kind: 'going', go: expect.any(Function) });
});

it('does not send a token that the store cannot mark', async () => {
  const full: SessionStore = Object.assign(Object.create(store) as SessionStore, {
    get: store.get.bind(store),
    lock: store.lock.bind(store),
    put: () => Promise.reject(new Error('the store does not answer')),
  });
  await expect(renew(session, true, renewals({ store: full }))).rejects.toThrow('the store does not answer');
  expect(requested).toEqual([]);
  expect(await store.lock(session.sid, 1000)).toBeDefined();
});

it('uses a confirmed session that was not stored, and never its old token again', async () => {
  let puts = 0;
  const failing: SessionStore = Object.assign(Object.create(store) as SessionStore, {
    get: store.get.bind(store),
    lock: store.lock.bind(store),
    put: (of: SessionRecord, ttl: number) =>
      ++puts === 1 ? store.put(of, ttl) : Promise.reject(new Error('the store does not answer')),
  });
  const first = await renew(session, true, renewals({ store: failing }));
  expect(first).toMatchObject({ kind: 'session', session: { gen: 2 } });
  expect(fake.logged).toHaveLength(1);
  expect(await renew()).toEqual({ kind: 'alone' });
  expect(requested).toHaveLength(1);
});

it('leaves a session stale if a refresh confirms nothing, logs that once, and does not call again', async () => {
  answers = async () => ({ kind: 'unconfirmed', detail: 'it says nothing', refreshToken: 'refresh-2' });
  expect(await renew()).toEqual({ kind: 'alone' });
  const kept = (await store.get(session.sid))!;
  expect([kept.session, kept.refreshToken, kept.lost]).toEqual([session, 'refresh-2', undefined]);
  fake.clock += 30_000;
  expect(await renew()).toEqual({ kind: 'alone' });
  expect(requested).toHaveLength(1);
  expect(fake.logged).toEqual(['meshgate: provider okta confirms no session: it says nothing']);
});

it('removes claims that a refresh without an ID token lacks, and sends the next page to the provider', async () => {
  answers = async () => ({ kind: 'confirmed', claims: { sub: 'u1' }, partly: true });
  const { session: renewed } = (await renew()) as { session: SessionClaims };
  expect(renewed).toMatchObject({ gen: 2, claims: { groups: undefined } });
  expect(renewed.fresh).toBeLessThanOrEqual(Date.now() / 1000);
  expect(await renew(renewed)).toEqual({ kind: 'alone' });
  expect(requested).toHaveLength(1);
});
