/** Whatever bytes a caller sends, its line of the log is JSON in UTF-8: no caller can make a line unreadable. */
import { createHmac } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { newRing } from '../../src/session/keys/rotate-ring.ts';
import {
  type Gateway,
  ready,
  replaceIn,
  signToken,
  startEcho,
  startGateway,
  startIssuer,
  testStage,
  until,
  valuesOf,
} from '../harness/index.ts';

const stage = await testStage('log');
const [wiki, issuers] = await Promise.all([startEcho(stage, { alias: 'wiki' }), startIssuer(stage)]);
const acme = await issuers.create('acme');
const host = 'wiki.test';
/** The log of the image, in a file: the engine returns a container's output as text already. */
const LOG = '/run/meshgate/access.log';
const gateway = await startGateway(stage, {
  policy: `
version: 1
gateway: { insecure_http: true, listen: 8080 }
providers:
  acme: { issuer: ${acme.url}, audiences: [wiki], ca_file: /run/provider/ca.pem }
roles:
  staff: { group: staff }
agents:
  bot: { match: { client_id: bot }, acts_for: [staff], bound: none }
headers:
  X-Forwarded-User: subject
  X-Forwarded-Email: email
  X-Forwarded-Groups: groups
  X-Forwarded-Preferred-Username: name
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
  ${host}:
    /*: { service: wiki, allow: [anyone, { agent: bot, tools: [search_*] }] }
  "*.apps.test":
    /*: { service: wiki, allow: [anyone] }
`,
  mutate: (files) => replaceIn(files, /\.conf$/, /access_log \S+ meshgate[^;]*/g, `access_log ${LOG} meshgate`),
});

beforeAll(() => ready(gateway, host, { path: '/' }));

/** Identity headers of the policy: a client tries to set all of them. */
const ERASED = ['X-Forwarded-User', 'X-Forwarded-Email', 'X-Forwarded-Groups', 'X-Forwarded-Preferred-Username'];

let count = 0;

/** The line of one request, with these bytes sent as they are. */
async function textOf(
  { path = '', method = 'GET', hostName = host, lines = [] as readonly string[] },
  to: Gateway = gateway,
): Promise<string> {
  const mark = `mark-${++count}`;
  const head = [`${method} /${mark}/${path} HTTP/1.1`, `Host: ${hostName}`, ...lines, '\r\n'].join('\r\n');
  const { answers } = await to.sendRaw(host, Buffer.from(head, 'latin1'));
  expect(answers).toHaveLength(1);
  const found = await until(
    async () => {
      const read = `console.log(require("fs").readFileSync("${LOG}").toString("hex"))`;
      const { stdout } = await to.box.exec('njs', '-c', read);
      const bytes = Buffer.from(stdout.trim(), 'hex');
      const all = bytes.toString('latin1').split('\n').slice(0, -1);
      return all.find((line) => line.includes(mark));
    },
    { what: 'the line of the request' },
  );
  return found;
}

async function lineOf(sent: Parameters<typeof textOf>[0], to?: Gateway): Promise<Record<string, unknown>> {
  const bytes = Buffer.from(await textOf(sent, to), 'latin1');
  return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
}

const latin1 = (text: string) => Buffer.from(text, 'utf8').toString('latin1');

/** Invalid UTF-8 (RFC 3629), each with the text before it. */
const BROKEN: readonly (readonly [what: string, bytes: string])[] = [
  ['a byte that is in no character', '\xff'],
  ['a byte that only goes on', '\x80'],
  ['a character that ends early', '\xe2\x82'],
  ['a character that ends early, and a letter', '\xe2\x82x'],
  ['a slash that is too long', '\xc0\xaf'],
  ['a slash that is much too long', '\xe0\x80\xaf'],
  ['half of a surrogate pair', '\xed\xa0\x80'],
  ['a character beyond Unicode', '\xf4\x90\x80\x80'],
  ['a lead byte of five', '\xf8\x88\x80\x80\x80'],
];

