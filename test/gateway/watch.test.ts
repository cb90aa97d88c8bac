/** The image loads changes of the mounted files by itself, as they come from Kubernetes, editors and people. */
import { execFileSync, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { connect } from 'node:tls';
import { afterAll, expect, test } from 'vitest';
import type { Readiness } from '../../src/health/types.ts';
import { GUIDE_OPTIONS, runImage, send, startEcho, testStage, until } from '../harness/index.ts';

const stage = await testStage('watch');
const echo = await startEcho(stage, { alias: 'wiki' });

mkdirSync('test-results', { recursive: true });
const root = mkdtempSync(resolve('test-results', 'watch-'));
afterAll(() => rmSync(root, { recursive: true }));
const [mounted, tls] = [join(root, 'policy'), join(root, 'tls')];
for (const folder of [mounted, tls]) mkdirSync(folder);

const policy = (host: string, service = 'wiki') => `version: 1
gateway: { tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key } }
providers: { okta: { issuer: https://login.example.com, audiences: [wiki] } }
services: { wiki: { insecure_url: "http://wiki:8080" } }
hosts: { ${host}: { /*: { service: ${service}, allow: [anyone] } } }
`;

let version = 0;
/** Changes a ConfigMap as the kubelet does: a link to the folder of all files gets another target at once. */
function swap(text: string): void {
  const data = `..${++version}`;
  mkdirSync(join(mounted, data));
  writeFileSync(join(mounted, data, 'meshgate.yaml'), text);
  symlinkSync(data, join(mounted, '..data_tmp'));
  renameSync(join(mounted, '..data_tmp'), join(mounted, '..data'));
}

const [first, second] = await Promise.all([stage.ca.server('a.test'), stage.ca.server('a.test')]);
swap(policy('a.test'));
symlinkSync('..data/meshgate.yaml', join(mounted, 'meshgate.yaml'));
writeFileSync(join(tls, 'tls.crt'), first.cert);
writeFileSync(join(tls, 'tls.key'), first.key);

const image = await runImage({
  mounts: { '/etc/meshgate': mounted, '/run/tls': tls },
  options: [...GUIDE_OPTIONS, '--network', stage.network.getName()],
});
afterAll(() => image.stop());
expect(await image.started, image.log).toBe(true);
const host = execFileSync('docker', [
  ...['inspect', '-f', '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}', image.name],
])
  .toString()
  .trim();

const ask = (name: string, path = '/') =>
  send({ host, port: 8443, tls: true, name, ca: stage.ca.cert, anyName: true }, { path });
const serves = async (name: string) => (await ask(name)).status === 200;
const readyz = async (): Promise<Readiness> => JSON.parse((await image.exec('meshgate-health')).stdout);
const wait = (what: string, is: () => Promise<boolean>) => until(is, { what, help: () => image.log, everyMs: 100 });
/** The workers of before take requests for at least 100 ms beside the new ones. */
const isGone = (name: string) => wait(`${name} to be gone`, async () => !(await serves(name)));
const count = (text: string) => image.log.split(text).length - 1;
const says = (what: string, is: (changes: Readiness['changes']) => boolean) =>
  wait(`readyz to say ${what}`, async () => is((await readyz()).changes));

const REJECTED = 'the change is rejected, and nginx keeps what it has loaded';

test('a ConfigMap that changes is loaded, and a request that runs is not lost', async () => {
  await wait('the gateway to serve', () => serves('a.test'));
  const { policy: before, changes } = await readyz();
  expect(changes).toEqual({ state: 'ok' });
  const [running] = await Promise.all([
    ask('a.test', '/?echo-hold=running'),
    (async () => {
      await echo.waitForHeld('running', 1);
      swap(policy('b.test'));
      await wait('the new policy', () => serves('b.test'));
      await isGone('a.test');
      await wait('readyz to name the new policy', async () => (await readyz()).policy !== before);
      await echo.release('running');
    })(),
  ]);
  expect(running.status).toBe(200);
});

test('a policy with an error changes nothing: the log says so once, and readyz as long as it is there', async () => {
  const { policy: before } = await readyz();
  swap(policy('c.test', 'wuki'));
  await says('that it is rejected', (changes) => changes?.state === 'warning');
  expect((await readyz()).changes).toMatchObject({
    reason: 'change_rejected',
    why: '/etc/meshgate/meshgate.yaml:5:35 hosts."c.test"."/*".service: no service "wuki"; did you mean "wiki"?',
  });
  // A file that is mounted by mistake.
  swap(second.key);
  await says('another reason', (changes) => changes?.state === 'warning' && !changes.why?.includes('wuki'));
  expect(readFileSync('docs/troubleshooting.md', 'utf8')).toContain(`| \`${REJECTED}\` |`);
  expect([count(REJECTED), count('did you mean "wiki"?')]).toEqual([2, 1]);
  const reported = JSON.stringify(await readyz()) + image.log;
  for (const line of second.key.trim().split('\n')) expect(reported).not.toContain(line);
  expect((await readyz()).policy).toBe(before);
  expect(await serves('b.test')).toBe(true);
});

test('a deleted policy changes nothing, and the same file again is no change', async () => {
  rmSync(join(mounted, 'meshgate.yaml'));
  await says('that there is no file', (changes) => changes?.why?.startsWith('no policy at') === true);
  expect(await serves('b.test')).toBe(true);
  swap(policy('b.test'));
  symlinkSync('..data/meshgate.yaml', join(mounted, 'meshgate.yaml'));
  await says('that all is well', (changes) => changes?.state === 'ok');
  await image.says('the files are again those that nginx has loaded');
  expect(count('is loaded\n')).toBe(1);
});

/** The certificate that the listener has. */
const served = () =>
  new Promise<string>((done, fail) => {
    const socket = connect({ host, port: 8443, servername: 'b.test', rejectUnauthorized: false }, () => {
      done(socket.getPeerX509Certificate()!.fingerprint256);
      socket.destroy();
    }).on('error', fail);
  });

test('a change in the file of a team is loaded', async () => {
  const file = (name: string) =>
    writeFileSync(join(mounted, 'pay.yaml'), `hosts: { ${name}: { /*: { service: wiki, allow: [anyone] } } }\n`);
  const grant = '{ file: pay.yaml, hosts: [c.test, d.test], services: [wiki], may: [anyone] }';
  file('c.test');
  swap(`${policy('b.test')}teams: { pay: ${grant} }\n`);
  await wait('the host of the team', () => serves('c.test'));
  file('d.test');
  await wait('the new host of the team', () => serves('d.test'));
  await isGone('c.test');
  expect(await serves('b.test')).toBe(true);
  swap(policy('b.test'));
  await isGone('d.test');
});

test('a certificate that is renewed in two steps is loaded when its key is there', async () => {
  expect(await served()).toBe(new X509Certificate(first.cert).fingerprint256);
  writeFileSync(join(tls, 'tls.crt'), second.cert);
  await says('that the key is another', (changes) => changes?.why?.includes('certificate_key_mismatch') === true);
  expect(await served()).toBe(new X509Certificate(first.cert).fingerprint256);
  writeFileSync(join(tls, 'tls.key'), second.key);
  await wait('the new certificate', async () => (await served()) === new X509Certificate(second.cert).fingerprint256);
  await says('that all is well', (changes) => changes?.state === 'ok');
});

test('a rejected change is loaded soon after a file is there that only it names', async () => {
  const named = ['tls.crt', 'tls.key'].reduce((text, name) => text.replace(name, `new.${name}`), policy('new.test'));
  swap(named);
  await says('that the file is missing', (changes) => changes?.why?.includes('new.tls.crt') === true);
  writeFileSync(join(tls, 'new.tls.crt'), first.cert);
  writeFileSync(join(tls, 'new.tls.key'), first.key);
  // Files that nothing names are looked at again only after a minute.
  const timeoutMs = 45_000;
  await until(() => serves('new.test'), { what: 'the new host', help: () => image.log, everyMs: 100, timeoutMs });
});

test('of changes that follow each other, half-written ones among them, the last one is loaded, and no request fails', async () => {
  const loaded = count('is loaded\n');
  let isOver = false;
  const failed: unknown[] = [];
  const client = async () => {
    while (!isOver) {
      const { status } = await ask('stays.test').catch((error: unknown) => ({ status: error }));
      if (status !== 200) failed.push(status);
    }
  };
  const both = (name: string) => policy(`stays.test: { /*: { service: wiki, allow: [anyone] } }, ${name}`);
  swap(both('d.test'));
  await wait('the host that stays', () => serves('stays.test'));
  const clients = [client(), client()];
  const file = join(mounted, `..${version}`, 'meshgate.yaml');
  for (let i = 0; i < 30; i++) {
    const text = both(`d${i}.test`);
    writeFileSync(file, text.slice(0, text.length / 2));
    await pause(50);
    writeFileSync(file, text);
    await pause(150);
  }
  await wait('the last policy', () => serves('d29.test'));
  isOver = true;
  await Promise.all(clients);
  expect(failed).toEqual([]);
  // Not each of them is loaded.
  expect(count('is loaded\n') - loaded).toBeLessThan(10);
});

test('a watcher that ends is started again, and nothing is left of what has ended', async () => {
  const script = (command: string) => image.exec('sh', '-c', command);
  await script('kill -9 $(grep -l "[w]atch.sh" /proc/[0-9]*/cmdline | cut -d / -f 3)');
  swap(policy('e.test'));
  await wait('the next change', () => serves('e.test'));
  expect(count('the watcher of the mounted files has ended; it starts again')).toBe(1);
  await wait(
    'no process to be left',
    async () => (await script('grep -l "^State:.Z" /proc/[0-9]*/status')).stdout === '',
  );
});

test('SIGQUIT still lets nginx finish, and ends the container', async () => {
  expect(spawnSync('docker', ['stop', '-t', '60', image.name]).status).toBe(0);
  await image.says('signal 3 (SIGQUIT) received');
  await image.says('[notice] 1#1: exit\n');
});
