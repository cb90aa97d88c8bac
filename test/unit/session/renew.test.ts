import { describe, expect, it } from 'vitest';
import {
  confirmed,
  ended,
  nextStep,
  type Renewing,
  sending,
  sessionOf,
  unused,
  withoutToken,
} from '../../../src/session/renew.ts';
import type { SessionRecord } from '../../../src/session/types.ts';
import { record, session } from './sample.ts';

const policy = { keysFile: '/k', idle: 28_800, absolute: 86_400, fresh: 600 };

const at = (now: number, more: Partial<Renewing> = {}): Renewing => ({
  selection: 'sel-1',
  policy,
  skew: 30,
  now,
  mayAsk: true,
  ...more,
});

describe('a cookie that asks for renewal', () => {
  const step = (
    now: number,
    kept: SessionRecord | undefined = record,
    more: Partial<Renewing> = {},
    cookie = session,
  ) => nextStep(cookie, kept, at(now, more));

  it('is refreshed in the last fifth of its fresh time and after it', () => {
    expect(step(1480)).toBe('alone');
    expect(step(1481)).toBe('refresh');
    expect(step(1600)).toBe('refresh');
    expect(step(20_000)).toBe('refresh');
  });

  it('is refreshed if the clock that confirmed it was ahead by more than clocks can differ', () => {
    expect(step(970)).toBe('alone');
    expect(step(969)).toBe('refresh');
    expect(step(969, { ...record, suspended: true, silent: true })).toBe('stale');
    expect(step(969, { ...record, silent: true }, {}, { ...session, sealed: -9000 })).toBe('alone');
    expect(step(970, { ...record, silent: true }, {}, { ...session, sealed: -9000 })).toBe('same');
  });

  it('ends at its hard end, whatever the record says', () => {
    expect(step(1000 + 28_800)).toBe('alone');
    const late = { ...session, sealed: 80_000 };
    expect(step(87_399, { ...record, session: late }, {}, late)).toBe('refresh');
    expect(step(87_400, { ...record, session: late }, {}, late)).toBe('alone');
  });

  it('finds the claims of a newer one', () => {
    const newer = { ...record, session: { ...session, gen: 2, fresh: 2200 } };
    expect(step(1600, newer)).toBe('newest');
    expect(step(2100, newer)).toBe('refresh');
  });

  it('is not renewed without a record or a refresh token, or while calls to the provider pause', () => {
    expect(nextStep(session, undefined, at(1600))).toBe('alone');
    expect(step(1600, withoutToken(record))).toBe('alone');
    expect(step(1600, record, { mayAsk: false })).toBe('alone');
  });

  it('is not renewed by a record that is older than itself', () => {
    expect(step(1600, record, {}, { ...session, gen: 2 })).toBe('alone');
  });

  it.each(['since', 'end'] as const)('receives nothing from the record of a later sign-in (other %s)', (time) => {
    const later = { ...record, session: { ...session, gen: 2, fresh: 2200, [time]: session[time] + 50 } };
    expect(step(1100, later)).toBe('alone');
    expect(step(1600, later)).toBe('alone');
    expect(step(2100, later)).toBe('alone');
    expect(step(1100, later, { selection: 'sel-2' })).toBe('alone');
    expect(step(1100, ended(later))).toBe('ended');
  });

  it('selects its claims again for another policy, only from the record', () => {
    expect(step(1100, record, { selection: 'sel-2' })).toBe('newest');
    expect(step(1600, record, { selection: 'sel-2' })).toBe('refresh');
    expect(step(1600, withoutToken(record), { selection: 'sel-2' })).toBe('newest');
    expect(nextStep(session, undefined, at(1100, { selection: 'sel-2' }))).toBe('alone');
  });

  it('is sealed again after a quarter of the idle time, while it is fresh', () => {
    const long = { ...session, fresh: 20_000 };
    const kept = { ...record, session: long };
    const slow = { policy: { ...policy, fresh: 19_000 } };
    expect(step(8200, kept, slow, long)).toBe('alone');
    expect(step(8201, kept, slow, long)).toBe('same');
    expect(nextStep(long, undefined, at(8201, slow))).toBe('same');
    expect(nextStep(session, undefined, at(8201))).toBe('alone');
  });

  it('has ended if the provider ended it', () => {
    expect(step(1100, ended(record))).toBe('ended');
  });
});

describe('a confirmed session', () => {
  const choose = (claims: Readonly<Record<string, unknown>>) => ({ sub: claims.sub, chosen: true });

  it('has the current claims, another generation, and keeps its id and its end', () => {
    const after = confirmed(
      sending(record),
      {
        kind: 'confirmed',
        claims: { sub: 'u1', groups: [] },
        refreshToken: 'refresh-2',
        idToken: 'd.e.f',
        psid: 'p-2',
      },
      choose,
      at(1500.7, { selection: 'sel-2' }),
    );
    expect(after).toEqual({
      session: {
        ...session,
        psid: 'p-2',
        selection: 'sel-2',
        gen: 2,
        sealed: 1500,
        fresh: 2100,
        claims: { sub: 'u1', chosen: true },
      },
      host: 'wiki.example.com',
      claims: { sub: 'u1', groups: [] },
      refreshToken: 'refresh-2',
      idToken: 'd.e.f',
    });
  });

  it('keeps what the provider did not send again', () => {
    const after = confirmed(record, { kind: 'confirmed', claims: { sub: 'u1' } }, choose, at(1500));
    expect(after).toMatchObject({ claims: { sub: 'u1' }, refreshToken: 'refresh-1', idToken: 'a.b.c' });
    expect(after.session.psid).toBe('p-1');
  });

  it('is fresh no longer than it lasts', () => {
    expect(confirmed(record, { kind: 'confirmed', claims: {} }, choose, at(87_000)).session.fresh).toBe(87_400);
  });

  it('is written into a cookie for the current policy', () => {
    expect(sessionOf(record, choose, at(1300.5))).toEqual({ ...session, sealed: 1300 });
    const other = sessionOf(record, choose, at(1300, { selection: 'sel-2' }));
    expect(other).toEqual({ ...session, selection: 'sel-2', sealed: 1300, claims: { sub: 'u1', chosen: true } });
  });
});

it('a refresh token is marked while it is used, free again if it was not, and removed if that is unknown', () => {
  expect(sending(record)).toEqual({ ...record, lost: true });
  expect(unused(sending(record))).toEqual(record);
  expect(withoutToken(sending(record))).not.toHaveProperty('refreshToken');
});

it('of an ended session no claim and no token is kept', () => {
  const text = JSON.stringify(ended(record));
  for (const secret of ['refresh-1', 'a.b.c', 'staff', 'u1']) expect(text).not.toContain(secret);
});
