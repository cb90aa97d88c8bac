/** THREATS.md, "Headers": every identity header arrives exactly once, from the gateway, or not at all. */
import { beforeAll, describe, expect, test } from 'vitest';
import {
  expectCleanLog,
  type Received,
  rawRequest,
  ready,
  replaceIn,
  startEcho,
  startGateway,
  startIssuer,
  testStage,
  valuesOf,
  waitForWorkers,
} from '../harness/index.ts';
import { FORGED, INTERNAL } from './forged-headers.ts';
import { sendRawHttp2 } from './http2.ts';
import { PASSING, proxyHeaders } from './proxy-headers.ts';

const stage = await testStage('headers');
const [echo, issuers] = await Promise.all([startEcho(stage, { alias: 'wiki' }), startIssuer(stage)]);
const acme = await issuers.create('acme');
const gateway = await startGateway(stage, {
  policy: `
version: 1
gateway: { insecure_http: true, listen: 8080 }
providers:
  acme: { issuer: ${acme.url}, audiences: [wiki], ca_file: /run/provider/ca.pem }
roles:
  reader: { group: reader }
services:
  wiki: { insecure_url: "http://wiki:8080" }
headers:
  X-Forwarded-User: subject
  X-Forwarded-Email: email
  X-Forwarded-Roles: roles
  X-Team-Name: name
  X-Team-Groups: groups
  X-Team-Department: { claim: department }
  X-WEBAUTH-ROLE: { first_role: { reader: Editor }, else: Viewer }
hosts:
  wiki.test:
    /*: { service: wiki, allow: [reader] }
    /open/*: { service: wiki, allow: [anyone] }
    /bare/*: { service: wiki, allow: [reader], headers: { X-Forwarded-Email: null, X-Team-Department: null } }
`,
  // As over TLS: HTTP/2 on the same port.
  mutate: (files) => replaceIn(files, 'servers.conf', /listen unix:/g, 'http2 on; listen unix:'),
});
const host = 'wiki.test';

const ada = {
  aud: 'wiki',
  sub: 'ada',
  groups: ['reader', 'staff'],
  email: 'ada@example.org',
  email_verified: true,
  name: 'Ada',
  department: 'tools',
};
const reader = await acme.sign(ada);
/** The headers that the service receives about ada. */
const told: Record<string, string> = {
  'X-Forwarded-User': 'ada',
  'X-Forwarded-Email': 'ada@example.org',
  'X-Forwarded-Roles': 'reader',
  'X-Team-Name': 'Ada',
  'X-Team-Groups': 'reader,staff',
  'X-Team-Department': 'tools',
  'X-WEBAUTH-ROLE': 'Editor',
};
const named = Object.keys(told);
const others = proxyHeaders().filter((name) => !PASSING.includes(name));
const every = [
  ...new Map([...named, ...FORGED, ...INTERNAL, ...others].map((name) => [name.toLowerCase(), name])).values(),
];
// With a credential beside it, nginx refuses a second Authorization with 400; see request.test.ts.
const sendable = every.filter((name) => name !== 'Authorization');

beforeAll(() => ready(gateway, host, { token: reader }));

/** Spellings of a name with `_` for some of its dashes. */
const spelledOver = (name: string): readonly string[] =>
  name
    .split('-')
    .slice(1)
    .reduce<readonly string[]>(
      (heads, word) => heads.flatMap((head) => [`${head}-${word}`, `${head}_${word}`]),
      [name.split('-', 1)[0] as string],
    )
    .filter((spelling) => spelling !== name);

const plain = (name: string) => name.toLowerCase().replaceAll('_', '-');

/** Headers that arrived with a client's value, and identity headers that differ from the expected ones. */
function wrong(request: Received, identity: Record<string, string>): string[] {
  const forged = request.headers.filter(([, value]) => /forged/.test(value)).map(([name]) => `forged ${name}`);
  const others = named.flatMap((name) => {
    const arrived = request.headers.filter(([other]) => plain(other) === plain(name)).map(([, value]) => value);
    const expected = identity[name] === undefined ? [] : [identity[name]];
    return JSON.stringify(arrived) === JSON.stringify(expected) ? [] : [`${name}: ${JSON.stringify(arrived)}`];
  });
  return [...forged, ...others];
}

/** Sends headers with a credential and without, and returns the mistakes in what arrived. */
async function arrived(headers: readonly (readonly [string, string])[]): Promise<string[]> {
  await echo.clear();
  const [first, second] = [
    await gateway.send(host, { path: '/open/x', headers: [['Host', host], ...headers], token: reader }),
    await gateway.send(host, { path: '/open/x', headers: [['Host', host], ...headers] }),
  ];
  expect([first.status, second.status]).toEqual([200, 200]);
  const [known, anonymous] = (await echo.requests()) as [Received, Received];
  return [...wrong(known, told), ...wrong(anonymous, {})];
}

