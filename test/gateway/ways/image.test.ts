/** docs/image.md, followed to the letter by two readers with Docker: one uses `docker run`, the other Compose. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { docker, runId, runLabel } from '../../harness/docker.ts';
import {
  execIn,
  fileOf,
  follow,
  gatewayImage,
  newcomerImage,
  readGuide,
  startEcho,
  startProvider,
  testStage,
} from '../../harness/index.ts';

const stage = await testStage('ways-image');
const network = stage.network.getName();
const [{ cert, key }] = await Promise.all([
  stage.ca.server(['wiki.example.com']),
  startProvider(stage, { alias: 'idp.example.com', port: 443 }),
  startEcho(stage, { alias: 'wiki.internal', tls: true }),
]);

/** The reader's container has the engine of this machine, so its folder has the same path here. */
const root = mkdtempSync(join(tmpdir(), 'meshgate-ways-image-'));
const reader = `meshgate-reader-${process.pid}`;
const gateway = `meshgate-way-${process.pid}`;
const BUNDLE = '/etc/ssl/certs/ca-certificates.crt';
const bundle = join(root, 'ca.pem');
writeFileSync(bundle, stage.ca.cert + stage.meshCa.cert);
await docker(
  ...['run', '-d', '--name', reader, '--label', `${runLabel}=${runId()}`, '--network', network, '-w', root],
  ...['-v', '/var/run/docker.sock:/var/run/docker.sock', '-v', `${root}:${root}`, '-v', `${bundle}:${BUNDLE}:ro`],
  newcomerImage,
);
const inReader = (script: string) => execIn(reader, ['sh', '-c', script]);
afterAll(async () => {
  await inReader(`rm -rf ${root}/*`);
  spawnSync('docker', ['rm', '-f', '-v', reader, gateway]);
  spawnSync('docker', ['volume', 'rm', `${gateway}-state`]);
  rmSync(root, { recursive: true });
});

/** The test's own network is not reached through ports of this machine, and its CAs are not in the image. */
const OWN = { 'meshgate/gateway:dev': gatewayImage };
const PORT = { 'https://wiki.example.com': 'https://wiki.example.com:8443' };
const pages = readGuide('docs/package.md', { sections: ['Try it'], replace: PORT });

async function folder(name: string): Promise<string> {
  const path = join(root, name);
  const { exitCode, stderr } = await inReader(`mkdir -p ${path}/tls && chmod 755 ${path} ${path}/tls`);
  expect(exitCode, stderr).toBe(0);
  for (const [file, text] of [
    ['tls.crt', cert],
    ['tls.key', key],
  ] as const)
    writeFileSync(join(path, 'tls', file), text);
  return path;
}

function isProtected(done: Awaited<ReturnType<typeof follow>>): void {
  const answer = (part: string) => JSON.parse(done.output(part));
  expect(answer('curl -s https://wiki.example.com:8443/page').reason).toBe('credential_missing');
  expect(answer('8443/welcome').reason).toBe('credential_missing');
  expect(new Map(answer('8443/page/1').headers).get('X-Forwarded-User')).toBe('wiki-index');
  expect(answer('8443/page/2').reason).toBe('signature_invalid');
}

test('with docker run: the page is protected, a forgery is rejected, and a change is loaded', async () => {
  const at = await folder('run');
  const network = `--network ${stage.network.getName()} --network-alias wiki.example.com -v ${bundle}:${BUNDLE}:ro`;
  const steps = readGuide('docs/image.md', {
    sections: ['The policy', 'With docker run'],
    replace: {
      ...OWN,
      ...PORT,
      '-p 443:8443': network,
      '--name gateway': `--name ${gateway} --label ${runLabel}=${runId()}`,
      'exec gateway': `exec ${gateway}`,
      'meshgate-state:': `${gateway}-state:`,
    },
  });
  const change = steps.findIndex((step) => 'command' in step && step.command.startsWith('sed'));
  const soon = { 'curl -s https://wiki.example.com:8443/health': /"url":"\/health"/ };
  const done = await follow([...steps.slice(0, change), ...pages, ...steps.slice(change)], inReader, {
    folder: at,
    soon,
  });
  isProtected(done);
  await docker('stop', gateway);
});

