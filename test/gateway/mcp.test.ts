/** A real MCP client and a real MCP server: the client knows a URL, and the gateway's answers lead it to the
 * provider. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Client, UnauthorizedError } from '@modelcontextprotocol/client';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  type Exchange,
  expectCleanLog,
  mcpTransport,
  PersonsClient,
  stageFetch,
  startGateway,
  startIssuer,
  startMcp,
  startSso,
  testStage,
  until,
  waitForWorkers,
} from '../harness/index.ts';

const stage = await testStage('mcp');
const host = 'mcp.example.com';
const resource = `https://${host}:8443/mcp`;
const edit = `https://${host}:8443/edit`;
const [sso, service, issuers] = await Promise.all([
  startSso(stage, {
    origins: [],
    resources: { [resource]: 'tools:read tools:write', [edit]: 'tools:read tools:write' },
  }),
  startMcp(stage),
  startIssuer(stage),
]);
const acme = await issuers.create('acme');
const policy = `
version: 1
gateway:
  public_port: 8443
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }
providers:
  sso: { issuer: ${sso.issuer}, ca_file: /run/provider/ca.pem, audiences: [api://wiki] }
  acme: { issuer: ${acme.url}, ca_file: /run/provider/ca.pem, audiences: [api://wiki], subject: { prefix: acme- } }
roles:
  reader: { all: [ { group: staff, provider: sso }, { scope: tools:read, provider: sso } ] }
  writer: { all: [reader, { scope: tools:write, provider: sso }] }
  guest: { group: staff, provider: acme }
agents:
  pages-bot: { match: { client_id: pages-bot, provider: acme }, acts_for: [guest], bound: none }
services:
  mcp: { insecure_url: "http://mcp.internal:8080" }
headers: { X-Forwarded-User: subject }
hosts:
  ${host}:
    providers: [sso]
    /mcp: { service: mcp, audiences: ["${resource}"], allow: [reader], proxy: { stream: true } }
    /edit: { service: mcp, audiences: ["${resource}", "${edit}"], allow: [writer], proxy: { stream: true } }
    /wiki/*: { service: mcp, allow: [authenticated] }
  "*.apps.example.com":
    providers: [acme]
    /*: { service: mcp, allow: [guest] }
    /mcp: { service: mcp, audiences: ["https://apps.example.com/mcp"], allow: [guest] }
    /pages/*: { service: mcp, allow: [anyone] }
  tools.example.com:
    providers: [acme]
    /mcp: { service: mcp, proxy: { stream: true }, allow: [ { agent: pages-bot, tools: [search_*, watch_page] }, guest ] }
`;
const gateway = await startGateway(stage, { policy });

beforeAll(() =>
  until(async () => !/keys/.test((await gateway.send(host, { path: '/mcp', token: 'a.b.c' })).text), {
    what: "an answer that is not about the provider's keys, so the gateway has them",
    help: () => gateway.box.logs.tail(),
  }),
);

const modern = { versionNegotiation: { mode: { pin: '2026-07-28' } } } as const;

/** Connects; if the client needs an authorization first, its person signs in. */
async function connected(person: PersonsClient, exchanges: Exchange[], url = resource): Promise<Client> {
  const options = { authProvider: person, fetch: stageFetch(stage, exchanges) };
  const first = mcpTransport(stage, url, options);
  const client = new Client({ name: 'tests', version: '1.0.0' }, modern);
  try {
    await client.connect(first);
    return client;
  } catch (error) {
    if (!(error instanceof UnauthorizedError) || person.returned === undefined) throw error;
  }
  await first.finishAuth(person.returned);
  const again = new Client({ name: 'tests', version: '1.0.0' }, modern);
  await again.connect(mcpTransport(stage, url, options));
  return again;
}