describe.each(BROKEN)('%s', (_, bytes) => {
  test('in a User-Agent, a path, a method and an MCP name: the line keeps the text before it', async () => {
    const value = `before ${latin1('Ä🙂')}${bytes} after`;
    const line = await lineOf({
      path: `x${bytes}y?q=${bytes}`,
      lines: [`User-Agent: ${value}`, `Mcp-Method: ${value}`, `Mcp-Name: ${value}`],
    });
    const kept = 'before Ä🙂\ufffd';
    expect(line).toMatchObject({
      'user_agent.original': kept,
      'mcp.method.name': kept,
      'gen_ai.tool.name': kept,
      'url.path': `/mark-${count}/x\ufffd`,
    });
  });

  test('in a host, which nginx refuses: the line keeps none of it', async () => {
    for (const hostName of [`a${bytes}.apps.test`, `b${bytes}`]) {
      const line = await lineOf({ hostName });
      expect([line['http.response.status_code'], line['server.address']]).toEqual([400, '_']);
    }
  });
});

test('text in UTF-8 is logged as it was sent', async () => {
  const value = 'ÄÖÜ 日本語 🙂 \u{10ffff} "\\ plain';
  const line = await lineOf({
    path: `${latin1('日本語')}?q=\xff`,
    lines: [`User-Agent: ${latin1(value)}`, `Mcp-Name: ${latin1(value)}`],
  });
  expect(line).toMatchObject({
    'user_agent.original': value,
    'gen_ai.tool.name': value,
    'mcp.method.name': '',
    'url.path': `/mark-${count}/日本語`,
    'server.address': host,
  });
});

describe('values that look like the key by which nginx finds most lines', () => {
  const FORGED = ['"', '200"""GET"x"', '"GET"wiki.test"curl', '"'.repeat(9)];

  test.each(FORGED)('are logged as they were sent, also if the request is refused: %s', async (value) => {
    const lines = [`User-Agent: ${value}`, `Mcp-Name: ${value}`];
    const passed = await lineOf({ lines });
    expect(passed).toMatchObject({
      'http.response.status_code': 200,
      'http.request.method': 'GET',
      'user_agent.original': value,
      'gen_ai.tool.name': value,
      'meshgate.reason': '',
    });
    const refused = await lineOf({ path: '%2e', lines });
    expect(refused).toMatchObject({
      'http.response.status_code': 400,
      'user_agent.original': value,
      'gen_ai.tool.name': value,
      'meshgate.reason': 'path_not_canonical',
    });
  });
});

test('the ids of a trace are those of the client only if its traceparent is valid', async () => {
  const [trace, span] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'];
  // A path that is refused reaches no service, so only the log asks for the ids.
  for (const path of ['', '%2e']) {
    const of = (sent: string) => lineOf({ path, lines: [`traceparent: ${sent}`] });
    expect(await of(`00-${trace}-${span}-01`)).toMatchObject({ trace_id: trace, span_id: span });
    for (const bad of [
      `00-${'0'.repeat(32)}-${span}-01`,
      `00-${trace}-${'0'.repeat(16)}-01`,
      `00-${trace}-${span}-0x`,
    ]) {
      const line = await of(bad);
      const id = line.request_id as string;
      expect([line.trace_id, line.span_id]).toEqual([id, id.slice(0, 16)]);
    }
  }
});

/** Bytes that Linux writes to a pipe at once: a longer line may be interrupted by others. */
const PIPE_BUF = 4096;

/** Of these, the bytes for the names that policy and providers choose, and for fields that this policy does not have:
 * mesh, ingress, results of several upstreams, credential of a service. docs/log.md says 750 and 130. */
const OTHERS = 750 + 130;

/** The greatest lengths of the fields, as the documentation says: bytes of a line, without the mark for truncation. */
const MOST = { path: 1024, agent: 512, tool: 256, host: 255, method: 32, version: 32 };

const CUT = '\ufffd';

test.each([1, 2, 3, 4])(
  'a field of 30,000 bytes in characters of %i bytes is truncated to its first ones',
  async (width) => {
    const char = ['x', 'é', '日', '🙂'][width - 1]!;
    const text = char.repeat(30_000 / width);
    // Plain ASCII is logged byte by byte; of other characters half as many bytes are kept.
    const kept = (most: number, before = '') => {
      const room = (width === 1 ? most : most / 2) - before.length;
      return `${before}${char.repeat(Math.floor(room / width))}${CUT}`;
    };
    const sent = latin1(text);
    expect((await lineOf({ lines: [`User-Agent: ${sent}`] }))['user_agent.original']).toBe(kept(MOST.agent));
    expect((await lineOf({ path: sent }))['url.path']).toBe(kept(MOST.path, `/mark-${count}/`));
    expect((await lineOf({ lines: [`Mcp-Name: ${sent}`] }))['gen_ai.tool.name']).toBe(kept(MOST.tool));
    const version = await lineOf({ lines: [`Mcp-Protocol-Version: ${sent}`] });
    expect(version['mcp.protocol.version']).toBe(kept(MOST.version));
  },
);

