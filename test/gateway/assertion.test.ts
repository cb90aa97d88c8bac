/** The signed assertion: what services receive, and how its keys are published and rotated while the gateway runs. */
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, type JSONWebKeySet, type JWK, jwtVerify } from 'jose';
import { beforeEach, describe, expect, test } from 'vitest';
import { newSigningKeys, rotateSigningKeys } from '../../src/assertion/rotate.ts';
import {
  createKey,
  expectCleanLog,
  gatewayCase,
  ready,
  type Sent,
  signToken,
  startEcho,
  startGateway,
  startIssuer,
  testStage,
  until,
  valuesOf,
  waitForWorkers,
} from '../harness/index.ts';

const stage = await testStage('assertion');
const [wiki, dashboard, issuers] = await Promise.all([
  startEcho(stage, { alias: 'wiki' }),
  startEcho(stage, { alias: 'dashboard' }),
  startIssuer(stage),
]);
const acme = await issuers.create('acme', { alg: 'ES256' });
const ISSUER = 'https://gateway.test';
const KEYS = '/run/keys/assertion.jwks';
const LIFETIME = 30;
const policy = `
version: 1
gateway:
  insecure_http: true
  listen: 8080
  assertion: { issuer: ${ISSUER}, keys_file: ${KEYS}, lifetime: ${LIFETIME}s }
providers:
  acme: { issuer: ${acme.url}, audiences: [wiki], ca_file: /run/provider/ca.pem, subject: { claim: sub, prefix: acme- } }
roles:
  editor: { group: editors }
  reader: { group: readers }
services:
  wiki: { insecure_url: "http://wiki:8080" }
  dashboard: { insecure_url: "http://dashboard:8080" }
hosts:
  wiki.test:
    /*: { service: wiki, allow: [editor, reader] }
    /open: { service: wiki, allow: [anyone] }
    /dashboard/*: { service: dashboard, allow: [authenticated] }
`;
const first = await newSigningKeys(Date.now() / 1000);
const gateway = await startGateway(stage, { policy, files: { [KEYS]: first } });
const setup = { gateway, echoes: [wiki, dashboard] };
const claims = { aud: 'wiki', sub: 'ada', groups: ['editors', 'readers'] };
const token = await acme.sign(claims);
const roleless = await acme.sign({ ...claims, groups: [] });
const kids = (text: string): string[] => JSON.parse(text).keys.map(({ kid }: JWK) => kid);

/** Returns the only assertion of a request that passes. */
async function received(sent: Sent = { token }, echo = wiki): Promise<string> {
  await echo.clear();
  expect((await gateway.send('wiki.test', sent)).status).toBe(200);
  const [request] = await echo.requests();
  const values = valuesOf(request!, 'X-Meshgate-Assertion');
  expect(values).toHaveLength(1);
  return values[0]!;
}

async function published(): Promise<JSONWebKeySet> {
  const answer = await gateway.send('wiki.test', { path: '/.meshgate/jwks' });
  expect(answer.status).toBe(200);
  return answer.json();
}

/** @param keys of a service; by default those that are published now */
const verify = async (assertion: string, audience = 'wiki', keys?: JSONWebKeySet) =>
  jwtVerify(assertion, createLocalJWKSet(keys ?? (await published())), {
    issuer: ISSUER,
    audience,
    // On a slow machine it may have expired by now, which says nothing about its key.
    currentDate: new Date(decodeJwt(assertion).iat! * 1000),
    algorithms: ['ES256'],
    typ: 'meshgate+jwt',
    requiredClaims: ['exp', 'iat', 'sub'],
  });

/** More requests than were ever in flight here at once. */
const CONTEXTS = 8;

/** Replaces the key file and waits until the first key of this text signs. */
async function rotate(text: string): Promise<void> {
  await gateway.box.write({ [KEYS]: text });
  const [signs] = kids(text);
  const signing = async () => {
    const { status } = await gateway.send('wiki.test', { token });
    return status === 200 && decodeProtectedHeader(await received()).kid === signs;
  };
  // Each context reads the file separately, and requests use all contexts in turn.
  const everywhere = async () => {
    for (let requested = 0; requested < CONTEXTS; requested++) if (!(await signing())) return false;
    return true;
  };
  await until(everywhere, { what: `the key ${signs} to sign in every context` });
}

