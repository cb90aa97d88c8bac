/** The image as the README runs it, and what is in it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { GUIDE_OPTIONS, gatewayImage, imageOf, runImage } from '../harness/index.ts';

const dockerfile = readFileSync('nginx/Dockerfile', 'utf8');

mkdirSync('test-results', { recursive: true });
const folder = mkdtempSync(resolve('test-results', 'image-'));
// The image's user has to enter it.
chmodSync(folder, 0o755);
afterAll(() => rmSync(folder, { recursive: true }));

function run(...command: string[]) {
  const args = ['run', '--rm', ...GUIDE_OPTIONS, gatewayImage, ...command];
  const { status, stdout, stderr } = spawnSync('docker', args, { encoding: 'utf8' });
  return { status, stdout, stderr };
}

test('the guide gives the image only what it needs', () => {
  expect(GUIDE_OPTIONS).toEqual([
    '--read-only',
    ...['--cap-drop', 'ALL'],
    ...['--security-opt', 'no-new-privileges'],
    ...['--tmpfs', '/run/meshgate:uid=10101,gid=10101,mode=0750'],
  ]);
});

/** What Docker says about the image. */
const image = JSON.parse(execFileSync('docker', ['image', 'inspect', gatewayImage], { encoding: 'utf8' }))[0];

/** The paths of the image's files and links, with the mode and owner that tar prints. */
const files: ReadonlyMap<string, string> = new Map(
  execFileSync('sh', [
    '-c',
    'id=$(docker create "$1") && docker export "$id" | tar -t -v --numeric-owner; docker rm "$id" >/dev/null',
    ...['sh', gatewayImage],
  ])
    .toString()
    .trim()
    .split('\n')
    .map((line) => /^(\S+ +\S+) .{28,}? (\S+?)(?: (?:->|link to) .*)?$/.exec(line)!)
    .map(([, mode = '', path = '']) => [`/${path}`, mode]),
);

const SBOM = '/usr/share/doc/meshgate/sbom.cdx.json';
const sbom: { components: { name: string; version: string; purl: string }[] } = JSON.parse(run('cat', SBOM).stdout);

