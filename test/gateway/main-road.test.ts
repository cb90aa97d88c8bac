/** The whole road on the demo's policy: provider → gateway → Envoy → service, and three views of it that agree. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { Offline } from '../../src/cli/decide/offline.ts';
import { covers } from '../../src/rules/compare/cover.ts';
import { compile } from '../../src/rules/compile.ts';
import { decide, hasMethod } from '../../src/rules/decide/decide.ts';
import { match } from '../../src/rules/decide/match.ts';
import {
  type Case,
  readPolicy,
  ready,
  runCase,
  startEcho,
  startEnvoy,
  startGateway,
  startProvider,
  testStage,
  valuesOf,
  waitForWorkers,
} from '../harness/index.ts';
import { describeWith } from '../harness/needs.ts';
import { meshgate } from '../unit/cli/fake.ts';
import { byOtelcol, byRsyslog, type Logs, lacksOtelcol } from './collectors.ts';

/** The lines go to standard output here. */
const text = readFileSync(new URL('../demo/meshgate.yaml', import.meta.url), 'utf8').replace(
  /^ {2}audit:.*\n(?: {4}.*\n)*/m,
  '',
);
const policy = readPolicy(text);
const rules = compile(policy);
const identities = policy.mesh!.identities;

const stage = await testStage('main-road');
const [provider, wiki, dashboard, envoy, gateway] = await Promise.all([
  startProvider(stage, { alias: 'provider.localhost', port: 9443 }),
  startEcho(stage, { alias: 'wiki.internal', accessLog: 'tomcat' }),
  startEcho(stage, { alias: 'dashboard.internal', accessLog: 'json' }),
  startEnvoy(stage, { policy: text }),
  startGateway(stage, { policy: text }),
]);
const setup = { gateway, echoes: [wiki, dashboard] };
const tokens: Record<string, string | undefined> = {
  nobody: undefined,
  ada: await provider.token('ada'),
  ben: await provider.token('ben', 'wiki-cli-es256'),
  cleo: await provider.token('cleo'),
  index: await provider.serviceToken(),
};

function withToken(persona: string): { token?: string } {
  const token = tokens[persona];
  return token === undefined ? {} : { token };
}

beforeAll(() => ready(gateway, 'dashboard.localhost', withToken('ada')));