test('a field of the greatest length is logged whole, without its query', async () => {
  const rest = 'p'.repeat(MOST.path - `/mark-${count + 1}/`.length);
  const agent = 'a'.repeat(MOST.agent);
  const line = await lineOf({ path: `${rest}?q=${'x'.repeat(5000)}`, lines: [`User-Agent: ${agent}`] });
  expect([line['url.path'], line['user_agent.original']]).toEqual([`/mark-${count}/${rest}`, agent]);
});

test.each(['\x01', '\t', '\x1f', '\x7f'])('a field ends at its first control byte: %j', async (byte) => {
  const line = await lineOf({ lines: [`User-Agent: before${byte}after`, `Mcp-Name: before${byte}after`] });
  expect([line['user_agent.original'], line['gen_ai.tool.name']]).toEqual([`before${CUT}`, `before${CUT}`]);
});

test('a method and a host are logged up to their greatest length', async () => {
  const method = (length: number) => lineOf({ method: 'M'.repeat(length) });
  expect((await method(MOST.method))['http.request.method']).toBe('M'.repeat(MOST.method));
  expect((await method(7000))['http.request.method']).toBe(`${'M'.repeat(MOST.method)}${CUT}`);
  const name = (length: number) => `${'h'.repeat(length - '.apps.test'.length)}.apps.test`;
  expect((await lineOf({ hostName: name(MOST.host) }))['server.address']).toBe(name(MOST.host));
  expect((await lineOf({ hostName: name(7000) }))['server.address']).toBe(`${'h'.repeat(MOST.host)}${CUT}`);
});

/** The text that needs the most room in the line, as JSON writes it. */
const FILLS: readonly (readonly [what: string, bytes: string])[] = [
  ['plain letters', 'x'],
  ['quotation marks', '"'],
  ['control bytes', '\x01'],
  ['bytes of no character', '\xff'],
  ['long characters', latin1('🙂')],
  ['a letter, and then quotation marks', 'x""""'],
];

test.each(FILLS)('no client causes a line that is longer than one write to a pipe: %s', async (_, bytes) => {
  const long = bytes.repeat(Math.floor(7000 / bytes.length));
  const tries = ERASED.map((name) => `${name}: x`);
  const mcp = ['Mcp-Method', 'Mcp-Name', 'Mcp-Protocol-Version'].map((name) => `${name}: ${long}`);
  const lines = [`User-Agent: ${long}`, ...mcp, ...tries];
  // nginx accepts no control bytes in a path.
  const path = bytes === '\x01' ? 'x' : long;
  for (const more of [{}, { method: 'M'.repeat(7000) }, { hostName: `${'h'.repeat(7000)}.apps.test` }]) {
    const line = await textOf({ path, lines, ...more });
    expect(line.length).toBeLessThan(PIPE_BUF - OTHERS);
    JSON.parse(Buffer.from(line, 'latin1').toString());
  }
});

/** The maximum number of bytes of an entry of a transparency log. */
const MAX_ENTRY = 65_535;

/** The keys of pseudonyms, and the pseudonym that the documentation describes. */
const KEYS = newRing(Date.now() / 1000);
function pseudonymOf(provider: string, subject: string): string {
  const [{ kid, k }] = JSON.parse(KEYS).keys;
  const key = createHmac('sha256', Buffer.from(k, 'base64url')).update('pseudonyms of the log').digest();
  return `${kid}.${createHmac('sha256', key).update(`${provider}\n${subject}`).digest('base64url').slice(0, 22)}`;
}

