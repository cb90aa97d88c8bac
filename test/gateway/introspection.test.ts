/** Opaque tokens: the provider introspects them (RFC 7662), once, and its answer is validated as the claims of a JWT
 * are. */
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  commandAt,
  createProofKey,
  type Document,
  gatewayCase,
  Memory,
  ready,
  signProof,
  startEcho,
  startGateway,
  startIssuer,
  startProvider,
  testStage,
  until,
  waitForWorkers,
  withMemory,
  withProof,
} from '../harness/index.ts';

const stage = await testStage('introspection');
const [wiki, provider, issuers] = await Promise.all([
  startEcho(stage, { alias: 'wiki' }),
  startProvider(stage),
  startIssuer(stage, { aliases: ['inside'] }),
]);
const made = await issuers.create('made');
await made.serveDiscovery({
  body: JSON.stringify({
    issuer: made.url,
    jwks_uri: `${issuers.origin}${made.jwksPath}`,
    introspection_endpoint: `${issuers.origin}/made/introspect`,
  }),
});
const led = await issuers.create('led');
await led.serveDiscovery({
  body: JSON.stringify({
    issuer: led.url,
    jwks_uri: `${issuers.origin}${led.jwksPath}`,
    introspection_endpoint: 'https://inside:8443/led/introspect',
  }),
});
const plain = await issuers.create('plain');
const secret = 'the client secret of the tests';
/** Seconds that a question to the provider `made` may take, and that a check waits for another one's answer. */
const TIMEOUT_S = 4;
const client = 'client: { id: wiki-asks, secret_file: /run/secrets/client }';
const policy = `
version: 1
gateway: { tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }, proof: { rate: 50/s } }
providers:
  corp: { issuer: "${provider.issuer}", audiences: ["api://wiki"], ca_file: /run/provider/ca.pem, ${client}, introspection: { cache: 2s, negative: 1s } }
  made: { issuer: ${made.url}, audiences: [wiki], clients: [cli], ca_file: /run/provider/ca.pem, ${client}, introspection: { cache: 60s, negative: 60s, timeout: ${TIMEOUT_S}s } }
  kept:
    issuer: ${issuers.origin}/kept
    audiences: [wiki]
    ca_file: /run/provider/ca.pem
    ${client}
    introspection: { endpoint: "${issuers.origin}/kept/introspect", cache: 1s, stale: 1h, timeout: 1s }
  plain: { issuer: ${plain.url}, audiences: [wiki], ca_file: /run/provider/ca.pem }
  led: { issuer: ${led.url}, audiences: [wiki], ca_file: /run/provider/ca.pem, ${client}, introspection: {} }
roles:
  staff: { any: [{ group: staff, provider: corp }, { group: staff, provider: made }, { group: staff, provider: kept }] }
services:
  wiki: { insecure_url: "http://wiki:8080" }
headers: { X-Forwarded-User: subject, X-Forwarded-Email: email }
hosts:
  corp.test: { providers: [corp], /*: { service: wiki, allow: [staff] } }
  made.test: { providers: [made], /*: { service: wiki, allow: [staff] } }
  kept.test: { providers: [kept], /*: { service: wiki, allow: [staff] } }
  led.test: { providers: [led], /*: { service: wiki, allow: [authenticated] } }
  open.test: { providers: [plain], /*: { service: wiki, service_credential: { bearer: opaque }, allow: [anyone] } }
`;
const gateway = await startGateway(stage, { policy, workers: 2, mutate: withMemory });
const memory = new Memory(gateway, 'made.test');
const setup = { gateway, echoes: [wiki] };
const [ada, cleo, jwt] = await Promise.all([
  provider.token('ada', 'wiki-opaque'),
  provider.token('cleo', 'wiki-opaque'),
  provider.token('ada'),
]);

let serial = 0;
/** A token that is not known yet. */
const fresh = () => `opaque-${++serial}-${'x'.repeat(20)}`;
const path = (name: string) => `/${name}/introspect`;
const hits = async (name: string) => (await issuers.hits())[path(name)] ?? 0;
const answer = (name: string, document: Document) => issuers.put({ [path(name)]: document });

const good = { active: true, aud: 'wiki', client_id: 'cli', sub: 'ada', groups: ['staff'], token_type: 'Bearer' };
const says = (name: string, claims: object, more: Document = {}) =>
  answer(name, { ...more, body: JSON.stringify({ ...good, exp: Math.floor(Date.now() / 1000) + 600, ...claims }) });