describe('the main road', () => {
  const roads: readonly (Case & { persona: string; identity: string })[] = [
    {
      name: 'an editor writes to the wiki as wiki-editor',
      persona: 'ada',
      identity: 'wiki-editor',
      host: 'wiki.localhost',
      request: { method: 'POST', path: '/rest/api/content?notify=1', body: '{}' },
      status: 200,
      upstream: {
        service: 'wiki.internal',
        method: 'POST',
        url: '/rest/api/content?notify=1',
        headers: {
          Host: 'wiki.internal',
          'X-Forwarded-User': 'ada',
          'X-Forwarded-Email': 'ada@example.org',
          'X-Forwarded-Roles': 'editor',
          'X-Meshgate-Rule': 'wiki.localhost/rest/*#1',
        },
        absent: ['Authorization', 'X-Meshgate-Erased'],
      },
      log: {
        fields: { 'user.id': 'ada', 'meshgate.rule': 'wiki.localhost/rest/*#1', 'url.path': '/rest/api/content' },
      },
    },
    {
      name: 'a reader reads from the wiki as wiki-reader, with an ES256 token',
      persona: 'ben',
      identity: 'wiki-reader',
      host: 'wiki.localhost',
      request: { path: '/pages/1' },
      status: 200,
      upstream: { service: 'wiki.internal', headers: { 'X-Forwarded-User': 'ben', 'X-Forwarded-Roles': 'reader' } },
    },
    {
      name: 'a service account reads content as the default identity',
      persona: 'index',
      identity: 'default',
      host: 'wiki.localhost',
      request: { path: '/rest/api/content' },
      status: 200,
      upstream: {
        service: 'wiki.internal',
        headers: { 'X-Forwarded-User': 'wiki-index', 'X-Forwarded-Roles': 'indexer' },
        absent: ['X-Forwarded-Email'],
      },
    },
    {
      name: 'a person without a group sees the dashboard, and a forged header does not arrive',
      persona: 'cleo',
      identity: 'default',
      host: 'dashboard.localhost',
      request: { path: '/', headers: { 'X-Forwarded-User': 'ada' } },
      status: 200,
      upstream: {
        service: 'dashboard.internal',
        headers: { 'X-Forwarded-User': 'cleo', 'X-Meshgate-Erased': 'X-Forwarded-User' },
        absent: ['X-Forwarded-Roles'],
      },
    },
    {
      name: 'an anonymous caller sees the status, without an identity header of any kind',
      persona: 'nobody',
      identity: 'default',
      host: 'wiki.localhost',
      request: { path: '/status', headers: { 'X-Forwarded-User': 'ada' } },
      status: 200,
      upstream: { service: 'wiki.internal', absent: ['X-Forwarded-User', 'X-Forwarded-Email', 'X-Forwarded-Roles'] },
    },
  ];

  test.each(roads)('$name', async ({ persona, identity, ...road }) => {
    await waitForWorkers(gateway, road.host);
    for (const run of ['first run', 'second run']) {
      const traceId = randomBytes(16).toString('hex');
      const given = 'headers' in road.request ? (road.request.headers as Record<string, string>) : {};
      const headers = { ...given, traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
      const mark = envoy.box.logs.mark();
      const answer = await runCase(
        setup,
        {
          ...road,
          request: { ...road.request, ...withToken(persona), headers },
          log: { fields: { ...road.log?.fields, trace_id: traceId, 'meshgate.identity': identity } },
        },
        run,
      );
      expect(answer.json().headers.find(([name]: [string]) => name.toLowerCase() === 'traceparent')[1]).toContain(
        traceId,
      );
      const line = await envoy.box.logs.waitFor(new RegExp(traceId), mark);
      expect(line).toContain(identities[identity]!.spiffe);
    }
  });

  test.each<Case & { persona: string }>([
    {
      name: 'a reader who writes',
      persona: 'ben',
      host: 'wiki.localhost',
      request: { method: 'POST', path: '/rest/api/content', body: '{}' },
      status: 403,
      reason: 'role_missing',
      answer: { 'WWW-Authenticate': null },
    },
    {
      name: 'an anonymous caller',
      persona: 'nobody',
      host: 'wiki.localhost',
      request: { path: '/rest/api/content' },
      status: 401,
      reason: 'credential_missing',
      answer: { 'WWW-Authenticate': /^Bearer/ },
    },
  ])('$name is refused, and reaches neither the ingress nor the wiki', async ({ persona, ...road }) => {
    // State: the line of the previous request is in the log.
    await waitForWorkers(gateway, road.host);
    const mark = envoy.box.logs.mark();
    await runCase(setup, { ...road, request: { ...road.request, ...withToken(persona) } }, 'first run');
    await runCase(setup, { ...road, request: { ...road.request, ...withToken(persona) } }, 'second run');
    // State: the ingress has logged a later request, and nothing before it.
    const traceId = randomBytes(16).toString('hex');
    const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
    expect((await gateway.send('dashboard.localhost', { headers, ...withToken('ada') })).status).toBe(200);
    await envoy.box.logs.waitFor(new RegExp(traceId), mark);
    expect(envoy.access(mark)).toHaveLength(1);
  });
});

describe('one id from the response shows all hops', () => {
  interface Shown {
    readonly place: string;
    readonly format: string;
    readonly status: number;
    readonly path: string;
    readonly rule?: string;
    readonly peer?: string;
  }

  /** Sends a request, and runs `meshgate trace` on the logs with the id in its response. */
  async function traced(host: string, echo: typeof wiki, sent: Parameters<typeof gateway.send>[1], passes: boolean) {
    await waitForWorkers(gateway, host);
    const marks = [gateway, envoy, echo].map(({ box }) => box.logs.mark());
    const answer = await gateway.send(host, sent);
    const header = answer.header('traceresponse') ?? '';
    const id = header.split('-')[1] ?? 'none';
    await gateway.box.logs.waitFor(new RegExp(id), marks[0]);
    if (passes) {
      await envoy.box.logs.waitFor(new RegExp(id), marks[1]);
      await echo.box.logs.waitFor(new RegExp(id), marks[2]);
    }
    const [nginx = '', mesh = '', app = ''] = [gateway, envoy, echo].map(({ box }) => box.logs.since(0).join('\n'));
    const args = ['trace', header, '--nginx', 'nginx', '--mesh', 'mesh', '--app', 'app'];
    const files = { nginx, mesh, app };
    const { code, out } = await meshgate([...args, '--json'], { files });
    expect(code).toBe(0);
    const { stories } = JSON.parse(out) as {
      stories: readonly { hops: readonly Shown[]; findings: readonly { kind: string; text: string }[] }[];
    };
    expect(stories).toHaveLength(1);
    const { written } = await meshgate([...args, '--html', 'page.html'], { files });
    return { status: answer.status, id, ...stories[0]!, page: written['./page.html'] ?? '' };
  }

  test.each([
    ['Tomcat’s access log', 'wiki.localhost', wiki, 'access log', 'ada', 'wiki.localhost/*#1', 'wiki-editor'],
    ['JSON', 'dashboard.localhost', dashboard, 'JSON', 'cleo', 'dashboard.localhost/*#5', 'default'],
  ] as const)('gateway, mesh and a service that writes %s', async (_, host, echo, format, persona, rule, as) => {
    const path = '/pages/1?token=secret';
    const { hops, findings, page, id } = await traced(host, echo, { path, ...withToken(persona) }, true);
    expect(hops).toMatchObject([
      { place: 'gateway', format: 'meshgate', status: 200, path: '/pages/1', rule },
      { place: 'mesh', format: 'Envoy', status: 200, path: '/pages/1', rule, peer: identities[as]!.spiffe },
      { place: 'app', format, status: 200, path: '/pages/1' },
    ]);
    expect(findings).toEqual([{ kind: 'answered', text: expect.stringContaining('200') }]);
    for (const word of [id, persona, rule, as, identities[as]!.spiffe]) expect(page).toContain(word);
    expect(page).not.toContain('secret');
  });

  test('a request that the gateway refused has one hop, and no other is missing', async () => {
    const sent = { method: 'POST', path: '/rest/api/content', ...withToken('ben') };
    const { hops, findings } = await traced('wiki.localhost', wiki, sent, false);
    expect(hops).toMatchObject([{ place: 'gateway', status: 403 }]);
    expect(findings).toEqual([{ kind: 'refused', text: expect.stringContaining('role_missing') }]);
  });

  test('the header of a service does not replace that of the gateway', async () => {
    const path = `/pages/1?echo-header=traceresponse:00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const answer = await gateway.send('wiki.localhost', { path, ...withToken('ada') });
    const names = answer.headers.filter(([name]) => name.toLowerCase() === 'traceresponse');
    expect(names).toHaveLength(1);
    expect(names[0]![1]).not.toContain('a'.repeat(32));
  });
});

describe('a collector brings the logs of all hops to one place', () => {
  /** The logs of the hops so far, and the id of a request whose lines are the last ones. */
  async function logged(): Promise<{ readonly id: string; readonly logs: Logs }> {
    await waitForWorkers(gateway, 'wiki.localhost');
    const headers = { 'User-Agent': 'say "hi" \\ <b>' };
    const answer = await gateway.send('wiki.localhost', { path: '/pages/1', headers, ...withToken('ada') });
    const id = answer.header('traceresponse')?.split('-')[1] ?? 'none';
    const boxes = [gateway, envoy, wiki].map(({ box }) => box);
    for (const { logs } of boxes) await logs.waitFor(new RegExp(id));
    const [nginx = '', mesh = '', app = ''] = boxes.map(({ logs }) => `${logs.since(0).join('\n')}\n`);
    return {
      id,
      logs: { '/var/log/meshgate/access.log': nginx, '/var/log/mesh/envoy.log': mesh, '/var/log/app/wiki.log': app },
    };
  }

  /** The hops that `meshgate trace` shows of a collected file, with their whole readings. */
  async function hopsIn(id: string, args: readonly string[], files: Readonly<Record<string, string>>) {
    const { out } = await meshgate(['trace', id, ...args, '--json'], { files });
    const { stories } = JSON.parse(out) as { stories: readonly { hops: readonly Record<string, unknown>[] }[] };
    return stories.flatMap(({ hops }) => hops.map(({ file: _, line: __, ...hop }) => hop));
  }

  async function check(collect: (logs: Logs, isComplete: (text: string) => boolean) => Promise<string>) {
    const { id, logs } = await logged();
    // The id is in the last line of each log, and both are in the gateway's.
    const count = (text: string) => text.split(id).length - 1;
    const all = count(Object.values(logs).join(''));
    const collected = await collect(logs, (text) => count(text) === all);
    const [nginx = '', mesh = '', app = ''] = Object.values(logs);
    const single = await hopsIn(id, ['--nginx', 'n', '--mesh', 'm', '--app', 'a'], { n: nginx, m: mesh, a: app });
    expect(single.map(({ place }) => place)).toEqual(['gateway', 'mesh', 'app']);
    expect(await hopsIn(id, ['--log', 'all'], { all: collected })).toEqual(single);
  }

  test('rsyslog', () => check((logs, isComplete) => byRsyslog(stage, logs, isComplete)));

  describeWith(lacksOtelcol(), 'OpenTelemetry', () => {
    test('the collector', () => check(byOtelcol));
  });
});

describe('every cell of the policy', () => {
  const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
  const paths: Record<string, readonly string[]> = {
    'wiki.localhost': [
      '/',
      '/pages/1',
      '/rest',
      '/rest/',
      '/rest/api/content',
      '/restore',
      '/status',
      '/status/x',
      '/statusx',
    ],
    'dashboard.localhost': ['/', '/rest/x'],
  };
  const places = Object.entries(paths).flatMap(([host, list]) => list.map((path) => ({ host, path })));

  /** The result of explain: the identity, or the reason. */
  function explained(persona: string, method: string, host: string, path: string, by = rules): string {
    const found = match(policy.hosts, host, path);
    if ('reason' in found) return found.reason;
    const token = tokens[persona];
    const caller =
      token === undefined ? null : new Offline(policy, Date.now() / 1000).ofToken(token, found.host.providers);
    if (caller !== null && !caller.ok) return caller.reason;
    const decision = decide(by, caller === null ? null : caller.value.caller, { route: found.route.name, method });
    return decision.allow ? `as ${decision.rule.as} by ${decision.rule.id}` : decision.reason;
  }

  /** The result of the gateway: the identity in its log, or the reason. */
  async function passed(
    persona: string,
    method: string,
    host: string,
    path: string,
    agent: ReturnType<typeof gateway.keepAlive>,
  ) {
    const mark = await waitForWorkers(gateway);
    const answer = await gateway.send(host, { method, path, agent, ...withToken(persona) });
    const [line] = await gateway.box.logs.waitForJson(1, mark);
    if (answer.status === 200) return `as ${line?.['meshgate.identity']} by ${line?.['meshgate.rule']}`;
    return String(line?.['meshgate.reason'] || answer.status);
  }

  /** Whether some rule allows this request with this identity: the mesh knows nothing else. */
  function coveredInMesh(identity: string, service: string, method: string, path: string, by = rules): boolean {
    const own = by.filter((rule) => rule.as === identity && rule.service === service);
    return own.some((rule) => hasMethod(rule, method) && covers(rule.path, path));
  }

  // The same policy, but readers may write: the comparisons below must detect this.
  const writers = compile(
    readPolicy(
      text.replaceAll('{ role: reader, methods: [GET], as: wiki-reader }', '{ role: reader, as: wiki-reader }'),
    ),
  );

  test('explain and the gateway agree', async () => {
    const cells: { cell: string; says: string; other: string; does: string }[] = [];
    for (const host of Object.keys(paths)) {
      const agent = gateway.keepAlive(host);
      for (const persona of Object.keys(tokens)) {
        for (const method of methods) {
          for (const path of paths[host]!) {
            const does = await passed(persona, method, host, path, agent);
            const says = explained(persona, method, host, path);
            const other = explained(persona, method, host, path, writers);
            cells.push({ cell: `${persona} ${method} ${host}${path}`, says, other, does });
          }
        }
      }
      agent.destroy();
    }
    expect(cells.filter(({ says, does }) => says !== does)).toEqual([]);
    expect(cells.length).toBe(Object.keys(tokens).length * methods.length * places.length);
    expect(cells.filter(({ other, does }) => other !== does).length, 'against another policy').toBeGreaterThan(0);
  });

  test('the rules and the rendered Envoy agree, for each identity and for an unknown one', async () => {
    const cells: { cell: string; says: boolean; other: boolean; does: boolean }[] = [];
    const clients = Object.values(identities).map(({ name, spiffe }) => ({ name, spiffe }));
    clients.push({ name: 'stranger', spiffe: 'spiffe://example.org/ns/edge/sa/stranger' });
    for (const { name, spiffe } of clients) {
      const { pem } = await stage.meshCa.client(spiffe);
      for (const { host, path } of places) {
        for (const method of methods) {
          const service = host === 'wiki.localhost' ? 'wiki' : 'dashboard';
          const does = await envoyLets(pem, policy.services[service]!.authority, method, path);
          const says = coveredInMesh(name, service, method, path);
          const other = coveredInMesh(name, service, method, path, writers);
          cells.push({ cell: `${name} ${method} ${service}${path}`, says, other, does });
        }
      }
    }
    expect(cells.filter(({ says, does }) => says !== does)).toEqual([]);
    expect(cells.length).toBe(clients.length * methods.length * places.length);
    expect(cells.filter(({ other, does }) => other !== does).length, 'against another policy').toBeGreaterThan(0);
  });

  /** 200 through the echo is yes; 403 and a failed handshake are no; anything else is an error. */
  async function envoyLets(pem: string, authority: string, method: string, path: string): Promise<boolean> {
    try {
      const { status } = await envoy.send(pem, authority, { method, path });
      if (status !== 200 && status !== 403) throw new Error(`Envoy answers ${method} ${path} with ${status}`);
      return status === 200;
    } catch (error) {
      if (/alert|ECONNRESET|EPIPE|socket hang up/i.test(String(error))) return false;
      throw error;
    }
  }

  test('Envoy requires an identity of this mesh', async () => {
    const foreign = await stage.ca.client(identities.default!.spiffe);
    for (const pem of [undefined, foreign.pem]) {
      await expect(
        envoy.send(pem, 'wiki.internal', { path: '/status' }),
        'no client certificate of the mesh',
      ).rejects.toThrow();
    }
    const elsewhere = await stage.meshCa.client('spiffe://example.com/ns/edge/sa/gateway');
    expect(await envoyLets(elsewhere.pem, 'wiki.internal', 'GET', '/status'), 'another trust domain').toBe(false);
  });

  test('Envoy allows as the right identity each request that the gateway allows', async () => {
    await Promise.all([wiki.clear(), dashboard.clear()]);
    const allowed = places.flatMap(({ host, path }) =>
      methods.flatMap((method) =>
        Object.keys(tokens)
          .filter((persona) => explained(persona, method, host, path).startsWith('as '))
          .map((persona) => ({ persona, method, host, path })),
      ),
    );
    for (const { persona, method, host, path } of allowed) {
      await gateway.send(host, { method, path, ...withToken(persona) });
    }
    const received = [...(await wiki.requests()), ...(await dashboard.requests())];
    expect(received.length).toBe(allowed.length);
    for (const request of received) {
      const [identity = ''] = valuesOf(request, 'X-Meshgate-Identity');
      const certificate = valuesOf(request, 'X-Forwarded-Client-Cert').join();
      expect(certificate, `${request.method} ${request.url}`).toContain(`URI=${identities[identity]?.spiffe}`);
    }
  });
});
