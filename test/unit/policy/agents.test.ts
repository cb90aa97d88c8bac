import { describe, expect, test } from 'vitest';
import type { Policy } from '../../../src/policy/checked/types.ts';
import { parsePolicy } from '../../../src/policy/index.ts';

const TEXT = `version: 1
gateway:
  assertion: { issuer: https://wiki.test, keys_file: /run/assertion.jwks }
  inner: { client_ca_file: /run/services.pem }
providers:
  okta: { issuer: https://okta.test, audiences: [wiki] }
roles:
  staff: { group: staff }
  admin: { group: admins }
agents:
  pages: { match: { service: wiki }, acts_for: [staff] }
services:
  wiki: { url: https://wiki.internal:8443, spiffe: spiffe://example.org/ns/wiki/sa/wiki }
  board: { url: https://board.internal:8443 }
headers: { X-Actor: actor }
hosts:
  wiki.test:
    /*: { service: wiki, allow: [staff, admin] }
  board.test:
    /*: { service: board, allow: [{ role: staff, methods: [GET] }, admin, { agent: pages, methods: [GET, POST] }] }
tests:
  - { as: { roles: [staff], agent: pages }, GET: https://board.test/, expect: allowed }
`;

function parsed(from = '', to = '', [also, by] = ['', '']): { policy?: Policy; errors: string[] } {
  expect(TEXT).toContain(from);
  const { policy, errors } = parsePolicy(TEXT.replace(from, to).replace(also, by), 'p.yaml');
  return { ...(policy && { policy }), errors: errors.map(({ path, message }) => `${path}: ${message}`) };
}

test('an agent, its rule, its service, the inner listener and a test', () => {
  const { policy, errors } = parsed();
  expect(errors).toEqual([]);
  expect(policy?.agents.pages).toMatchObject({
    name: 'pages',
    match: { kind: 'service', service: 'wiki' },
    actsFor: ['staff'],
    hops: 1,
  });
  expect(policy?.gateway.inner).toEqual({ listen: 8444, clientCaFile: '/run/services.pem' });
  expect(policy?.services.wiki?.spiffe).toBe('spiffe://example.org/ns/wiki/sa/wiki');
  expect(policy?.hosts[1]?.routes[0]?.allow[2]).toMatchObject({
    who: { kind: 'agent', agent: 'pages', actsFor: ['staff'] },
    methods: ['GET', 'POST'],
  });
  expect(policy?.tests[0]?.as).toEqual({ kind: 'roles', roles: ['staff'], agent: 'pages' });
});

