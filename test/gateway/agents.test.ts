/** Agents with tokens: chains of actors, tokens of their own, bound tokens, and the actors in the assertion and the
 * log. */
import { createHash, X509Certificate } from 'node:crypto';
import { decodeJwt } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  createProofKey,
  gatewayCase,
  ready,
  send,
  signProof,
  signToken,
  startEcho,
  startGateway,
  startIssuer,
  testStage,
  valuesOf,
  withProof,
} from '../harness/index.ts';

const stage = await testStage('agents');
const [wiki, issuers] = await Promise.all([startEcho(stage, { alias: 'wiki' }), startIssuer(stage)]);
const acme = await issuers.create('acme', { alg: 'ES256' });
// The key set is one of JWT-SVIDs; a trust domain needs nothing else.
const workloads = await issuers.create('workloads', { alg: 'ES256' });
const host = 'wiki.test';
const bots = 'bots.test';
const HELPER = 'spiffe://example.org/ns/bots/sa/helper';
const gateway = await startGateway(stage, {
  policy: `
version: 1
gateway:
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key, client_ca_file: /run/clients/ca.pem }
  proof: { rate: 50/s }
  assertion: { issuer: https://gateway.test, keys_file: /run/keys/assertion.jwks }
providers:
  acme: { issuer: ${acme.url}, audiences: [wiki], ca_file: /run/provider/ca.pem }
  workloads:
    issuer: "spiffe://example.org"
    jwks_uri: ${issuers.origin}${workloads.jwksPath}
    audiences: [wiki]
    ca_file: /run/provider/ca.pem
roles:
  staff: { group: staff, provider: acme }
  admin: { group: admins, provider: acme }
  ci: { claim: sub, like: "spiffe://example.org/ns/ci/*", provider: workloads }
agents:
  release-bot: { match: { client_id: release-bot, provider: acme }, acts_for: [staff], bound: none }
  helper: { match: { spiffe: "${HELPER}" }, acts_for: [staff, admin], hops: 2, alone: true, bound: none }
  nightly: { match: { client_id: nightly, provider: acme }, alone: true, bound: none }
  sealed: { match: { claim: team, is: sealed, provider: acme }, acts_for: [staff], bound: dpop }
  vault: { match: { client_id: vault, provider: acme }, acts_for: [staff], bound: certificate }
services:
  wiki: { insecure_url: "http://wiki:8080" }
headers:
  X-Forwarded-User: subject
  X-Forwarded-Email: email
  X-Forwarded-Roles: roles
  X-Forwarded-Groups: groups
  X-Forwarded-Actor: actor
hosts:
  ${bots}:
    providers: [workloads]
    /*: { service: wiki, allow: [authenticated] }
    /rest/*: { service: wiki, allow: [ci, { agent: helper, methods: [GET] }] }
  ${host}:
    providers: [acme]
    /*: { service: wiki, allow: [staff, admin] }
    /open: { service: wiki, allow: [anyone] }
    /rest/*:
      service: wiki
      allow:
        - { role: staff, methods: [GET, POST] }
        - admin
        - { agent: release-bot, methods: [GET, POST] }
        - { agent: helper, methods: [GET] }
        - { agent: nightly, methods: [GET] }
        - { agent: sealed, methods: [GET] }
        - { agent: vault, methods: [GET] }
`,
});
const setup = { gateway, echoes: [wiki] };

const ann = {
  ...{ aud: 'wiki', sub: 'ann', groups: ['staff', 'admins'], email: 'ann@example.org', email_verified: true },
};
const [byClient, byActor, byChain, unknown, forCleo, alone, unbound, herself, broken] = (await Promise.all(
  [
    { ...ann, azp: 'release-bot' },
    { ...ann, azp: 'portal', act: { sub: 'release-bot' } },
    { ...ann, azp: 'portal', act: { sub: HELPER, act: { sub: 'portal' } } },
    { ...ann, azp: 'portal', act: { sub: 'stranger' } },
    { ...ann, sub: 'cleo', groups: [], azp: 'release-bot' },
    { aud: 'wiki', sub: 'nightly', azp: 'nightly', groups: ['admins'] },
    { ...ann, azp: 'portal', team: 'sealed' },
    { ...ann, azp: 'portal' },
    { ...ann, azp: 'portal', act: 'release-bot' },
  ].map((claims) => acme.sign(claims)),
)) as [string, string, string, string, string, string, string, string, string];

