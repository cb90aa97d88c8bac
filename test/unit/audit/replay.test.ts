/** Deciding logged requests by another policy. */
import { describe, expect, test } from 'vitest';
import { Decider } from '../../../src/audit/replay/decider.ts';
import { Replay } from '../../../src/audit/replay/replay-line.ts';
import { parsePolicy } from '../../../src/policy/index.ts';
import { compile } from '../../../src/rules/compile.ts';
import { anonymous, lineOf, refused } from './logged.ts';

const OLD = `version: 1
gateway: { insecure_http: true }
providers:
  okta: { issuer: https://login.example.com, audiences: [wiki], subject: { prefix: okta- } }
  ci: { issuer: https://ci.example.com, audiences: [wiki], subject: { prefix: ci- } }
roles:
  reader: { group: readers, provider: okta }
  editor: { group: editors, provider: okta }
  boss: { all: [editor, { group: bosses, provider: okta }] }
  office: { network: [10.0.0.0/8] }
agents:
  bot: { match: { client_id: bot, provider: okta }, acts_for: [reader], alone: true, bound: none }
services:
  wiki: { insecure_url: "http://wiki:8080" }
  canary: { insecure_url: "http://canary:8080" }
headers: { X-User: subject }
hosts:
  wiki.example.com:
    providers: [okta, ci]
    /*:
      service: wiki
      allow:
        - { role: reader, methods: [GET] }
        - { role: editor, service: canary }
    /boss: { service: wiki, allow: [boss] }
    /open: { service: wiki, allow: [authenticated] }
    /office: { service: wiki, allow: [office] }
    /bot: { service: wiki, allow: [{ role: reader, methods: [GET] }, { role: editor, methods: [POST] }, { agent: bot }] }
  other.example.com: { providers: [okta, ci], /*: { service: canary, allow: [authenticated] } }
`;

function decider(text: string): Decider {
  const { policy, errors } = parsePolicy(text, 'policy.yaml');
  if (policy === undefined) throw new Error(errors.map(({ message }) => message).join('\n'));
  return new Decider({ policy, rules: compile(policy) });
}

const old = decider(OLD);
function replaced(from: string, to: string): Decider {
  if (!OLD.includes(from)) throw new Error(`the policy has no ${from}`);
  return decider(OLD.replace(from, to));
}

const host = 'wiki.example.com';
const direct = { 'meshgate.identity': '' };
const at = (path: string) => ({ 'url.path': path, 'http.route': host + path });
const line = (changed: Readonly<Record<string, unknown>> = {}) => lineOf({ ...direct, ...changed });
const editor = line({ 'user.roles': 'editor', 'meshgate.rule': `${host}/*#2`, 'meshgate.service': 'canary' });
const poster = line({ ...refused('role_missing', 'reader', `${host}/*#1`), 'http.request.method': 'POST' });
const bot = line({ ...at('/bot'), 'meshgate.agent': 'bot', 'meshgate.alone': '', 'meshgate.rule': `${host}/bot#3` });
const alone = line({
  ...at('/bot'),
  'meshgate.agent': 'bot',
  'meshgate.alone': '1',
  'user.roles': '',
  'meshgate.rule': `${host}/bot#3`,
});
const inOffice = line({
  ...anonymous('', `${host}/office#1`),
  ...at('/office'),
  'user.roles': 'office',
  'client.address': '10.1.2.3',
});
const elsewhere = line({ ...anonymous('network_refused', `${host}/office#1`), ...at('/office') });
const expired = line(refused('token_expired', '', ''));
const whoami = line({ ...anonymous('', ''), 'http.route': '-', 'url.path': '/.meshgate/whoami' });
const lost = line({
  ...anonymous('route_unknown', ''),
  'http.route': '-',
  'url.path': '/lost',
  'server.address': 'x.example.com',
});
const other = line({
  'server.address': 'other.example.com',
  'http.route': 'other.example.com/*',
  'meshgate.rule': 'other.example.com/*#1',
  'meshgate.service': 'canary',
});
const all = { reader: line(), editor, poster, bot, alone, inOffice, elsewhere, whoami, lost, other };