describe('refused, with one error', () => {
  test.each<[string, string, string, string, [string, string]?]>([
    [
      'without an assertion',
      '  assertion: { issuer: https://wiki.test, keys_file: /run/assertion.jwks }\n',
      '',
      'needs gateway.assertion',
    ],
    ['without the listener', '  inner: { client_ca_file: /run/services.pem }\n', '', 'needs gateway.inner'],
    ['a service without its SPIFFE id', ', spiffe: spiffe://example.org/ns/wiki/sa/wiki', '', 'missing key "spiffe"'],
    [
      'a SPIFFE id of no agent',
      'board.internal:8443',
      'board.internal:8443, spiffe: spiffe://example.org/b',
      'no agent is this service',
    ],
    [
      'two agents of one service',
      'agents:\n',
      'agents:\n  other: { match: { service: wiki }, acts_for: [staff] }\n',
      'is this service already',
      ['[GET, POST] }]', '[GET, POST] }, { agent: other }]'],
    ],
    [
      'an agent that is a service, and that no rule names',
      'agents:\n',
      'agents:\n  other: { match: { service: board }, acts_for: [staff] }\n',
      'nothing uses this agent',
      ['board.internal:8443', 'board.internal:8443, spiffe: spiffe://example.org/board'],
    ],
    ['an unknown service', 'match: { service: wiki }', 'match: { service: wikki }', 'did you mean "wiki"?'],
    ['an unknown role', 'acts_for: [staff]', 'acts_for: [stafff]', 'did you mean "staff"?'],
    ['an unknown agent', '{ agent: pages', '{ agent: pagess', 'did you mean "pages"?'],
    ['no hops', 'acts_for: [staff]', 'acts_for: [staff], hops: 0', 'a number from 1 to 8'],
    ['an agent and a role in one rule', '{ agent: pages', '{ role: staff, agent: pages', 'one rule has role and agent'],
    ['the same port twice', 'inner: {', 'inner: { listen: 8443,', 'the gateway itself uses port'],
    ['a test of an agent without a person', '{ roles: [staff], agent', '{ agent', 'needs the person’s roles'],
    [
      'a test of an agent beside claims',
      '{ roles: [staff], agent',
      '{ claims: { sub: a }, agent',
      'which say whether an agent acts',
    ],
    ['a key of later', 'acts_for: [staff]', 'acts_for: [staff], namespaces: 1', 'not supported in this version'],
    ['a binding of a service', 'acts_for: [staff]', 'acts_for: [staff], bound: dpop', 'shows its certificate'],
    ['a service alone', 'acts_for: [staff]', 'acts_for: [staff], alone: true', 'a service acts for the person'],
    ['a provider of a service', '{ service: wiki }', '{ service: wiki, provider: okta }', 'sends no token'],
    ['no role to act for', ', acts_for: [staff]', '', 'missing key "acts_for"'],
    [
      'a rule that an earlier one covers',
      '{ agent: pages, methods',
      '{ agent: pages }, { agent: pages, methods',
      'no effect',
    ],
    [
      'a method that no person may use',
      '{ role: staff, methods: [GET] }, admin, { agent: pages, methods: [GET, POST] }',
      '{ role: staff, methods: [GET] }, admin, { agent: pages, methods: [POST] }',
      'no other rule allows a person with role staff',
    ],
  ])('%s', (_, from, to, says, also = ['', '']) => {
    const { errors } = parsed(from, to, also);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(says);
  });

  test('the listener and the header are mistakes without agents', () => {
    const rule = ', { agent: pages, methods: [GET, POST] }';
    const text = TEXT.replace(/agents:\n.*\n/, '')
      .replace(rule, '')
      .replace(/tests:\n.*\n/, '')
      .replace(/, spiffe: [^ ]+/, '');
    expect(parsePolicy(text, 'p.yaml').errors.map(({ path, message }) => `${path}: ${message}`)).toEqual([
      expect.stringMatching(/^gateway.inner: no effect: only agents that are services use this listener/),
      expect.stringMatching(/^headers."X-Actor": no effect: the policy has no agents/),
    ]);
  });

  test('plain HTTP outside needs TLS inside', () => {
    const plain = (inner: string) => parsed('inner: {', `insecure_http: true\n  inner: {${inner}`).errors;
    expect(plain('')).toEqual([expect.stringContaining('gateway.inner.tls: missing key "tls"')]);
    expect(plain(' tls: { cert_file: /run/c.pem, key_file: /run/k.pem },')).toEqual([]);
  });
});

test('an agent that is recognised by its tokens needs no rule: without the agent they would be a person’s', () => {
  const other = '  other: { match: { client_id: release-bot }, acts_for: [staff], bound: none }\n';
  expect(parsed('agents:\n', `agents:\n${other}`).errors).toEqual([]);
});

describe('an agent whose tokens must be bound', () => {
  const bot = (bound: string, gateway = '') =>
    parsed('agents:\n', `agents:\n  bot: { match: { client_id: bot }, acts_for: [staff], bound: ${bound} }\n`, [
      'gateway:\n',
      `gateway:\n${gateway}`,
    ]).errors;
  const proof = '  proof: { rate: 200/s }\n';
  const tls = '  tls: { client_ca_file: /run/clients.pem }\n';

  test.each([
    ['dpop', 'the gateway accepts no proofs; write proof: { rate: 200/s } under gateway', tls],
    ['any', 'the gateway accepts no proofs; write proof: { rate: 200/s } under gateway', ''],
    ['certificate', 'accepts no client certificates; write tls: { client_ca_file: … } under gateway', proof],
  ])('is an error with %s if the gateway accepts no such proof', (bound, says, gateway) => {
    expect(bot(bound, gateway)).toEqual([
      expect.stringMatching(/^agents\.bot\.bound: the gateway rejects all tokens of this agent: /),
    ]);
    expect(bot(bound, gateway)[0]).toContain(says);
  });

  test.each([
    ['dpop', proof],
    ['any', proof],
    ['any', tls],
    ['certificate', tls],
    ['none', ''],
  ])('is valid with %s if the gateway accepts the proof', (bound, gateway) => {
    expect(bot(bound, gateway)).toEqual([]);
  });
});