describe('a client that knows only a URL', () => {
  const exchanges: Exchange[] = [];
  let client: Client;

  beforeAll(async () => {
    client = await connected(new PersonsClient(stage, sso, 'ada'), exchanges);
  });

  test('finds the provider by the gateway’s responses, and requests a token for this resource and scope', () => {
    const urls = exchanges.map(({ method, url }) => `${method} ${url.split('?')[0]}`);
    const metadata = `https://${host}:8443/.well-known/oauth-protected-resource/mcp`;
    expect(urls.slice(0, 2)).toEqual([`POST ${resource}`, `GET ${metadata}`]);
    expect(exchanges[0]).toMatchObject({
      status: 401,
      challenge: expect.stringContaining(`resource_metadata="${metadata}", scope="tools:read"`),
    });
    expect(urls).toContain(`POST ${sso.issuer}/reg`);
    expect(urls).toContain(`POST ${sso.issuer}/token`);
  });

  test('calls a tool as its person, whose token the service does not receive', async () => {
    await service.forget();
    const result = await client.callTool({ name: 'search_pages', arguments: { text: 'nginx' } });
    expect(result.content).toEqual([{ type: 'text', text: 'found nginx' }]);
    expect(await service.calls()).toEqual([{ tool: 'search_pages', user: 'ada' }]);
  });

  test('receives a tool’s progress while the tool works: nothing is buffered on the way', async () => {
    const heard: number[] = [];
    const onprogress = ({ progress }: { progress: number }) => heard.push(progress);
    const observed = client.callTool({ name: 'watch_page', arguments: {} }, { onprogress });
    await until(() => heard.length > 0, { what: 'the first message about progress' });
    expect(heard).toEqual([1]);
    await service.release();
    expect((await observed).content).toEqual([{ type: 'text', text: 'watched' }]);
    expect(heard).toEqual([1, 2]);
  });

  test('requests a token with more scopes if only scopes are missing', async () => {
    const person = new PersonsClient(stage, sso, 'ben');
    await (await connected(person, [])).close();
    person.forget();
    const scopes = () => person.requested.map((url) => url.searchParams.get('scope'));
    expect(scopes()).toEqual(['tools:read']);
    await service.forget();
    const seen: Exchange[] = [];
    const writer = await connected(person, seen, edit);
    const metadata = `https://${host}:8443/.well-known/oauth-protected-resource/edit`;
    expect(seen[0]).toMatchObject({ status: 403, url: edit });
    expect(seen[0]?.challenge).toContain(`resource_metadata="${metadata}", scope="tools:read tools:write"`);
    expect(seen[0]?.challenge).toContain('error="insufficient_scope"');
    expect(scopes()).toEqual(['tools:read', 'tools:read tools:write']);
    expect(person.requested.at(-1)?.searchParams.get('resource')).toBe(edit);
    await writer.callTool({ name: 'delete_page', arguments: { id: '1' } });
    expect(await service.calls()).toEqual([{ tool: 'delete_page', user: 'ben' }]);
    expect(seen.filter(({ url, status }) => url === edit && status !== 200)).toHaveLength(1);
  });

  test('a person without the group is told so, and no other token is requested', async () => {
    const seen: Exchange[] = [];
    await expect(connected(new PersonsClient(stage, sso, 'cleo'), seen)).rejects.toThrow(/403|forbidden/i);
    const last = seen.filter(({ url }) => url === resource).at(-1);
    expect(last).toMatchObject({ status: 403 });
    expect(last).not.toHaveProperty('challenge');
  });
});

describe('audiences of a route', () => {
  const apps = 'one.apps.example.com';
  const ask = async (path: string, ...aud: string[]) => {
    const token = await acme.sign({ aud, sub: 'ben', groups: ['staff'] });
    // From the second time on it is a known token.
    const [first, second] = [await gateway.send(apps, { path, token }), await gateway.send(apps, { path, token })];
    expect(second.status).toBe(first.status);
    return [first.status, first.status === 401 ? first.json().reason : undefined];
  };

  test('replace the provider’s audience on that route, and only there', async () => {
    const [own, usual] = ['https://apps.example.com/mcp', 'api://wiki'];
    expect((await ask('/mcp', own))[0]).not.toBe(401);
    expect(await ask('/mcp', usual)).toEqual([401, 'audience_mismatch']);
    expect(await ask('/x', own)).toEqual([401, 'audience_mismatch']);
    expect((await ask('/x', usual))[0]).not.toBe(401);
  });

  test('a token that passed on one route is not a known token on another', async () => {
    const token = await acme.sign({ aud: 'https://apps.example.com/mcp', sub: 'ben', groups: ['staff'] });
    const status = async (path: string) => (await gateway.send(apps, { path, token })).status;
    for (let i = 0; i < 3; i++) {
      expect(await status('/mcp')).not.toBe(401);
      expect(await status('/x')).toBe(401);
    }
  });
});

