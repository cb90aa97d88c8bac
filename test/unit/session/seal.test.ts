import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isOpenable, kidOf, open, seal } from '../../../src/session/keys/seal.ts';
import { MAX_DERIVED_KEYS, MAX_SEALED } from '../../../src/session/limits.ts';
import type { Purpose } from '../../../src/session/names.ts';
import { holds } from '../../harness/property.ts';
import { ringOf } from './rings.ts';
import { sessionSpecs } from './specs.ts';

const now = 1_790_000_000;
const host = 'wiki.example.com';
const purposes: readonly Purpose[] = ['session', 'state', 'ticket', 'record'];

/** Any text; fast-check's own unit of that kind takes seconds to build. */
const text = (maxLength: number) =>
  fc
    .array(fc.oneof(fc.nat(0x7f), fc.nat(0xd7ff), fc.integer({ min: 0xe000, max: 0x10ffff })), { maxLength })
    .map((points) => String.fromCodePoint(...points));

describe('sealing', () => {
  for (const { name, got, wanted } of sessionSpecs) {
    it(name, async () => {
      expect(await got()).toEqual(wanted);
    });
  }

  it('gives back any text, to its purpose and host alone', async () => {
    const ring = await ringOf(['k1', 1]);
    await holds(
      fc.asyncProperty(
        text(200),
        fc.constantFrom(...purposes),
        fc.constantFrom(...purposes),
        fc.string(),
        fc.string(),
        async (plain, purpose, otherPurpose, ofHost, otherHost) => {
          const sealed = await seal(ring, purpose, ofHost, plain, now);
          expect(sealed).toMatch(/^k1\.\d+\.[\w-]+$/);
          expect(await open(ring, purpose, ofHost, sealed)).toBe(plain);
          const same = purpose === otherPurpose && ofHost === otherHost;
          expect(await open(ring, otherPurpose, otherHost, sealed)).toBe(same ? plain : undefined);
        },
      ),
    );
  });

  it('opens nothing that was altered anywhere, and no garbage', async () => {
    const ring = await ringOf(['k1', 1], ['k2', 2]);
    const sealed = await seal(ring, 'session', host, 'x'.repeat(100), now);
    const altered = fc
      .tuple(fc.nat(sealed.length), fc.nat(5), text(5))
      .map(([at, cut, put]) => sealed.slice(0, at) + put + sealed.slice(at + cut));
    const garbage = fc.oneof(
      text(300),
      fc.base64String().map((body) => `k1.20717.${body}`),
      fc.stringMatching(/^k[12]\.\d{0,8}\.[\w-]{0,120}$/),
    );
    await holds(
      fc.asyncProperty(fc.oneof(altered, garbage), async (text) => {
        fc.pre(text !== sealed);
        expect(await open(ring, 'session', host, text)).toBeUndefined();
      }),
      2000,
    );
  });

  it('takes no other spelling of what it sealed', async () => {
    const ring = await ringOf(['k1', 1]);
    for (let length = 0; length < 12; length++) {
      const sealed = await seal(ring, 'session', host, 'x'.repeat(length), now);
      const last = sealed.at(-1)!;
      const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
      const spellings = [...alphabet].filter((it) => it !== last).map((it) => sealed.slice(0, -1) + it);
      const standard = sealed.replaceAll('-', '+').replaceAll('_', '/');
      for (const other of [...spellings, `${sealed}=`, `${sealed}==`, ` ${sealed}`, `${sealed}\n`, standard]) {
        if (other !== sealed) expect(await open(ring, 'session', host, other), other).toBeUndefined();
      }
    }
  });

  it('never seals alike', async () => {
    const ring = await ringOf(['k1', 1]);
    const texts = await Promise.all(Array.from({ length: 50 }, () => seal(ring, 'session', host, 'same', now)));
    expect(new Set(texts).size).toBe(50);
  });

  it('goes on over a rotation: old texts open as long as their key is in the ring', async () => {
    const [before, over, after] = await Promise.all([
      ringOf(['k1', 1]),
      ringOf(['k2', 2], ['k1', 1]),
      ringOf(['k3', 3], ['k2', 2]),
    ]);
    const old = await seal(before!, 'session', host, 'old', now);
    const young = await seal(over!, 'session', host, 'young', now);
    expect(kidOf(old)).toBe('k1');
    expect(kidOf(young)).toBe('k2');
    expect([await open(before!, 'session', host, old), await open(before!, 'session', host, young)]).toEqual([
      'old',
      undefined,
    ]);
    expect([await open(over!, 'session', host, old), await open(over!, 'session', host, young)]).toEqual([
      'old',
      'young',
    ]);
    expect([await open(after!, 'session', host, old), await open(after!, 'session', host, young)]).toEqual([
      undefined,
      'young',
    ]);
  });

  it('has a key of its own for each day, and opens yesterday’s', async () => {
    const ring = await ringOf(['k1', 1]);
    const yesterday = await seal(ring, 'session', host, 'plain', now - 86400);
    expect(await open(ring, 'session', host, yesterday)).toBe('plain');
    await seal(ring, 'session', host, 'plain', now);
    expect(ring.derived.size).toBe(2);
  });

  it('keeps a bounded number of derived keys, and none for texts that open nothing', async () => {
    const ring = await ringOf(['k1', 1]);
    for (let day = 1; day <= 2 * MAX_DERIVED_KEYS; day++) await seal(ring, 'session', host, 'plain', day * 86400);
    expect(ring.derived.size).toBe(MAX_DERIVED_KEYS);
    const kept = [...ring.derived.keys()];
    for (let day = 1000; day < 1100; day++) await open(ring, 'session', host, `k1.${day}.${'A'.repeat(60)}`);
    expect([...ring.derived.keys()]).toEqual(kept);
  });

  it('opens nothing that is too long', async () => {
    const ring = await ringOf(['k1', 1]);
    for (const purpose of purposes) {
      const text = await seal(ring, purpose, host, 'x'.repeat(MAX_SEALED[purpose]), now);
      expect(isOpenable(purpose, text)).toBe(false);
      expect(await open(ring, purpose, host, text)).toBeUndefined();
    }
    const fits = await seal(ring, 'session', host, 'x'.repeat(3000), now);
    expect(isOpenable('session', fits)).toBe(true);
    expect(await open(ring, 'session', host, fits)).toBe('x'.repeat(3000));
  });
});
