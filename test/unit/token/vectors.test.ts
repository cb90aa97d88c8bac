import { compactVerify, createLocalJWKSet } from 'jose';
import { expect, it } from 'vitest';
import { claimAt } from '../../../src/base/claim-at.ts';
import { readKeySet } from '../../../src/token/keys/jwks.ts';
import { describeWith } from '../../harness/needs.ts';
import {
  istioVectors,
  lacksVectors,
  pastSignature,
  rfcVectors,
  type Vector,
  wycheproofVectors,
} from '../../vectors.ts';
import { vectorCase } from './build.ts';
import { caseRunner, mismatch } from './case.ts';

/** Vectors that jose accepts and this gateway rejects, with the reason why that is right. */
const strictness: readonly (readonly [id: RegExp, why: string])[] = [
  [/^jwk 7 /, 'jose does not look for ROCA keys'],
  [/^jwk 9 /, 'jose takes an exponent of 1, with which every program can sign'],
];

async function joseTakes({ token, jwks }: Vector): Promise<boolean> {
  try {
    await compactVerify(token, createLocalJWKSet(jwks as never));
    return true;
  } catch {
    return false;
  }
}

const lacks = lacksVectors();

describeWith(lacks, 'vectors', () => {
  const run = caseRunner();
  const wycheproof = wycheproofVectors();
  const others = [...rfcVectors(), ...istioVectors()];

  it('are all there', () => {
    expect(wycheproof.filter(({ id }) => id.startsWith('jws '))).toHaveLength(401);
    expect(wycheproof.filter(({ id }) => id.startsWith('jwk '))).toHaveLength(26);
    expect(others).toHaveLength(5 + 15);
  });

  it.each(wycheproof)('$id: $expected.outcome', async (vector) => {
    const testCase = vectorCase(vector);
    expect(mismatch(testCase, await run(testCase))).toBeUndefined();
  });

  it.each(others)('$id: $expected.outcome', async (vector) => {
    const testCase = vectorCase(vector);
    expect(mismatch(testCase, await run(testCase))).toBeUndefined();
  });

  it.each([
    [7, 'the RSA key was made by a chip with CVE-2017-15361 (ROCA)'],
    [8, 'RSA of 1024 bits is too short; the minimum is 2048'],
    [9, 'the RSA exponent is not an odd number over 1'],
    [22, 'it is not a key'],
    [23, 'it is not a key'],
    [24, 'a member is missing'],
  ])('the key of JWK test %i is left out: %s', async (test, why) => {
    const vector = wycheproof.find(({ id }) => id.startsWith(`jwk ${test} `))!;
    const set = await readKeySet(JSON.stringify(vector.jwks));
    expect(set).toEqual({ ok: false, error: expect.stringContaining(why) });
  });

  it.each([
    ['TokenIssuer1WithNestedClaims1', 'nested.nested-2.key1', ['valueA', 'valueB']],
    ['TokenIssuer1WithNestedClaims2', 'nested.key2', 'valueC'],
    ['TokenIssuer1WithCollisionResistantName', 'test-issuer-1@istio.io/nested.nested-2.key1', 'valueC'],
    ['TokenIssuer2WithSpaceDelimitedScope', 'scope', 'write read'],
  ])('%s has %s', (name, path, value) => {
    const { claims } = istioVectors().find(({ id }) => id === `Istio ${name}`)!;
    expect(claimAt(claims, path)).toEqual(value);
  });

  it('have the same signature outcome in jose, except the listed ones', async () => {
    const differing: string[] = [];
    for (const vector of wycheproof) {
      const held = vector.expected === pastSignature;
      const listed = strictness.some(([id]) => id.test(vector.id));
      if ((await joseTakes(vector)) !== (held || listed)) differing.push(vector.id);
    }
    expect(differing).toEqual([]);
  });
});