describe('in the image', () => {
  test('there are nginx, njs, one shell and few tools, and no package manager', () => {
    const programs = [...files.keys()].filter((path) => /^\/(usr\/)?s?bin\/./.test(path));
    expect(programs.map((path) => path.replace(/^.*\//, '')).sort()).toEqual([
      ...['cat', 'chmod', 'cut', 'dash', 'date', 'dirname', 'flock', 'grep', 'head', 'id', 'ls'],
      ...[
        'meshgate',
        'meshgate-health',
        'meshgate-reload',
        'meshgate-seal',
        'mkdir',
        'mv',
        'nc',
        'nc.openbsd',
        'nginx',
        'njs',
        'rm',
      ],
      ...['sed', 'sh', 'sha256sum', 'sleep', 'sort', 'stat', 'timeout', 'tr'],
    ]);
    const foreign = /perl|python|\/apt|\/dpkg(?!\/status\.d)|\/node|busybox|bash/;
    expect([...files.keys()].filter((path) => foreign.test(path) && !path.startsWith('/var/lib/dpkg/'))).toEqual([]);
  });

  test('there is less than 80 MB', () => {
    expect(image.Size).toBeLessThanOrEqual(80_000_000);
    expect(image.Size).toBeGreaterThan(10_000_000);
  });

  test('no program can switch to another user, and only its own folders are writable', () => {
    const modes = [...files].filter(([path]) => !/^\/(dev|proc|sys)\//.test(path));
    expect(modes.filter(([, mode]) => /^.{3}[sS]|^.{6}[sS]/.test(mode))).toEqual([]);
    const writable = modes.filter(([, mode]) => !/^l|^.{5}-.{2}-.*? 0\/0$/.test(mode));
    expect(Object.fromEntries(writable)).toEqual({
      '/run/meshgate/': 'drwxrwx--- 10101/0',
      '/var/lib/meshgate/': 'drwxrwx--- 10101/0',
      '/var/log/meshgate/': 'drwxrwx--- 10101/0',
      '/tmp/': 'drwxrwxrwt 0/0',
    });
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

  test('the list of components has nginx and its modules, in the versions that the Dockerfile names', () => {
    const pinned = (name: string) => process.env[name] || new RegExp(`^ARG ${name}=(\\S+)$`, 'm').exec(dockerfile)?.[1];
    const installed = sbom.components.filter(({ name }) => /^(nginx|njs|libnginx)/.test(name));
    expect(installed.map(({ name, version }) => `${name} ${version}`)).toEqual([
      `libnginx-mod-http-js ${pinned('NJS_VERSION')}`,
      `libnginx-mod-stream ${pinned('NGINX_VERSION')}`,
      `nginx ${pinned('NGINX_VERSION')}`,
      `nginx-common ${pinned('NGINX_VERSION')}`,
      `njs ${pinned('NJS_VERSION')}`,
    ]);
    const { stdout, stderr } = run('nginx', '-v');
    expect(`${stdout}${stderr}`).toContain(`nginx/${pinned('NGINX_VERSION')?.split('-')[0]}\n`);
  });

  test('each program and library is of a package in this list, with its copyright', () => {
    const code = [...files.keys()].filter((path) => /^\/usr\/(s?bin\/(?!meshgate)|lib\/.*\.so)[^/]*/.test(path));
    expect(code.length).toBeGreaterThan(40);
    // nc is Debian's only through its alternatives.
    const owned = code.filter((path) => path !== '/usr/bin/nc');
    const script = 'dpkg -S "$@" | sed "s/[:,].*//" | sort -u | xargs dpkg-query -W -f "\\${Package} \\${Version}\\n"';
    const args = ['run', '--rm', imageOf('meshgate/test-nginx'), 'sh', '-c', script, 'sh', ...owned];
    const { status, stdout, stderr } = spawnSync('docker', args, { encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
    const packages = stdout.trim().split('\n');
    expect(packages.length).toBeGreaterThan(15);
    const debian = sbom.components.filter(({ purl }) => purl.startsWith('pkg:deb/'));
    expect(debian.map(({ name, version }) => `${name} ${version}`)).toEqual(expect.arrayContaining(packages));
    const names = debian.map(({ name }) => name);
    expect(names.filter((name) => !files.has(`/usr/share/doc/${name}/copyright`))).toEqual([]);
    expect(names.filter((name) => !files.has(`/var/lib/dpkg/status.d/${name}`))).toEqual([]);
  });

  test('the list has the libraries whose code is in the bundles', () => {
    const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
    const libraries = sbom.components.filter(({ purl }) => purl.startsWith('pkg:npm/'));
    expect(libraries.map(({ purl }) => purl)).toEqual(
      ['@stricli/core', 'fastest-levenshtein', 'jose', 'js-yaml', 'smol-toml', 'zod'].map(
        (name) => `pkg:npm/${name.replace('@', '%40')}@${packages[`node_modules/${name}`].version}`,
      ),
    );
    expect(libraries.find(({ name }) => name === 'js-yaml')).toMatchObject({ licenses: [{ license: { id: 'MIT' } }] });
  });

  test('labels say what it is', () => {
    const { version, description, license } = JSON.parse(readFileSync('package.json', 'utf8'));
    expect(image.Config.Labels).toEqual({
      'org.opencontainers.image.title': 'meshgate',
      'org.opencontainers.image.description': description,
      'org.opencontainers.image.licenses': license,
      'org.opencontainers.image.version': version,
    });
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

const OPENSHIFT = ['--user', '1000650000:0', '-v', '/run/meshgate'];

test.each<[string, readonly string[]]>([
  ['as the guide runs it', GUIDE_OPTIONS],
  ['as any other user', [...GUIDE_OPTIONS.map((option) => option.replaceAll('10101', '65532')), '--user', '65532']],
  [
    'as OpenShift runs it: a user that it chooses, in the group root, with a volume',
    [...GUIDE_OPTIONS.filter((option, i, all) => option !== '--tmpfs' && all[i - 1] !== '--tmpfs'), ...OPENSHIFT],
  ],
])('the image starts %s, and answers its own health check', async (_, options) => {
  const image = await runImage({ mounts: { '/etc/meshgate': folder }, options });
  const isStarted = await image.started;
  const health = await image.exec('meshgate-health', 'healthz');
  const refused = await image.exec('meshgate-health', 'readyz', 'healthz');
  image.stop();
  expect(isStarted, image.log).toBe(true);
  expect(health).toEqual({ exitCode: 0, stdout: 'ok\n', stderr: '' });
  expect(refused).toEqual({ exitCode: 2, stdout: '', stderr: 'meshgate-health: ask readyz or healthz\n' });
});

test('a stop while the image starts ends it at once, before nginx serves', () => {
  const mounts = ['-v', `${folder}:/etc/meshgate:ro`];
  const docker = (...args: readonly string[]) => execFileSync('docker', args, { encoding: 'utf8' }).trim();
  const id = docker('run', '-d', ...GUIDE_OPTIONS, ...mounts, gatewayImage);
  try {
    docker('stop', '-t', '5', id);
    // It was not killed.
    expect(docker('inspect', '-f', '{{.State.ExitCode}}', id)).toBe('0');
  } finally {
    docker('rm', '-f', id);
  }
});

test('the health check says that nginx does not answer', () => {
  const { status, stdout, stderr } = run('meshgate-health');
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toBe('meshgate-health: nginx does not listen on /run/meshgate/health.sock\n');
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
    const options = GUIDE_OPTIONS.flatMap((option, i, all) =>
      option === '--tmpfs' ? ['-v'] : all[i - 1] === '--tmpfs' ? [`${run}:/run/meshgate`] : [option],
    );
    const image = await runImage({ mounts: { '/etc/meshgate': folder }, options, env });
    const isStarted = await image.started;
    image.stop();
    expect(isStarted, image.log).toBe(true);
    const reported = image.log.split('\n').filter((line) => /^meshgate: .*(belongs to|mount)/.test(line));
    expect(reported).toEqual(advice === undefined ? [] : [expect.stringMatching(advice)]);
    expect(image.log).not.toMatch(/uid=10101/);
  });
});
