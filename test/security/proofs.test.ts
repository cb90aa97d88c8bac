/** Attacks of a thief on tokens that are bound to a key: a real gateway, and the requests that reached the service. */
import { createHmac } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { newRing } from '../../src/session/keys/rotate-ring.ts';
import {
  createProofKey,
  type Gateway,
  gatewayCase,
  keepAlive,
  type ProofWish,
  ready,
  type Sent,
  signProof,
  startEcho,
  startGateway,
  startIssuer,
  testStage,
  waitForWorkers,
  withProof,
} from '../harness/index.ts';
import { reported } from './trap-fixture.ts';

const stage = await testStage('proofs');
const [echo, issuers] = await Promise.all([startEcho(stage, { alias: 'wiki' }), startIssuer(stage)]);
const acme = await issuers.create('acme');
const host = 'wiki.test';
const origin = `https://${host}`;

const policy = (proof: string) => `
version: 1
gateway: { insecure_http: true, listen: 8080, clock_skew: 5s${proof === '' ? '' : `, proof: ${proof}`} }
providers:
  acme: { issuer: ${acme.url}, audiences: [wiki], ca_file: /run/provider/ca.pem }
roles:
  staff: { group: staff }
${proof === '' ? '' : '  sure: { all: [staff, { bound: dpop }] }'}
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
  ${host}:
    /*: { service: wiki, allow: [staff] }
    /open/*: { service: wiki, allow: [anyone] }
${proof === '' ? '' : '    /sure/*: { service: wiki, allow: [sure] }\n  "*.apps.test": { /*: { service: wiki, allow: [staff] } }'}
`;
const keysFile = '/run/secrets/proof.jwks';
const ring = newRing(Date.now() / 1000);
const start = (proof: string, more: Partial<Parameters<typeof startGateway>[1]> = {}) =>
  startGateway(stage, { policy: policy(proof), ...more });
const shared = `{ nonce: true, keys_file: ${keysFile} }`;
const [gateway, workers, small, none, first, second, own] = await Promise.all([
  start('{ age: 20s }'),
  start('{}', { workers: 2, alias: 'workers' }),
  start('{ rate: 1/s, age: 60s }', { alias: 'small' }),
  start('', { alias: 'none' }),
  start(shared, { alias: 'first', files: { [keysFile]: ring } }),
  start(shared, { alias: 'second', files: { [keysFile]: ring } }),
  start('{ nonce: true }', { alias: 'own' }),
]);
const all = [gateway, workers, small, none, first, second, own];
const setup = { gateway, echoes: [echo] };

const [key, thief] = await Promise.all([createProofKey(), createProofKey()]);
const claims = { aud: 'wiki', sub: 'ada', groups: ['staff'] };
const bound = await acme.sign({ ...claims, cnf: { jkt: key.jkt } });
const unbound = await acme.sign(claims);

/** A request with the bound token and a proof of its own key, or with changes. */
async function proved(path = '/page', wish: Partial<ProofWish> = {}, signer = key): Promise<Sent> {
  const proof = await signProof(signer, { url: origin + path, token: bound, ...wish });
  return { path, headers: withProof(bound, proof), ...(wish.method && { method: wish.method }) };
}

const ask = async (of: Gateway, sent: Sent) => reported(await of.send(host, sent));

beforeAll(() => Promise.all(all.map((of) => ready(of, host, { token: unbound }))));

test('a bound token with a proof of its key passes, and neither reaches the service', async () => {
  await echo.clear();
  const answer = await gateway.send(host, await proved('/page?q=1', { url: `${origin}/page` }));
  expect(reported(answer)).toBe('200 -');
  expect(answer.header('DPoP-Nonce')).toBeUndefined();
  const [received] = await echo.requests();
  expect(received!.url).toBe('/page?q=1');
  expect(received!.headers.filter(([name]) => /^(authorization|dpop|x-meshgate-uri)$/i.test(name))).toEqual([]);
});

test.each(['ES384', 'ES512', 'PS256', 'RS256'])('a proof by %s passes', async (alg) => {
  const other = await createProofKey(alg);
  const token = await acme.sign({ ...claims, cnf: { jkt: other.jkt } });
  const proof = await signProof(other, { url: `${origin}/`, token });
  expect(await ask(gateway, { headers: withProof(token, proof) })).toBe('200 -');
});

test('a proof for a wildcard host is for the requested host', async () => {
  const to = { ...gateway.target(host), name: 'one.apps.test' };
  const agent = keepAlive(to);
  const send = async (htu: string) => {
    const headers = { Host: 'one.apps.test', ...(await proved('/x', { url: htu })).headers };
    return reported(await gateway.send('one.apps.test', { path: '/x', headers, agent }));
  };
  expect(await send('https://one.apps.test/x')).toBe('200 -');
  expect(await send('https://two.apps.test/x')).toBe('401 proof_invalid');
  agent.destroy();
});