test.each(Object.entries(all))('the same policy changes nothing: %s', (_name, it) => {
  expect(new Replay(old).of(it)).toEqual({ kind: 'same' });
  expect(new Replay(old, old).of(it)).toEqual({ kind: 'same' });
});

describe('finds what changes', () => {
  test.each([
    [
      'a rule that covers fewer methods',
      'role: reader, methods: [GET]',
      'role: reader, methods: [PUT]',
      all.reader,
      'denied',
      'role_missing',
    ],
    ['a removed route', '    /bot: {', '    /bott: {', bot, 'denied', 'actor_not_allowed'],
    [
      'a rule that covers more methods',
      'role: reader, methods: [GET]',
      'role: reader, methods: [GET, POST]',
      poster,
      'allowed',
      `${host}/*#1`,
    ],
    [
      'a new rule for anyone',
      '/*:\n      service: wiki\n      allow:\n',
      '/*:\n      service: wiki\n      allow:\n        - { who: anyone, methods: [POST] }\n',
      poster,
      'allowed',
      `${host}/*#1`,
    ],
    ['another service', ', service: canary }', ' }', editor, 'moved', `${host}/*#2`],
    [
      'a provider that the host no longer accepts',
      '{ providers: [okta, ci],',
      '{ providers: [ci],',
      other,
      'denied',
      'issuer_unknown',
    ],
    ['a renamed host', '  wiki.example.com:', '  docs.example.com:', all.reader, 'denied', 'host_unknown'],
    ['an agent without its rule', ', { agent: bot }', '', bot, 'denied', 'actor_not_allowed'],
    [
      'a network that no longer contains an anonymous caller',
      '10.0.0.0/8',
      '10.9.0.0/16',
      inOffice,
      'denied',
      'network_refused',
    ],
    [
      'a network that now contains an anonymous caller',
      '10.0.0.0/8',
      '192.0.2.0/24',
      elsewhere,
      'allowed',
      `${host}/office#1`,
    ],
  ] as const)('%s', (_name, from, to, it, kind, after) => {
    const found = new Replay(replaced(from, to)).of(it);
    expect(found).toMatchObject({ kind, after: kind === 'denied' ? { reason: after } : { rule: after } });
    expect(new Replay(replaced(from, to), old).of(it)).toMatchObject({ kind });
  });

  test('other identity headers, if the old policy is given', () => {
    const fresh = replaced('X-User: subject', 'X-User: subject, X-Roles: roles');
    expect(new Replay(fresh, old).of(all.reader)).toMatchObject({ kind: 'headers' });
    expect(new Replay(fresh).of(all.reader)).toEqual({ kind: 'same' });
  });
});

test('another number of the same rule is no change', () => {
  const fresh = replaced(
    '        - { role: reader, methods: [GET] }\n',
    '        - { role: boss, methods: [DELETE] }\n        - { role: reader, methods: [GET] }\n',
  );
  expect(new Replay(fresh, old).of(all.reader)).toEqual({ kind: 'same' });
});

describe('a role whose definition changed', () => {
  const changed = replaced('editor: { group: editors,', 'editor: { group: writers,');

  test('is unknown where a rule for it decides', () => {
    expect(new Replay(changed, old).of(editor)).toEqual({ kind: 'unknown', why: 'roles', roles: ['editor'] });
    expect(new Replay(changed, old).of(poster)).toEqual({ kind: 'unknown', why: 'roles', roles: ['editor'] });
  });

  test('matters for the roles that include it', () => {
    const boss = line({ ...at('/boss'), 'user.roles': 'editor,boss', 'meshgate.rule': `${host}/boss#1` });
    expect(new Replay(changed, old).of(boss)).toEqual({ kind: 'unknown', why: 'roles', roles: ['boss'] });
  });

  test('does not matter where an earlier rule decides', () => {
    expect(new Replay(changed, old).of(all.reader)).toEqual({ kind: 'same' });
  });

  test('does not matter for anonymous callers and for agents alone', () => {
    expect(new Replay(changed, old).of(inOffice)).toEqual({ kind: 'same' });
    expect(new Replay(changed, old).of(alone)).toEqual({ kind: 'same' });
  });

  test('keeps its meaning if the old policy is not given', () => {
    expect(new Replay(changed).of(editor)).toEqual({ kind: 'same' });
  });
});

