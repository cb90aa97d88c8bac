import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { anonymous, lineText, refused } from '../audit/logged.ts';
import { wrongWith } from '../audit/ocsf-requirements.ts';
import { meshgate } from './fake.ts';

const run = (log: string, ...more: string[]) =>
  meshgate(['audit', 'ocsf', 'access.log', ...more], { files: { 'access.log': log } });

async function eventOf(changed: Readonly<Record<string, unknown>> = {}) {
  const { code, out, err } = await run(`${lineText(changed)}\n`);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return JSON.parse(out);
}

const LINES: readonly (readonly [what: string, changed: Readonly<Record<string, unknown>>])[] = [
  ['an allowed request', {}],
  ['a refused caller', refused('role_missing', 'reader', 'wiki.example.com/*#1')],
  ['an anonymous caller', anonymous('credential_missing')],
  [
    'a request that nginx refused',
    {
      ...anonymous('request_malformed', ''),
      'http.request.method': '',
      'url.path': '',
      'http.route': '-',
      'server.address': '_',
      'http.response.status_code': 400,
      'meshgate.service': '',
    },
  ],
  ['a request without a response', { 'http.response.status_code': 0 }],
  ['an agent', { 'meshgate.agent': 'bot', 'meshgate.actors': 'b1', 'meshgate.alone': '1', 'meshgate.claims': '{}' }],
  ['an unusual method', { 'http.request.method': 'BREW' }],
  ...['/.meshgate/callback', '/.meshgate/callback/okta', '/.meshgate/signin', '/.meshgate/backchannel'].map(
    (path) => [path, { ...anonymous('', ''), 'url.path': path, 'meshgate.service': '' }] as const,
  ),
];

describe('the event of', () => {
  test.each(LINES)('%s has all attributes that OCSF requires, and no others', async (_, changed) => {
    expect(wrongWith(await eventOf(changed))).toEqual([]);
  });
});

test('a request is an API Activity: caller, decision, route, service and response', async () => {
  const event = await eventOf({ 'http.request.method': 'POST', 'user.roles': 'reader,editor' });
  expect(event).toMatchObject({
    class_uid: 6003,
    activity_id: 1,
    time: Date.UTC(2026, 2, 4, 10, 15, 2),
    duration: 1,
    status_id: 1,
    actor: {
      user: { uid: 'okta-ben', groups: [{ name: 'reader' }, { name: 'editor' }] },
      idp: { name: 'okta' },
      authorizations: [{ decision: 'Allowed', policy: { name: 'wiki.example.com/*#1', uid: '5f2d0c81b9a3e674' } }],
    },
    api: {
      operation: 'POST wiki.example.com/*',
      service: { name: 'wiki' },
      request: { uid: '9795ce5ecb841cd57231e9be6a3e3b4b' },
    },
    src_endpoint: { ip: '192.0.2.7' },
    http_request: { http_method: 'POST', url: { hostname: 'wiki.example.com', path: '/rest/page' } },
    http_response: { code: 200, body_length: 106 },
  });
});

test.each([
  ['GET', 2],
  ['HEAD', 2],
  ['PUT', 3],
  ['PATCH', 3],
  ['DELETE', 4],
  ['LOCK', 99],
])('the method %s has the activity %i', async (method, id) => {
  expect((await eventOf({ 'http.request.method': method })).activity_id).toBe(id);
});

test('a refusal is a failure with its reason', async () => {
  const event = await eventOf({
    ...refused('role_missing', 'reader', 'wiki.example.com/*#1'),
    'http.response.status_code': 403,
  });
  expect(event).toMatchObject({
    status: 'Failure',
    status_detail: 'role_missing',
    actor: { authorizations: [{ decision: 'Denied' }] },
    api: { response: { code: 403, error: 'role_missing' } },
  });
});

test.each([
  ['/.meshgate/callback/okta', 'GET', 1],
  ['/.meshgate/handover', 'POST', 1],
  ['/.meshgate/signout', 'POST', 2],
  ['/.meshgate/signout', 'GET', 99],
  ['/.meshgate/backchannel', 'POST', 2],
])('%s by %s is an Authentication with the activity %i', async (path, method, id) => {
  const event = await eventOf({ ...anonymous('', ''), 'url.path': path, 'http.request.method': method });
  expect(event).toMatchObject({ class_uid: 3002, activity_id: id, user: { name: 'unknown' } });
});

test('fields without an attribute, also of later versions, are kept under unmapped', async () => {
  const event = await eventOf({ 'meshgate.agent': 'bot', 'meshgate.actors': 'b1', 'meshgate.later': 1 });
  expect(event.actor.app_name).toBe('bot');
  expect(event.unmapped).toEqual({
    span_id: '9795ce5ecb841cd5',
    'meshgate.identity': 'default',
    'meshgate.upstream': '192.0.2.80:8443',
    'meshgate.actors': 'b1',
    'meshgate.later': 1,
  });
});

test('names lines that cannot be read, and prints the others', async () => {
  const { code, out, err } = await run(`${lineText()}\nnothing\n{"a":1}\n${lineText()}\n`);
  expect([code, out.trim().split('\n').length]).toEqual([1, 2]);
  expect(err).toMatch(/^meshgate: access\.log:2: .*\nmeshgate: access\.log:3: .*\n$/);
});

describe('audit pseudonym', () => {
  const keys = ['a', 'b'].map((kid, i) => ({ kid, k: Buffer.alloc(32, i + 1).toString('base64url') }));
  const files = { 'p.jwks': JSON.stringify({ keys }), 'other.jwks': '{"keys":[{"kid":"a","k":"c2VjcmV0"}]}' };
  const ask = (...args: string[]) => meshgate(['audit', 'pseudonym', ...args], { files });

  test('prints the names of a person for each key, the current one first', async () => {
    const named = ({ kid, k }: { kid: string; k: string }) => {
      const key = createHmac('sha256', Buffer.from(k, 'base64url')).update('pseudonyms of the log').digest();
      return `${kid}.${createHmac('sha256', key).update('okta\nokta-ada').digest('base64url').slice(0, 22)}\n`;
    };
    const { code, out } = await ask('okta-ada', '--provider', 'okta', '--key-file', 'p.jwks');
    expect({ code, out }).toEqual({ code: 0, out: keys.map(named).join('') });
  });

  test('says which file is no file of keys, and shows nothing of it', async () => {
    const { code, err } = await ask('ada', '--provider', 'okta', '--key-file', 'other.jwks');
    expect(code).toBe(2);
    expect(err).toContain('other.jwks: this is no file of keys from "meshgate keys new --session"');
    expect(err).not.toContain('c2VjcmV0');
  });

  test('needs the provider and the file', async () => {
    expect((await ask('ada', '--key-file', 'p.jwks')).code).toBe(2);
    expect((await ask('ada', '--provider', 'okta')).code).toBe(2);
  });
});