const atRoot = await signProof(key, { url: `${origin}/`, token: bound });

describe('a stolen token', () => {
  const dpop = /^DPoP realm="wiki\.test", .*error="invalid_token".*, algs="ES256 ES384 ES512 PS256 RS256"$/;

  gatewayCase(setup, {
    name: 'as a bearer token is refused',
    host,
    request: { token: bound },
    status: 401,
    reason: 'proof_missing',
    answer: { 'WWW-Authenticate': dpop },
  });
  gatewayCase(setup, {
    name: 'as a bearer token with another caller’s proof is refused',
    host,
    request: { token: bound, headers: { DPoP: atRoot } },
    status: 401,
    reason: 'proof_missing',
  });
  gatewayCase(setup, {
    name: 'without a proof is refused',
    host,
    request: { headers: { Authorization: `DPoP ${bound}` } },
    status: 401,
    reason: 'proof_missing',
    answer: { 'WWW-Authenticate': /^DPoP .*error="invalid_dpop_proof"/ },
    log: { forbidden: [new RegExp(bound.split('.')[2]!)] },
  });
  gatewayCase(setup, {
    name: 'does not count as an anonymous caller on a public route',
    host,
    request: { path: '/open/x', token: bound },
    status: 401,
    reason: 'proof_missing',
  });
  test('is refused in whatever way it is sent if the gateway accepts no proofs', async () => {
    expect(await ask(none, { token: bound })).toBe('401 proof_missing');
    expect(await ask(none, await proved())).toBe('401 credential_unsupported');
    const answer = await none.send(host, { token: bound });
    expect(answer.text).toContain('this gateway accepts no proofs');
  });
  test('that no worker knows yet is refused as well', async () => {
    const fresh = await acme.sign({ ...claims, jti: 'new', cnf: { jkt: key.jkt } });
    expect(await ask(workers, { token: fresh })).toBe('401 proof_missing');
    expect(await ask(workers, { token: fresh })).toBe('401 proof_missing');
  });
  test('stays bound after it passed once, in every context of every worker', async () => {
    expect(await ask(workers, await proved())).toBe('200 -');
    const answers = await Promise.all(Array.from({ length: 40 }, () => ask(workers, { token: bound })));
    expect(new Set(answers)).toEqual(new Set(['401 proof_missing']));
  });
});

type Attack = readonly [name: string, detail: RegExp, wish: Partial<ProofWish>, signer?: typeof key];

/**
 * Each is refused twice, on one worker; nothing of it is remembered. The detail says that its flaw is the cause: a slow
 * machine cannot have it refused for its age.
 */
const attacks: readonly Attack[] = [
  ['of another key', /not bound to the key/, {}, thief],
  [
    'that names the right key and is signed by another',
    /signature does not match/,
    { header: { jwk: key.jwk } },
    thief,
  ],
  ['with the private key in it', /private member/, { header: { jwk: key.privateJwk } }],
  ['with a symmetric key', /"jwk"/, { header: { jwk: { kty: 'oct', k: 'c2VjcmV0' } } }],
  [
    'with no key, and a URL of one',
    /no "jwk"/,
    { header: { jwk: undefined, jku: `${acme.url}/jwks`, x5u: `${acme.url}/x` } },
  ],
  ['of another type', /type "JWT"/, { header: { typ: 'JWT' } }],
  ['that says that it is compressed', /"zip"/, { header: { zip: 'DEF' } }],
  ['for another method', /another method: "POST"/, { claims: { htm: 'POST' } }],
  ['for another path', /for "https:\/\/wiki\.test\/other"/, { url: `${origin}/other` }],
  ['for another host', /for "https:\/\/evil\.test\/page"/, { url: 'https://evil.test/page' }],
  ['for the host that the client names', /for "https:\/\/localhost\/page"/, { url: 'https://localhost/page' }],
  ['for plain HTTP', /for "http:\/\/wiki\.test\/page"/, { url: `http://${host}/page` }],
  ['for another token', /"ath"/, { token: unbound }],
  ['for a token endpoint', /"ath"/, { claims: { ath: undefined } }],
  ['made long ago', /too old/, { claims: { iat: Math.floor(Date.now() / 1000) - 60 } }],
  ['made in the future', /clocks differ/, { claims: { iat: Math.floor(Date.now() / 1000) + 3600 } }],
  ['made at no time', /"iat" is not a number/, { claims: { iat: undefined } }],
  ['made at the end of time', /clocks differ/, { claims: { iat: 1e300 } }],
  ['without a name', /"jti"/, { claims: { jti: undefined } }],
  ['with a name of 2,000 characters', /"jti"/, { claims: { jti: 'x'.repeat(2000) } }],
];