describe('a role whose definition changed, with claims in the line', () => {
  const CLAIMS = 'insecure_http: true, audit: { log: /var/log/a.log, claims: true } }';
  const withClaims = (from: string, to: string) =>
    decider(OLD.replace('insecure_http: true }', CLAIMS).replace(from, to));
  const logged = withClaims('', '');
  const writers = withClaims('group: editors,', 'group: writers,');
  const claimed = (claims: object, changed: Readonly<Record<string, unknown>> = {}) =>
    line({
      'user.roles': 'editor',
      'meshgate.rule': `${host}/*#2`,
      'meshgate.service': 'canary',
      'meshgate.claims': JSON.stringify(claims),
      ...changed,
    });

  test('is decided by the claims', () => {
    const replay = new Replay(writers, logged);
    expect(replay.of(claimed({ groups: ['editors', 'writers'] }))).toEqual({ kind: 'same' });
    expect(replay.of(claimed({ groups: ['editors'] }))).toMatchObject({
      kind: 'denied',
      after: { reason: 'role_missing' },
    });
    const reader = claimed({ groups: ['writers'] }, refused('role_missing', '', `${host}/*#1`));
    expect(replay.of(reader)).toMatchObject({ kind: 'allowed', after: { rule: `${host}/*#2` } });
  });

  test('is decided by the address, too', () => {
    const fresh = withClaims(
      'editor: { group: editors, provider: okta }',
      'editor: { all: [{ group: editors, provider: okta }, { network: [10.0.0.0/8] }] }',
    );
    const replay = new Replay(fresh, logged);
    expect(replay.of(claimed({ groups: ['editors'] }, { 'client.address': '10.1.1.1' }))).toEqual({ kind: 'same' });
    expect(replay.of(claimed({ groups: ['editors'] }))).toMatchObject({ kind: 'denied' });
  });

  test('is unknown for a value that the old policy does not name, if the line can be that of a session', () => {
    const SESSION = CLAIMS.replace(
      'insecure_http: true',
      'insecure_http: true, session: { keys_file: /run/k }, signin: { host: auth.example.com }',
    );
    const CLIENT = 'subject: { prefix: okta- }, client: { id: wiki, secret_file: /run/s }';
    const withSessions = (group: string) =>
      decider(
        OLD.replace('insecure_http: true }', SESSION)
          .replace('subject: { prefix: okta- }', CLIENT)
          .replace('group: editors,', `group: ${group},`),
      );
    const of = (group: string) => new Replay(withSessions(group), withSessions('editors'));
    const it = claimed({ groups: ['editors'] });
    expect(of('writers').of(it)).toEqual({ kind: 'unknown', why: 'roles', roles: ['editor'] });
    expect(of('bosses').of(it)).toMatchObject({ kind: 'denied' });
  });

  test('is decided at the time of the decision, which is before the end of the response', () => {
    const aged = (age: string) =>
      withClaims(
        'editor: { group: editors, provider: okta }',
        `editor: { all: [{ group: editors, provider: okta }, { max_age: ${age} }] }`,
      );
    const replay = new Replay(aged('5m'), aged('10m'));
    const end = Date.parse('2026-03-04T10:15:02+00:00') / 1000;
    const signedIn = { groups: ['editors'], auth_time: end - 3600 };
    expect(replay.of(claimed(signedIn, { duration: 3400 }))).toEqual({ kind: 'same' });
    expect(replay.of(claimed(signedIn, { duration: 3200 }))).toMatchObject({ kind: 'denied' });
  });

  test.each([
    ['the claims were cut', { 'meshgate.claims': '{"groups":["edi\ufffd' }],
    ['the claims are no JSON', { 'meshgate.claims': '{' }],
    ['the line has no claims', { 'meshgate.claims': '' }],
  ])('is unknown if %s', (_name, changed) => {
    expect(new Replay(writers, logged).of(claimed({}, changed))).toMatchObject({ kind: 'unknown', why: 'roles' });
  });

  test.each([
    ['it reads a claim that the old policy did not read', '{ claim: department, is: wiki, provider: okta }'],
    ['it depends on the binding of the token', '{ all: [{ group: editors, provider: okta }, { bound: dpop }] }'],
  ])('is unknown if %s', (_name, fact) => {
    const fresh = decider(
      OLD.replace('insecure_http: true }', `proof: { rate: 50/s }, ${CLAIMS}`).replace(
        'editor: { group: editors, provider: okta }',
        `editor: ${fact}`,
      ),
    );
    expect(new Replay(fresh, logged).of(claimed({ groups: ['editors'] }))).toMatchObject({
      kind: 'unknown',
      why: 'roles',
    });
  });

  test('with pseudonyms, is unknown for a value that the old policy does not name', () => {
    const hashed = decider(
      OLD.replace(
        'insecure_http: true }',
        CLAIMS.replace('claims: true', 'claims: true, pseudonyms: { key_file: /run/k }'),
      ),
    );
    expect(new Replay(writers, hashed).of(claimed({ groups: ['editors', 'x'] }))).toMatchObject({
      kind: 'unknown',
      why: 'roles',
    });
    const readers = withClaims('group: editors,', 'group: readers,');
    expect(new Replay(readers, hashed).of(claimed({ groups: ['editors'] }))).toMatchObject({ kind: 'denied' });
  });
});

