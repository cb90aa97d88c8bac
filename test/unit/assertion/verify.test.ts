import { describe, expect, test } from 'vitest';
import { agentCaller, agentOf, type KnownAgent } from '../../../src/assertion/agent.ts';
import { assertionClaims } from '../../../src/assertion/claims.ts';
import { newSigningKeys } from '../../../src/assertion/rotate.ts';
import { signAssertion } from '../../../src/assertion/sign.ts';
import { readSigningKeys } from '../../../src/assertion/signing-keys.ts';
import { type Asserted, verifyAssertion } from '../../../src/assertion/verify.ts';
import type { Result } from '../../../src/base/reasons.ts';
import { readKeySet } from '../../../src/token/keys/jwks.ts';

const NOW = 1_800_000_000;
const WIKI = 'spiffe://example.org/ns/wiki/sa/wiki';
const BOARD = 'spiffe://example.org/ns/ops/sa/board';
const settings = { issuer: 'https://gateway.test', keysFile: '/k', lifetime: 60 };
const ann = { provider: 'okta', subject: 'okta-ann', roles: ['staff', 'admin'], email: 'ann@example.org', name: 'Ann' };
const grant = { service: 'wiki', as: 'wiki-editor' };

async function made() {
  const keys = await readSigningKeys(await newSigningKeys(NOW));
  if (typeof keys === 'string') throw new Error(keys);
  const set = await readKeySet(keys.published);
  if (!set.ok) throw new Error(set.error);
  return { keys, published: set.keys };
}

const [ours, theirs] = [await made(), await made()];
const context = { issuer: settings.issuer, skew: 30, imported: new Map() };

const sign = async (claims: object, by = ours): Promise<string> => {
  const signed = await signAssertion(by.keys, claims as Record<string, unknown>);
  if (!signed.ok) throw new Error(signed.reason);
  return signed.value;
};
const verify = async (text: string, now = NOW) => verifyAssertion(text, ours.published, now, context);
const claims = assertionClaims(settings, grant, ann, NOW);