describe('a proof', () => {
  for (const [name, detail, wish, signer] of attacks) {
    gatewayCase(setup, {
      name: `${name} is refused`,
      host,
      request: () => proved('/page', wish, signer),
      status: 401,
      reason: 'proof_invalid',
      detail,
      answer: { 'WWW-Authenticate': /^DPoP .*error="invalid_dpop_proof"/ },
    });
  }

  const b64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const fresh = () => signProof(key, { url: `${origin}/page`, token: bound });
  /** Header and payload of a proof that is good except for its algorithm. */
  const headed = async (alg: string) =>
    `${b64({ typ: 'dpop+jwt', alg, jwk: key.jwk })}.${(await fresh()).split('.')[1]}`;

  gatewayCase(setup, {
    name: 'without a signature is refused',
    host,
    request: async () => ({ path: '/page', headers: withProof(bound, `${await headed('ES256')}.`) }),
    status: 401,
    reason: 'proof_invalid',
    detail: /not a signed JWT/,
  });
  gatewayCase(setup, {
    name: 'that says that it has no signature is refused',
    host,
    request: async () => ({ path: '/page', headers: withProof(bound, `${await headed('none')}.AAAA`) }),
    status: 401,
    reason: 'proof_invalid',
    detail: /"alg" is "none"/,
  });
  gatewayCase(setup, {
    name: 'signed with the public key as a secret is refused',
    host,
    request: async () => {
      const head = await headed('HS256');
      const hmac = createHmac('sha256', JSON.stringify(key.jwk)).update(head).digest('base64url');
      return { path: '/page', headers: withProof(bound, `${head}.${hmac}`) };
    },
    status: 401,
    reason: 'proof_invalid',
    detail: /"alg" is "HS256"/,
  });
  gatewayCase(setup, {
    name: 'in two headers is refused, though one is good',
    host,
    request: async () => ({
      path: '/page',
      headers: [
        ['Authorization', `DPoP ${bound}`],
        ['DPoP', await fresh()],
        ['DPoP', await fresh()],
      ],
    }),
    status: 401,
    reason: 'proof_invalid',
    detail: /several "DPoP" headers/,
  });
  gatewayCase(setup, {
    name: 'with a token that is bound to nothing is refused',
    host,
    request: async () => ({
      path: '/page',
      headers: withProof(unbound, await signProof(key, { url: `${origin}/page`, token: unbound })),
    }),
    status: 401,
    reason: 'proof_invalid',
    detail: /bound to no key/,
  });

  test('for another path or host is refused, even with headers that name that path or host', async () => {
    const other = await proved('/other');
    const reported = { 'X-Meshgate-Uri': '/other', 'X-Meshgate-Method': 'GET', 'X-Original-Uri': '/other' };
    expect(await ask(gateway, { path: '/page', headers: { ...other.headers, ...reported } })).toBe('401 proof_invalid');
    const evil = await proved('/page', { url: 'https://evil.test/page' });
    const host = { 'X-Meshgate-Host': 'evil.test', 'X-Forwarded-Host': 'evil.test' };
    expect(await ask(gateway, { path: '/page', headers: { ...evil.headers, ...host } })).toBe('401 proof_invalid');
  });

  test('for one method is refused for another; one for GET is refused for HEAD', async () => {
    expect(await ask(gateway, { ...(await proved()), method: 'POST' })).toBe('401 proof_invalid');
    expect((await gateway.send(host, { ...(await proved()), method: 'HEAD' })).status).toBe(401);
    expect(await ask(gateway, await proved('/page', { method: 'POST' }))).toBe('200 -');
  });

  test('is rejected for a token that is bound in two ways, or in an unknown way', async () => {
    for (const cnf of [{ jkt: key.jkt, 'x5t#S256': key.jkt }, { jwk: key.jwk }, { jkt: 'short' }, null]) {
      const token = await acme.sign({ ...claims, cnf });
      const proof = await signProof(key, { url: `${origin}/`, token });
      expect(await ask(gateway, { headers: withProof(token, proof) })).toBe('401 proof_invalid');
      expect(await ask(gateway, { token })).toBe('401 proof_invalid');
    }
  });

  test('does not help a token of another issuer’s key, or an expired one', async () => {
    const expired = await acme.sign({ ...claims, cnf: { jkt: key.jkt }, exp: 1_700_000_000 });
    const proof = await signProof(key, { url: `${origin}/`, token: expired });
    const answer = await gateway.send(host, { headers: withProof(expired, proof) });
    expect(reported(answer)).toBe('401 token_expired');
    expect(answer.header('WWW-Authenticate')).toMatch(/^DPoP .*error="invalid_token"/);
  });
});

