/** Known attacks on tokens, sent to a real gateway. */
import { createHmac, sign as signBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  createKey,
  forgeToken,
  gatewayCase,
  plainRequest,
  privatePem,
  ready,
  startEcho,
  startGateway,
  startIssuer,
  testStage,
  until,
  waitForWorkers,
} from '../harness/index.ts';

const stage = await testStage('tokens');
const echo = await startEcho(stage, { alias: 'wiki' });
const issuers = await startIssuer(stage);
const acme = await issuers.create('acme');
const other = await issuers.create('other', { alg: 'ES256' });
const policy = `
version: 1
gateway: { insecure_http: true, listen: 8080, clock_skew: 1s }
providers:
  acme: { issuer: ${acme.url}, audiences: [wiki], ca_file: /run/provider/ca.pem }
  other: { issuer: ${other.url}, audiences: [wiki], ca_file: /run/provider/ca.pem, subject: { claim: sub, prefix: other- } }
  ops: { issuer: ${acme.url}, audiences: [ops], clients: [console], ca_file: /run/provider/ca.pem }
roles:
  staff: { group: staff, provider: acme }
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
  wiki.test: { providers: [acme], /*: { service: wiki, allow: [authenticated] }, /staff: { service: wiki, allow: [staff] }, /open: { service: wiki, allow: [anyone] } }
  other.test: { providers: [other], /*: { service: wiki, allow: [authenticated] } }
  ops.test: { providers: [ops], /*: { service: wiki, allow: [authenticated] } }
`;
const gateway = await startGateway(stage, { policy });
const setup = { gateway, echoes: [echo] };
const claims = { aud: 'wiki', sub: 'ada', groups: ['staff'] };
const good = await acme.sign(claims);
const now = Math.floor(Date.now() / 1000);
await ready(gateway, 'wiki.test', { token: good });
await ready(gateway, 'other.test', { token: await other.sign(claims) });

const b64 = (text: string) => Buffer.from(text).toString('base64url');
const [goodHeader, goodPayload, goodSignature] = good.split('.') as [string, string, string];
const payload = { iss: acme.url, exp: now + 600, iat: now, ...claims };
const kid = acme.key.jwk.kid as string;

/** A token whose payload is any bytes, under a signature of acme's key. */
const signText = async (payloadBytes: string | Buffer) => {
  const part = Buffer.from(payloadBytes as string).toString('base64url');
  const input = `${b64(JSON.stringify({ alg: 'RS256', kid }))}.${part}`;
  return `${input}.${signBytes('sha256', Buffer.from(input), await privatePem(acme.key)).toString('base64url')}`;
};

