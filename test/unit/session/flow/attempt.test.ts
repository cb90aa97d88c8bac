import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isBound,
  isOver,
  newAttempt,
  onceId,
  onceLifetime,
  readAttempt,
} from '../../../../src/session/flow/attempt.ts';
import {
  attemptCookie,
  attemptValue,
  endedAttempts,
  expiredAttempt,
  oldestAttempt,
} from '../../../../src/session/flow/attempt-cookies.ts';
import { sha256 } from '../../../../src/session/flow/random.ts';
import { holds } from '../../../harness/property.ts';

const now = 1_790_000_000;
const okta = { name: 'okta', issuer: 'https://okta.example.com' };

describe('an attempt', () => {
  it('has its own id, verifier, nonce and cookie', () => {
    const all = Array.from({ length: 200 }, () => newAttempt({ mode: 'in', to: '/x' }, okta, now));
    for (const of of ['id', 'verifier', 'nonce', 'binding'] as const) {
      expect(new Set(all.map(({ attempt }) => attempt[of])).size, of).toBe(200);
    }
    const { attempt, cookie } = all[0]!;
    // RFC 7636 section 4.1: at least 43 characters, 256 bits.
    expect(attempt.verifier).toMatch(/^[\w-]{43}$/);
    expect(Buffer.from(attempt.nonce, 'base64url').length).toBe(16);
    expect(Buffer.from(cookie.value, 'base64url').length).toBe(16);
    expect(cookie.id).toBe(attempt.id);
    expect(attempt.binding).toBe(sha256(cookie.value));
    expect(JSON.stringify(attempt)).not.toContain(cookie.value);
    expect(readAttempt(JSON.stringify(attempt))).toEqual(attempt);
  });

  it('is bound to the browser that has its cookie', () => {
    const [mine, other] = [0, 1].map(() => newAttempt({ mode: 'in', to: '/' }, okta, now));
    const pair = (id: string, value: string) => `__Host-Http-meshgate-a-${id}=${value}`;
    const [own, others] = [mine!, other!].map(({ cookie }) => pair(cookie.id, cookie.value));
    expect(isBound(mine!.attempt, `${others}; ${own}`)).toBe(true);
    for (const line of [others!, '', pair(mine!.cookie.id, other!.cookie.value), pair(mine!.cookie.id, '')]) {
      expect(isBound(mine!.attempt, line)).toBe(false);
    }
  });

  it('expires after ten minutes, and is rejected if the clock says that it has not begun', () => {
    expect(isOver({ at: now }, now + 600, 30)).toBe(false);
    expect(isOver({ at: now }, now + 601, 30)).toBe(true);
    expect(isOver({ at: now + 30 }, now, 30)).toBe(false);
    expect(isOver({ at: now + 31 }, now, 30)).toBe(true);
  });

  it('is remembered as used for as long as it would be valid', () => {
    const { attempt } = newAttempt({ mode: 'in', to: '/' }, okta, now);
    expect(onceId(attempt)).toMatch(/^[\w-]{16}$/);
    expect(attempt.id.endsWith(onceId(attempt))).toBe(true);
    expect(onceId({ id: 'abcdefghijklmnop' })).toBe('abcdefghijklmnop');
    for (const later of [0, 300, 600, 700]) {
      expect(now + later + onceLifetime(attempt, now + later)).toBeGreaterThan(now + 600);
    }
    expect(onceLifetime({ at: now }, now, 60)).toBe(360);
  });

  it.each(['', 'signout 1', '[]', 'null', '"x"', '{}', '{"at":1,"id":"x"}'])(
    'is not any other sealed text: %s',
    (text) => {
      expect(readAttempt(text)).toBeUndefined();
    },
  );
});

