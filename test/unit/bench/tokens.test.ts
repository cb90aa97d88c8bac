import { createLocalJWKSet, jwtVerify } from 'jose';
import { describe, expect, test } from 'vitest';
import { grown, mixture } from '../../bench/memory.ts';
import { audience } from '../../bench/policy.ts';
import { createSigner, forged, linesOf, walk } from '../../bench/tokens.ts';

const issuer = 'https://127.0.0.1:1';
const currentDate = new Date(1_800_000_000_000);
const signer = await createSigner(issuer, 1_800_000_000);
const keys = createLocalJWKSet(signer.jwks as Parameters<typeof createLocalJWKSet>[0]);
const verify = (token: string) => jwtVerify(token, keys, { issuer, audience, currentDate });

describe.each(['RS256', 'ES256'] as const)('%s tokens', (alg) => {
  test('are good, of equal length and all different', async () => {
    const tokens = await signer.sign(alg, 5);
    for (const token of tokens) expect((await verify(token)).protectedHeader.alg).toBe(alg);
    expect(new Set(tokens).size).toBe(5);
    expect(new Set(tokens.map((token) => token.length)).size).toBe(1);
  });

  test('forged ones are not valid', async () => {
    const [token] = await signer.sign(alg, 1);
    await expect(verify(forged(token!))).rejects.toThrow('signature');
  });
});

test('a walk never returns a token twice, and throws when none is left', () => {
  const take = walk(['a', 'b', 'c']);
  expect([take(2), take(1)]).toEqual([['a', 'b'], ['c']]);
  expect(() => take(1)).toThrow('3 tokens');
});

test('the load generator receives one line for each request', () => {
  expect(linesOf(['/x'], ['a.b.c', undefined])).toBe('/x a.b.c\n/x -\n');
  expect(linesOf(['/x', '/y'], ['a', 'b', 'c'])).toBe('/x a\n/y b\n/x c\n');
});

test('one fifth of the mixture is refused', () => {
  const mixed = mixture(
    Array.from({ length: 80 }, (_, i) => `good-${i}`),
    ['bad-0', 'bad-1'],
  );
  expect(mixed).toHaveLength(100);
  expect(mixed.filter((token) => token === undefined || token.startsWith('bad'))).toHaveLength(20);
  expect(mixed.slice(0, 10)).toEqual([...Array.from({ length: 8 }, (_, i) => `good-${i}`), 'bad-0', undefined]);
});

test('growth is the difference of both ends, whatever a single sample says', () => {
  expect(grown([100, 900, 110, 105, 104, 130, 120, 0])).toBe(10);
  expect(grown([100, 200, 300, 400])).toBe(100);
});