/** HS256 with the public key's own text as the key, in the forms that libraries have accepted. */
const confused = (secret: string) => {
  const input = `${b64(JSON.stringify({ alg: 'HS256', kid }))}.${b64(JSON.stringify(payload))}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
};

const duplicated = await signText(JSON.stringify({ ...payload, sub: 'last' }).replace('{', '{"sub":"first",'));

const trap = 'https://issuers:8443/trap';
const mallory = await createKey('RS256', { kid });
const embedded = (header: Record<string, unknown>) => acme.sign(claims, { key: mallory, header: { kid, ...header } });

const refused: [name: string, reason: string, token: string][] = [
  ['alg none', 'algorithm_refused', forgeToken({ alg: 'none' }, payload, goodSignature)],
  ['alg none without a signature', 'token_malformed', forgeToken({ alg: 'none' }, payload)],
  ['alg nOnE', 'algorithm_refused', forgeToken({ alg: 'nOnE', kid }, payload, goodSignature)],
  ['HS256 with the public key as JSON', 'algorithm_refused', confused(JSON.stringify(acme.key.jwk))],
  ['HS256 with the public modulus', 'algorithm_refused', confused(String(acme.key.jwk.n))],
  ['a key of another type', 'key_unknown', forgeToken({ alg: 'ES256', kid }, payload, b64('x'.repeat(64)))],
  [
    'unknown crit',
    'token_malformed',
    await acme
      .sign(claims, { header: { crit: ['exp2'], exp2: 1 } })
      .catch(() => forgeToken({ alg: 'RS256', kid, crit: ['exp2'], exp2: 1 }, payload, goodSignature)),
  ],
  ['an embedded jwk', 'signature_invalid', await embedded({ jwk: mallory.jwk })],
  ['a jku', 'signature_invalid', await embedded({ jku: trap })],
  ['an x5u', 'signature_invalid', await embedded({ x5u: trap })],
  ['an x5c', 'signature_invalid', await embedded({ x5c: ['AAAA'] })],
  [
    'another payload under a good signature',
    'signature_invalid',
    `${goodHeader}.${b64(JSON.stringify({ ...payload, sub: 'eve' }))}.${goodSignature}`,
  ],
  ['padding', 'token_malformed', `${good}=`],
  ['a space inside', 'token_malformed', `${goodHeader}. ${goodPayload}.${goodSignature}`],
  ['a fourth part', 'token_malformed', `${good}.${goodSignature}`],
  ['an empty token text', 'token_malformed', '..'],
  ['another issuer', 'issuer_unknown', await acme.sign({ ...claims, iss: `${acme.url}/` })],
  ['no issuer', 'issuer_unknown', await acme.sign({ ...claims, iss: undefined })],
  ['another audience', 'audience_mismatch', await acme.sign({ ...claims, aud: 'ops' })],
  ['no audience', 'claim_absent', await acme.sign({ ...claims, aud: undefined })],
  ['an audience that contains the right one', 'audience_mismatch', await acme.sign({ ...claims, aud: 'wiki2' })],
  ['expired', 'token_expired', await acme.sign({ ...claims, exp: now - 10 })],
  ['exp missing', 'claim_absent', await acme.sign({ ...claims, exp: undefined })],
  [
    'exp 1e300',
    'claim_absent',
    await signText(JSON.stringify({ ...payload, exp: 0 }).replace('"exp":0', '"exp":1e300')),
  ],
  ['exp negative', 'token_expired', await signText(JSON.stringify({ ...payload, exp: -1 }))],
  ['exp a string', 'claim_absent', await signText(JSON.stringify({ ...payload, exp: String(now + 600) }))],
  ['nbf in the future', 'token_not_yet_valid', await acme.sign({ ...claims, nbf: now + 600 })],
  ['iat in the future', 'token_not_yet_valid', await acme.sign({ ...claims, iat: now + 600 })],
  ['no subject', 'claim_absent', await acme.sign({ ...claims, sub: undefined })],
  ['an ID token', 'type_refused', await acme.sign({ ...claims, nonce: 'n' }, { header: { typ: 'JWT' } })],
  [
    'an ID token with at_hash',
    'type_refused',
    await acme.sign({ ...claims, at_hash: 'x' }, { header: { typ: undefined } }),
  ],
  ['a logout token', 'type_refused', await acme.sign({ ...claims, events: {} }, { header: { typ: 'logout+jwt' } })],
  ['an assertion of a gateway', 'type_refused', await acme.sign(claims, { header: { typ: 'meshgate+jwt' } })],
  ['a DPoP proof', 'type_refused', await acme.sign(claims, { header: { typ: 'dpop+jwt' } })],
  ['deep JSON that names no issuer', 'issuer_unknown', await signText(`{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`)],
  [
    'invalid UTF-8',
    'token_malformed',
    await signText(Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')])),
  ],
  ['a payload that is an array', 'token_malformed', await signText('[]')],
  ['a payload that is not JSON', 'token_malformed', await signText('hello')],
  ['20 KB of token', 'token_malformed', await acme.sign({ ...claims, pad: 'x'.repeat(15_000) })],
];

describe('tokens that are refused, each with its reason, and without a call to the service', () => {
  for (const [name, reason, token] of refused) {
    gatewayCase(setup, {
      name,
      host: 'wiki.test',
      request: { token },
      status: 401,
      reason,
      answer: { 'WWW-Authenticate': /^Bearer realm="wiki\.test", .*error="invalid_token"/ },
    });
  }

  test('no key was fetched from an address in a token', async () => {
    expect((await issuers.hits())['/trap'] ?? 0).toBe(0);
  });
});

test('a hostile token changes nothing for the next request on that worker', async () => {
  const mark = await waitForWorkers(gateway);
  const forged = `${goodHeader}.${b64(JSON.stringify({ ...payload, sub: 'eve' }))}.${goodSignature}`;
  for (let round = 0; round < 5; round++) {
    for (const [, , hostile] of refused) {
      expect((await gateway.send('wiki.test', { token: hostile })).status).toBe(401);
    }
    expect((await gateway.send('wiki.test', { token: forged })).json().reason).toBe('signature_invalid');
    expect((await gateway.send('wiki.test', { token: good })).status).toBe(200);
  }
  // The log has a line of each request.
  await gateway.box.logs.waitForJson(5 * (refused.length + 2), mark);
});

describe('one credential decides, and a bad one never falls back to another', () => {
  const anyone = { host: 'wiki.test' } as const;
  gatewayCase(setup, {
    ...anyone,
    name: 'a public route without a credential passes, without identity',
    request: { path: '/open' },
    status: 200,
    upstream: { absent: ['X-Forwarded-User', 'Authorization'] },
  });
  gatewayCase(setup, {
    ...anyone,
    name: 'a public route with a valid token sends its headers',
    request: { path: '/open', token: good },
    status: 200,
    upstream: { headers: { 'X-Forwarded-User': 'ada' }, absent: ['Authorization'] },
  });
  gatewayCase(setup, {
    ...anyone,
    name: 'a public route with an invalid token is refused',
    request: { path: '/open', token: refused[0]![2] },
    status: 401,
    reason: 'algorithm_refused',
  });
  gatewayCase(setup, {
    ...anyone,
    name: 'another scheme is refused on a public route',
    request: { path: '/open', headers: { Authorization: 'Basic YTpi' } },
    status: 401,
    reason: 'credential_unsupported',
    answer: { 'WWW-Authenticate': /^Bearer realm="wiki\.test", resource_metadata="[^"]+"$/ },
  });
  gatewayCase(setup, {
    ...anyone,
    name: 'the scheme alone is refused',
    request: { headers: { Authorization: 'Bearer' } },
    status: 401,
    reason: 'credential_unsupported',
  });
  gatewayCase(setup, {
    ...anyone,
    name: 'two tokens in one header are refused',
    request: { headers: { Authorization: `Bearer ${good}, Bearer ${good}` } },
    status: 401,
    reason: 'token_malformed',
    log: { forbidden: [new RegExp(goodSignature)] },
  });
  gatewayCase(setup, {
    ...anyone,
    name: 'a token in the query is refused',
    request: { path: `/x?access_token=${good}` },
    status: 401,
    reason: 'credential_unsupported',
    log: { forbidden: [new RegExp(goodSignature)] },
  });
  gatewayCase(setup, {
    ...anyone,
    name: 'two spaces after the scheme count as one',
    request: { headers: { Authorization: `Bearer  ${good}` } },
    status: 200,
  });
  gatewayCase(setup, {
    ...anyone,
    name: 'a lower-case scheme is accepted',
    request: { headers: { authorization: `bearer ${good}` } },
    status: 200,
  });
  gatewayCase(setup, {
    ...anyone,
    name: 'two Authorization headers are refused by nginx with 400',
    request: {
      raw: plainRequest('wiki.test', {
        headers: [
          ['Authorization', `Bearer ${good}`],
          ['Authorization', `Bearer ${good}`],
        ],
      }),
    },
    status: 400,
    reason: 'request_malformed',
  });
  gatewayCase(setup, {
    ...anyone,
    name: 'duplicate members: the last one counts, as it was signed',
    request: { token: duplicated },
    status: 200,
    upstream: { headers: { 'X-Forwarded-User': 'last' } },
  });
});

describe('a verification for one host is not reused for another with other rules', () => {
  test('another provider', async () => {
    for (const run of [1, 2, 3]) {
      expect((await gateway.send('wiki.test', { token: good })).status, `run ${run}`).toBe(200);
      expect((await gateway.send('other.test', { token: good })).json().reason).toBe('issuer_unknown');
    }
  });

  test('the same issuer with another audience and client', async () => {
    const both = await acme.sign({ ...claims, aud: ['wiki', 'ops'], azp: 'elsewhere' });
    for (const run of [1, 2, 3]) {
      expect((await gateway.send('wiki.test', { token: both })).status, `run ${run}`).toBe(200);
      expect((await gateway.send('ops.test', { token: both })).json().reason).toBe('audience_mismatch');
      expect((await gateway.send('ops.test', { token: good })).json().reason).toBe('audience_mismatch');
    }
    const console = await acme.sign({ ...claims, aud: ['wiki', 'ops'], azp: 'console' });
    expect((await gateway.send('ops.test', { token: console })).status).toBe(200);
  });

  test('a token is rejected after its exp, known or not', async () => {
    // A token that the gateway has accepted before its end: on a busy machine the first one may come too late.
    const brief = await until(
      async () => {
        const token = await acme.sign({ ...claims, exp: Math.floor(Date.now() / 1000) + 2 });
        return (await gateway.send('wiki.test', { token })).status === 200 && token;
      },
      { what: 'a token that is known' },
    );
    const answer = await until(
      async () => {
        const got = await gateway.send('wiki.test', { token: brief });
        return got.status === 200 ? undefined : got;
      },
      { what: 'the end of the token' },
    );
    expect(answer.json().reason).toBe('token_expired');
  });

  test('a role that a new policy removes is gone after the reload, known tokens included', async () => {
    expect((await gateway.send('wiki.test', { path: '/staff', token: good })).status).toBe(200);
    await gateway.box.write({ '/etc/meshgate/meshgate.yaml': policy.replace('group: staff,', 'group: chiefs,') });
    const reloaded = await gateway.box.exec('meshgate-reload');
    expect(reloaded.exitCode, reloaded.stderr).toBe(0);
    await until(
      async () => (await gateway.send('wiki.test', { path: '/staff', token: good })).status === 403 || undefined,
      {
        what: 'the new policy',
      },
    );
  });
});
