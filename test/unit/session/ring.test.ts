import { describe, expect, it } from 'vitest';
import { readRing } from '../../../src/session/keys/ring.ts';
import { MAX_RING_KEYS } from '../../../src/session/limits.ts';
import { ringKey } from './rings.ts';

const text = (...keys: readonly unknown[]) => JSON.stringify({ keys });
const notForSessions = 'is not for sessions: it must have "kty" "oct", "alg" "A256GCM" and "use" "enc"';
const noKid = 'has no "kid" of 1 to 16 letters, digits, "_" and "-"';
const noBits = 'has no "k" of 256 bits in base64url';

describe('the session keys', () => {
  it('are read in order: the first one seals', async () => {
    const ring = await readRing(text(ringKey('new', 1), ringKey('old', 2)), 0);
    if (typeof ring === 'string') throw new Error(ring);
    expect(ring.sealing.kid).toBe('new');
    expect([...ring.keys.keys()]).toEqual(['new', 'old']);
  });

  it('open until their time, and no longer', async () => {
    const keys = text(ringKey('new', 1), { ...ringKey('old', 2), until: 200 }, { ...ringKey('older', 3), until: 100 });
    const at = async (now: number) => {
      const ring = await readRing(keys, now);
      if (typeof ring === 'string') throw new Error(ring);
      return [[...ring.keys.keys()], ring.expires];
    };
    expect(await at(99)).toEqual([['new', 'old', 'older'], 100]);
    expect(await at(100)).toEqual([['new', 'old'], 200]);
    expect(await at(200)).toEqual([['new'], undefined]);
  });

  it.each<[string, string, string]>([
    ['no JSON', 'keys', 'the file is not JSON'],
    ['no set', '[]', 'the file has no list "keys"'],
    ['an empty set', text(), 'the file has no key'],
    ['too many', text(...Array.from({ length: MAX_RING_KEYS + 1 }, (_, i) => ringKey(`k${i}`, i))), `more than`],
    ['a huge file', ' '.repeat(300_000), 'the file is too large'],
    ['no object', text(1), `key 1 ${notForSessions}`],
    ['a key for signatures', text({ kty: 'EC', crv: 'P-256' }), `key 1 ${notForSessions}`],
    ['another algorithm', text({ ...ringKey('a', 1), alg: 'A128GCM' }), `key 1 ${notForSessions}`],
    ['another use', text(ringKey('a', 1), { ...ringKey('b', 1), use: 'sig' }), `key 2 ${notForSessions}`],
    ['no kid', text({ ...ringKey('a', 1), kid: undefined }), `key 1 ${noKid}`],
    ['a kid with a dot', text(ringKey('a.b', 1)), `key 1 ${noKid}`],
    ['a long kid', text(ringKey('a'.repeat(17), 1)), `key 1 ${noKid}`],
    ['a kid twice', text(ringKey('a', 1), ringKey('a', 2)), 'two keys have the same "kid"'],
    ['no k', text({ ...ringKey('a', 1), k: undefined }), `key 1 ${noBits}`],
    ['a short k', text({ ...ringKey('a', 1), k: 'AAECAwQFBgc' }), `key 1 ${noBits}`],
    ['a padded k', text({ ...ringKey('a', 1), k: `${ringKey('a', 1).k}=` }), `key 1 ${noBits}`],
    ['an until that is a text', text(ringKey('a', 1), { ...ringKey('b', 2), until: '100' }), 'key 2 has an "until"'],
    [
      'a first key that has expired',
      text({ ...ringKey('a', 1), until: 100 }),
      'the first key, which seals, has expired',
    ],
    ['no random k', text({ ...ringKey('a', 1), k: 'A'.repeat(43) }), 'key 1 is not a random key'],
  ])('%s: the error says what is wrong, and nothing of the text', async (_, broken, wanted) => {
    const why = await readRing(broken, 100);
    expect(why).toContain(wanted);
    expect(why).not.toContain(String(ringKey('a', 1).k));
  });
});