const received = { 'X-Forwarded-User': 'ann', 'X-Forwarded-Email': 'ann@example.org', 'X-Forwarded-Roles': 'staff' };

beforeAll(() => ready(gateway, host, { token: herself }));

describe('an agent for a person', () => {
  gatewayCase(setup, {
    name: 'is recognised by its client: the person is the caller, with the roles that travel',
    host,
    request: { method: 'POST', path: '/rest/page', token: byClient },
    status: 200,
    upstream: {
      headers: { ...received, 'X-Forwarded-Actor': 'release-bot', 'X-Meshgate-Rule': `${host}/rest/*#3` },
      absent: ['Authorization', 'X-Forwarded-Groups', 'X-Meshgate-Agent', 'X-Meshgate-Actors'],
    },
    log: {
      fields: {
        'user.id': 'ann',
        'user.roles': 'staff',
        'meshgate.agent': 'release-bot',
        'meshgate.actors': 'release-bot',
        'meshgate.rule': `${host}/rest/*#3`,
      },
    },
  });

  gatewayCase(setup, {
    name: 'is recognised as the actor of the token, whatever client fetched it',
    host,
    request: { path: '/rest/page', token: byActor },
    status: 200,
    upstream: { headers: { ...received, 'X-Forwarded-Actor': 'release-bot' } },
    log: { fields: { 'user.id': 'ann', 'meshgate.agent': 'release-bot' } },
  });

  gatewayCase(setup, {
    name: 'is recognised by its SPIFFE id, over as many hops as it may',
    host,
    request: { path: '/rest/page', token: byChain },
    status: 200,
    upstream: { headers: { ...received, 'X-Forwarded-Roles': 'staff,admin', 'X-Forwarded-Actor': HELPER } },
    log: { fields: { 'meshgate.agent': 'helper', 'meshgate.actors': `${HELPER},portal`, 'user.roles': 'staff,admin' } },
  });

  test('is named in the assertion for the service', async () => {
    await wiki.clear();
    expect((await gateway.send(host, { path: '/rest/page', token: byChain })).status).toBe(200);
    const [assertion] = valuesOf((await wiki.requests())[0]!, 'X-Meshgate-Assertion');
    expect(decodeJwt(assertion!)).toMatchObject({
      ...{ sub: 'ann', provider: 'acme', roles: ['staff', 'admin'], agent: 'helper' },
      act: { sub: HELPER, act: { sub: 'portal' } },
    });
    expect(decodeJwt(assertion!)).not.toHaveProperty('alone');
  });
});

describe('an agent that acts alone', () => {
  gatewayCase(setup, {
    name: 'passes by its own rule, with no role, whatever its token says',
    host,
    request: { path: '/rest/page', token: alone },
    status: 200,
    upstream: {
      headers: { 'X-Forwarded-User': 'nightly', 'X-Forwarded-Actor': 'nightly' },
      absent: ['X-Forwarded-Roles', 'X-Forwarded-Groups'],
    },
    log: { fields: { 'user.id': 'nightly', 'user.roles': '', 'meshgate.agent': 'nightly' } },
  });

  test('is named as acting alone in the assertion for the service', async () => {
    await wiki.clear();
    await gateway.send(host, { path: '/rest/page', token: alone });
    const [assertion] = valuesOf((await wiki.requests())[0]!, 'X-Meshgate-Assertion');
    expect(decodeJwt(assertion!)).toMatchObject({ sub: 'nightly', roles: [], agent: 'nightly', alone: 'true' });
  });

  gatewayCase(setup, {
    name: 'does not pass by the roles of its token',
    host,
    request: { path: '/page', token: alone },
    status: 403,
    reason: 'actor_not_allowed',
  });
});

