/** docs/ext-authz.md, followed to the letter by two readers with Docker: one has Traefik, the other has Envoy. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { docker, runId, runLabel } from '../../harness/docker.ts';
import {
  envoyImage,
  execIn,
  follow,
  gatewayImage,
  ingressImage,
  newcomerImage,
  readGuide,
  startEcho,
  startProvider,
  testStage,
} from '../../harness/index.ts';

const stage = await testStage('ways-ext-authz');
const network = stage.network.getName();
const [{ cert, key }] = await Promise.all([
  stage.ca.server(['wiki.example.com']),
  startProvider(stage, { alias: 'idp.example.com', port: 443 }),
  startEcho(stage, { alias: 'wiki.internal' }),
]);

/** The reader's container has the engine of this machine, so its folder has the same path here. */
const root = mkdtempSync(join(tmpdir(), 'meshgate-ways-ext-authz-'));
chmodSync(root, 0o755);
const own = (name: string) => `meshgate-way-${name}-${process.pid}`;
const label = `--label ${runLabel}=${runId()}`;
const BUNDLE = '/etc/ssl/certs/ca-certificates.crt';
const bundle = join(root, 'ca.pem');
writeFileSync(bundle, stage.ca.cert);
await docker(
  ...['run', '-d', '--name', own('reader'), '--label', `${runLabel}=${runId()}`, '--network', network, '-w', root],
  ...['-v', '/var/run/docker.sock:/var/run/docker.sock', '-v', `${root}:${root}`, '-v', `${bundle}:${BUNDLE}:ro`],
  newcomerImage,
);
const inReader = (script: string) => execIn(own('reader'), ['sh', '-c', script]);
afterAll(async () => {
  await inReader(`rm -rf ${root}/*`);
  spawnSync('docker', ['rm', '-f', '-v', ...['reader', 'sidecar', 'traefik', 'envoy'].map(own)]);
  rmSync(root, { recursive: true });
});

/** The test's own network is not reached through ports of this machine, and its CAs are not in the image. */
const CA = `-v ${bundle}:${BUNDLE}:ro`;
const IMAGE = { 'meshgate/gateway:dev': gatewayImage };
const ALIAS = { '-p 443:8443': '--network-alias wiki.example.com', '--network meshgate': `--network ${network}` };
const PORT = { 'https://wiki.example.com': 'https://wiki.example.com:8443' };
const tries = readGuide('docs/package.md', {
  sections: ['Try it'],
  replace: PORT,
});
const first = readGuide('docs/ext-authz.md', { sections: ['The first five minutes'] });
const begins = first.findIndex((step) => 'file' in step && step.file === 'traefik/wiki.yaml');

for (const name of ['tls', 'policy', 'traefik']) mkdirSync(join(root, name));
for (const [file, text] of [
  ['tls.crt', cert],
  ['tls.key', key],
] as const)
  writeFileSync(join(root, 'tls', file), text);

const WAYS = [
  ['Traefik', { 'traefik:v3.7': `${ingressImage} traefik`, '--name traefik': `--name ${own('traefik')} ${label}` }],
  ['Envoy', { 'envoyproxy/envoy:v1.40.0': envoyImage, '--name envoy': `--name ${own('envoy')} ${label}` }],
] as const;

test('the sidecar starts, and writes the files for the ingresses', async () => {
  const steps = readGuide('docs/ext-authz.md', {
    sections: ['The first five minutes'],
    replace: {
      ...IMAGE,
      'docker network create meshgate': 'true',
      '--network meshgate': `--network ${network} --network-alias sidecar ${CA}`,
      '--name sidecar': `--name ${own('sidecar')} ${label}`,
      'exec sidecar': `exec ${own('sidecar')}`,
    },
  });
  await follow(steps.slice(0, begins), inReader, { folder: root });
});

test.each(WAYS)('with %s: the page is protected, and a forgery is rejected', async (name, replace) => {
  const sections = [`${name} in five minutes`];
  const steps = readGuide('docs/ext-authz.md', { sections, replace: { ...PORT, ...ALIAS, ...replace } });
  const done = await follow([...steps, ...tries], inReader, { folder: root, soon: { '8443/page/1': /"url"/ } });
  const answer = (part: string) => JSON.parse(done.output(part));
  expect(answer('8443/welcome').reason).toBe('credential_missing');
  const headers = new Map<string, string>(
    answer('8443/page/1').headers.map(([it, value]: [string, string]) => [it.toLowerCase(), value]),
  );
  expect(headers.get('x-forwarded-user')).toBe('wiki-index');
  expect(headers.has('authorization')).toBe(false);
  expect(answer('8443/page/2').reason).toBe('signature_invalid');
  await docker('rm', '-f', own(name.toLowerCase()));
});
