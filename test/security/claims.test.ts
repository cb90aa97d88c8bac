/** THREATS.md, "Headers": a claim can neither split nor forge a header or a log line. */
import { beforeAll, describe, expect, test } from 'vitest';
import {
  expectCleanLog,
  type Received,
  startEcho,
  startGateway,
  startIssuer,
  testStage,
  until,
  valuesOf,
  waitForWorkers,
} from '../harness/index.ts';

const stage = await testStage('claims');
const [echo, issuers] = await Promise.all([startEcho(stage, { alias: 'wiki' }), startIssuer(stage)]);
const acme = await issuers.create('acme');
const gateway = await startGateway(stage, {
  policy: `
version: 1
gateway: { insecure_http: true, listen: 8080 }
providers:
  acme: { issuer: ${acme.url}, audiences: [wiki], ca_file: /run/provider/ca.pem }
services:
  wiki: { insecure_url: "http://wiki:8080" }
headers:
  X-Forwarded-User: subject
  X-Forwarded-Email: email
  X-Team-Name: name
  X-Team-Groups: groups
  X-Team-Department: { claim: department }
hosts:
  wiki.test: { /*: { service: wiki, allow: [authenticated] } }
`,
});
const host = 'wiki.test';

beforeAll(() => until(async () => (await ask({})).status === 200, { what: 'the keys' }));

async function ask(claims: Readonly<Record<string, unknown>>) {
  const token = await acme.sign({ aud: 'wiki', sub: 'ada', ...claims });
  return gateway.send(host, { path: '/x', token });
}

/** The headers that the service received, and the one log line. */
async function passed(
  claims: Readonly<Record<string, unknown>>,
): Promise<{ request: Received; line: Record<string, unknown> }> {
  await echo.clear();
  const mark = await waitForWorkers(gateway, host);
  const answer = await ask(claims);
  expect(answer.status, answer.text).toBe(200);
  // nginx's line of the request, which may come after its response.
  const [line] = await gateway.box.logs.waitForJson(1, mark);
  await expectCleanLog(gateway, mark);
  const lines = gateway.box.logs.since(mark);
  expect(lines.length, lines.join('\n')).toBe(1);
  const received = await echo.requests();
  expect(received.length).toBe(1);
  expect(await echo.malformed()).toEqual([]);
  return { request: received[0]!, line: line! };
}

/** Text that could have a meaning in a header, a list or a log line. */
const hostile: Record<string, string> = {
  'CR LF and a header': 'a\r\nX-Injected: forged',
  'CR LF CR LF and a body': 'a\r\n\r\nHTTP/1.1 200 OK',
  LF: 'a\nX-Injected: forged',
  CR: 'a\rX-Injected: forged',
  NUL: 'a\0b',
  'a comma': 'a,b, c',
  'a log line': '"}\n{"user.id":"root","meshgate.rule":"forged"}',
  'quotes and backslashes': '"\\"\\',
  'percent signs': '%0d%0aX-Injected: forged%00%',
  'spaces at the ends': '  a  ',
  'only spaces': '   ',
  TAB: 'a\tb',
  'C1 controls': 'a\x85b\x9f',
  'line separators': 'a\u2028b\u2029c',
  'other scripts': 'Zoë Żółć 日本 😀',
  'bidirectional marks': 'a\u202eb',
  'characters whose low byte is CR LF': 'a\u010d\u010aX-Injected: forged',
  nginx: '$http_authorization ${request_id}; return 200;',
};