test('an agent may act for more roles, which its lines do not show', () => {
  const fresh = replaced('acts_for: [reader]', 'acts_for: [reader, editor]');
  const refusedBot = line({
    ...refused('role_missing', '', `${host}/bot#2`),
    ...at('/bot'),
    'http.request.method': 'POST',
    'meshgate.agent': 'bot',
    'meshgate.alone': '',
  });
  expect(new Replay(fresh, old).of(refusedBot)).toEqual({ kind: 'unknown', why: 'roles', roles: ['editor'] });
  expect(new Replay(fresh, old).of(bot)).toEqual({ kind: 'same' });
});

describe('does not know', () => {
  test.each([
    ['a refused credential on a route', expired, 'credential'],
    ['a cut path', line({ 'url.path': '/rest/\ufffd' }), 'cut'],
    ['cut roles', line({ 'user.roles': 'reader,e\ufffd' }), 'cut'],
    ['a preflight', line({ ...anonymous('', ''), 'http.route': `${host}/*` }), 'nginx'],
  ] as const)('%s', (_name, it, why) => {
    expect(new Replay(old).of(it)).toEqual({ kind: 'unknown', why });
  });

  test('whether a request without a route has a caller for the new route', () => {
    const fresh = replaced('  wiki.example.com:', '  x.example.com:');
    expect(new Replay(fresh).of(lost)).toEqual({ kind: 'unknown', why: 'nginx' });
  });
});

test('a refused credential stays refused if the new policy has no route for it', () => {
  expect(new Replay(replaced('  wiki.example.com:', '  docs.example.com:')).of(expired)).toEqual({ kind: 'same' });
});

test('a used-up budget counts as allowed: rules and budgets are apart', () => {
  const limited = line(refused('limit_exceeded', 'reader', `${host}/*#1`));
  expect(new Replay(old).of(limited)).toEqual({ kind: 'same' });
  expect(
    new Replay(replaced('role: reader, methods: [GET]', 'role: reader, methods: [PUT]')).of(limited),
  ).toMatchObject({ kind: 'denied' });
});