beforeAll(async () => {
  await says('made', {});
  await ready(gateway, 'corp.test', { token: jwt });
});

beforeEach(() => issuers.clearHits());

describe('an opaque token of a certified provider', () => {
  gatewayCase(setup, {
    name: 'passes with its subject',
    host: 'corp.test',
    request: { path: '/page', token: ada },
    status: 200,
    upstream: {
      headers: { 'X-Forwarded-User': 'ada', 'X-Forwarded-Email': 'ada@example.org' },
      absent: ['Authorization'],
    },
    log: { fields: { 'user.id': 'ada', 'meshgate.provider': 'corp' } },
  });

  gatewayCase(setup, {
    name: 'of a person without the role is refused',
    host: 'corp.test',
    request: { token: cleo },
    status: 403,
    reason: 'role_missing',
  });

  gatewayCase(setup, {
    name: 'that was never issued is not active',
    host: 'corp.test',
    request: { token: 'never-issued' },
    status: 401,
    reason: 'token_inactive',
    answer: { 'WWW-Authenticate': /error="invalid_token"/ },
  });

  gatewayCase(setup, {
    name: 'of another provider is not a token of this one',
    host: 'corp.test',
    request: { token: fresh() },
    status: 401,
    reason: 'token_inactive',
  });

  gatewayCase(setup, {
    name: 'is a credential of the service on a host without this provider, and identifies no caller',
    host: 'open.test',
    request: { path: '/page', token: ada },
    status: 200,
    upstream: { headers: { Authorization: `Bearer ${ada}` }, absent: ['X-Forwarded-User', 'X-Forwarded-Email'] },
    log: { fields: { 'user.id': '', 'meshgate.provider': '', 'meshgate.service_credential': 'bearer' } },
  });

  gatewayCase(setup, {
    name: 'a JWT beside it is verified by keys',
    host: 'corp.test',
    request: { token: jwt },
    status: 200,
    upstream: { headers: { 'X-Forwarded-User': 'ada' } },
  });

  test('is described by the command as the provider describes it', async () => {
    const files = { './meshgate.yaml': policy, '/run/provider/ca.pem': stage.ca.cert, '/run/secrets/client': secret };
    const says = async (text: string) => {
      const at = ['--online', 'GET', 'https://corp.test/page'];
      const ran = await commandAt(provider.box, { ...files, 't.txt': text }, 'token', 't.txt', ...at);
      for (const hidden of [text, secret]) expect(ran.out + ran.err).not.toContain(hidden);
      return ran;
    };
    const passed = await says(ada);
    expect([passed.code, passed.err], passed.out).toEqual([0, '']);
    expect(passed.out).toContain('caller     "ada" of corp; roles: staff');
    expect(await says(cleo)).toMatchObject({ code: 1, out: expect.stringContaining('denied: role_missing (403)') });
    expect(await says(fresh())).toMatchObject({ code: 1, out: expect.stringContaining('no: token_inactive (401)') });
  });

  test('is rejected after its provider revoked it, once the cached answer expires', async () => {
    const token = await provider.token('ada', 'wiki-opaque');
    expect((await gateway.send('corp.test', { token })).status).toBe(200);
    await provider.revoke(token, 'wiki-opaque');
    // State: the cached answer has expired, and the gateway has called the provider again.
    const last = await until(
      async () => {
        const refused = await gateway.send('corp.test', { token });
        return refused.status === 200 ? undefined : refused;
      },
      { what: 'the refusal of a token that was revoked at the provider' },
    );
    expect([last.status, last.json().reason]).toEqual([401, 'token_inactive']);
  });
});

/** An agent with this many connections, so that as many requests arrive at once without waiting for handshakes. */
async function connected(count: number) {
  const agent = gateway.keepAlive('made.test', count);
  const all = await Promise.all(Array.from({ length: count }, () => gateway.send('made.test', { agent })));
  expect(new Set(all.map(({ status }) => status))).toEqual(new Set([401]));
  return agent;
}

/**
 * Makes a try until its steps took less time than a question may take. In a longer one the gateway gives up the
 * questions that the provider holds, and rightly asks again.
 */
