import { describe, expect, it } from 'vitest';
import {
  afterFailure,
  areKeysStale,
  fetched,
  isDue,
  type KeyState,
  mayRefetch,
  noKeys,
  trying,
  usableKeys,
} from '../../../src/token/keys/key-refresh.ts';
import type { ProviderKey } from '../../../src/token/types.ts';

const times = { refresh: 300, stale: 86400, coolDown: 10 };
const t = 1_800_000_000;

const key = (thumbprint: string, kid = thumbprint): ProviderKey => ({ thumbprint, kid, kty: 'RSA', jwk: {} });
const a = key('a');
const b = key('b');

const state = (change: Partial<KeyState> = {}): KeyState => ({ ...fetched(noKeys, [a], t), ...change });

describe('the life cycle of keys', () => {
  it('begins due and without keys', () => {
    expect(isDue(noKeys, t, times)).toBe(true);
    expect(mayRefetch(noKeys, t, times)).toBe(true);
    expect(usableKeys(noKeys, t, times)).toBeUndefined();
    expect(areKeysStale(noKeys, t, times)).toBe(false);
  });

  it('is due after the interval, not before', () => {
    expect(isDue(state(), t + 299, times)).toBe(false);
    expect(isDue(state(), t + 300, times)).toBe(true);
  });

  it('serves keys up to the stale age, not longer', () => {
    expect(usableKeys(state(), t + 86400, times)).toEqual([a]);
    expect(usableKeys(state(), t + 86401, times)).toBeUndefined();
  });

  it('is stale once a refresh failed and the interval is over', () => {
    expect(areKeysStale(state(), t + 301, times)).toBe(false);
    expect(areKeysStale(afterFailure(state(), t + 300), t + 301, times)).toBe(true);
    expect(areKeysStale(afterFailure(state(), t + 200), t + 201, times)).toBe(false);
  });

  it('fetches again for an unknown key once per cool-down, whichever token causes it', () => {
    expect(mayRefetch(state(), t + 9, times)).toBe(false);
    expect(mayRefetch(state(), t + 10, times)).toBe(true);
    expect(mayRefetch(trying(state(), t + 10), t + 19, times)).toBe(false);
  });

  it('waits twice as long after each failure, from the cool-down up to the interval', () => {
    const waits: number[] = [];
    let current: KeyState = noKeys;
    for (let count = 0; count < 8; count++) {
      current = afterFailure(current, t);
      let wait = 0;
      while (!isDue(current, t + wait, times)) wait++;
      waits.push(wait);
    }
    expect(waits).toEqual([10, 20, 40, 80, 160, 300, 300, 300]);
    expect(mayRefetch(current, t + 299, times)).toBe(false);
  });

  it('keeps the keys over failures, and forgets the failures after a success', () => {
    const away = afterFailure(afterFailure(state(), t + 300), t + 320);
    expect(away).toEqual({ ...state(), lastTry: t + 320, failures: 2 });
    expect(fetched(away, [a], t + 400)).toEqual({
      keys: [a],
      generation: 1,
      fetchedAt: t + 400,
      lastTry: t + 400,
      failures: 0,
    });
  });

  it('never waits less than the cool-down, for any number of failures', () => {
    const short = { refresh: 5, stale: 10, coolDown: 10 };
    expect(isDue(afterFailure(state(), t), t + 9, short)).toBe(false);
    expect(isDue(state({ failures: 5000, lastTry: t }), t + 300, times)).toBe(true);
  });

  it('is due when the clock was set back', () => {
    expect(isDue(state(), t - 5, times)).toBe(true);
    expect(usableKeys(state(), t - 5, times)).toEqual([a]);
  });

  it.each([
    ['the same keys', [a, b], [a, b], false],
    ['another order', [a, b], [b, a], false],
    ['a key more', [a], [a, b], true],
    ['a key less', [a, b], [a], true],
    ['another key of the same name', [key('a', 'k')], [key('b', 'k')], true],
    ['the same key of another name', [key('a', 'k')], [key('a', 'l')], true],
    ['the same key bound to an algorithm', [a], [{ ...a, alg: 'RS256' }], true],
  ])('counts the generations: %s', (_, before, after, grows) => {
    const old = fetched(noKeys, before, t);
    expect(fetched(old, after, t + 1).generation - old.generation).toBe(grows ? 1 : 0);
  });

  it('is JSON', () => {
    expect(JSON.parse(JSON.stringify(state()))).toEqual(state());
  });
});
