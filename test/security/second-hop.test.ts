/** Requests at the inner listener that are not allowed, and attempts from outside: each is refused with its own
 * reason. */
import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import { newSigningKeys } from '../../src/assertion/rotate.ts';
import { hidden, KEYS, query, secret, spiffe, startHopLab } from '../harness/hop.ts';
import {
  createCa,
  createKey,
  expectCleanLog,
  gatewayCase,
  keepAlive,
  type Sent,
  send,
  signToken,
  until,
  waitForWorkers,
} from '../harness/index.ts';

const lab = await startHopLab('second hop, refused');
const { stage, acme, envoy, gateway, setup, ann, keys, given, toBoard, hop, changed } = lab;
const { ofWiki, ofBoard, ofVault: ofKeyring, ofGateway } = lab;

describe('requests that the policy does not allow', () => {
  gatewayCase(setup, {
    name: 'roles that do not travel allow nothing',
    host: 'board.test',
    inner: ofWiki,
    request: query(given, { method: 'POST', body: 'x' }),
    status: 403,
    reason: 'role_missing',
    log: { fields: { 'user.id': 'acme-ann', 'meshgate.agent': 'wiki-pages' }, ...hidden(ofWiki, given) },
  });

  gatewayCase(setup, {
    name: 'a route without a rule for the agent, even if the person has one',
    host: 'board.test',
    inner: ofWiki,
    request: query(given, { path: '/admin/x' }),
    status: 403,
    reason: 'actor_not_allowed',
    log: {
      fields: { 'user.id': 'acme-ann', 'meshgate.agent': 'wiki-pages', 'http.route': 'board.test/admin/*' },
      ...hidden(ofWiki, given),
    },
  });

  gatewayCase(setup, {
    name: 'a route with a rule for another agent',
    host: 'vault.test',
    inner: ofWiki,
    request: query(given),
    status: 403,
    reason: 'actor_not_allowed',
    log: hidden(ofWiki, given),
  });

  gatewayCase(setup, {
    name: 'a host without agents is not served, even if it is public outside',
    host: 'plain.test',
    inner: ofWiki,
    request: query(given),
    status: 421,
    reason: 'host_unknown',
    log: hidden(ofWiki, given),
  });

  gatewayCase(setup, {
    name: 'a path that is not canonical',
    host: 'board.test',
    inner: ofWiki,
    request: query(given, { path: '/a/..%2fadmin/x' }),
    status: 400,
    reason: 'path_not_canonical',
    log: hidden(ofWiki, given),
  });
});

const strangers = await createCa('another mesh');
const past = new Date(Date.now() - 60_000);
const certificates: [string, string, string, number, RegExp][] = [
  ['no certificate', '', 'proof_missing', 401, /client certificate/],
  ['one of another CA', (await strangers.client(spiffe('wiki'))).pem, 'proof_invalid', 401, /X\.509-SVID/],
  [
    'one that has expired',
    (await stage.meshCa.client(spiffe('wiki'), { notAfter: past })).pem,
    'proof_invalid',
    401,
    /./,
  ],
  ['one without a SPIFFE id', (await stage.meshCa.issue({ dns: ['wiki.test'] })).pem, 'proof_invalid', 401, /no URI/],
  [
    'one with two',
    (await stage.meshCa.issue({ uris: [spiffe('wiki'), spiffe('board')] })).pem,
    'proof_invalid',
    401,
    /more than one URI/,
  ],
  [
    'one with a web address',
    (await stage.meshCa.issue({ uris: ['https://example.org/ns/wiki/sa/wiki'] })).pem,
    'proof_invalid',
    401,
    /not the SPIFFE id/,
  ],
  [
    'that of another agent',
    ofBoard,
    'audience_mismatch',
    401,
    /for the service wiki, and the certificate is that of board/,
  ],
  ['that of a service that is not an agent', ofKeyring, 'actor_not_allowed', 403, /no agent/],
  ['that of the gateway itself', ofGateway, 'actor_not_allowed', 403, /no agent/],
];