describe('metadata', () => {
  const get = (name: string, path = '', method = 'GET') =>
    gateway.send(name, { method, path: `/.well-known/oauth-protected-resource${path}` });

  test('exists for each route that accepts tokens, and for no other path', async () => {
    const answer = await get(host, '/mcp');
    expect(answer.json()).toEqual({
      resource,
      authorization_servers: [sso.issuer],
      scopes_supported: ['tools:read'],
      bearer_methods_supported: ['header'],
    });
    expect(answer.header('Content-Type')).toBe('application/json');
    expect(answer.header('Access-Control-Allow-Origin')).toBe('*');
    expect((await get(host, '/wiki')).json()).toMatchObject({ resource: `https://${host}:8443/wiki` });
    for (const path of ['', '/', '/wiki/', '/other', '/mcp/x']) {
      expect([path, (await get(host, path)).status]).toEqual([path, 404]);
    }
    expect((await get(host, '/mcp', 'POST')).status).toBe(404);
  });

  test('of a host with many names is for the requested name', async () => {
    const answer = await get('two.apps.example.com', '/mcp');
    expect(answer.json().resource).toBe('https://two.apps.example.com:8443/mcp');
    expect((await get('two.apps.example.com')).json().resource).toBe('https://two.apps.example.com:8443');
    const refused = await gateway.send('two.apps.example.com', { path: '/mcp' });
    expect(refused.header('WWW-Authenticate')).toBe('Bearer realm="*.apps.example.com"');
  });

  test.each(['a"b', 'a\\b', 'a{b}'])('does not exist for an invalid name: %s', async (label) => {
    const answer = await gateway.sendRaw(
      'two.apps.example.com',
      `GET /.well-known/oauth-protected-resource HTTP/1.1\r\nHost: ${label}.apps.example.com\r\nConnection: close\r\n\r\n`,
    );
    expect(answer.answers[0]?.status).toBeGreaterThanOrEqual(400);
  });
});

describe('a token in the URL', () => {
  test.each(['?access_token=x', '?a=b&access_token=x', '?ACCESS%5ftoken=x'])('is not accepted: %s', async (query) => {
    const token = await acme.sign({ aud: 'api://wiki', sub: 'ben', groups: ['staff'] });
    for (const path of ['/x', '/pages/x']) {
      for (const more of [{}, { token }]) {
        const answer = await gateway.send('one.apps.example.com', { path: path + query, ...more });
        expect([answer.status, answer.json().reason]).toEqual([401, 'credential_unsupported']);
        expect(answer.json().detail).toMatch(/access_token/);
      }
    }
    expect((await gateway.send('one.apps.example.com', { path: '/pages/access_token=x' })).status).toBe(405);
  });
});

