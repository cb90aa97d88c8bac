/**
 * `make changes N=1000`: changes the policy of a running image N times while requests are sent, and prints what it cost.
 *
 * Every tenth change waits for the image's watcher, every fiftieth is a policy with an error, and the others are loaded
 * with meshgate-reload, which is faster. Exit code 1 if a request failed, a change was not loaded or the watcher took longer
 * than it promises, a broken policy was loaded, or the container grew.
 */
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { bareImage, gatewayImage } from './harness/images.ts';

const count = Number(process.env.N || 1000);
const CLIENTS = 4;
/** Memory is read first after this many changes: nginx's own pools have their size by then. */
const WARM = Math.min(50, Math.floor(count / 2));
/** The watcher loads a change within this time, if the machine has nothing else to do. */
const PROMISED_MS = 10_000;
/** How much more the container may take at the end, in kB. */
const GROWTH = 8192;

const name = `meshgate-changes-${process.pid}`;
const docker = async (...args: string[]) => (await promisify(execFile)('docker', args)).stdout;

mkdirSync('test-results', { recursive: true });
const folder = mkdtempSync(resolve('test-results', 'changes-'));
chmodSync(folder, 0o755);

const policy = (change: number, service = 'wiki') => `version: 1
gateway: { insecure_http: true, listen: 8080 }
providers: { okta: { issuer: https://login.example.com, audiences: [wiki] } }
services: { wiki: { insecure_url: "http://wiki" } }
hosts:
  wiki.test:
    /change-${change}: { service: ${service}, allow: [authenticated] }
    /*: { service: wiki, allow: [anyone] }
`;

function write(text: string): void {
  writeFileSync(join(folder, 'new'), text);
  renameSync(join(folder, 'new'), join(folder, 'meshgate.yaml'));
}

let address = '';

/** The status of a request on a connection of its own; 0 if there is no response. */
const status = (path: string): Promise<number> =>
  new Promise((done) => {
    const options = { host: address, port: 8080, path, headers: { Host: 'wiki.test' }, agent: false };
    const request = get(options, (response) => {
      response.on('error', () => done(0)).on('end', () => done(response.statusCode ?? 0));
      response.resume();
    });
    request.on('error', () => done(0)).setTimeout(10_000, () => request.destroy());
  });

/** Waits for a state, and returns the milliseconds until then. */
async function until(what: string, is: () => Promise<boolean>, ms = 30_000): Promise<number> {
  const began = performance.now();
  while (!(await is())) {
    if (performance.now() - began > ms) throw new Error(`${what}: not within ${ms} ms`);
    await pause(50);
  }
  return performance.now() - began;
}

const isRejected = async () => {
  const reported = await docker('exec', name, 'sh', '-c', 'meshgate-health || true');
  return JSON.parse(reported).changes?.reason === 'change_rejected';
};

/** What the container has: resident memory in kB, and how much of other things. */
async function taken() {
  const script = `
    grep -h VmRSS /proc/[0-9]*/status | grep -oE '[0-9]+' | tr '\\n' ' '; echo
    grep VmRSS /proc/1/status | grep -oE '[0-9]+'
    grep -l '[n]ginx: ' /proc/[0-9]*/cmdline | grep -c .
    ls -R /run/meshgate | grep -c .
    ls /proc/1/fd | grep -c .`;
  const [each = '', master, nginx, files, fds] = (await docker('exec', name, 'sh', '-c', script)).split('\n');
  const all = each.trim().split(' ').map(Number);
  return {
    memory: all.reduce((sum, one) => sum + one, 0),
    master: Number(master),
    nginx: Number(nginx),
    files: Number(files),
    fds: Number(fds),
  };
}

/** The same when no worker of an earlier policy is left. */
async function takenAtRest() {
  const isOne = async () => {
    const script = "grep -l '[n]ginx: worker process is' /proc/[0-9]*/cmdline | grep -c . || true";
    return (await docker('exec', name, 'sh', '-c', script)).trim() === '0';
  };
  await until('workers of earlier policies to end', isOne, 60_000);
  return taken();
}

let sent = 0;
let failed = 0;
let isOver = false;
async function client(): Promise<void> {
  for (; !isOver; sent++) {
    const got = await status('/');
    if (got !== 200) {
      failed++;
      console.log(`request ${sent}: ${got}`);
    }
    await pause(25);
  }
}

const slowest = { watcher: 0, reload: 0 };
let good = 0;
async function change(number: number): Promise<void> {
  if (number % 50 === 0) {
    write(policy(number, 'nothing'));
    await until(`the broken policy ${number} to be rejected`, isRejected);
    if ((await status(`/change-${good}`)) !== 401) throw new Error(`the broken policy ${number} has changed something`);
    return;
  }
  const isLoaded = async () => (await status(`/change-${number}`)) === 401;
  write(policy(number));
  if (number % 10 === 0) {
    slowest.watcher = Math.max(slowest.watcher, await until(`change ${number}`, isLoaded));
  } else {
    const began = performance.now();
    await docker('exec', name, 'meshgate-reload');
    slowest.reload = Math.max(slowest.reload, performance.now() - began);
    if (!(await isLoaded())) throw new Error(`change ${number} is not loaded`);
  }
  good = number;
}

try {
  write(policy(0));
  await docker('network', 'create', name);
  await docker('run', '-d', '--name', `${name}-wiki`, '--network', name, '--network-alias', 'wiki', bareImage);
  await docker(
    ...['run', '-d', '--name', name, '--network', name, '--read-only', '--cap-drop', 'ALL', '--no-healthcheck'],
    ...['--tmpfs', '/run/meshgate:uid=10101,gid=10101,mode=0750', '-v', `${folder}:/etc/meshgate:ro`, gatewayImage],
  );
  address = (await docker('inspect', name, '-f', '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}')).trim();
  await until('the gateway to serve', async () => (await status('/')) === 200);
  const clients = Array.from({ length: CLIENTS }, client);
  const began = performance.now();
  let first = await taken();
  for (let number = 1; number <= count; number++) {
    await change(number);
    if (number === WARM) first = await takenAtRest();
    if (number % 50 === 0) console.log(`${number} changes, ${sent} requests, ${failed} failed`, await taken());
  }
  const last = await takenAtRest();
  isOver = true;
  await Promise.all(clients);
  const seconds = Math.round((performance.now() - began) / 1000);
  console.log(`${count} changes and ${sent} requests in ${seconds} s: ${failed} failed`);
  console.log(
    `slowest: ${Math.round(slowest.watcher)} ms by the watcher, ${Math.round(slowest.reload)} ms by a reload`,
  );
  console.log(`after ${WARM} changes:`, first);
  console.log(`after ${count} changes:`, last);
  const more = Object.entries(last).filter(([key, value]) => {
    const before = first[key as keyof typeof first];
    return value - before > (key === 'memory' || key === 'master' ? GROWTH : 0);
  });
  if (failed > 0 || more.length > 0 || slowest.watcher > PROMISED_MS) {
    console.log(`not well: ${failed} failed requests; more of ${more.map(([key]) => key).join(', ') || 'nothing'}`);
    process.exitCode = 1;
  }
} finally {
  isOver = true;
  await docker('rm', '-f', '-v', name, `${name}-wiki`).catch(() => {});
  await docker('network', 'rm', name).catch(() => {});
  rmSync(folder, { recursive: true });
}
