/** The image as the README runs it, and what is in it. */
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { gatewayImage, README_OPTIONS, runImage } from '../harness/index.ts';

const dockerfile = readFileSync('nginx/Dockerfile', 'utf8');

mkdirSync('test-results', { recursive: true });
const folder = mkdtempSync(resolve('test-results', 'image-'));
// The image's user has to enter it.
chmodSync(folder, 0o755);
afterAll(() => rmSync(folder, { recursive: true }));

function run(...command: string[]) {
  const args = ['run', '--rm', ...README_OPTIONS, gatewayImage, ...command];
  const { status, stdout, stderr } = spawnSync('docker', args, { encoding: 'utf8' });
  return { status, stdout, stderr };
}

test('the README gives the image only what it needs', () => {
  expect(README_OPTIONS).toEqual([
    '--read-only',
    ...['--cap-drop', 'ALL'],
    ...['--security-opt', 'no-new-privileges'],
    ...['--tmpfs', '/run/meshgate:uid=10101,gid=10101,mode=0750'],
  ]);
});

describe('in the image', () => {
  test('no program can switch to another user', () => {
    const find = ['find', '/', '-xdev', '-type', 'f', '-perm', '/6000'];
    const { status, stdout, stderr } = spawnSync(
      'docker',
      ['run', '--rm', '--user', '0', '--entrypoint', '', gatewayImage, ...find],
      { encoding: 'utf8' },
    );
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  test('a process gains no privileges, and does not run as root', () => {
    const { stdout } = run('sh', '-c', 'id -u; grep -E "^(NoNewPrivs|CapEff|CapBnd)" /proc/self/status');
    expect(stdout.split(/\s+/).filter(Boolean)).toEqual([
      '10101',
      ...['CapEff:', '0'.repeat(16)],
      ...['CapBnd:', '0'.repeat(16)],
      ...['NoNewPrivs:', '1'],
    ]);
  });

  test('nginx and its modules have the versions that the Dockerfile names', () => {
    const pinned = (name: string) => process.env[name] || new RegExp(`^ARG ${name}=(\\S+)$`, 'm').exec(dockerfile)?.[1];
    const { stdout } = run('dpkg-query', '-W', '-f', '${Package} ${Version}\\n', 'nginx*', 'libnginx-mod-*', 'njs');
    const installed = stdout
      .trim()
      .split('\n')
      .filter((line) => line.split(' ')[1]);
    expect(installed.sort()).toEqual([
      `libnginx-mod-http-js ${pinned('NJS_VERSION')}`,
      `nginx ${pinned('NGINX_VERSION')}`,
      `nginx-common ${pinned('NGINX_VERSION')}`,
      `njs ${pinned('NJS_VERSION')}`,
    ]);
  });
});

describe('the Dockerfile', () => {
  /** Options of apt that accept unsigned packages, or ignore the age of an index. */
  const LAX = /AllowInsecure|AllowUnauthenticated|allow-unauthenticated|trusted=|Trusted:|AllowWeak|AllowDowngrade/i;

  test('installs packages from one source, whose signature it verifies', () => {
    expect(dockerfile).toContain('Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg');
    expect(dockerfile).not.toMatch(LAX);
    expect(dockerfile).toContain('APT::Update::Error-Mode=any');
  });

  test('ignores the date of an index for that source alone, and only if the build says so', () => {
    expect(dockerfile).not.toMatch(/Acquire::Check-Valid-Until/i);
    expect(dockerfile.match(/Check-Valid-Until: \S+/g)).toEqual(["Check-Valid-Until: %s\\n'"]);
    expect(dockerfile).toMatch(/^ARG NGINX_CHECK_VALID_UNTIL=yes$/m);
  });
});

test('the image starts as the README runs it', async () => {
  const policy = join(folder, 'meshgate.yaml');
  writeFileSync(
    policy,
    `version: 1
gateway: { insecure_http: true, listen: 8080 }
providers: { okta: { issuer: https://login.example.com, audiences: [wiki] } }
services: { wiki: { insecure_url: "http://127.0.0.1:9" } }
hosts: { wiki.example.com: { /*: { service: wiki, allow: [authenticated] } } }
`,
  );
  const image = await runImage({ mounts: { '/etc/meshgate': folder } });
  const isStarted = await image.started;
  image.stop();
  expect(isStarted, image.log).toBe(true);
});

describe('in Kubernetes, where an emptyDir belongs to root', () => {
  const env = { KUBERNETES_SERVICE_HOST: '10.0.0.1' };

  test.each<[string, number, RegExp | undefined]>([
    ['with fsGroup, there is nothing to do', 10101, undefined],
    ['without it, the advice is to set fsGroup', 0, /set fsGroup: 10101/],
  ])('%s', async (_, group, advice) => {
    const run = join(folder, `run-${group}`);
    mkdirSync(run);
    if (process.getuid?.() === 0) chownSync(run, 0, group);
    chmodSync(run, 0o2777);
    // Docker gives a tmpfs the permissions of the folder in the image.
    const options = README_OPTIONS.flatMap((option, i, all) =>
      option === '--tmpfs' ? ['-v'] : all[i - 1] === '--tmpfs' ? [`${run}:/run/meshgate`] : [option],
    );
    const image = await runImage({ mounts: { '/etc/meshgate': folder }, options, env });
    const isStarted = await image.started;
    image.stop();
    expect(isStarted, image.log).toBe(true);
    const said = image.log.split('\n').filter((line) => /^meshgate: .*(belongs to|mount)/.test(line));
    expect(said).toEqual(advice === undefined ? [] : [expect.stringMatching(advice)]);
    expect(image.log).not.toMatch(/uid=10101/);
  });
});