describe('a replayed proof', () => {
  test('is refused, on the same worker', async () => {
    const sent = await proved();
    expect(await ask(gateway, sent)).toBe('200 -');
    await echo.clear();
    const again = await gateway.send(host, sent);
    expect(reported(again)).toBe('401 proof_replayed');
    expect(again.header('WWW-Authenticate')).toMatch(/^DPoP .*error="invalid_dpop_proof"/);
    expect(await echo.requests()).toEqual([]);
  });

  test('passes once among forty requests at the same time, on two workers', async () => {
    for (let round = 0; round < 3; round++) {
      const sent = await proved('/page', { claims: { jti: `race ${round}` } });
      const answers = await Promise.all(Array.from({ length: 40 }, () => ask(workers, sent)));
      expect(answers.filter((answer) => answer === '200 -')).toHaveLength(1);
      expect(answers.filter((answer) => answer === '401 proof_replayed')).toHaveLength(39);
    }
  });

  test('is refused after a reload, even if query and fragment differ', async () => {
    const sent = await proved();
    expect(await ask(workers, sent)).toBe('200 -');
    await workers.reload();
    expect(await ask(workers, sent)).toBe('401 proof_replayed');
    expect(await ask(workers, { ...sent, path: '/page?again' })).toBe('401 proof_replayed');
  });

  test('with the name of another client’s proof does not use that one up', async () => {
    const token = await acme.sign({ ...claims, cnf: { jkt: thief.jkt } });
    const proof = await signProof(thief, { url: `${origin}/page`, token, claims: { jti: 'mine' } });
    expect(await ask(gateway, { path: '/page', headers: withProof(token, proof) })).toBe('200 -');
    expect(await ask(gateway, await proved('/page', { claims: { jti: 'mine' } }))).toBe('200 -');
  });

  test('that was refused is not used up', async () => {
    const sent = await proved('/page', { claims: { jti: 'later' } });
    const [head, payload] = (sent.headers as Record<string, string>).DPoP!.split('.');
    const forged = { ...sent, headers: withProof(bound, `${head}.${payload}.${'A'.repeat(86)}`) };
    expect(await ask(gateway, forged)).toBe('401 proof_invalid');
    expect(await ask(gateway, sent)).toBe('200 -');
  });
});

/** A client of its own: a key, and a person's token that is bound to it. */
async function newClient(sub: string = crypto.randomUUID()): Promise<() => Promise<Sent>> {
  const own = await createProofKey();
  const token = await acme.sign({ ...claims, sub, cnf: { jkt: own.jkt } });
  return async () => ({
    path: '/page',
    headers: withProof(token, await signProof(own, { url: `${origin}/page`, token })),
  });
}

test('a client with too many requests fills no zone, and others pass', async () => {
  const [often, other] = await Promise.all([newClient(), newClient()]);
  const answers = new Set<string>();
  for (let sent = 0; sent < 40; sent++) answers.add(await ask(small, await often()));
  expect([...answers].sort()).toEqual(['200 -', '429 limit_exceeded']);
  expect(await ask(small, await other())).toBe('200 -');
});

test('a person with many keys fills no zone, and others pass', async () => {
  const answers: string[] = [];
  for (let sent = 0; sent < 40; sent++) answers.push(await ask(small, await (await newClient('eve'))()));
  expect(answers.slice(0, 3)).toEqual(Array(3).fill('200 -'));
  expect(answers.filter((answer) => answer === '429 limit_exceeded').length).toBeGreaterThan(20);
  expect(await ask(small, await (await newClient())())).toBe('200 -');
});

test('a full zone refuses, and is logged once', async () => {
  const target = small.target(host);
  const agent = keepAlive(target, 16);
  const mark = await waitForWorkers(small);
  const counts: Record<string, number> = {};
  for (let sent = 0; sent < 1600 && (counts['503 check_unavailable'] ?? 0) < 3; sent += 50) {
    // One person has a part of it, and so has one key.
    const requests = await Promise.all(Array.from({ length: 50 }, async () => (await newClient())()));
    for (const answer of await Promise.all(requests.map((one) => ask(small, { ...one, agent })))) {
      counts[answer] = (counts[answer] ?? 0) + 1;
    }
  }
  agent.destroy();
  // There is room for the configured rate: 1/s for 60 s, and 5 s in the future.
  expect(counts['200 -']).toBeGreaterThan(66);
  expect(counts['503 check_unavailable']).toBeGreaterThan(2);
  expect(Object.keys(counts).sort()).toEqual(['200 -', '503 check_unavailable']);
  await waitForWorkers(small);
  const lines = small.troubles(mark).filter((line) => line.includes('meshgate_proofs is full'));
  expect(lines).toHaveLength(1);
  expect(await ask(small, { token: unbound })).toBe('200 -');
});