describe('the client’s copies never arrive, for each name of the policy and of the trusted list', () => {
  const spellings: Record<string, (name: string) => readonly string[]> = {
    'as they are written': (name) => [name],
    'in lower case': (name) => [name.toLowerCase()],
    'in upper case': (name) => [name.toUpperCase()],
    'in mixed case': (name) => [name.replace(/./g, (c, i: number) => (i % 2 ? c.toLowerCase() : c.toUpperCase()))],
    'with a dot for each -': (name) => (name.includes('-') ? [name.replaceAll('-', '.')] : []),
    'with _ for each -': (name) => [name.replaceAll('-', '_')],
    'with _ for some -': (name) => spelledOver(name).slice(0, 7),
    // nginx itself accepts only one of these.
    twice: (name) => (name === 'Proxy-Authorization' ? [name] : [name, name.toLowerCase()]),
  };
  for (const [what, spell] of Object.entries(spellings)) {
    test(what, async () => {
      const mark = await waitForWorkers(gateway);
      // nginx accepts 32 KB of header lines, and 1000 of them.
      const lines = sendable.flatMap((name) => spell(name).map((one): [string, string] => [one, 'forged']));
      for (let i = 0; i < lines.length; i += 200) {
        expect(await arrived(lines.slice(i, i + 200))).toEqual([]);
      }
      await expectCleanLog(gateway, mark);
    });
  }

  test('over HTTP/2', async () => {
    await echo.clear();
    const headers = sendable
      // HTTP/2 has no connection-specific names (RFC 9113 section 8.2.2); Node sends none.
      .filter((name) => !/^proxy-connection$/i.test(name))
      .flatMap((name): [string, string][] => [
        [name.toLowerCase(), 'forged'],
        [name.toLowerCase().replaceAll('-', '_'), 'forged'],
      ]);
    const answers = await gateway.sendHttp2(
      host,
      { path: '/open/x', headers, token: reader },
      { path: '/open/x', headers },
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    const [known, anonymous] = (await echo.requests()) as [Received, Received];
    expect([...wrong(known, told), ...wrong(anonymous, {})]).toEqual([]);
  });

  test('Authorization of an anonymous caller', async () => {
    const answer = await gateway.send(host, { path: '/open/x', headers: { Authorization: 'forged' } });
    expect([answer.status, answer.json().reason]).toEqual([401, 'credential_unsupported']);
  });

  test('folded over two lines', async () => {
    for (const name of named) {
      for (const lines of [`X-Other: a\r\n ${name}: forged`, `${name}: forged\r\n more`, `${name}:\r\n forged`]) {
        await echo.clear();
        const { answers } = await gateway.sendRaw(
          host,
          `GET /open/x HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${reader}\r\n${lines}\r\n\r\n`,
        );
        const requests = await echo.requests();
        expect([answers[0]!.status, requests.length], lines).toEqual([400, 0]);
      }
    }
  });

  test('as a trailer', async () => {
    await echo.clear();
    const trailers = named.map((name) => `${name}: forged\r\n`).join('');
    const { answers } = await gateway.sendRaw(host, [
      `POST /open/x HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${reader}\r\nTrailer: ${named.join(', ')}\r\nTransfer-Encoding: chunked\r\n\r\n`,
      `5\r\nhello\r\n0\r\n${trailers}\r\n`,
    ]);
    expect(answers[0]!.status).toBe(200);
    const [request] = (await echo.requests()) as [Received];
    expect(wrong(request, told)).toEqual([]);
    expect(request.trailers ?? []).toEqual([]);
    expect(request.body?.text).toBe('hello');
  });

  test('named in Connection: the gateway’s header stays, and the service receives no such option', async () => {
    await echo.clear();
    const answer = await gateway.send(host, {
      path: '/open/x',
      token: reader,
      headers: { Connection: `close, ${named.join(', ')}, X-Meshgate-Rule`, Host: host },
    });
    expect(answer.status).toBe(200);
    const [request] = (await echo.requests()) as [Received];
    expect(wrong(request, told)).toEqual([]);
    expect(valuesOf(request, 'X-Meshgate-Rule')).toEqual(['wiki.test/open/*#1']);
    expect(valuesOf(request, 'Connection').join()).not.toMatch(/x-/i);
  });

  test('with control bytes in or around the name', async () => {
    for (const name of named) {
      for (const line of [
        `${name}\x00: forged`,
        `${name}\x01: forged`,
        `${name}\x7f: forged`,
        `${name}\t: forged`,
        `${name} : forged`,
        `\x00${name}: forged`,
        ` ${name}: forged`,
        `\x0b${name}: forged`,
        `${name}\xa0: forged`,
        `X-Other: a\r${name}: forged`,
        `X-Other: a\x00${name}: forged`,
        `X-Other: a\n${name}: forged`,
        `X-Other: a\x85${name}: forged`,
        `: forged\r\n${name}: forged`,
      ]) {
        await echo.clear();
        const { answers } = await gateway.sendRaw(
          host,
          `GET /open/x HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${reader}\r\n${line}\r\n\r\n`,
        );
        const received = await echo.requests();
        expect([200, 400], JSON.stringify(line)).toContain(answers[0]!.status);
        for (const request of received) {
          // A value that is the text of a header stays a value.
          const others = request.headers.filter(([header]) => !/^x-other$/i.test(header));
          expect(wrong({ ...request, headers: others }, told), JSON.stringify(line)).toEqual([]);
        }
      }
    }
  });

  test('with control bytes over HTTP/2', async () => {
    const malformed = [400, 400];
    const fine = [401, 200];
    for (const name of named.map((one) => one.toLowerCase())) {
      const fields: readonly (readonly [string, string, readonly number[]])[] = [
        [name, 'forged', fine],
        [name.replaceAll('-', '_'), 'forged', fine],
        [name.toUpperCase(), 'forged', malformed],
        [`${name}\r`, 'forged', malformed],
        [`${name}\0`, 'forged', malformed],
        [`${name} `, 'forged', malformed],
        [`x-other: a\r\n${name}`, 'forged', malformed],
        ['x-other', `a\r\n${name}: forged`, malformed],
        ['x-other', `a\n${name}: forged`, malformed],
        ['x-other', `a\0${name}: forged`, malformed],
        [':path', '/x', malformed],
        // The connection ends without a response.
        ['', 'forged', [0, 0]],
        // RFC 9113 section 8.2.2 calls these malformed; nginx accepts them and forwards none.
        ['connection', name, fine],
        ['transfer-encoding', 'chunked', fine],
      ];
      for (const [header, value, statuses] of fields) {
        await echo.clear();
        const refused = await sendRawHttp2(gateway, host, [
          [header, value],
          ['authorization', 'Bearer x'],
        ]);
        const anonymous = await sendRawHttp2(gateway, host, [[header, value]]);
        const got = [refused, anonymous].map((line) => line['http.response.status_code']);
        expect(got, JSON.stringify([header, value])).toEqual(statuses);
        const received = await echo.requests();
        expect(received.length).toBe(statuses[1] === 200 ? 1 : 0);
        for (const request of received) expect(wrong(request, {}), JSON.stringify([header, value])).toEqual([]);
        expect(await echo.malformed()).toEqual([]);
      }
    }
  });
});

test('no header upgrades an HTTP/2 request: only HTTP/1.1 has upgrades', async () => {
  await echo.clear();
  const fields = [
    ['upgrade', 'websocket'],
    ['sec-websocket-version', '13'],
    ['sec-websocket-key', 'dGhlIHNhbXBsZSBub25jZQ=='],
  ] as const;
  await sendRawHttp2(gateway, host, fields);
  const [request] = await echo.requests();
  expect([valuesOf(request!, 'Upgrade'), valuesOf(request!, 'Connection')]).toEqual([[], []]);
});

test('two Authorization headers over HTTP/2 are rejected', async () => {
  for (const values of [
    ['Bearer x', 'Bearer x'],
    ['Bearer x', 'Basic YTpi'],
    ['Basic YTpi', 'Bearer x'],
  ]) {
    await echo.clear();
    const line = await sendRawHttp2(
      gateway,
      host,
      values.map((value) => ['authorization', value] as const),
    );
    expect([line['http.response.status_code'], line['meshgate.reason']]).toEqual([400, 'request_malformed']);
    expect(await echo.requests()).toEqual([]);
  }
});

test('a route that removes a header removes the client’s copy as well', async () => {
  await echo.clear();
  const headers = named.map((name): [string, string] => [name, 'forged']);
  const answer = await gateway.send(host, { path: '/bare/x', token: reader, headers: [['Host', host], ...headers] });
  expect(answer.status).toBe(200);
  const [request] = (await echo.requests()) as [Received];
  const { 'X-Forwarded-Email': _, 'X-Team-Department': __, ...rest } = told;
  expect(wrong(request, rest)).toEqual([]);
  expect(valuesOf(request, 'X-Meshgate-Erased')).toEqual([named.join(', ')]);
});

test('the credential and its header never arrive, in any spelling', async () => {
  for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
    await echo.clear();
    const raw = rawRequest('GET /x HTTP/1.1', [
      ['Host', host],
      ['AUTHORIZATION', `${scheme} ${reader}`],
      ['Proxy-Authorization', `Bearer ${reader}`],
      ['X-Forwarded-Access-Token', reader],
    ]);
    const { answers } = await gateway.sendRaw(host, raw);
    expect(answers[0]!.status).toBe(200);
    expect(JSON.stringify(await echo.requests())).not.toContain(reader.slice(-40));
  }
});
