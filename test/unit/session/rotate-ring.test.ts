import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readRing } from '../../../src/session/keys/ring.ts';
import { isRing, newRing, type RotatedRing, rotateRing } from '../../../src/session/keys/rotate-ring.ts';
import { MAX_RING_KEYS } from '../../../src/session/limits.ts';
import { holds } from '../../harness/property.ts';

const NOW = 1_800_000_000;
const DAY = 86_400;

async function kids(text: string): Promise<readonly string[]> {
  const ring = await readRing(text, 0);
  if (typeof ring === 'string') throw new Error(ring);
  expect([...ring.keys.keys()][0]).toBe(ring.sealing.kid);
  return [...ring.keys.keys()];
}

const good = (rotated: RotatedRing) => rotated as Extract<RotatedRing, { ok: true }>;

describe('session keys', () => {
  test('are two that the gateway reads, each random', async () => {
    const texts = [newRing(NOW), newRing(NOW)];
    for (const text of texts) expect(await kids(text)).toHaveLength(2);
    const keys = texts.flatMap((text) => JSON.parse(text).keys.map(({ k }: { k: string }) => k));
    expect(new Set(keys).size).toBe(4);
  });

  test('are told from signing keys', () => {
    expect(
      [newRing(NOW), '{"keys":[{"kty":"oct"}]}', '{"keys":[{"kty":"EC"}]}', '{"keys":[null]}', 'x'].map(isRing),
    ).toEqual([true, true, false, false, false]);
  });

  test('move on by one; the one that sealed opens until its last cookie has ended', async () => {
    const first = newRing(NOW);
    const [a, b] = await kids(first);
    const once = good(await rotateRing(first, NOW + 600, DAY, false));
    expect(once.seals).toBe(true);
    const [sealing, c, old] = await kids(once.text);
    expect([sealing, old]).toEqual([b, a]);
    const twice = good(await rotateRing(once.text, NOW + 1200 + DAY, DAY, false));
    expect(await kids(twice.text)).toEqual([c, expect.any(String), b]);
    expect(twice.gone).toBe(1);
    const soon = good(await rotateRing(once.text, NOW + 1199 + DAY, DAY, false));
    expect(await kids(soon.text)).toEqual([c, expect.any(String), b, a]);
  });

  test('seal no earlier than every gateway has them', async () => {
    const text = newRing(NOW);
    expect(await rotateRing(text, NOW + 60, DAY, false)).toMatchObject({
      ok: false,
      error: expect.stringContaining('wait 9 more'),
    });
    expect(await rotateRing(text, NOW + 60, DAY, true)).toMatchObject({ ok: true, seals: true });
  });

  test('a ring of one key gets a second; keys of other programs rotate too', async () => {
    const { keys } = JSON.parse(newRing(NOW));
    const single = good(await rotateRing(JSON.stringify({ keys: [keys[0]] }), NOW, DAY, false));
    expect([single.seals, (await kids(single.text))[0]]).toEqual([false, keys[0].kid]);
    const bare = keys.map(({ iat: _, ...key }: { iat: number }) => key);
    expect(await rotateRing(JSON.stringify({ keys: bare }), NOW, DAY, false)).toMatchObject({ ok: true, seals: true });
  });

  test('an invalid ring is reported without its content', async () => {
    const rotated = await rotateRing('{"keys":[{"kty":"oct","k":"hush"}]}', NOW, DAY, false);
    expect(rotated).toMatchObject({ ok: false });
    expect(JSON.stringify(rotated)).not.toContain('hush');
  });

  test('any number of rotations keeps every key that a live cookie may be sealed with', async () => {
    await holds(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 2 * DAY }), { maxLength: 20 }), async (steps) => {
        let [text, now] = [newRing(NOW), NOW];
        const sealedBy = new Map<string, number>();
        for (const step of steps) {
          sealedBy.set((await kids(text))[0] as string, now + step);
          now += step;
          const rotated = await rotateRing(text, now, DAY, true);
          if (rotated.ok) text = rotated.text;
          else expect(JSON.parse(text).keys).toHaveLength(MAX_RING_KEYS);
          const there = await kids(text);
          for (const [kid, last] of sealedBy) if (last + DAY > now) expect(there).toContain(kid);
        }
      }),
      50,
    );
  });
});