describe('a workload', async () => {
  const now = Math.floor(Date.now() / 1000);
  // As SPIRE makes them: without an issuer, and with one type for all.
  const svid = (sub: string) =>
    signToken(workloads.key, { sub, aud: ['wiki'], iat: now, exp: now + 3600 }, { header: { typ: 'JWT' } });
  const [own, other, abroad] = await Promise.all([
    svid(HELPER),
    svid('spiffe://example.org/ns/bots/sa/other'),
    svid('spiffe://example.com/ns/bots/sa/helper'),
  ]);

  gatewayCase(setup, {
    name: 'with its JWT-SVID acts alone, without a role',
    host: bots,
    request: { path: '/rest/page', token: own },
    status: 200,
    upstream: {
      headers: { 'X-Forwarded-User': HELPER, 'X-Forwarded-Actor': HELPER, 'X-Meshgate-Rule': `${bots}/rest/*#2` },
      absent: ['Authorization', 'X-Forwarded-Roles'],
    },
    log: {
      fields: { 'user.id': HELPER, 'user.roles': '', 'meshgate.agent': 'helper', 'meshgate.provider': 'workloads' },
    },
  });

  gatewayCase(setup, {
    name: 'is refused for a request that its rule does not name',
    host: bots,
    request: { method: 'POST', path: '/rest/page', token: own },
    status: 403,
    reason: 'actor_not_allowed',
  });

  gatewayCase(setup, {
    name: 'that is not an agent of the policy has the rights of its roles',
    host: bots,
    request: { path: '/rest/page', token: other },
    status: 403,
    reason: 'role_missing',
    log: { fields: { 'meshgate.agent': '' } },
  });

  gatewayCase(setup, {
    name: 'of another trust domain is not an agent, whatever its path',
    host: bots,
    request: { path: '/rest/page', token: abroad },
    status: 401,
    reason: 'issuer_unknown',
  });

  test('is described in the assertion as acting for no person', async () => {
    await wiki.clear();
    await gateway.send(bots, { path: '/rest/page', token: own });
    const [assertion] = valuesOf((await wiki.requests())[0]!, 'X-Meshgate-Assertion');
    const reported = {
      sub: HELPER,
      provider: 'workloads',
      roles: [],
      agent: 'helper',
      alone: 'true',
      act: { sub: HELPER },
    };
    expect(decodeJwt(assertion!)).toMatchObject(reported);
  });
});

describe('an agent whose tokens must be bound', async () => {
  const [key, thief] = await Promise.all([createProofKey(), createProofKey()]);
  const [mine, theirs] = await Promise.all([
    stage.meshCa.client('spiffe://example.org/ns/bots/sa/vault'),
    stage.meshCa.client('spiffe://example.org/ns/bots/sa/thief'),
  ]);
  const thumbprint = createHash('sha256').update(new X509Certificate(mine.cert).raw).digest('base64url');
  const path = '/rest/page';
  const [sealed, vault, loose, wrong] = await Promise.all([
    acme.sign({ ...ann, azp: 'portal', team: 'sealed', cnf: { jkt: key.jkt } }),
    acme.sign({ ...ann, azp: 'vault', cnf: { 'x5t#S256': thumbprint } }),
    acme.sign({ ...ann, azp: 'vault' }),
    acme.sign({ ...ann, azp: 'vault', cnf: { jkt: key.jkt } }),
  ]);
  const proved = async (token: string, signer = key) => ({
    path,
    headers: withProof(token, await signProof(signer, { url: `https://${host}${path}`, token })),
  });

  test('passes with a proof of its DPoP key, for its person', async () => {
    await wiki.clear();
    const sent = await proved(sealed);
    const answer = await gateway.send(host, sent);
    expect(answer.status, answer.text).toBe(200);
    const [got] = await wiki.requests();
    const names = ['X-Forwarded-User', 'X-Forwarded-Roles', 'X-Forwarded-Actor', 'X-Meshgate-Rule', 'DPoP'];
    expect(names.map((name) => valuesOf(got!, name))).toEqual([
      ['ann'],
      ['staff'],
      ['portal'],
      [`${host}/rest/*#6`],
      [],
    ]);
    expect((await gateway.send(host, sent)).json()).toMatchObject({ status: 401, reason: 'proof_replayed' });
  });

  test('is refused without a proof, and with a proof by another key', async () => {
    await wiki.clear();
    expect((await gateway.send(host, { path, token: sealed })).json()).toMatchObject({
      ...{ status: 401, reason: 'proof_missing' },
    });
    expect((await gateway.send(host, await proved(sealed, thief))).json()).toMatchObject({
      ...{ status: 401, reason: 'proof_invalid' },
    });
    expect(await wiki.requests()).toEqual([]);
  });

  gatewayCase(setup, {
    name: 'passes over the connection of its certificate, for its person',
    host,
    client: mine.pem,
    request: { path, token: vault },
    status: 200,
    upstream: {
      headers: { 'X-Forwarded-User': 'ann', 'X-Forwarded-Roles': 'staff', 'X-Forwarded-Actor': 'vault' },
      absent: ['Authorization', 'SSL-Client-Cert'],
    },
    log: { fields: { 'meshgate.agent': 'vault', 'meshgate.rule': `${host}/rest/*#7` } },
  });

  gatewayCase(setup, {
    name: 'is refused over a connection without it',
    host,
    request: { path, token: vault },
    status: 401,
    reason: 'proof_missing',
  });

  gatewayCase(setup, {
    name: 'is refused over a connection with another certificate',
    host,
    client: theirs.pem,
    request: { path, token: vault },
    status: 401,
    reason: 'proof_invalid',
  });

  gatewayCase(setup, {
    name: 'is refused with a token that is not bound, whatever certificate is sent',
    host,
    client: mine.pem,
    request: { path, token: loose },
    status: 401,
    reason: 'proof_missing',
    log: { fields: { 'meshgate.agent': 'vault' } },
  });

  test('is refused with a token bound to another key, even with a proof of that key', async () => {
    await wiki.clear();
    const answer = await send(gateway.target(host, mine.pem), await proved(wrong));
    expect(answer.json()).toMatchObject({ status: 401, reason: 'proof_missing' });
    expect(await wiki.requests()).toEqual([]);
  });
});