describe('the assertion with the wrong certificate', () => {
  for (const [name, pem, reason, status, detail] of certificates) {
    gatewayCase(setup, {
      ...{ name, host: 'board.test', inner: pem, request: query(given), status, reason },
      answer: { 'WWW-Authenticate': status === 401 ? /error="invalid_token"/ : null },
      log: hidden(pem, given),
    });

    test(`${name}: the refusal says what was wrong`, async () => {
      const answer = await send(gateway.inner('board.test', pem === '' ? undefined : pem), query(given));
      expect(answer.json().detail).toMatch(detail);
      expect(answer.text).not.toMatch(secret(given));
    });
  }

  test('an assertion that expires while its connection is open', async () => {
    // One whose connection the gateway has accepted before its end: on a busy machine the first one may come too late.
    const { target, agent } = await until(
      async () => {
        const notAfter = new Date(Math.ceil(Date.now() / 1000) * 1000 + 2000);
        const target = gateway.inner('board.test', (await stage.meshCa.client(spiffe('wiki'), { notAfter })).pem);
        const agent = keepAlive(target, 1);
        if ((await send(target, query(given, { agent }))).status === 200) return { target, agent };
        agent.destroy();
        return undefined;
      },
      { what: 'a connection whose certificate holds' },
    );
    const answer = await until(
      async () => {
        const one = await send(target, query(given, { agent }));
        return one.status === 200 ? undefined : one;
      },
      { what: 'the end of the certificate' },
    );
    agent.destroy();
    expect([answer.status, answer.json().detail]).toEqual([401, 'the client certificate has expired']);
  });

  gatewayCase(setup, {
    name: 'none, to a host that is not there',
    host: 'plain.test',
    inner: '',
    request: {},
    status: 401,
    reason: 'proof_missing',
  });
});

const now = Math.floor(Date.now() / 1000);
const stranger = await createKey('ES256', { kid: keys.kid });
const typ = { header: { typ: 'meshgate+jwt' } };
const credentials: [string, string, Sent, string][] = [
  ['none', ofWiki, {}, 'credential_missing'],
  ['an empty one', ofWiki, query(''), 'credential_missing'],
  ['a token in its place', ofWiki, query(ann), 'issuer_unknown'],
  ['a bearer token', ofWiki, { token: ann }, 'credential_unsupported'],
  ['a bearer token beside it', ofWiki, query(given, { token: ann }), 'credential_unsupported'],
  ['itself as a bearer token', ofWiki, { token: given }, 'credential_unsupported'],
  ['one that has expired', ofWiki, query(await changed({ iat: now - 700, exp: now - 100 })), 'token_expired'],
  ['one of another issuer', ofWiki, query(await changed({ iss: acme.url })), 'issuer_unknown'],
  ['one for another service', ofWiki, query(await changed({ aud: 'board' })), 'audience_mismatch'],
  ['one for two services', ofWiki, query(await changed({ aud: ['wiki', 'board'] })), 'claim_absent'],
  [
    'one of a provider that the policy no longer has',
    ofWiki,
    query(await changed({ provider: 'old' })),
    'issuer_unknown',
  ],
  ['one of another key', ofWiki, query(await signToken(stranger, { ...decodeJwt(given) }, typ)), 'signature_invalid'],
  ['one of another length', ofWiki, query(given.replace(/[^.]+$/, 'A'.repeat(88))), 'signature_invalid'],
  ['no JWT', ofWiki, query('x'), 'token_malformed'],
];

describe('the right certificate with another credential', () => {
  for (const [name, inner, request, reason] of credentials) {
    const assertion = (request.headers as Record<string, string> | undefined)?.['X-Meshgate-Assertion'] ?? '';
    gatewayCase(setup, {
      ...{ name, host: 'board.test', inner, request, status: 401, reason },
      log: hidden(inner, ...(assertion.length > 40 ? [assertion] : [])),
    });
  }

  test('two credentials', async () => {
    const headers: [string, string][] = [
      ['X-Meshgate-Assertion', given],
      ['X-Meshgate-Assertion', given],
    ];
    const answer = await send(gateway.inner('board.test', ofWiki), { headers });
    expect([answer.status, answer.json().reason]).toEqual([401, 'token_malformed']);
  });

  test('a hostile request changes nothing for the next one', async () => {
    for (let i = 0; i < 3; i++) {
      for (const [, pem, sent] of credentials)
        expect((await send(gateway.inner('board.test', pem), sent)).status).toBe(401);
      expect((await hop('board.test', ofWiki, given)).status).toBe(200);
      expect((await hop('board.test', ofBoard, given)).json().reason).toBe('audience_mismatch');
    }
  });
});