function must<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.reason}: ${result.detail}`);
  return result.value;
}

describe('an assertion of this gateway', () => {
  test('names the caller', async () => {
    expect(must(await verify(await sign(claims)))).toEqual({
      audience: 'wiki',
      provider: 'okta',
      subject: 'okta-ann',
      roles: ['staff', 'admin'],
      actors: [],
      expires: NOW + 60,
      issuedAt: NOW,
      key: ours.published[0]!.thumbprint,
    });
  });

  test('has their address and name, if the service receives them', async () => {
    const told = assertionClaims(settings, { ...grant, email: true, name: true }, ann, NOW);
    expect(must(await verify(await sign(told)))).toMatchObject({ email: 'ann@example.org', name: 'Ann' });
    expect(Object.keys(claims)).not.toContain('email');
  });

  test('names the actors, the latest first', async () => {
    const acting = assertionClaims(settings, grant, { ...ann, agent: 'board', actors: [BOARD, WIKI] }, NOW);
    expect(acting).toMatchObject({ agent: 'board', act: { sub: BOARD, act: { sub: WIKI } } });
    expect(must(await verify(await sign(acting))).actors).toEqual([BOARD, WIKI]);
  });

  test('is accepted if its key is published and no longer signs', async () => {
    const rotated = await verifyAssertion(await sign(claims), [...theirs.published, ...ours.published], NOW, context);
    expect(rotated.ok).toBe(true);
  });

  test('is valid until its expiry plus the clock skew', async () => {
    const text = await sign(claims);
    expect((await verify(text, NOW + 89)).ok).toBe(true);
    expect(await verify(text, NOW + 90)).toMatchObject({ reason: 'token_expired' });
  });
});

describe('text that is not an assertion', () => {
  const { exp: _, ...endless } = claims;
  const without = (name: string) => Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name));
  const chain = (length: number): unknown => (length === 0 ? undefined : { sub: WIKI, act: chain(length - 1) });

  test.each<[string, object, string]>([
    ['of another issuer', { ...claims, iss: 'https://gateway.test/' }, 'issuer_unknown'],
    ['of no issuer', without('iss'), 'issuer_unknown'],
    ['that does not end', endless, 'claim_absent'],
    ['that ends with a text', { ...claims, exp: '9' }, 'claim_absent'],
    ['from the future', { ...claims, iat: NOW + 31 }, 'token_not_yet_valid'],
    ['for several services', { ...claims, aud: ['wiki', 'board'] }, 'claim_absent'],
    ['without an audience', without('aud'), 'claim_absent'],
    ['of no provider', without('provider'), 'claim_absent'],
    ['with an empty subject', { ...claims, sub: '' }, 'claim_absent'],
    ['with roles in one text', { ...claims, roles: 'staff' }, 'claim_absent'],
    ['with invalid roles', { ...claims, roles: ['staff', 1] }, 'claim_absent'],
    ['with an invalid actor', { ...claims, act: WIKI }, 'claim_absent'],
    ['with an empty actor', { ...claims, act: {} }, 'claim_absent'],
    ['with null for an actor', { ...claims, act: null }, 'claim_absent'],
    ['with nine actors', { ...claims, act: chain(9) }, 'claim_absent'],
  ])('rejects one %s', async (_, reported, reason) => {
    expect(await verify(await sign(reported))).toMatchObject({ ok: false, reason });
  });

  test('rejects one that another key signed, also under the name of a published key', async () => {
    expect(await verify(await sign(claims, theirs))).toMatchObject({ reason: 'key_unknown' });
    const named = { keys: { ...theirs.keys, kid: ours.keys.kid }, published: theirs.published };
    expect(await verify(await sign(claims, named))).toMatchObject({ reason: 'signature_invalid' });
  });

  test('rejects one with another header', async () => {
    const [header, payload, signature] = (await sign(claims)).split('.') as [string, string, string];
    const members = JSON.parse(Buffer.from(header, 'base64url').toString());
    const other = (more: object) =>
      `${Buffer.from(JSON.stringify({ ...members, ...more })).toString('base64url')}.${payload}.${signature}`;
    expect(await verify(other({ alg: 'none' }))).toMatchObject({ reason: 'algorithm_refused' });
    expect(await verify(other({ alg: 'HS256' }))).toMatchObject({ reason: 'algorithm_refused' });
    expect(await verify(other({ alg: 'RS256' }))).toMatchObject({ reason: 'algorithm_refused' });
    expect(await verify(other({ typ: 'JWT' }))).toMatchObject({ reason: 'signature_invalid' });
    expect(await verify(other({ crit: ['x'] }))).toMatchObject({ reason: 'token_malformed' });
  });

  test('rejects a token of another type that the same key signed', async () => {
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const input = `${encode({ alg: 'ES256', kid: ours.keys.kid, typ: 'JWT' })}.${encode(claims)}`;
    const key = ours.keys.key as unknown as Parameters<typeof crypto.subtle.sign>[1];
    const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, key, Buffer.from(input));
    const text = `${input}.${Buffer.from(signature).toString('base64url')}`;
    expect(await verify(text)).toMatchObject({ reason: 'type_refused' });
  });

  test.each(['', 'x', 'a.b.c', '..', 'eyJhbGciOiJFUzI1NiJ9..x', 'two, values', 'x'.repeat(20_000)])(
    '%j',
    async (text) => {
      expect((await verify(text)).ok).toBe(false);
    },
  );

  test('no rejection shows a part of it', async () => {
    const text = await sign({ ...claims, aud: 7, sub: 'a-secret-name' });
    expect(JSON.stringify(await verify(text))).not.toContain('a-secret-name');
  });
});

describe('the service that sends it', () => {
  const agents: Record<string, KnownAgent> = {
    [WIKI]: { name: 'pages', service: 'wiki', actsFor: ['staff'], hops: 1 },
    [BOARD]: { name: 'board', service: 'board', actsFor: ['admin', 'staff'], hops: 2 },
  };
  const asserted: Asserted = {
    audience: 'wiki',
    provider: 'okta',
    subject: 'okta-ann',
    roles: ['staff', 'admin'],
    email: 'ann@example.org',
    actors: [],
    expires: NOW + 60,
    issuedAt: NOW,
    key: 'k',
  };
  const ask = (spiffe: string, more: Partial<Asserted> = {}) => {
    const agent = agentOf(spiffe, agents);
    return agent.ok ? agentCaller({ ...asserted, ...more }, spiffe, agent.value) : agent;
  };

  test('acts for the person, with the roles that travel', () => {
    expect(must(ask(WIKI))).toEqual({
      provider: 'okta',
      subject: 'okta-ann',
      roles: ['staff'],
      groups: [],
      claims: {},
      email: 'ann@example.org',
      agent: 'pages',
      actors: [WIKI],
    });
    expect(must(ask(WIKI, { roles: [] })).roles).toEqual([]);
  });

  test('becomes the first of the earlier actors', () => {
    expect(must(ask(BOARD, { audience: 'board', actors: [WIKI] })).actors).toEqual([BOARD, WIKI]);
  });

  test('is refused over too many hops', () => {
    expect(ask(WIKI, { actors: [BOARD] })).toEqual({
      ok: false,
      reason: 'actor_not_allowed',
      detail: 'this would be hop 2 for one person, but pages may do 1 hop',
    });
    expect(ask(BOARD, { audience: 'board', actors: [WIKI, WIKI] })).toMatchObject({ reason: 'actor_not_allowed' });
  });

  test('is refused with an assertion for another service', () => {
    expect(ask(WIKI, { audience: 'board' })).toEqual({
      ok: false,
      reason: 'audience_mismatch',
      detail: 'the assertion is for the service board, and the certificate is that of wiki',
    });
    expect(ask(BOARD)).toMatchObject({ reason: 'audience_mismatch' });
  });

  test('is refused with the assertion of a probe of the mesh', () => {
    expect(ask(WIKI, { subject: 'meshgate:probe', provider: 'nobody' })).toMatchObject({ reason: 'actor_not_allowed' });
  });

  test('is refused if it is not an agent', () => {
    for (const spiffe of ['spiffe://example.org/other', `${WIKI}/`, 'constructor', '__proto__']) {
      expect(ask(spiffe)).toMatchObject({ ok: false, reason: 'actor_not_allowed' });
    }
  });
});
