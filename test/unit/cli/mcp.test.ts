/** Rules with tools, and audiences of routes, as the commands explain and test them. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Outgoing } from '../../../src/cli/machine/http.ts';
import { meshgate, token } from './fake.ts';

const NOW = 1_800_000_000;
const url = 'https://mcp.test/mcp';
const resource = 'https://mcp.test/mcp';
const policy = `version: 1
gateway: { insecure_http: true, listen: 8080 }
providers:
  okta: { issuer: https://okta.test, audiences: [api://wiki] }
roles:
  staff: { group: staff }
agents:
  bot: { match: { client_id: bot }, acts_for: [staff], bound: none }
services:
  pages: { insecure_url: http://pages:8080 }
hosts:
  mcp.test:
    /mcp: { service: pages, audiences: ["${resource}"], allow: [{ agent: bot, tools: [search_*, read_page] }, staff] }
    /wiki: { service: pages, allow: [staff] }
`;
const claims = { iss: 'https://okta.test', aud: resource, sub: 'ann', exp: NOW + 60, groups: ['staff'] };
const agent = token({ ...claims, azp: 'bot' });

function run(args: readonly string[], tests = '', ask?: (request: Outgoing) => Promise<never>) {
  const files = { './meshgate.yaml': policy + tests, 'bot.txt': agent, 'ann.txt': token(claims) };
  return meshgate(args, { files, now: NOW, ...(ask && { ask }) });
}

describe('explain', () => {
  const explain = (...args: string[]) => run(['explain', '--as', 'staff', '--agent', 'bot', ...args, 'POST', url]);

  test('names the rule by which a tool may be called', async () => {
    const { code, out } = await explain('--tool', 'search_pages');
    expect(code).toBe(0);
    expect(out).toContain('message   tools/call search_pages\nallowed by mcp.test/mcp#1');
    expect(out).toContain('      yes tools/call search_pages by tools search_* read_page');
  });

  test.each([
    [['--tool', 'delete_page'], 'tool_refused (403)', 'no  tools/call delete_page by tools search_* read_page'],
    [['--tool', 'Search_pages'], 'tool_refused (403)', 'no  tools/call Search_pages'],
    [['--mcp', 'resources/read:file:///x'], 'tool_refused (403)', 'no  resources/read file:///x'],
    [['--mcp', 'tools/call'], 'protocol_refused (400)', 'no  tools/call by tools'],
    [[], 'protocol_refused (400)', 'no  a message without MCP headers by tools search_* read_page'],
  ])('%j is refused', async (args, denied, why) => {
    const { code, out } = await explain(...args);
    expect(code).toBe(1);
    expect(out).toContain(`denied: ${denied}`);
    expect(out).toContain(why);
    expect(out).toContain('  no  mcp.test/mcp#1: agent bot with tools search_* read_page');
    expect(out).not.toContain('would pass');
  });

  test('a list passes by any such rule', async () => {
    expect((await explain('--mcp', 'tools/list')).code).toBe(0);
  });

  test('people may call any tool', async () => {
    expect((await run(['explain', '--as', 'staff', '--tool', 'delete_page', 'POST', url])).code).toBe(0);
  });

  test('as JSON', async () => {
    const { out } = await explain('--tool', 'read_page', '--format', 'json');
    expect(JSON.parse(out)).toMatchObject({ allowed: true, message: { method: 'tools/call', name: 'read_page' } });
  });

  test.each([
    [['--tool', 'x', '--mcp', 'tools/list'], 'a request is one message'],
    [['--mcp', 'tools list'], 'write METHOD or METHOD:NAME'],
    [['--tool', ''], 'write the name of a tool'],
  ])('%j is wrong use', async (args, says) => {
    const { code, err } = await explain(...args);
    expect([code, err]).toEqual([2, expect.stringContaining(says)]);
  });
});

const tests = `tests:
  - { as: { roles: [staff], agent: bot }, POST: ${url}, tool: search_pages, expect: allowed }
  - { as: { roles: [staff], agent: bot }, POST: ${url}, tool: délete, expect: tool_refused }
  - { as: { roles: [staff], agent: bot }, POST: ${url}, mcp: tools/list, expect: allowed }
  - { as: { roles: [staff], agent: bot }, POST: ${url}, mcp: "prompts/get:review", expect: tool_refused }
  - { as: { roles: [staff], agent: bot }, POST: ${url}, expect: protocol_refused }
  - { as: { claims: { azp: bot, groups: [staff] } }, POST: ${url}, tool: read_page, expect: allowed }
`;

describe('tests of a policy', () => {
  test('name the called tool, or the message', async () => {
    const { code, out } = await run(['test'], tests);
    expect([code, out]).toEqual([0, expect.stringContaining('6 tests pass')]);
  });

  test('name it if they fail', async () => {
    const wrong = `tests: [{ as: { roles: [staff], agent: bot }, POST: ${url}, tool: drop, expect: allowed }]\n`;
    const { code, out } = await run(['test'], wrong);
    expect(code).toBe(1);
    expect(out).toContain(`POST ${url} (tools/call drop) as agent bot for staff: expected allowed, got tool_refused`);
  });

  test('send the headers to the gateway', async () => {
    const requested: Outgoing[] = [];
    const ask = async (request: Outgoing) => {
      requested.push(request);
      return { status: 200, headers: {}, body: '' } as never;
    };
    const files = [0, 1, 2, 4].flatMap((index) => ['--token', `tests[${index}]=bot.txt`]);
    await run(['test', '--gateway', 'http://localhost:8080', ...files], tests, ask);
    const sent = requested.map(({ headers: { Authorization: _, ...headers } }) => headers);
    const version = { 'MCP-Protocol-Version': '2026-07-28' };
    expect(sent).toEqual([
      { ...version, 'Mcp-Method': 'tools/call', 'Mcp-Name': 'search_pages' },
      { ...version, 'Mcp-Method': 'tools/call', 'Mcp-Name': '=?base64?ZMOpbGV0ZQ==?=' },
      { ...version, 'Mcp-Method': 'tools/list' },
      {},
    ]);
  });

  test('use a token that is for one route only', async () => {
    const requested: Outgoing[] = [];
    const ask = async (request: Outgoing) => {
      requested.push(request);
      return { status: 200, headers: {}, body: '' } as never;
    };
    const own = `tests: [{ as: { roles: [staff] }, POST: ${url}, expect: allowed }]\n`;
    const { code, err } = await run(
      ['test', '--gateway', 'http://localhost:8080', '--token', 'staff=ann.txt'],
      own,
      ask,
    );
    expect([code, err, requested.length]).toEqual([0, '', 1]);
  });
});

describe('token', () => {
  test('is accepted on a route with its audience, and only there', async () => {
    const { code, out } = await run(['token', 'ann.txt']);
    expect(code).toBe(0);
    expect(out).toContain('accepted   yes');
    expect(out).toContain('  mcp.test/mcp: any method: by mcp.test/mcp#2');
    expect(out).toContain('  mcp.test/wiki: any method: audience_mismatch');
  });

  test('of an agent matches rules with tools', async () => {
    const { out } = await run(['token', 'bot.txt']);
    expect(out).toContain('  mcp.test/mcp: POST: by mcp.test/mcp#1 with tools search_* read_page');
    const { out: text } = await run(['token', '--format', 'json', 'bot.txt']);
    const [route] = JSON.parse(text).routes;
    expect(route.outcomes).toContainEqual({
      methods: ['POST'],
      rule: 'mcp.test/mcp#1',
      tools: ['search_*', 'read_page'],
    });
  });

  test.each([
    [['ann.txt', 'GET', 'https://mcp.test/wiki'], 1, 'denied: audience_mismatch (401)'],
    [['ann.txt', 'GET', url], 0, 'allowed by mcp.test/mcp#2'],
    [['--tool', 'read_page', 'bot.txt', 'POST', url], 0, 'allowed by mcp.test/mcp#1'],
    [['--tool', 'drop', 'bot.txt', 'POST', url], 1, 'denied: tool_refused (403)'],
  ])('%j with a request', async (args, code, says) => {
    const ran = await run(['token', ...args]);
    expect([ran.code, ran.out]).toEqual([code, expect.stringContaining(says)]);
  });

  test('of an audience of no route and no provider is refused', async () => {
    const files = { './meshgate.yaml': policy, t: token({ ...claims, aud: 'https://other.test' }) };
    const { code, out } = await meshgate(['token', 't'], { files, now: NOW });
    expect([code, out]).toEqual([1, expect.stringContaining('accepted   no: audience_mismatch (401)')]);
  });

  test('without a request is not a message', async () => {
    expect((await run(['token', '--tool', 'x', 'bot.txt'])).code).toBe(2);
  });
});

test('docs/mcp.md shows the output of the commands, and its tests pass', async () => {
  const text = readFileSync('docs/mcp.md', 'utf8');
  const part = (start: string) =>
    text.match(new RegExp(`^\`\`\`yaml\n(${start}:\n[\\s\\S]*?)^\`\`\`$`, 'm'))?.[1] ?? '';
  const around = `version: 1
gateway: { insecure_http: true }
providers: { okta: { issuer: https://okta.test, audiences: [wiki] } }
roles: { reader: { group: readers } }
services: { pages: { insecure_url: "http://pages:8080" } }
`;
  const files = { './meshgate.yaml': around + part('agents') + part('tests') };
  expect(await meshgate(['test'], { files })).toMatchObject({ code: 0, out: expect.stringContaining('3 tests pass') });
  const [, command = '', says] = /^\$ meshgate (.+)\n((?:.+\n)+)```$/m.exec(text) ?? [];
  expect((await meshgate(command.split(' '), { files })).out).toContain(says);
});