describe('refused', () => {
  gatewayCase(setup, {
    name: 'an agent for a person without access: the log line names person, agent and rule',
    host,
    request: { path: '/rest/page', token: forCleo },
    status: 403,
    reason: 'role_missing',
    log: {
      fields: {
        'user.id': 'cleo',
        'meshgate.agent': 'release-bot',
        'meshgate.actors': 'release-bot',
        'meshgate.rule': `${host}/rest/*#1`,
        'meshgate.reason': 'role_missing',
      },
    },
  });

  gatewayCase(setup, {
    name: 'an agent without a rule for a person with access: the same',
    host,
    request: { path: '/page', token: byClient },
    status: 403,
    reason: 'actor_not_allowed',
    log: {
      fields: { 'user.id': 'ann', 'meshgate.agent': 'release-bot', 'meshgate.rule': `${host}/*#1` },
    },
  });

  gatewayCase(setup, {
    name: 'an agent on a public route',
    host,
    request: { path: '/open', token: byActor },
    status: 403,
    reason: 'actor_not_allowed',
  });

  gatewayCase(setup, {
    name: 'an actor that the policy does not know, on a public route too',
    host,
    request: { path: '/open', token: unknown },
    status: 403,
    reason: 'actor_not_allowed',
    log: { fields: { 'user.id': 'ann', 'meshgate.agent': '', 'meshgate.rule': '' } },
  });

  gatewayCase(setup, {
    name: 'a token without the binding that its agent needs',
    host,
    request: { path: '/rest/page', token: unbound },
    status: 401,
    reason: 'proof_missing',
    log: { fields: { 'user.id': 'ann', 'meshgate.agent': 'sealed', 'meshgate.actors': 'portal' } },
  });

  gatewayCase(setup, {
    name: 'an invalid chain of actors',
    host,
    request: { path: '/rest/page', token: broken },
    status: 401,
    reason: 'claim_absent',
  });
});

gatewayCase(setup, {
  name: 'a person without an agent has their own groups and claims',
  host,
  request: { path: '/rest/page', token: herself },
  status: 200,
  upstream: { headers: { 'X-Forwarded-Groups': 'staff,admins' }, absent: ['X-Forwarded-Actor'] },
  log: { fields: { 'user.id': 'ann', 'meshgate.agent': '', 'meshgate.actors': '' } },
});