function withinTimeout<T>(attempt: (hold: string) => Promise<{ readonly seconds: number; readonly result: T }>) {
  let tries = 0;
  const inTime = async () => {
    await issuers.clearHits();
    const { seconds, result } = await attempt(`try ${++tries}`);
    return seconds < TIMEOUT_S ? { result } : undefined;
  };
  return until(inTime, { what: 'steps that take less time than a question may take' }).then(({ result }) => result);
}

/** Returns a function that says how many seconds have passed. */
function stopwatch(): () => number {
  const began = performance.now();
  return () => (performance.now() - began) / 1000;
}

describe('the provider', () => {
  test('is called as its OAuth client, by POST, and once', async () => {
    const token = fresh();
    for (let i = 0; i < 5; i++) expect((await gateway.send('made.test', { token })).status).toBe(200);
    expect(await hits('made')).toBe(1);
    const { method, authorization, body } = await issuers.last(path('made'));
    expect([method, body]).toEqual(['POST', `token=${token}&token_type_hint=access_token`]);
    expect(Buffer.from(authorization.slice('Basic '.length), 'base64').toString()).toBe(
      'wiki-asks:the+client+secret+of+the+tests',
    );
  });

  test('is called once for many requests with one new token, on all workers', async () => {
    const agent = await connected(60);
    const came = await withinTimeout(async (hold) => {
      await says('made', {}, { hold });
      const token = fresh();
      const passed = stopwatch();
      const all = Array.from({ length: 60 }, () => gateway.send('made.test', { token, agent }));
      await until(async () => (await memory.held('question places')) >= 3, {
        what: 'checks that wait for the answer to the first one',
      });
      await says('made', {});
      await issuers.release(hold);
      const statuses = (await Promise.all(all)).map(({ status }) => status);
      return { seconds: passed(), result: { statuses: [...new Set(statuses)], hits: await hits('made') } };
    });
    expect(came).toEqual({ statuses: [200], hits: 1 });
    agent.destroy();
  });

  test('is called once about a token that is not active, however often it is sent', async () => {
    await says('made', { active: false });
    const token = fresh();
    for (let i = 0; i < 5; i++) {
      const refused = await gateway.send('made.test', { token });
      expect([refused.status, refused.json().reason]).toEqual([401, 'token_inactive']);
    }
    expect(await hits('made')).toBe(1);
    await says('made', {});
  });

  test('is called about a limited number of tokens of one address at once', async () => {
    const agent = await connected(200);
    const requested = await withinTimeout(async (hold) => {
      await says('made', {}, { hold });
      const passed = stopwatch();
      const all = Array.from({ length: 200 }, () => gateway.send('made.test', { token: fresh(), agent }));
      await until(async () => (await hits('made')) >= 8, { what: '8 questions at the provider' });
      // Requests beyond the part of an address are refused at once.
      const first = (await Promise.race([Promise.any(all), Promise.all(all)])) as Awaited<(typeof all)[number]>;
      const result = { first: [first.status, first.json().reason], hits: await hits('made') };
      const seconds = passed();
      await says('made', {});
      await issuers.release(hold);
      const statuses = (await Promise.all(all)).map(({ status }) => status);
      // On a slow machine some requests have waited too long by now and are refused as well; others arrived after the
      // release, and passed.
      expect(statuses.filter((status) => ![200, 429, 503].includes(status))).toEqual([]);
      expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(1);
      return { seconds, result };
    });
    expect(requested).toEqual({ first: [429, 'limit_exceeded'], hits: 8 });
    expect((await gateway.send('made.test', { token: fresh() })).status).toBe(200);
    agent.destroy();
  });

  test('is not called about text that is not a token, or about a JWT that its keys verify', async () => {
    const forged = await made.sign(
      { aud: 'wiki', sub: 'eve', exp: 2_000_000_000 },
      { key: (await issuers.create('eve')).key },
    );
    const [head = '', payload = ''] = forged.split('.');
    const texts = [
      'a b',
      'ä',
      'tok<en>',
      forged,
      `${head}.${payload}.AAAA`,
      `${head}.${payload}.`,
      `${head}=.${payload}.x`,
    ];
    for (const text of texts) {
      const refused = await gateway.send('made.test', { headers: { Authorization: `Bearer ${text}` } });
      expect(refused.status, text).toBe(401);
    }
    expect(await hits('made')).toBe(0);
  });

  test('leaves no trace of the request to it in a log', async () => {
    const mark = await waitForWorkers(gateway);
    await answer('made', { status: 500, body: 'SECRET-of-the-provider' });
    const token = `${fresh()}-of-the-log`;
    expect((await gateway.send('made.test', { token })).json().reason).toBe('provider_unavailable');
    await gateway.box.logs.waitFor(/introspection by provider made: the introspection endpoint answered 500/, mark);
    await waitForWorkers(gateway, 'made.test');
    const log = gateway.box.logs.since(mark).join('\n');
    for (const secret of [
      token,
      'SECRET',
      'client secret',
      Buffer.from('wiki-asks:').toString('base64').slice(0, 10),
    ]) {
      expect(log).not.toContain(secret);
    }
    await says('made', {});
  });
});