describe('cookies of attempts', () => {
  const at = (seconds: number) => newAttempt({ mode: 'in', to: '/' }, okta, seconds).cookie;
  const lineOf = (cookies: readonly { id: string; value: string }[]) =>
    cookies.map(({ id, value }) => `__Host-Http-meshgate-a-${id}=${value}`).join('; ');

  it('are found among others, whatever stands around them', () => {
    const [one, two] = [at(now), at(now + 1)];
    const line = `a=b; ${lineOf([one])};__Host-Http-meshgate=x.y.z; theme="dark"; ${lineOf([two])}; __Host-Http-meshgate-a-=1; x`;
    for (const { id, value } of [one, two]) expect(attemptValue(line, id)).toBe(value);
    for (const id of [one.id, '', at(now).id]) expect(attemptValue('', id)).toBeUndefined();
    expect(attemptValue(line, at(now).id)).toBeUndefined();
  });

  it('do not count if one is sent twice', () => {
    const [one, two] = [at(now), at(now)];
    const line = `${lineOf([one, two])}; __Host-Http-meshgate-a-${one.id}=evil`;
    expect([attemptValue(line, one.id), attemptValue(line, two.id)]).toEqual([undefined, two.value]);
  });

  /** A script may have set a partitioned cookie of the same name. */
  const bothEnded = (id: string) => [`${expiredAttempt(id)}; Partitioned`, expiredAttempt(id)];

  it('are eight at most: the oldest make room for a new one', () => {
    const cookies = [5, 3, 9, 1, 7, 2, 8, 4, 6, 0].map((seconds) => at(now + seconds));
    const begun = attemptCookie(at(now + 10));
    const ends = (...places: number[]) => places.flatMap((place) => bothEnded(cookies[place]!.id));
    expect(endedAttempts(lineOf(cookies.slice(0, 7)), [begun])).toEqual([]);
    expect(endedAttempts(lineOf(cookies.slice(0, 8)), [begun])).toEqual(ends(3));
    expect(endedAttempts(lineOf(cookies), [begun])).toEqual(ends(9, 3, 5));
    // A response that begins none, or ends one itself, leaves as many.
    expect(endedAttempts(lineOf(cookies), [])).toEqual(ends(9, 3));
    expect(endedAttempts(lineOf(cookies), ends(9))).toEqual(ends(3));
    expect(endedAttempts(lineOf(cookies), ['__Host-Http-meshgate=x; Path=/'])).toEqual(ends(9, 3));
  });

  it('end before all others if a script set them', () => {
    const mine = [...Array(8).keys()].map((i) => at(now + i));
    const planted = '__Host-Http-meshgate-a-x=1; __Host-Http-meshgate-a-y.z=2';
    const ended = ['x', 'y.z'].flatMap(bothEnded);
    expect(endedAttempts(`${lineOf(mine)}; ${planted}`, [])).toEqual(ended);
  });

  it('are written as the prefix __Host- requires', () => {
    const cookie = at(now);
    expect(attemptCookie(cookie)).toBe(
      `__Host-Http-meshgate-a-${cookie.id}=${cookie.value}; Max-Age=600; Path=/; Secure; HttpOnly; SameSite=Lax`,
    );
    expect(expiredAttempt(cookie.id)).toBe(
      `__Host-Http-meshgate-a-${cookie.id}=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax`,
    );
  });

  it('never make an error, whatever a browser sends', () => {
    holds(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), fc.string(), (noise, value) => {
        const line = `${noise}; __Host-Http-meshgate-a-${noise}=${value}`;
        const crowd = [...Array(9).keys()].map((i) => `__Host-Http-meshgate-a-${noise}${i}=x`).join('; ');
        for (const text of endedAttempts(`${line}; ${crowd}`, []))
          expect(text).toMatch(/^__Host-Http-meshgate-a-[\w.-]*=; Max-Age=0; /);
      }),
    );
  });
});

it('the oldest attempt is the one that began first; cookies with other names do not count', () => {
  const line = (...names: readonly string[]) => names.map((name) => `__Host-Http-meshgate-a-${name}=v`).join('; ');
  expect(oldestAttempt(line('b0.abcdefgh', 'a9.abcdefgh', 'a9.00000000'))).toBe('a9.abcdefgh');
  expect(oldestAttempt(line('0', '-1.abcdefgh', 'x', 'a9.abcdefgh'))).toBe('a9.abcdefgh');
  expect(oldestAttempt('__Host-Http-meshgate=v; a=b')).toBeUndefined();
});