describe('a claim arrives in one header, as one element, and in one log line', () => {
  for (const [what, text] of Object.entries(hostile)) {
    test(what, async () => {
      const { request, line } = await passed({
        sub: text,
        name: text,
        groups: [text, 'reader', text],
        department: text,
        email: 'ada@example.org',
        email_verified: true,
      });
      expect(request.headers.filter(([name]) => /injected/i.test(name))).toEqual([]);
      const header = (name: string) => {
        const values = valuesOf(request, name);
        expect(values.length, name).toBe(1);
        expect(values[0], name).toMatch(/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/);
        return values[0] as string;
      };
      expect(decodeURIComponent(header('X-Forwarded-User'))).toBe(text);
      expect(decodeURIComponent(header('X-Team-Name'))).toBe(text);
      expect(decodeURIComponent(header('X-Team-Department'))).toBe(text);
      expect(header('X-Team-Groups').split(',').map(decodeURIComponent)).toEqual([text, 'reader', text]);
      expect(decodeURIComponent(line['user.id'] as string)).toBe(text);
      expect(line['meshgate.rule']).toBe('wiki.test/*#1');
    });
  }

  test('half of a surrogate pair', async () => {
    const { request } = await passed({ sub: 'a\ud800b', department: '\udc00' });
    expect(decodeURIComponent(valuesOf(request, 'X-Forwarded-User').join())).toBe('a\ufffdb');
  });

  test('a claim that is not text gives no header, or a plain one', async () => {
    const { request } = await passed({
      name: { toString: 'x' },
      groups: [{ a: 1 }, ['reader']],
      department: [1, true, 'a,b', null],
    });
    expect(valuesOf(request, 'X-Team-Name')).toEqual([]);
    expect(valuesOf(request, 'X-Team-Groups')).toEqual([]);
    expect(valuesOf(request, 'X-Team-Department')).toEqual([]);
    const { request: other } = await passed({ department: [1, true, 'a,b'] });
    expect(valuesOf(other, 'X-Team-Department')).toEqual(['1,true,a%2Cb']);
  });
});

describe('a claim of 8 KB', () => {
  const long = 'x'.repeat(8192);
  for (const [what, claims] of Object.entries({
    sub: { sub: long },
    name: { name: long },
    groups: { groups: Array.from({ length: 300 }, (_, i) => `group number ${i} of many`) },
    department: { department: long },
    'not of ASCII': { department: 'é'.repeat(1400) },
  })) {
    test(`${what}: refused, never truncated`, async () => {
      await echo.clear();
      const mark = await waitForWorkers(gateway);
      for (const _ of [1, 2]) {
        const answer = await ask(claims);
        expect([answer.status, answer.json().reason]).toEqual([401, 'claim_absent']);
      }
      expect(await echo.requests()).toEqual([]);
      await expectCleanLog(gateway, mark);
    });
  }

  test('passes if all claims have their greatest length', async () => {
    const { request } = await passed({
      sub: 'x'.repeat(4096),
      name: 'y'.repeat(4096),
      department: 'z'.repeat(2000),
    });
    expect(valuesOf(request, 'X-Forwarded-User').map((value) => value.length)).toEqual([4096]);
    expect(valuesOf(request, 'X-Team-Name').map((value) => value.length)).toEqual([4096]);
  });
});

describe('an e-mail address becomes an identity only if it is valid and the provider states that it is verified', () => {
  for (const [what, claims] of Object.entries({
    'not verified': { email: 'root@example.org', email_verified: false },
    'verified in words': { email: 'root@example.org', email_verified: 'true' },
    'verified by a number': { email: 'root@example.org', email_verified: 1 },
    'nothing said': { email: 'root@example.org' },
    'two @': { email: 'root@example.org@evil.test', email_verified: true },
    'a quoted @': { email: '"root@example.org"@evil.test', email_verified: true },
    'no @': { email: 'root', email_verified: true },
    'no local part': { email: '@example.org', email_verified: true },
    'no domain': { email: 'root@', email_verified: true },
    'a space': { email: 'root@example.org evil', email_verified: true },
    'a line break': { email: 'root@example.org\r\nX-Injected: forged', email_verified: true },
    NUL: { email: 'root@example.org\0', email_verified: true },
    'a list': { email: ['root@example.org'], email_verified: true },
    'an object': { email: { 0: 'root@example.org' }, email_verified: true },
  })) {
    test(what, async () => {
      const { request } = await passed(claims);
      expect(valuesOf(request, 'X-Forwarded-Email')).toEqual([]);
      expect(JSON.stringify(request.headers)).not.toContain('root');
    });
  }

  test('a valid address, and one with a comma', async () => {
    const { request } = await passed({ email: 'ada@example.org', email_verified: true });
    expect(valuesOf(request, 'X-Forwarded-Email')).toEqual(['ada@example.org']);
    const { request: other } = await passed({ email: 'ada,root@example.org', email_verified: true });
    expect(valuesOf(other, 'X-Forwarded-Email')).toEqual(['ada%2Croot@example.org']);
  });
});
