/** Rules with tools, and tokens of routes: attacks of a client, a real gateway, and the requests that reached the
 * service. */
import { beforeAll, describe, expect, test } from 'vitest';
import { ready, startEcho, startGateway, startIssuer, testStage } from '../harness/index.ts';
import { reported } from './trap-fixture.ts';

const stage = await testStage('tools');
const [echo, issuers] = await Promise.all([startEcho(stage, { alias: 'pages' }), startIssuer(stage)]);
const acme = await issuers.create('acme');
const host = 'mcp.test';
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
  pages: { insecure_url: "http://pages:8080" }
hosts:
  ${host}:
    /mcp: { service: pages, allow: [{ agent: bot, tools: [search_*, read_page] }, staff] }
    /own: { service: pages, audiences: ["https://${host}/own"], allow: [staff] }
    /other: { service: pages, audiences: ["https://${host}/other"], allow: [staff] }
    /open/*: { service: pages, allow: [anyone] }
`,
});

const claims = { aud: 'wiki', sub: 'ada', groups: ['staff'] };
const bot = await acme.sign({ ...claims, azp: 'bot' });
const person = await acme.sign(claims);

beforeAll(() => ready(gateway, host, { path: '/mcp', token: person }));

/** The response to a request as it is sent, twice, and the number that reached the service. */
async function outcome(lines: readonly string[], token = bot, path = '/mcp'): Promise<readonly [string, number]> {
  await echo.clear();
  const head = [`POST ${path} HTTP/1.1`, `Host: ${host}`, `Authorization: Bearer ${token}`, ...lines];
  const raw = `${head.join('\r\n')}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`;
  const all = [await gateway.sendRaw(host, raw), await gateway.sendRaw(host, raw)];
  const [first, second] = all.map(({ answers }) => reported(answers[0]));
  expect(second).toBe(first);
  return [first ?? '', (await echo.requests()).length];
}

const version = 'MCP-Protocol-Version: 2026-07-28';
const call = 'Mcp-Method: tools/call';
const named = 'Mcp-Name: search_pages';

test.each([
  ['as clients send them', [version, call, named]],
  [
    'in other letters, as headers may be',
    [version.toLowerCase(), call.toUpperCase().replace('TOOLS/CALL', 'tools/call'), named],
  ],
  ['with spaces around a value, which do not belong to it', [version, call, 'Mcp-Name:   search_pages  ']],
])('headers %s pass', async (_, lines) => {
  expect(await outcome(lines)).toEqual(['200 -', 2]);
});

describe('a tool that no rule names cannot be called by another spelling of one that is named', () => {
  test.each([
    ['its name', 'delete_page'],
    ['case', 'Search_pages'],
    ['percent-encoding', 'search%5fpages'],
    ['base64 of a name that is named', '=?base64?c2VhcmNoX3BhZ2Vz?='],
    ['base64 in other letters', '=?BASE64?c2VhcmNoX3BhZ2Vz?='],
    ['a quoted string', '"search_pages"'],
    ['a parameter', 'search_pages;x=1'],
    ['two in one line', 'search_pages, delete_page'],
    ['the same, twice in one line', 'read_page,read_page'],
    ['more behind it', 'read_page delete_page'],
    ['a longer name', 'read_pages'],
    ['the pattern itself', 'search_*'],
  ])('%s: %s', async (_, name) => {
    expect(await outcome([version, call, `Mcp-Name: ${name}`])).toEqual(['403 tool_refused', 0]);
  });

  test.each([
    ['bytes beyond ASCII', 'séarch_pages'],
    ['broken base64', '=?base64?c2Vhc?='],
    ['a tab before it, which nginx treats as a part of it', '\tsearch_pages'],
    ['nothing', ''],
  ])('%s: %s', async (_, name) => {
    expect(await outcome([version, call, `Mcp-Name: ${name}`])).toEqual(['400 protocol_refused', 0]);
  });
});

describe('headers that are not reliable', () => {
  const other = 'Mcp-Name: delete_page';

  test.each([
    ['none', [], '400 protocol_refused'],
    ['no version', [call, named], '400 protocol_refused'],
    ['no method', [version, named], '400 protocol_refused'],
    ['no name', [version, call], '400 protocol_refused'],
    ['an older version', ['MCP-Protocol-Version: 2025-06-18', call, named], '400 protocol_refused'],
    ['a newer version', ['MCP-Protocol-Version: 2027-01-01', call, named], '400 protocol_refused'],
    ['two versions', [version, 'MCP-Protocol-Version: 2025-06-18', call, named], '400 protocol_refused'],
    ['two methods', [version, 'Mcp-Method: tools/list', call, other], '400 protocol_refused'],
    ['two methods, the other way round', [version, call, 'mcp-method: tools/list', other], '400 protocol_refused'],
    ['two names', [version, call, named, other], '403 tool_refused'],
    ['two names, the other way round', [version, call, other, 'MCP-NAME: search_pages'], '403 tool_refused'],
    ['the method in other letters', [version, 'Mcp-Method: Tools/List', other], '403 tool_refused'],
    ['a method that only begins like one', [version, 'Mcp-Method: tools/list2', other], '400 protocol_refused'],
    ['names with an underscore', [version, 'Mcp_Method: tools/list', other], '400 protocol_refused'],
    ['the headers of the hop', ['X-Meshgate-Mcp-Method: tools/list', `X-Meshgate-${version}`], '400 protocol_refused'],
  ])('%s', async (_, lines, refused) => {
    expect(await outcome(lines)).toEqual([refused, 0]);
  });

  test('do not matter for a person, whose rules do not read them', async () => {
    expect(await outcome([call, other], person)).toEqual(['200 -', 2]);
  });
});

describe('a token in the query', () => {
  test.each(['access_token=x', 'a=b&access_token=x', '%61cces%53%5Ftoken=x', '%61%63%63%65%73%73%5f%74%6f%6b%65%6e=x'])(
    'is refused on each route, whatever else is sent: %s',
    async (query) => {
      for (const path of ['/mcp', '/open/x']) {
        expect(await outcome([version, call, named], bot, `${path}?${query}`)).toEqual([
          '401 credential_unsupported',
          0,
        ]);
      }
    },
  );
});

describe('a token of another route', () => {
  test('is refused in whatever order the routes are used; a token for both routes is accepted', async () => {
    const aud = { own: `https://${host}/own`, other: `https://${host}/other` };
    const own = await acme.sign({ ...claims, aud: aud.own });
    const both = await acme.sign({ ...claims, aud: [aud.own, aud.other] });
    const refused = ['401 audience_mismatch', 0];
    for (let i = 0; i < 2; i++) {
      expect(await outcome([], own, '/own')).toEqual(['200 -', 2]);
      expect(await outcome([], own, '/other')).toEqual(refused);
      expect(await outcome([], own, '/mcp')).toEqual(refused);
      expect(await outcome([], person, '/own')).toEqual(refused);
      expect(await outcome([], both, '/other')).toEqual(['200 -', 2]);
    }
  });

  test.each(['https://mcp.test/own/', 'https://MCP.test/own', 'https://mcp.test:443/own', 'https://mcp.test'])(
    'is refused if it is for a resource with a similar name: %s',
    async (aud) => {
      const token = await acme.sign({ ...claims, aud });
      expect(await outcome([], token, '/own')).toEqual(['401 audience_mismatch', 0]);
    },
  );
});
