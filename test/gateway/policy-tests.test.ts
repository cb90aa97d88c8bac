/** `meshgate test` against the real gateway, and directly against the real mesh ingress. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readPolicy, ready, startEcho, startEnvoy, startGateway, startProvider, testStage } from '../harness/index.ts';
import { gatewayFiles } from '../harness/policy.ts';

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
/** The lines go to standard output here. */
const text = (await readFile(new URL('../demo/meshgate.yaml', import.meta.url), 'utf8')).replace(
  /^ {2}audit:.*\n(?: {4}.*\n)*/m,
  '',
);

const stage = await testStage('policy-tests');
const [provider, wiki, , envoy, gateway] = await Promise.all([
  startProvider(stage, { alias: 'provider.localhost', port: 9443 }),
  startEcho(stage, { alias: 'wiki.internal' }),
  startEcho(stage, { alias: 'dashboard.internal' }),
  startEnvoy(stage, { policy: text }),
  startGateway(stage, { policy: text }),
]);

const folder = await mkdtemp(join(tmpdir(), 'meshgate-test-'));
afterAll(() => rm(folder, { recursive: true }));

const editor = await provider.token('ada');

beforeAll(async () => {
  const files = {
    'meshgate.yaml': text,
    'ca.pem': stage.ca.cert,
    'editor.txt': editor,
    'reader.txt': await provider.token('ben'),
    'indexer.txt': await provider.serviceToken(),
    ...Object.fromEntries(
      Object.entries(await gatewayFiles(readPolicy(text), stage)).map(([path, content]) => [`root${path}`, content]),
    ),
  };
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  await ready(gateway, 'dashboard.localhost', { token: editor });
});

const { host, port } = gateway.target('wiki.localhost');
const url = `https://${host}:${port}`;
const ingress = `${envoy.target().host}:${envoy.target().port}`;

const AT_GATEWAY = [
  ...['--gateway', url, '--ca-file', 'ca.pem', '--token', 'editor=editor.txt', '--token', 'reader=reader.txt'],
  ...['--token', 'indexer=indexer.txt', '--token', 'tests[7]=editor.txt'],
];
const AT_MESH = ['--mesh', ingress, '--root', 'root'];

/** The command as a process of its own. */
function meshgate(...args: string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [cli, ...args], { cwd: folder }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err });
    });
  });
}

test('gateway and mesh agree with the policy that they run', async () => {
  const line = text.slice(0, text.indexOf('agent: wiki-pages }, GET')).split('\n').length;
  expect(await meshgate('test', ...AT_GATEWAY, ...AT_MESH)).toEqual({
    code: 0,
    out: [
      ...['GET', 'POST'].map(
        (method, i) =>
          `meshgate.yaml:${line + i}:5 tests[${8 + i}]: ${method} https://dashboard.localhost/ as agent wiki-pages for reader: not asked at the gateway: this agent needs the certificate of its service`,
      ),
      ...['GET https://dashboard.localhost/', 'POST https://wiki.localhost/rest/api/content'].map(
        (requested, i) =>
          `meshgate.yaml:${line + 2 + i}:5 tests[${10 + i}]: ${requested} as agent release-bot for editor: not asked at the gateway: no token: add --token tests[${10 + i}]=FILE`,
      ),
      'meshgate.yaml: as the policy decides: 12 tests pass',
      `gateway ${url}: agrees on 8 requests; 4 tests not asked`,
      `mesh ${ingress}: agrees on 36 requests`,
      '',
    ].join('\n'),
    err: '',
  });
});

test('status finds every route of the gateway closed, and a service that answers without it open', async () => {
  const closed = await meshgate('status', '--gateway', url, '--ca-file', 'ca.pem', 'meshgate.yaml');
  expect(closed.err).toBe('');
  const lines = closed.out.split('\n').filter((line) => line.startsWith('closed'));
  const routes = readPolicy(text).hosts.flatMap((it) => it.routes);
  const open = routes.filter(({ allow }) => allow.some(({ who }) => who.kind === 'anyone'));
  expect(lines).toHaveLength(routes.length - open.length);
  expect(lines[0]).toMatch(/^closed {3}GET https:\/\/[\w.:-]+\/\S*: 401 credential_missing$/);
  expect(closed.code, closed.out).toBe(0);

  const service = `http://${wiki.box.host}:8080/`;
  const opened = await meshgate('status', service);
  expect(opened.out).toBe(`open     GET ${service}: 200: a service answers without a credential\n1 request: 1 open\n`);
  expect(opened.code).toBe(1);
});

/** The demo's policy with another rule for readers of `/rest/*`, to which one of its tests posts. */
function moved(rule: string, expected: string): string {
  const [before, after] = text.split('/rest/*:');
  const changed = `${before}/rest/*:${after?.replace('{ role: reader, methods: [GET], as: wiki-reader }', rule)}`;
  expect(changed).not.toBe(text);
  return changed.replace('content", expect: role_missing', `content", expect: ${expected}`);
}

const opened = moved('{ role: reader, as: wiki-reader }', 'allowed');

/** The text of a difference, without place and rule. */
const reported = (line: string) => line.replace(/^.*?: /, '').replace(/; they differ.*$/, '');

