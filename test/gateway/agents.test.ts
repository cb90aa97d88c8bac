/** Agents that come with tokens: chains of actors, tokens of their own, and what is said of who asked for whom. */
import { decodeJwt } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { gatewayCase, startEcho, startGateway, startIssuer, testStage, until, valuesOf } from '../harness/index.ts';

const stage = await testStage('agents');
const [wiki, issuers] = await Promise.all([startEcho(stage, { alias: 'wiki' }), startIssuer(stage)]);
const acme = await issuers.create('acme', { alg: 'ES256' });
const host = 'wiki.test';
const HELPER = 'spiffe://example.org/ns/bots/sa/helper';
const gateway = await startGateway(stage, {
  policy: `
version: 1
gateway:
  insecure_http: true
  listen: 8080
  assertion: { issuer: https://gateway.test, keys_file: /run/keys/assertion.jwks }
providers:
  acme: { issuer: ${acme.url}, audiences: [wiki], ca_file: /run/provider/ca.pem }
roles:
  staff: { group: staff }
  admin: { group: admins }
agents:
  release-bot: { match: { client_id: release-bot }, acts_for: [staff], bound: none }
  helper: { match: { spiffe: "${HELPER}" }, acts_for: [staff, admin], hops: 2, bound: none }
  nightly: { match: { client_id: nightly }, alone: true, bound: none }
  sealed: { match: { claim: team, is: sealed }, acts_for: [staff], bound: dpop }
services:
  wiki: { insecure_url: "http://wiki:8080" }
headers:
  X-Forwarded-User: subject
  X-Forwarded-Email: email
  X-Forwarded-Roles: roles
  X-Forwarded-Groups: groups
  X-Forwarded-Actor: actor
hosts:
  ${host}:
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

beforeAll(() =>
  until(async () => (await gateway.send(host, { token: herself })).status === 200, {
    what: "the provider's keys at the gateway",
    timeoutMs: 30_000,
    help: () => gateway.box.logs.tail(),
  }),
);

describe('an agent for a person', () => {
  gatewayCase(setup, {
    name: 'known by its client: the person is the caller, with the roles that travel',
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
    name: 'known as the actor of the token, whoever fetched it',
    host,
    request: { path: '/rest/page', token: byActor },
    status: 200,
    upstream: { headers: { ...received, 'X-Forwarded-Actor': 'release-bot' } },
    log: { fields: { 'user.id': 'ann', 'meshgate.agent': 'release-bot' } },
  });

  gatewayCase(setup, {
    name: 'known by its SPIFFE id, over as many hops as it may',
    host,
    request: { path: '/rest/page', token: byChain },
    status: 200,
    upstream: { headers: { ...received, 'X-Forwarded-Roles': 'staff,admin', 'X-Forwarded-Actor': HELPER } },
    log: { fields: { 'meshgate.agent': 'helper', 'meshgate.actors': `${HELPER},portal`, 'user.roles': 'staff,admin' } },
  });

  test('is named in what is signed for the service', async () => {
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

describe('an agent by itself', () => {
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

  test('says so in what is signed for the service', async () => {
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

describe('refused', () => {
  gatewayCase(setup, {
    name: 'an agent for a person who would not pass: the line names person, agent and rule',
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
    name: 'an agent without a rule for a person who passes: the same',
    host,
    request: { path: '/page', token: byClient },
    status: 403,
    reason: 'actor_not_allowed',
    log: {
      fields: { 'user.id': 'ann', 'meshgate.agent': 'release-bot', 'meshgate.rule': `${host}/*#1` },
    },
  });

  gatewayCase(setup, {
    name: 'an agent where anyone may pass',
    host,
    request: { path: '/open', token: byActor },
    status: 403,
    reason: 'actor_not_allowed',
  });

  gatewayCase(setup, {
    name: 'an actor that the policy does not know, where anyone may pass too',
    host,
    request: { path: '/open', token: unknown },
    status: 403,
    reason: 'actor_not_allowed',
    log: { fields: { 'user.id': 'ann', 'meshgate.agent': '', 'meshgate.rule': '' } },
  });

  gatewayCase(setup, {
    name: 'a token that is not bound as its agent’s has to be',
    host,
    request: { path: '/rest/page', token: unbound },
    status: 401,
    reason: 'proof_missing',
    log: { fields: { 'user.id': 'ann', 'meshgate.agent': 'sealed', 'meshgate.actors': 'portal' } },
  });

  gatewayCase(setup, {
    name: 'what is no chain of actors',
    host,
    request: { path: '/rest/page', token: broken },
    status: 401,
    reason: 'claim_absent',
  });
});

gatewayCase(setup, {
  name: 'a person without an agent has groups and claims of her own',
  host,
  request: { path: '/rest/page', token: herself },
  status: 200,
  upstream: { headers: { 'X-Forwarded-Groups': 'staff,admins' }, absent: ['X-Forwarded-Actor'] },
  log: { fields: { 'user.id': 'ann', 'meshgate.agent': '', 'meshgate.actors': '' } },
});