await ready(gateway, 'wiki.test', { token });
beforeEach(async () => {
  await Promise.all([wiki.clear(), dashboard.clear()]);
});

describe('the assertion that services receive', () => {
  test('is one header, signed with a published key, and names the caller', async () => {
    const { payload, protectedHeader } = await verify(await received());
    expect(protectedHeader).toEqual({ alg: 'ES256', kid: kids(first)[0], typ: 'meshgate+jwt' });
    expect(payload).toEqual({
      iss: ISSUER,
      aud: 'wiki',
      sub: 'acme-ada',
      provider: 'acme',
      roles: ['editor', 'reader'],
      iat: expect.any(Number),
      exp: payload.iat! + LIFETIME,
    });
  });

  test('has another audience for another service, and each service rejects the other’s', async () => {
    const assertion = await received({ token, path: '/dashboard/x' }, dashboard);
    expect((await verify(assertion, 'dashboard')).payload.aud).toBe('dashboard');
    await expect(verify(assertion, 'wiki')).rejects.toThrow(/aud/);
  });

  test('has another subject and other roles for another caller', async () => {
    const other = await acme.sign({ ...claims, sub: 'ben', groups: ['readers'] });
    expect(decodeJwt(await received({ token: other }))).toMatchObject({ sub: 'acme-ben', roles: ['reader'] });
  });

  gatewayCase(setup, {
    name: 'a client’s own assertion is erased, with or without a credential',
    host: 'wiki.test',
    request: { path: '/open', headers: { 'X-Meshgate-Assertion': 'forged' } },
    status: 200,
    upstream: { service: 'wiki', url: '/open', absent: ['X-Meshgate-Assertion'] },
  });

  test('replaces the client’s copy of its header, in every spelling', async () => {
    const headers: [string, string][] = [
      ['X-Meshgate-Assertion', 'forged'],
      ['x-meshgate-assertion', 'forged'],
      ['X_Meshgate_Assertion', 'forged'],
    ];
    const assertion = await received({ token, headers });
    await verify(assertion);
    const [request] = await wiki.requests();
    expect(JSON.stringify(request!.headers)).not.toContain('forged');
  });

  gatewayCase(setup, {
    name: 'a caller who is refused causes no assertion',
    host: 'wiki.test',
    request: { token: roleless },
    status: 403,
    reason: 'role_missing',
    answer: { 'X-Meshgate-Assertion': null },
  });

  test('stays the same for a known caller until half of its life is over', async () => {
    // No other test uses this caller, so an assertion that is signed once the caller is known is new.
    const sent = { token: await acme.sign({ ...claims, sub: 'eve' }) };
    await received(sent);
    const before = await received(sent);
    expect(await received(sent)).toBe(before);
    const after = await until(
      async () => {
        const now = await received(sent);
        return now === before ? undefined : now;
      },
      { what: 'another assertion than the first, signed in half of its life' },
    );
    const { iat, exp } = decodeJwt(before);
    const renewed = decodeJwt(after).iat!;
    expect(renewed).toBeGreaterThanOrEqual(iat! + LIFETIME / 2);
    expect(renewed).toBeLessThan(exp!);
    await verify(after);
  });
});

describe('an assertion is not accepted as a credential', () => {
  test('if it is sent to the gateway as a bearer token', async () => {
    const answer = await gateway.send('wiki.test', { token: await received() });
    expect([answer.status, answer.json().reason]).toEqual([401, 'issuer_unknown']);
  });

  test('even if a provider signed it, because its type is not that of an access token', async () => {
    const twin = await acme.sign(claims, { header: { typ: 'meshgate+jwt' } });
    const answer = await gateway.send('wiki.test', { token: twin });
    expect([answer.status, answer.json().reason]).toEqual([401, 'type_refused']);
  });
});