describe('the answer of the provider about an active token is validated', () => {
  const past = () => Math.floor(Date.now() / 1000) - 600;
  const cases: readonly (readonly [string, () => object, string])[] = [
    ['for another audience', () => ({ aud: ['other', 'third'] }), 'audience_mismatch'],
    ['without an audience', () => ({ aud: undefined }), 'claim_absent'],
    ['of another issuer', () => ({ iss: 'https://issuers:8443/eve' }), 'issuer_unknown'],
    ['of a client that the policy does not name', () => ({ client_id: 'other' }), 'audience_mismatch'],
    ['a refresh token', () => ({ token_type: undefined }), 'type_refused'],
    ['a token of another type', () => ({ token_type: 'urn:example:refresh' }), 'type_refused'],
    ['a refresh token by its use', () => ({ token_use: 'refresh_token' }), 'type_refused'],
    ['a refresh token of Keycloak', () => ({ typ: 'Refresh' }), 'type_refused'],
    ['an expired one', () => ({ exp: past() }), 'token_expired'],
    ['one whose expiry is not a date', () => ({ exp: '2000000000' }), 'claim_absent'],
    ['one that is not valid yet', () => ({ nbf: past() + 1200 }), 'token_not_yet_valid'],
    ['one without a subject', () => ({ sub: undefined }), 'claim_absent'],
    ['one that is bound to a key, without a proof', () => ({ cnf: { jkt: 'x'.repeat(43) } }), 'proof_invalid'],
    ['one that is bound to a key that it does not name', () => ({ token_type: 'DPoP' }), 'proof_invalid'],
  ];

  test.each(cases)('%s', async (_, claims, reason) => {
    await says('made', claims());
    await wiki.clear();
    const token = fresh();
    for (const run of [1, 2]) {
      const refused = await gateway.send('made.test', { token });
      expect([refused.status, refused.json().reason], `run ${run}`).toEqual([401, reason]);
    }
    expect(await wiki.requests()).toEqual([]);
    await says('made', {});
  });

  test('a token that is bound to a DPoP key passes with a proof, and is introspected once', async () => {
    const [key, thief] = await Promise.all([createProofKey(), createProofKey()]);
    await says('made', { token_type: 'DPoP', cnf: { jkt: key.jkt } });
    const token = fresh();
    const proved = async (signer = key) =>
      withProof(token, await signProof(signer, { url: 'https://made.test/page', token }));
    const reasonOf = async (headers: Readonly<Record<string, string>>) =>
      (await gateway.send('made.test', { path: '/page', headers })).json().reason;
    await wiki.clear();
    for (const run of [1, 2]) {
      expect(await reasonOf({ Authorization: `Bearer ${token}` }), `run ${run}`).toBe('proof_missing');
      expect(await reasonOf({ Authorization: `DPoP ${token}` }), `run ${run}`).toBe('proof_missing');
      expect(await reasonOf(await proved(thief)), `run ${run}`).toBe('proof_invalid');
    }
    expect(await wiki.requests()).toEqual([]);
    const headers = await proved();
    const passed = await gateway.send('made.test', { path: '/page', headers });
    expect(passed.status, passed.text).toBe(200);
    expect(await reasonOf(headers)).toBe('proof_replayed');
    expect((await wiki.requests()).length).toBe(1);
    expect(await hits('made')).toBe(1);
    await says('made', {});
  });

  test('a token without "exp" is valid for as long as the answer is cached', async () => {
    await says('made', { exp: undefined });
    expect((await gateway.send('made.test', { token: fresh() })).status).toBe(200);
    await says('made', {});
  });
});

