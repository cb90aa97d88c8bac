/**
 * The sealed log in the image: each line that nginx writes becomes a leaf once, whatever happens to nginx, its workers, the
 * log and the sealer. SEAL_REQUESTS is the number of requests; the default is small, because the suite runs them each time.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Gateway, gatewayImage, startContainer, startGateway, testStage, until } from '../harness/index.ts';
import { readSealed } from '../unit/audit/seal-lab.ts';

const REQUESTS = Number(process.env.SEAL_REQUESTS ?? 4000);

const stage = await testStage('seal');
const host = 'wiki.test';
const folder = '/var/lib/meshgate/audit';
const log = '/var/log/meshgate/access.log';
const policy = `
version: 1
gateway:
  insecure_http: true
  listen: 8080
  audit: {}
providers:
  acme: { issuer: https://acme.test, audiences: [wiki] }
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
  ${host}:
    /*: { service: wiki, allow: [authenticated] }
`;

/** Sends requests on one connection after the other, without waiting for answers. A connection may break. */
async function load(gateway: Gateway, name: string, count: number): Promise<void> {
  const { host: address, port } = gateway.target(host);
  for (let sent = 0; sent < count; ) {
    const batch = Math.min(200, count - sent);
    await new Promise<void>((resolve) => {
      const socket = connect(port, address);
      const requests = Array.from(
        { length: batch },
        (_, index) =>
          `GET /${name}-${sent + index} HTTP/1.1\r\nHost: ${host}\r\n${index === batch - 1 ? 'Connection: close\r\n' : ''}\r\n`,
      );
      socket.on('close', () => resolve()).on('error', () => {});
      socket.resume().write(requests.join(''));
    });
    sent += batch;
  }
}

/** A folder of a container, as files of this machine. */
function copyOf(gateway: Gateway, path: string): string {
  const to = mkdtempSync(join(tmpdir(), 'meshgate-seal-'));
  onTestFinished(() => rmSync(to, { recursive: true, force: true }));
  execFileSync('docker', ['cp', '-q', `${gateway.box.started.getId()}:${path}`, `${to}/copy`]);
  return join(to, 'copy');
}

async function run(gateway: Gateway, script: string): Promise<string> {
  const { exitCode, stdout, stderr } = await gateway.box.exec('sh', '-ec', script);
  if (exitCode !== 0) throw new Error(`${script}: ${stderr}`);
  return stdout;
}

const masterIs = 'master=$(cat /run/meshgate/nginx.pid)';