describe('tools of an agent', () => {
  const tools = 'tools.example.com';
  const url = `https://${tools}:8443/mcp`;
  const token = (more: object = { azp: 'pages-bot' }) =>
    acme.sign({ aud: 'api://wiki', sub: 'ben', groups: ['staff'], ...more });

  async function agent(exchanges: Exchange[] = []): Promise<Client> {
    const bearer = await token();
    const options = { authProvider: { token: async () => bearer }, fetch: stageFetch(stage, exchanges) };
    const client = new Client({ name: 'tests', version: '1.0.0' }, modern);
    await client.connect(mcpTransport(stage, url, options));
    return client;
  }

  test('a real client lists them all, and calls those that its rule names', async () => {
    await service.forget();
    const exchanges: Exchange[] = [];
    const client = await agent(exchanges);
    const listed = (await client.listTools()).tools.map(({ name }) => name);
    expect(listed).toEqual(['search_pages', 'delete_page', 'watch_page']);
    for (let i = 0; i < 3; i++) {
      const found = await client.callTool({ name: 'search_pages', arguments: { text: 'x' } });
      expect(found.content).toEqual([{ type: 'text', text: 'found x' }]);
      await expect(client.callTool({ name: 'delete_page', arguments: { id: '1' } })).rejects.toThrow();
      expect(exchanges.at(-1)).toMatchObject({ status: 403 });
    }
    expect((await service.calls()).map(({ tool }) => tool)).toEqual(['search_pages', 'search_pages', 'search_pages']);
  });

  const message = (name: string, method = 'tools/call') =>
    JSON.stringify({
      ...{ jsonrpc: '2.0', id: 1, method },
      params: {
        name,
        arguments: { id: '1', text: 'x' },
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientInfo': { name: 'tests', version: '1.0.0' },
          'io.modelcontextprotocol/clientCapabilities': {},
        },
      },
    });

  type Sent = readonly (readonly [string, string])[];

  async function send(headers: Sent, body: string, bearer?: string) {
    const shared = [
      ...([
        ['Host', `${tools}:8443`],
        ['Content-Type', 'application/json'],
      ] as const),
      ...([['Accept', 'application/json, text/event-stream'], ...headers] as const),
    ] as const;
    return gateway.send(tools, {
      method: 'POST',
      path: '/mcp',
      headers: shared,
      body,
      token: bearer ?? (await token()),
    });
  }

  const version = ['MCP-Protocol-Version', '2026-07-28'] as const;
  const call = ['Mcp-Method', 'tools/call'] as const;
  const named = (name: string) => ['Mcp-Name', name] as const;

  test.each<[string, Sent, number, string]>([
    ['a tool that no rule names', [version, call, named('delete_page')], 403, 'tool_refused'],
    ['no headers at all', [], 400, 'protocol_refused'],
    ['no name', [version, call], 400, 'protocol_refused'],
    ['no method', [version, named('search_pages')], 400, 'protocol_refused'],
    ['no version', [call, named('search_pages')], 400, 'protocol_refused'],
    [
      'an older version',
      [['MCP-Protocol-Version', '2025-11-25'], call, named('search_pages')],
      400,
      'protocol_refused',
    ],
    ['two names', [version, call, named('search_pages'), named('delete_page')], 403, 'tool_refused'],
    ['two methods', [version, ['Mcp-Method', 'tools/list'], call, named('delete_page')], 400, 'protocol_refused'],
    ['a name in another spelling', [version, call, named('=?base64?c2VhcmNoX3BhZ2Vz?=')], 403, 'tool_refused'],
    [
      'the gateway’s own headers',
      [
        ['X-Meshgate-Mcp-Method', 'tools/list'],
        ['X-Meshgate-Mcp-Version', '2026-07-28'],
      ],
      400,
      'protocol_refused',
    ],
    ['another method', [version, ['Mcp-Method', 'resources/read'], named('search_pages')], 403, 'tool_refused'],
  ])('%s does not reach the server', async (_, headers, status, reason) => {
    await service.forget();
    for (let i = 0; i < 2; i++) {
      const answer = await send(headers, message('delete_page'));
      expect([answer.status, answer.json().reason]).toEqual([status, reason]);
    }
    expect(await service.calls()).toEqual([]);
  });

  test('headers that contradict the message are refused by the server', async () => {
    await service.forget();
    const answer = await send([version, call, named('search_pages')], message('delete_page'));
    expect([answer.status, answer.json().error.code]).toEqual([400, -32020]);
    expect(await service.calls()).toEqual([]);
  });

  test('“meshgate test” sends the headers, and the gateway agrees with the policy', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'meshgate-mcp-'));
    const as = '{ claims: { sub: ben, groups: [staff], azp: pages-bot }, provider: acme }';
    const requested = [
      ['tool: search_pages', 'allowed'],
      ['tool: delete_page', 'tool_refused'],
      ['mcp: tools/list', 'allowed'],
      ['mcp: "prompts/get:review"', 'tool_refused'],
      ['mcp: tools/call', 'protocol_refused'],
    ];
    const tests = requested.map(
      ([reported, outcome]) => `  - { as: ${as}, POST: "${url}", ${reported}, expect: ${outcome} }\n`,
    );
    const files = {
      'meshgate.yaml': `${policy}tests:\n${tests.join('')}`,
      'ca.pem': stage.ca.cert,
      bot: await token(),
    };
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    const to = gateway.target(tools);
    const tokens = requested.flatMap((_, index) => ['--token', `tests[${index}]=bot`]);
    const args = [
      resolve('dist/cli.js'),
      'test',
      '--gateway',
      `https://${to.host}:${to.port}`,
      '--ca-file',
      'ca.pem',
      ...tokens,
    ];
    const ran = promisify(execFile)(process.execPath, args, { cwd: folder });
    const { stdout } = await ran.finally(() => rm(folder, { recursive: true }));
    expect(stdout).toContain('as the policy decides: 5 tests pass');
    expect(stdout).toContain('agrees on 5 requests');
  });

  test('people call any tool, and the log names agent, person and tool', async () => {
    await service.forget();
    const own = await send([version, call, named('delete_page')], message('delete_page'), await token({ azp: 'cli' }));
    expect(own.status).toBe(200);
    const mark = await waitForWorkers(gateway);
    await send([version, call, named('search_pages')], message('search_pages'));
    const line = () => gateway.access(mark).find((it) => it['meshgate.agent'] === 'pages-bot');
    await until(() => line() !== undefined, { what: 'the access log line of the agent' });
    expect(line()).toMatchObject({
      ...{ 'user.id': 'acme-ben', 'meshgate.rule': `${tools}/mcp#1` },
      ...{ 'mcp.method.name': 'tools/call', 'gen_ai.tool.name': 'search_pages' },
    });
  });
});

test('no request of these tests logs an error', () => expectCleanLog(gateway, 0));