describe('at the public listener', () => {
  gatewayCase(setup, {
    name: 'an assertion is not accepted as a credential, even with a header that names a certificate',
    host: 'board.test',
    request: query(given, { headers: { 'SSL-Client-Cert': encodeURIComponent(ofWiki.slice(0, 800)) } }),
    status: 401,
    reason: 'credential_missing',
    log: hidden(ofWiki, given),
  });

  test('a service at the wrong listener is told so, and other clients are not', async () => {
    const detail = async (sent: Sent) => (await gateway.send('board.test', sent)).json().detail;
    expect(await detail(query(given))).toMatch(/^An assertion is no credential here: services use the inner/);
    expect(await detail({})).toMatch(/^Send a token/);
    expect(await detail(query(given, { token: 'x' }))).toMatch(/three parts/);
  });

  gatewayCase(setup, {
    name: 'it is not accepted as a token either',
    host: 'board.test',
    request: { token: given },
    status: 401,
    reason: 'issuer_unknown',
  });

  gatewayCase(setup, {
    name: 'a person’s request has no agent, whatever its headers say',
    host: 'board.test',
    request: query(given, {
      token: ann,
      headers: { 'X-Meshgate-Agent': 'wiki-pages', 'X-Forwarded-Actor': spiffe('wiki') },
    }),
    status: 200,
    upstream: {
      service: 'board',
      headers: {
        'X-Forwarded-User': 'acme-ann',
        'X-Forwarded-Roles': 'staff,admin',
        'X-Meshgate-Rule': 'board.test/*#1',
      },
      absent: ['X-Forwarded-Actor', 'X-Meshgate-Agent', 'SSL-Client-Cert'],
    },
    log: { fields: { 'meshgate.agent': '', 'user.roles': 'staff,admin' }, ...hidden('', given) },
  });

  test('the inner check is not reachable from either side', async () => {
    for (const path of ['/.meshgate/hop/board.test/*', '/.meshgate/check/board.test/*', '/.meshgate/certificate']) {
      const outside = await gateway.send('board.test', { path, token: ann });
      expect([path, outside.status, outside.json().reason]).toEqual([path, 404, 'route_unknown']);
      const inside = await hop('board.test', ofWiki, given, { path });
      expect([path, inside.status, inside.json().reason]).toEqual([path, 404, 'route_unknown']);
    }
  });
});

describe('the mesh', () => {
  const straight = (pem: string | undefined, assertion: string) =>
    envoy.send(pem, 'board.mesh', { headers: { 'X-Meshgate-Assertion': assertion } });

  test('accepts the gateway’s assertion for the agent, over the gateway’s identity', async () => {
    expect((await straight(ofGateway, toBoard)).status).toBe(200);
  });

  test('refuses the assertion that the wiki received, sent directly to the dashboard', async () => {
    expect((await straight(ofGateway, given)).status).toBe(403);
    await expect(straight(ofWiki, given)).rejects.toThrow();
    await expect(straight(undefined, given)).rejects.toThrow();
  });

  test('and the one that the dashboard received, from any sender except the gateway', async () => {
    await expect(straight(ofWiki, toBoard)).rejects.toThrow();
    await expect(straight(ofBoard, toBoard)).rejects.toThrow();
  });

  test('an agent’s assertion matches no rule for people', async () => {
    const answer = await envoy.send(ofGateway, 'board.mesh', {
      path: '/admin/x',
      headers: { 'X-Meshgate-Assertion': toBoard },
    });
    expect(answer.status).toBe(403);
  });
});

test('services of a CA that is added to the bundle are accepted without a reload', async () => {
  const mark = await waitForWorkers(gateway);
  const { pem } = await strangers.client(spiffe('wiki'));
  expect((await hop('board.test', pem, given)).json().reason).toBe('proof_invalid');
  await gateway.box.write({ '/run/inner/services.pem': stage.meshCa.cert + strangers.cert });
  await until(async () => (await hop('board.test', pem, given)).status === 200, {
    what: 'the other CA to be trusted',
  });
  expect((await hop('board.test', ofWiki, given)).status).toBe(200);
  await waitForWorkers(gateway);
  const reported = gateway.box.logs.since(mark).filter((line) => /meshgate: CA of clients/.test(line));
  expect(reported).toEqual([
    expect.stringMatching(/\[warn\].*ca_changed: the file has other certificates now, so nginx reloads/),
  ]);
});

describe('the key', () => {
  test('an assertion whose key is no longer published is rejected, a known one too', async () => {
    const mark = await waitForWorkers(gateway);
    expect((await hop('board.test', ofWiki, given)).status).toBe(200);
    await gateway.box.write({ [KEYS]: await newSigningKeys(Date.now() / 1000) });
    const answer = await until(
      async () => {
        const one = await hop('board.test', ofWiki, given);
        return one.status === 401 ? one : undefined;
      },
      { what: 'the end of the key' },
    );
    expect(answer.json().reason).toBe('key_unknown');
    await expectCleanLog(gateway, mark);
  });
});