test('each line of four workers is a leaf once, over reloads, rotations, a killed worker and a killed sealer', async () => {
  const gateway = await startGateway(stage, { policy, workers: 4, env: { MESHGATE_LOG_SIZE: '0' } });
  await until(async () => (await run(gateway, `cat ${folder}/checkpoint || true`)) !== '', {
    what: 'the first checkpoint',
  });
  let isOver = false;
  const loads = Promise.all(
    Array.from({ length: 8 }, (_, index) => load(gateway, `c${index}`, Math.ceil(REQUESTS / 8))),
  ).then(() => {
    isOver = true;
  });
  const truncate = () => run(gateway, `cat ${log} >${log}-$(date +%s%N); : >${log}`);
  /** What happens meanwhile, as long as requests come, and at least once. */
  const events: (() => Promise<unknown>)[] = [
    () => run(gateway, `mv ${log} ${log}.$(date +%s%N); ${masterIs}; kill -USR1 $master`),
    () => run(gateway, `${masterIs}; kill -9 $(cut -d ' ' -f 1 /proc/$master/task/$master/children)`),
    truncate,
    () => run(gateway, `${masterIs}; kill -HUP $master`),
    () =>
      run(
        gateway,
        'for p in /proc/[0-9]*; do case $(tr "\\0" " " <$p/cmdline 2>/dev/null) in "njs "*) kill -9 "${p#/proc/}" ;; esac; done',
      ),
  ];
  let rounds = 0;
  for (; rounds < events.length || !isOver; rounds++) {
    const event = rounds < events.length ? rounds : [0, 2, 3][rounds % 3]!;
    await events[event]!();
    if (!isOver) await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await loads;
  // The events may have met an empty file. So the last truncation is of one that was read.
  const more = () => load(gateway, 'more', 20);
  const sizeOf = async () => Number(await run(gateway, `sed -n 2p ${folder}/checkpoint`));
  const hasLines = async () => {
    await more();
    return (await run(gateway, `if [ -s ${log} ]; then echo yes; fi`)) !== '';
  };
  await until(hasLines, { what: 'lines in the newest file' });
  const before = await sizeOf();
  await more();
  await until(async () => (await sizeOf()) >= before + 20, { what: 'the newest lines to be sealed' });
  await truncate();
  await gateway.box.signal('SIGQUIT');
  await gateway.box.logs.waitForEnd();

  const logs = copyOf(gateway, '/var/log/meshgate');
  const sealed = readSealed(copyOf(gateway, folder));
  const leaves = new Map<string, number>();
  for (const line of sealed.lines) leaves.set(line, (leaves.get(line) ?? 0) + 1);
  // A copy has lines that were sealed from the file itself.
  const written = new Set(
    readdirSync(logs).flatMap((name) => readFileSync(join(logs, name), 'utf8').split('\n').filter(Boolean)),
  );
  console.log(`${rounds} events, ${written.size} lines in files, ${sealed.size} leaves`, sealed.events);
  const lost = [...written].filter((line) => !leaves.has(line));
  const repeated = [...leaves].filter(([, count]) => count !== 1);
  // The first of them: thousands of lines would bury the test's output.
  expect({ lost: [lost.length, lost[0]], repeated: [repeated.length, repeated[0]] }).toEqual({
    lost: [0, undefined],
    repeated: [0, undefined],
  });
  // Of the lines that nginx wrote between copy and truncation, the sealer has read some.
  expect(sealed.lines.filter((line) => !line.startsWith('{"time":"'))).toEqual([]);
  const requests = sealed.lines.filter((line) => /"url\.path":"\/c\d-\d+"/.test(line));
  expect(requests.length).toBeGreaterThan(REQUESTS * 0.8);
  expect(sealed.events.filter((event) => event === 'started').length).toBeGreaterThanOrEqual(2);
  expect(sealed.events).toContain('log_truncated');
  expect(sealed.events).not.toContain('position_lost');
  expect(gateway.box.logs.since(0).filter((line) => /meshgate-seal: (?!a new log|log_truncated)/.test(line))).toEqual(
    [],
  );
});

test('in a container of its own, it loses nothing while the disk is full, and seals the last lines at a stop', async () => {
  const settings = { log: '/run/meshgate/access.log', folder: '/audit', origin: 'wiki.test/meshgate/gw-0' };
  const box = await startContainer(stage, {
    image: gatewayImage,
    alias: 'sealer',
    files: { '/seal/seal.json': JSON.stringify(settings) },
    tmpfs: { '/audit': 'size=700k,uid=10101,mode=0700' },
    command: ['meshgate-seal', '/seal/seal.json'],
    ready: /this key verifies it/,
  });
  const sh = async (script: string) => {
    const { exitCode, stdout, stderr } = await box.exec('sh', '-ec', script);
    if (exitCode !== 0) throw new Error(`${script}: ${stderr}`);
    return stdout;
  };
  const append = (from: number, to: number) =>
    sh(
      `i=${from}; while [ $i -lt ${to} ]; do printf '{"time":"2026-03-04T10:15:02+00:00","n":%d,"pad":"%0700d"}\\n' $i 0; i=$((i + 1)); done >>${settings.log}`,
    );
  const sizeOf = async () => Number((await sh('cat /audit/checkpoint')).split('\n')[1]);
  await append(0, 10);
  await until(async () => (await sizeOf()) >= 11, { what: 'the first lines' });
  await sh('head -c 600000 /dev/zero >/audit/filler');
  await append(10, 400);
  await box.logs.waitFor(/cannot seal the log: .*; the sealer keeps trying/);
  const full = await sizeOf();
  expect(full).toBeLessThan(300);
  await sh('rm /audit/filler');
  await until(async () => (await sizeOf()) >= 401, { what: 'the lines that came while the disk was full' });
  await append(400, 410);
  await box.signal('SIGQUIT');
  await box.logs.waitForEnd();
});

test('in a container of its own, it follows no settings that name a witness for which it was not started', async () => {
  const settings = { log: '/run/meshgate/access.log', folder: '/audit', origin: 'wiki.test/meshgate/gw-0' };
  const key = 'witness.example.com/w+0040556d+BG6v45DyocJMgw1GfYrb84SURBg4I1lFDX6vFovqgwA/';
  const start = (witnesses: string, ready: RegExp) =>
    startContainer(stage, {
      image: gatewayImage,
      alias: 'pinned',
      files: { '/seal/seal.json': JSON.stringify({ ...settings, witnesses: [{ url: 'https://w.test', key }] }) },
      tmpfs: { '/audit': 'size=700k,uid=10101,mode=0700' },
      env: {
        MESHGATE_SEAL_LOG: settings.log,
        MESHGATE_SEAL_FOLDER: settings.folder,
        MESHGATE_SEAL_WITNESSES: witnesses,
      },
      command: ['meshgate-seal', '/seal/seal.json'],
      ready,
    });
  const other = await start('', /names witness\.example\.com\/w\+0040556d, and this sealer was started for no witness/);
  await other.logs.waitForEnd();
  await start(key, /this key verifies it/);
});