describe('a log with claims and pseudonyms, of a policy with long names', async () => {
  const name = (i: number) => `role-${i}-${'r'.repeat(50)}`;
  const roles = Array.from({ length: 150 }, (_, i) => `  ${name(i)}: { group: "group ${i}" }`);
  const audited = await startGateway(stage, {
    policy: `
version: 1
gateway:
  insecure_http: true
  listen: 8080
  audit: { log: ${LOG}, folder: /run/meshgate/audit, claims: true, pseudonyms: { key_file: /run/keys/pseudonyms.jwks } }
providers:
  acme: { issuer: ${acme.url}, audiences: [wiki], ca_file: /run/provider/ca.pem }
roles:
${roles.join('\n')}
  north: { claim: region, like: "north-*" }
agents:
  bot: { match: { client_id: bot }, acts_for: [${name(0)}], bound: none, hops: 8 }
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
  ${host}:
    /*:
      service: wiki
      headers: { X-Forwarded-User: subject, X-Forwarded-Roles: null }
      allow: [north, ${roles.map((_, i) => name(i)).join(', ')}, { agent: bot, tools: [search_*] }]
`,
    files: { '/run/keys/pseudonyms.jwks': KEYS },
    alias: 'audited',
  });
  const first = await signToken(acme.key, { iss: acme.url, aud: 'wiki', sub: 'first', region: 'north-1' });
  await ready(audited, host, { path: '/', headers: { Authorization: `Bearer ${first}` } });
  const ask = async (claims: Record<string, unknown>, sent: Parameters<typeof textOf>[0] = {}) => {
    const token = await signToken(acme.key, { iss: acme.url, aud: 'wiki', sub: 'ada', ...claims });
    return { ...sent, lines: [`Authorization: Bearer ${token}`, ...(sent.lines ?? [])] };
  };

  test('names people by keyed hashes, and services receive their ids', async () => {
    const sent = await ask({ groups: ['group 7', 'ada’s group'], region: 'north-7' });
    const line = await lineOf(sent, audited);
    expect(line).toMatchObject({
      'http.response.status_code': 200,
      'user.id': pseudonymOf('acme', 'ada'),
      'user.roles': `${name(7)},north`,
    });
    // What the policy names stays, also the beginning of a text, so that the roles can be evaluated anew.
    expect(JSON.parse(line['meshgate.claims'] as string)).toEqual({
      groups: ['group 7', pseudonymOf('claims', 'ada’s group')],
      region: `north-${pseudonymOf('claims', 'north-7')}`,
    });
    const received = (await wiki.requests()).filter(({ url }) => url.includes(`/mark-${count}/`));
    expect(received.map((it) => valuesOf(it, 'X-Forwarded-User'))).toEqual([['ada']]);
  });

  test('names the people of refused requests and of agents in the same way', async () => {
    const refused = await lineOf(await ask({ sub: 'ben' }), audited);
    expect(refused).toMatchObject({ 'meshgate.reason': 'role_missing', 'user.id': pseudonymOf('acme', 'ben') });
    const acting = await lineOf(await ask({ act: { sub: 'bot' }, groups: ['group 0'] }), audited);
    expect(acting).toMatchObject({
      'user.id': pseudonymOf('acme', 'ada'),
      'meshgate.actors': pseudonymOf('acme', 'bot'),
      'meshgate.alone': '',
    });
    const unknown = await lineOf(await ask({ act: { sub: 'stranger' } }), audited);
    expect(unknown).toMatchObject({ 'meshgate.reason': 'actor_not_allowed', 'user.id': pseudonymOf('acme', 'ada') });
  });

  test.each(FILLS)('no caller and no policy causes a line that no transparency log holds: %s', async (_, bytes) => {
    const text = Buffer.from(bytes, 'latin1').toString();
    const long = (most: number) => text.repeat(Math.floor(most / text.length));
    const groups = Array.from({ length: 150 }, (_, i) => `group ${i}`);
    const client = { path: bytes === '\x01' ? 'x' : bytes.repeat(1500), lines: [`User-Agent: ${bytes.repeat(5000)}`] };
    const cases = [
      { sub: long(450), groups, region: long(1000) },
      { sub: long(450), region: long(1000) },
      { sub: long(450), groups, region: long(200), act: { sub: 'bot', act: { sub: long(1000) } } },
    ];
    for (const claims of cases) {
      const line = await textOf(await ask(claims, client), audited);
      expect(line.length).toBeLessThan(MAX_ENTRY);
      const fields = JSON.parse(Buffer.from(line, 'latin1').toString());
      expect(fields['user.id']).toBe(pseudonymOf('acme', claims.sub));
      if ('groups' in claims && !('act' in claims))
        expect(fields['user.roles']).toBe(
          `${groups
            .map((_, i) => name(i))
            .join(',')
            .slice(0, 4096)}${CUT}`,
        );
    }
  });
});
