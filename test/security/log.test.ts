/** Whatever bytes a caller sends, its line of the log is JSON in UTF-8: nobody chooses whether a line is read. */
import { beforeAll, describe, expect, test } from 'vitest';
import { ready, replaceIn, startEcho, startGateway, startIssuer, testStage, until } from '../harness/index.ts';

const stage = await testStage('log');
const [, issuers] = await Promise.all([startEcho(stage, { alias: 'wiki' }), startIssuer(stage)]);
const acme = await issuers.create('acme');
const host = 'wiki.test';
/** The log of the image, in a file: what the engine gives of a container's output is text already. */
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
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
  ${host}:
    /*: { service: wiki, allow: [anyone, { agent: bot, tools: [search_*] }] }
  "*.apps.test":
    /*: { service: wiki, allow: [anyone] }
`,
  mutate: (files) => replaceIn(files, /\.conf$/, /access_log \S+ meshgate/g, `access_log ${LOG} meshgate`),
});

beforeAll(() => ready(gateway, host, { path: '/' }));

let count = 0;

/** The line of one request, of which these bytes are sent as they are. */
async function lineOf({
  path = '',
  hostName = host,
  lines = [] as readonly string[],
}): Promise<Record<string, unknown>> {
  const mark = `mark-${++count}`;
  const head = [`GET /${mark}/${path} HTTP/1.1`, `Host: ${hostName}`, ...lines, '\r\n'].join('\r\n');
  const { answers } = await gateway.sendRaw(host, Buffer.from(head, 'latin1'));
  expect(answers).toHaveLength(1);
  const found = await until(
    async () => {
      const { stdout } = await gateway.box.exec('od', '-An', '-v', '-tx1', LOG);
      const bytes = Buffer.from(stdout.replace(/\s/g, ''), 'hex');
      const all = bytes.toString('latin1').split('\n').slice(0, -1);
      return all.find((line) => line.includes(mark));
    },
    { what: 'the line of the request' },
  );
  return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(found, 'latin1')));
}

const latin1 = (text: string) => Buffer.from(text, 'utf8').toString('latin1');

/** What is no UTF-8 (RFC 3629), each with what comes before it. */
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
  test('in a User-Agent, a path, a method and a name of MCP: the line has what comes before it', async () => {
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

  test('in a host, which nginx refuses: the line has none of it', async () => {
    for (const hostName of [`a${bytes}.apps.test`, `b${bytes}`]) {
      const line = await lineOf({ hostName });
      expect([line['http.response.status_code'], line['server.address']]).toEqual([400, '_']);
    }
  });
});

test('what is UTF-8 is in the line as it was sent', async () => {
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

test.each([1, 2, 3, 4])('a line of 30,000 bytes in characters of %i, whole and broken', async (width) => {
  const text = ['x', 'é', '日', '🙂'][width - 1]!.repeat(30_000 / width);
  expect((await lineOf({ lines: [`User-Agent: ${latin1(text)}`] }))['user_agent.original']).toBe(text);
  const broken = await lineOf({ path: `${latin1(text)}\xff`, lines: [] });
  expect(broken['url.path']).toBe(`/mark-${count}/${text}\ufffd`);
});