test('with Compose: the page is protected, a forgery is rejected, and a second container seals the log', async () => {
  const at = await folder('compose');
  const steps = readGuide('docs/image.md', {
    sections: ['The policy', 'With Compose'],
    replace: { ...OWN, '443:8443': '8443' },
  });
  const sealed = readGuide('docs/image.md', {
    sections: ['In a container of its own'],
    // Docker asks first after 5 s whether the gateway is healthy.
    replace: { ...OWN, 'compose.sealed.yaml\n': 'compose.sealed.yaml:sealed.override.yaml\n', 'up -d --wait': 'up -d' },
  });
  for (const [steps, name] of [
    [readGuide('docs/image.md', { sections: ['With Compose'] }), 'compose.yaml'],
    [readGuide('docs/image.md', { sections: ['In a container of its own'] }), 'compose.sealed.yaml'],
  ] as const) {
    // The parser warns of `!reset`, which only Compose knows.
    const [own, guide] = [readFileSync(`nginx/${name}`, 'utf8'), fileOf(steps, name)];
    expect(parse(own, { logLevel: 'error' })).toEqual(parse(guide, { logLevel: 'error' }));
  }
  // Compose merges this file by its name.
  const own = {
    services: {
      gateway: {
        labels: { [runLabel]: runId() },
        networks: { stage: { aliases: ['wiki.example.com'] } },
        volumes: [`${bundle}:${BUNDLE}:ro`],
      },
    },
    networks: { stage: { external: true, name: network } },
  };
  writeFileSync(join(at, 'compose.override.yaml'), JSON.stringify(own));
  const withSealer = { ...own, services: { ...own.services, sealer: { labels: { [runLabel]: runId() } } } };
  writeFileSync(join(at, 'sealed.override.yaml'), JSON.stringify(withSealer));
  const compose = 'COMPOSE_FILE=compose.yaml:compose.sealed.yaml:sealed.override.yaml docker compose';
  try {
    isProtected(await follow([...steps, ...pages], inReader, { folder: at }));
    const up = sealed.findIndex((step) => 'command' in step && step.command.includes('up -d')) + 1;
    const own = [
      "timeout 60 sh -c 'until docker compose exec -T gateway meshgate-health; do sleep 0.2; done'",
      'curl -s https://wiki.example.com:8443/sealed',
      // The sealer waits for the settings, and looks each second.
      "timeout 60 sh -c 'until [ -s audit/sealed/checkpoint ]; do sleep 0.2; done'",
    ].map((command) => ({ page: 'image.test.ts', command }));
    const done = await follow([...sealed.slice(0, up), ...own, ...sealed.slice(up)], inReader, { folder: at });
    expect(done.output('audit verify')).toMatch(/^yes: wiki\.example\.com\/meshgate\/gw-0 has \d+ sealed entries/);
    expect((await inReader(`cat ${at}/audit/key/key`)).stdout).toContain('"d":');
    const attempts = 'cat /key/key; rm /var/lib/meshgate/audit/checkpoint';
    const { stdout, stderr } = await inReader(`cd ${at} && ${compose} exec -T gateway sh -c '${attempts}'`);
    expect([stdout, stderr]).toEqual(['', expect.stringMatching(/No such file[\s\S]*Read-only file system/)]);
    expect((await inReader(`cd ${at} && ${compose} stop`)).exitCode).toBe(0);
    const [log, folder] = [`${at}/audit/log/access.log`, `${at}/audit/sealed`];
    const args = ['audit', 'verify', log, '--log-folder', folder, '--key', `${at}/first.vkey`];
    const reported = JSON.parse(
      execFileSync('node', ['dist/cli.js', ...args, '--format', 'json'], { encoding: 'utf8' }),
    );
    expect(reported).toMatchObject({ valid: true, lines: expect.any(Number), sealed: reported.lines, unsealed: null });
    expect(readFileSync(log, 'utf8')).toContain('"url.path":"/sealed"');
  } finally {
    await inReader(`cd ${at} && ${compose} down --volumes --timeout 0`);
  }
});