describe('the key set', () => {
  test('has only public keys, and may be cached', async () => {
    const answer = await gateway.send('wiki.test', { path: '/.meshgate/jwks' });
    expect(answer.header('Cache-Control')).toBe('public, max-age=300');
    expect(answer.header('Content-Type')).toBe('application/jwk-set+json');
    const { keys } = answer.json();
    expect(keys.map((key: JWK) => Object.keys(key).sort())).toEqual([
      ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'],
      ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'],
    ]);
    expect(keys.map(({ kid }: JWK) => kid)).toEqual(kids(first));
  });

  test('answers GET and HEAD, and no other method', async () => {
    const head = await gateway.send('wiki.test', { method: 'HEAD', path: '/.meshgate/jwks' });
    expect([head.status, head.text]).toEqual([200, '']);
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const answer = await gateway.send('wiki.test', { method, path: '/.meshgate/jwks' });
      expect([answer.status, answer.json().reason]).toEqual([404, 'route_unknown']);
    }
  });
});

describe('keys rotate without a reload', () => {
  test('the next key is published before it signs, and the previous key stays published', async () => {
    const mark = await waitForWorkers(gateway);
    const before = await published();
    const old = await received();
    const rotated = await rotateSigningKeys(first, Date.now() / 1000, true);
    if (!rotated.ok) throw new Error(rotated.error);
    await rotate(rotated.text);
    const assertion = await received();
    expect(decodeProtectedHeader(assertion).kid).not.toBe(decodeProtectedHeader(old).kid);
    // A service that still has the earlier key set verifies what the new key signs.
    await verify(assertion, 'wiki', before);
    await until(async () => (await published()).keys.length === 3, { what: 'three keys to be published' });
    await verify(old);
    await verify(assertion);
    await expectCleanLog(gateway, mark);
  });

  test('a broken or missing key file refuses only the requests that need it, until the file is good again', async () => {
    const secret = JSON.parse(first).keys[0].d as string;
    const [one, two] = JSON.parse(first).keys;
    const mixed = JSON.stringify({ keys: [{ ...one, d: two.d }] });
    for (const broken of ['', '{"keys":[', mixed]) {
      const mark = await waitForWorkers(gateway);
      await gateway.box.write({ [KEYS]: broken });
      const refused = await until(
        async () => {
          const answer = await gateway.send('wiki.test', { token });
          return answer.status === 503 ? answer : undefined;
        },
        { what: 'a refusal, since the broken file has been read' },
      );
      expect(refused.json()).toMatchObject({ reason: 'assertion_unavailable' });
      expect(refused.header('Retry-After')).toBe('1');
      expect((await gateway.send('wiki.test', { path: '/open' })).status).toBe(200);
      // The context of the key set may have read the file a moment before.
      const jwks = await until(
        async () => {
          const answer = await gateway.send('wiki.test', { path: '/.meshgate/jwks' });
          return answer.status === 200 ? undefined : answer;
        },
        { what: 'a refusal of the key set, since the broken file has been read' },
      );
      expect([jwks.status, jwks.json().reason]).toEqual([503, 'check_unavailable']);
      await rotate(first);
      await expectCleanLog(gateway, mark, [/nothing is signed/, /meshgate: signing keys \(/]);
      expect(gateway.box.logs.since(mark).join('\n')).not.toContain(secret.slice(0, 20));
    }
    await waitForWorkers(gateway);
    const lines = gateway.troubles().filter((line) => line.includes('nothing is signed'));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(KEYS);
  });

  test('a key that is not published does not verify', async () => {
    const key = await createKey('ES256', { kid: kids(first)[0]! });
    // Some contexts may not have read the valid file again yet.
    const genuine = await until(() => received().catch(() => undefined), {
      what: 'an assertion, since the good file has been read',
    });
    const forged = await signToken(key, { ...decodeJwt(genuine) }, { header: { typ: 'meshgate+jwt' } });
    await expect(verify(forged)).rejects.toThrow(/signature/);
  });
});