test('an endpoint that a discovery document places at a private address of another host is not called', async () => {
  await says('led', {});
  const mark = await waitForWorkers(gateway);
  const refused = await gateway.send('led.test', { token: fresh() });
  expect([refused.status, refused.json().reason]).toEqual([503, 'provider_unavailable']);
  await gateway.box.logs.waitFor(/introspection by provider led: .*is at the private address [\d.]+:8443/, mark);
});

describe('refuses the token if the provider’s answer is not valid', () => {
  const cases: readonly (readonly [string, Document, RegExp])[] = [
    ['text instead of a boolean', { body: '{"active":"true","sub":"ada","aud":"wiki"}' }, /without "active"/],
    ['a list', { body: '[{"active":true}]' }, /did not answer with a JSON object/],
    ['a page', { body: '<html>' }, /did not answer with a JSON object/],
    ['a redirect', { status: 302, headers: { Location: `https://issuers:8443${path('kept')}` } }, /answered 302/],
    ['the client is refused', { status: 401, body: '{"error":"invalid_client"}' }, /does not allow this client to ask/],
    ['an answer that is too long', { body: JSON.stringify(good), padTo: 100_000 }, /introspection answer is too long/],
    ['cut off', { body: JSON.stringify(good), cutAt: 20 }, /did not answer|answered 502/],
  ];

  test.each(cases)('%s', async (_, document, line) => {
    const mark = await waitForWorkers(gateway);
    await answer('made', document);
    const refused = await until(
      async () => {
        const tried = await gateway.send('made.test', { token: fresh() });
        expect([tried.status, tried.json().reason]).toEqual([503, 'provider_unavailable']);
        return gateway.box.logs.since(mark).some((text) => line.test(text)) ? tried : undefined;
      },
      { what: `an error log line like ${line}` },
    );
    expect(refused.header('Retry-After')).toBeDefined();
    await says('made', {});
    // An answer was about one token, and does not affect others; without an answer calls to the provider pause for a
    // second.
    const again = () => gateway.send('made.test', { token: fresh() });
    if (document.cutAt === undefined) expect((await again()).status).toBe(200);
    else await until(async () => (await again()).status === 200, { what: 'the provider to be asked again' });
  });
});

describe('a provider that does not answer', () => {
  /** Sends a token until it passes: on a slow machine the provider's answer may take longer than its one second. */
  const passes = (token: string) =>
    until(async () => (await gateway.send('kept.test', { token })).status === 200, {
      what: 'an answer of the provider within one second',
    });

  test('is replaced by its earlier answers if the policy allows that, and no other token passes', async () => {
    await says('kept', { client_id: undefined });
    const token = fresh();
    await passes(token);
    await answer('kept', { body: '{}', hold: 'away' });
    const mark = await waitForWorkers(gateway);
    const other = await gateway.send('kept.test', { token: fresh() });
    expect([other.status, other.json().reason]).toEqual([503, 'provider_unavailable']);
    await gateway.box.logs.waitFor(/introspection by provider kept: .*within 1 s/, mark);
    // State: the cached answer has expired, so the gateway has called the provider again without success; the token
    // still passes.
    const before = await hits('kept');
    await until(
      async () => {
        expect((await gateway.send('kept.test', { token })).status).toBe(200);
        return (await hits('kept')) > before;
      },
      { what: 'another question about the token', everyMs: 100 },
    );
    await says('kept', { active: false });
    await issuers.release('away');
    await until(async () => (await gateway.send('kept.test', { token })).status === 401, {
      what: 'the refusal, since the provider was asked again and says no',
    });
  });

  test('that publishes no keys is called about its JWTs too', async () => {
    await says('kept', { client_id: undefined, sub: 'ben' });
    const issuer = `${issuers.origin}/kept`;
    const token = await made.sign({ iss: issuer, aud: 'wiki', sub: 'ben' });
    await passes(token);
    const body = new URLSearchParams((await issuers.last(path('kept'))).body);
    expect(body.get('token')).toBe(token);
    const foreign = await made.sign({ aud: 'wiki', sub: 'ben' });
    expect((await gateway.send('kept.test', { token: foreign })).json().reason).toBe('issuer_unknown');
  });
});