test('anyone before it does not cover an agent', () => {
  expect(parsed('[{ role: staff, methods: [GET] }, admin, {', '[anyone, {').errors).toEqual([]);
});

test('an agent cannot be recognised by a claim of the actor, which an actor itself names', () => {
  const named = (claim: string) =>
    parsed('{ match: { service: wiki }, acts', `{ match: { claim: ${claim}, is: bot }, bound: none, acts`).errors;
  expect(named('team').filter((error) => error.includes('claim'))).toEqual([]);
  for (const claim of ['act', 'act.sub', 'act.act.sub']) {
    expect(named(claim)).toContainEqual(
      'agents.pages.match.claim: no effect: "act" names the actor; write it as client_id or spiffe',
    );
  }
});

describe('an agent of one of two providers', () => {
  const policy = (issuer: string, more = '') =>
    parsePolicy(
      `version: 1
gateway:
  tls: { cert_file: /run/tls.crt, key_file: /run/tls.key }
  session: { keys_file: /run/session.jwks, insecure_forget_revocations: true }
providers:
  wiki-api: { issuer: https://okta.test, audiences: [wiki] }
  board-api: { issuer: ${issuer}, audiences: [board]${more} }
roles:
  staff: { any: [{ group: staff, provider: wiki-api }, { group: staff, provider: board-api }] }
agents:
  bot: { match: { client_id: release-bot, provider: wiki-api }, acts_for: [staff], bound: none }
services: { wiki: { url: https://wiki.internal:8443 } }
hosts:
  wiki.test: { providers: [wiki-api], /*: { service: wiki, allow: [staff] } }
  board.test: { providers: [board-api], /*: { service: wiki, accept: [bearer, session], allow: [staff, { agent: bot }] } }
`,
      'p.yaml',
    ).errors.map(({ path, message }) => `${path}: ${message}`);
  const client = ', client: { id: release-bot, secret_file: /run/secret }';
  const portal = ', client: { id: portal, secret_file: /run/secret }';

  test('may have a rule if tokens of the other one are accepted, which has the same issuer', () => {
    expect(policy('https://okta.test', portal)).toEqual([]);
    expect(policy('https://other.test', portal)).toEqual([expect.stringContaining('sends only tokens of wiki-api')]);
  });

  test('cannot be the client that people sign in with at the other one, which has the same issuer', () => {
    expect(policy('https://okta.test', client)).toEqual([expect.stringContaining('people sign in with this client')]);
  });
});

test('an agent by its SPIFFE id may have a rule if its certificate is accepted, whichever provider’s tokens are', () => {
  const errors = (accept: string) =>
    parsePolicy(
      `version: 1
gateway: { tls: { cert_file: /run/tls.crt, key_file: /run/tls.key, client_ca_file: /run/clients.pem } }
providers:
  wiki-api: { issuer: https://okta.test, audiences: [wiki] }
  board-api: { issuer: https://other.test, audiences: [board] }
roles:
  staff: { any: [{ group: staff, provider: wiki-api }, { group: staff, provider: board-api }] }
agents:
  bot: { match: { spiffe: spiffe://example.org/bot, provider: wiki-api }, alone: true, bound: none }
services: { wiki: { url: https://wiki.internal:8443 } }
hosts:
  wiki.test: { providers: [wiki-api], /*: { service: wiki, allow: [staff] } }
  board.test: { providers: [board-api], /*: { service: wiki, accept: [${accept}], allow: [staff, { agent: bot }] } }
`,
      'p.yaml',
    ).errors.map(({ message }) => message);
  expect(errors('bearer, certificate')).toEqual([]);
  expect(errors('bearer')).toEqual([expect.stringContaining('sends only tokens of wiki-api')]);
});