test('if the policy has changed since, the rule is named for the gateway and for the mesh', async () => {
  await writeFile(join(folder, 'moved.yaml'), opened);
  const { code, out, err } = await meshgate('test', ...AT_GATEWAY, ...AT_MESH, 'moved.yaml');
  expect({ code, err }).toEqual({ code: 1, err: '' });
  const rule = /; they differ at rule wiki\.localhost\/rest\/\*#2 at moved\.yaml:\d+:\d+: role reader, as wiki-reader$/;
  const parted = out.split('\n').filter((line) => line.includes('they differ'));
  expect(
    parted.every((line) => rule.test(line)),
    out,
  ).toBe(true);
  // Three tests post there, and are the same request for the mesh.
  expect(parted.map(reported)).toEqual([
    'POST https://wiki.localhost/rest/api/content as reader: the policy says allowed, the gateway role_missing (403)',
    'POST https://wiki.localhost/rest/api/content as editor, at the mesh as wiki-reader: the policy says allowed, the mesh refused (403)',
    'POST https://wiki.localhost/rest/api/content as reader, at the mesh as wiki-reader: the policy says allowed, the mesh refused (403)',
    'POST https://wiki.localhost/rest/api/content as agent release-bot for editor, at the mesh as wiki-reader: the policy says allowed, the mesh refused (403)',
  ]);
});

test('as JSON', async () => {
  const { code, out } = await meshgate('test', ...AT_GATEWAY, ...AT_MESH, '--format', 'json', 'moved.yaml');
  expect(code).toBe(1);
  const report = JSON.parse(out);
  expect(report.passed).toBe(false);
  const parted = (requests: readonly { readonly agrees: boolean }[]) => requests.filter(({ agrees }) => !agrees);
  const rule = {
    rule: 'wiki.localhost/rest/*#2',
    ruleAt: { file: 'moved.yaml', line: expect.any(Number), column: expect.any(Number) },
  };
  const requested = {
    method: 'POST',
    url: 'https://wiki.localhost/rest/api/content',
    asked: true,
    agrees: false,
    ...rule,
  };
  expect(report.gateway.address).toBe(url);
  expect(parted(report.gateway.requests)).toEqual([
    { ...requested, test: 2, at: expect.anything(), as: 'reader', expect: 'allowed', got: 'role_missing', status: 403 },
  ]);
  expect(report.mesh.address).toBe(ingress);
  expect(parted(report.mesh.requests)).toMatchObject([
    { ...requested, test: 0, as: 'wiki-reader', expect: 'allowed', got: 'refused', status: 403 },
    { ...requested, test: 2, as: 'wiki-reader', expect: 'allowed', got: 'refused', status: 403 },
    { ...requested, test: 11, as: 'wiki-reader', expect: 'allowed', got: 'refused', status: 403 },
  ]);
});

test('a connection with a certificate that the command does not trust counts as no answer', async () => {
  await writeFile(join(folder, 'other.pem'), stage.meshCa.cert);
  const { code, out } = await meshgate('test', '--gateway', url, '--ca-file', 'other.pem', 'meshgate.yaml');
  expect(code).toBe(1);
  expect(out).toMatch(
    /as an anonymous caller: no answer: no known CA signed its certificate: name the CA with --ca-file \([A-Z_]+\)$/m,
  );
});

describe('the gateway runs the new policy, and Envoy the previous one', () => {
  beforeAll(async () => {
    await gateway.box.write({ '/etc/meshgate/meshgate.yaml': opened });
    const { exitCode, stderr } = await gateway.box.exec('meshgate-reload');
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  });

  test('a request that nginx sends and the mesh refuses is not reported as the gateway’s answer', async () => {
    const { code, out } = await meshgate('test', ...AT_GATEWAY, ...AT_MESH, 'moved.yaml');
    expect(code).toBe(1);
    expect(
      out
        .split('\n')
        .filter((line) => line.includes('they differ'))
        .map(reported),
    ).toEqual([
      'POST https://wiki.localhost/rest/api/content as reader: the policy says allowed, the gateway refused by the mesh (403)',
      'POST https://wiki.localhost/rest/api/content as editor, at the mesh as wiki-reader: the policy says allowed, the mesh refused (403)',
      'POST https://wiki.localhost/rest/api/content as reader, at the mesh as wiki-reader: the policy says allowed, the mesh refused (403)',
      'POST https://wiki.localhost/rest/api/content as agent release-bot for editor, at the mesh as wiki-reader: the policy says allowed, the mesh refused (403)',
    ]);
  });

  test('a gateway that enforces less than the policy is reported too', async () => {
    const closed = opened.replace(
      '/status: { service: wiki, allow: [anyone] }',
      '/status: { service: wiki, allow: [editor] }',
    );
    await writeFile(
      join(folder, 'closed.yaml'),
      closed.replace('wiki.localhost/status", expect: allowed', 'wiki.localhost/status", expect: credential_missing'),
    );
    const { code, out } = await meshgate('test', ...AT_GATEWAY, 'closed.yaml');
    expect(code).toBe(1);
    expect(out).toMatch(
      /^closed\.yaml:\d+:\d+ tests\[5\]: GET https:\/\/wiki\.localhost\/status as an anonymous caller: the policy says credential_missing, the gateway allowed \(200\); they differ at rule wiki\.localhost\/status#1 at closed\.yaml:\d+:\d+: role editor, as default$/m,
    );
  });
});