describe('a role that needs a bound token', () => {
  test('is not given for a token that is bound in another way', async () => {
    expect(await ask(gateway, { path: '/sure/x', token: unbound })).toBe('403 role_missing');
    expect(await ask(gateway, await proved('/sure/x'))).toBe('200 -');
  });

  test('is refused with the scheme of the caller’s credential', async () => {
    const token = await acme.sign({ aud: 'wiki', sub: 'eve', cnf: { jkt: key.jkt } });
    const proof = await signProof(key, { url: `${origin}/sure/x`, token });
    const answer = await gateway.send(host, { path: '/sure/x', headers: withProof(token, proof) });
    expect(reported(answer)).toBe('403 role_missing');
    expect(answer.header('WWW-Authenticate') ?? 'DPoP').toMatch(/^DPoP/);
  });
});

test('a caller without a credential is told both schemes', async () => {
  const answer = await gateway.send(host);
  expect(reported(answer)).toBe('401 credential_missing');
  expect(answer.all('WWW-Authenticate')).toEqual([
    expect.stringMatching(/^Bearer realm="wiki\.test"/),
    expect.stringMatching(/^DPoP realm="wiki\.test", (?!.*error=).*algs="ES256 ES384 ES512 PS256 RS256"$/),
  ]);
  const metadata = await gateway.send(host, { path: '/.well-known/oauth-protected-resource' });
  expect(metadata.json().dpop_signing_alg_values_supported).toEqual(['ES256', 'ES384', 'ES512', 'PS256', 'RS256']);
  expect((await none.send(host)).all('WWW-Authenticate')).toEqual([expect.stringMatching(/^Bearer /)]);
});

/** A nonce of a gateway, as a client receives it. */
async function nonceOf(of: Gateway): Promise<string> {
  const answer = await of.send(host, await proved());
  expect(reported(answer)).toBe('401 proof_nonce_required');
  expect(answer.header('WWW-Authenticate')).toMatch(/^DPoP .*error="use_dpop_nonce"/);
  return answer.header('DPoP-Nonce')!;
}

describe('a nonce', () => {
  test.each([
    ['of keys that replicas share', first],
    ['of this gateway’s own key', own],
  ])('%s is requested, and with it a proof passes; the response has the next one', async (_, of) => {
    const nonce = await nonceOf(of);
    const answer = await of.send(host, await proved('/page', { nonce }));
    expect(reported(answer)).toBe('200 -');
    expect(answer.header('DPoP-Nonce')).toMatch(/^[\w-]{22}$/);
    expect(await ask(of, await proved('/page', { nonce: `${nonce.slice(1)}A` }))).toBe('401 proof_nonce_required');
    expect(await ask(of, await proved('/page', { claims: { nonce: [nonce] } }))).toBe('401 proof_nonce_required');
  });

  test('of one replica is accepted by the other', async () => {
    const nonce = await nonceOf(first);
    expect(await ask(second, await proved('/page', { nonce }))).toBe('200 -');
  });

  test('of another gateway is rejected, so that a proof is valid at only one of them', async () => {
    const sent = await proved('/page', { nonce: await nonceOf(own) });
    expect(await ask(first, sent)).toBe('401 proof_nonce_required');
    expect(await ask(own, sent)).toBe('200 -');
    expect(await ask(own, sent)).toBe('401 proof_replayed');
  });

  test('does not replace a signature', async () => {
    const nonce = await nonceOf(own);
    expect(await ask(own, await proved('/page', { nonce }, thief))).toBe('401 proof_invalid');
  });
});

test('no log line holds a token, a proof or a nonce', async () => {
  const nonce = await nonceOf(own);
  const sent = await proved('/page', { nonce });
  await own.send(host, sent);
  const secrets = [bound, (sent.headers as Record<string, string>).DPoP!].map((text) => text.split('.')[2]!);
  await Promise.all(all.map((of) => waitForWorkers(of)));
  const lines = all.flatMap((of) => of.box.logs.since(0));
  expect(lines.length).toBeGreaterThan(100);
  expect(lines.filter((line) => [...secrets, nonce].some((secret) => line.includes(secret)))).toEqual([]);
});
