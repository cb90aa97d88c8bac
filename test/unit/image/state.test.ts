import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const common = new URL('../../../nginx/common.sh', import.meta.url).pathname;
const OPTION = '# insecure: gateway.session.insecure_forget_revocations: a restart may erase revocations\n';

let memory: string;
let disk: string;

beforeEach(() => {
  memory = mkdtempSync('/dev/shm/meshgate-state-');
  disk = mkdtempSync(join(process.cwd(), 'node_modules/.state-'));
});

afterEach(() => {
  for (const folder of [memory, disk]) rmSync(folder, { recursive: true });
});

/** Runs the entrypoint's check of the state, on these rendered files. */
function check(state: string, http: string, servers = '', setup = '') {
  const conf = join(disk, 'conf');
  mkdirSync(conf, { recursive: true });
  writeFileSync(join(conf, 'http.conf'), http);
  writeFileSync(join(conf, 'servers.conf'), servers);
  const { status, stderr } = spawnSync('sh', [
    '-eu',
    '-c',
    `. "$0"; conf=$1; state=$2; ${setup}check_state`,
    common,
    conf,
    state,
  ]);
  return { status, stderr: stderr.toString() };
}

const sessions = 'js_shared_dict_zone zone=meshgate_revoked:11m type=string;\n';
const etcd = `${sessions}upstream meshgate_etcd_0 {\n}\n`;

it('the image does not start if a restart would lose revocations', () => {
  const { status, stderr } = check(memory, sessions);
  expect(status).toBe(1);
  expect(stderr).toContain('mount a volume at /var/lib/meshgate');
});

it('the image says if the mounted volume is not writable', () => {
  const setup = 'volume="$2/unwritable"; is_mounted() { [ "$1" = "$volume" ]; }; ';
  const { status, stderr } = check(memory, sessions, '', setup);
  expect(status).toBe(1);
  expect(stderr).toContain(`may not write to ${memory}/unwritable`);
});

it.each<[string, () => ReturnType<typeof check>]>([
  ['its state is on a disk', () => check(disk, sessions)],
  ['there is no sign-in', () => check(memory, '')],
  ['replicas share revocations', () => check(memory, etcd)],
  ['the policy says so', () => check(memory, sessions, OPTION)],
])('the image starts if %s', (_, start) => {
  expect(start()).toEqual({ status: 0, stderr: '' });
});

describe('the scripts of the image', () => {
  const script = (name: string) => readFileSync(new URL(`../../../nginx/${name}`, import.meta.url), 'utf8');

  /**
   * Runs a script of the image with folders of the test in the place of its own, and with commands that stand in for
   * nginx and the renderer.
   *
   * @param rendered what the renderer makes of http.conf
   * @param nginx shell of the stand-in
   */
  function run(name: string, rendered: string, nginx = 'exit 0') {
    const [lib, bin] = [join(disk, 'lib'), join(disk, 'bin')];
    for (const folder of [lib, bin]) mkdirSync(folder, { recursive: true });
    const moved = (text: string) =>
      text.replaceAll('/usr/lib/meshgate', lib).replaceAll('/run/meshgate', join(disk, 'run'));
    writeFileSync(join(lib, 'common.sh'), moved(script('common.sh')));
    writeFileSync(join(lib, name), moved(script(name)));
    writeFileSync(join(disk, 'policy.yaml'), '');
    const commands = {
      nginx,
      id: 'echo 10101',
      meshgate: `while [ "$1" != --out ]; do shift; done; printf '${rendered}' > "$2/http.conf"; echo 'server {' > "$2/servers.conf"`,
    };
    for (const [command, text] of Object.entries(commands)) {
      writeFileSync(join(bin, command), `#!/bin/sh\n${text}\n`);
      chmodSync(join(bin, command), 0o755);
    }
    const env = {
      PATH: `${bin}:${process.env.PATH}`,
      MESHGATE_POLICY: join(disk, 'policy.yaml'),
      MESHGATE_WATCH: 'off',
    };
    return (state: string, stage: Readonly<Record<string, string>> = {}) => {
      const { status, stderr } = spawnSync('sh', [join(lib, name)], {
        env: { ...env, ...stage, MESHGATE_STATE: state },
      });
      return { status, stderr: stderr.toString() };
    };
  }

  const rendered = sessions.trim();
  const conf = (name: string) => join(disk, 'run/conf', name);

  beforeEach(() => mkdirSync(join(disk, 'run'), { recursive: true }));

  it('do not start if a restart would lose revocations', () => {
    const { status, stderr } = run('entrypoint.sh', rendered)(memory);
    expect([status, stderr]).toEqual([1, expect.stringContaining('mount a volume at /var/lib/meshgate')]);
    expect(run('entrypoint.sh', rendered)(disk).status).toBe(0);
  });

  it('render the stage that the environment names', () => {
    const seen = join(disk, 'args');
    const start = run('entrypoint.sh', rendered);
    const command = join(disk, 'bin/meshgate');
    writeFileSync(command, readFileSync(command, 'utf8').replace('while', `printf '%s|' "$@" >'${seen}'; while`));
    const stage = { MESHGATE_OVERLAY: '/etc/a.yaml  /etc/b.yaml', MESHGATE_ENV: 'STAGE HOST_NAME' };
    expect(start(disk, stage).status).toBe(0);
    expect(readFileSync(seen, 'utf8')).toContain(
      '|--overlay|/etc/a.yaml|--overlay|/etc/b.yaml|--env|STAGE|--env|HOST_NAME|',
    );
    expect(start(disk).status).toBe(0);
    expect(readFileSync(seen, 'utf8')).not.toMatch(/overlay|env/);
  });

  it('do not reload to sessions in that case, and keep the previous policy', () => {
    mkdirSync(join(disk, 'run/conf'));
    writeFileSync(conf('http.conf'), 'before');
    writeFileSync(join(disk, 'run/nginx.pid'), '1');
    const { status, stderr } = run('reload.sh', rendered)(memory);
    expect([status, stderr]).toEqual([1, expect.stringContaining('mount a volume at /var/lib/meshgate')]);
    expect(stderr).toContain('the old configuration stays');
    expect(readFileSync(conf('http.conf'), 'utf8')).toBe('before');
  });

  it('say that the state is in the layer of the container', () => {
    writeFileSync(join(disk, 'run/x'), '');
    const start = run('entrypoint.sh', rendered);
    writeFileSync(join(disk, 'bin/stat'), '#!/bin/sh\necho overlayfs\n');
    chmodSync(join(disk, 'bin/stat'), 0o755);
    expect(start(disk)).toEqual({
      status: 0,
      stderr: expect.stringContaining('a new container forgets what is revoked'),
    });
  });

  it.each([
    ['do not start without what was revoked', sessions.trim(), 1, 'what was revoked is not known, not starting'],
    ['start where replicas have it', `${sessions.trim()}\\nupstream meshgate_etcd_0 {`, 0, 'moved to'],
  ])('with a corrupt file of revocations %s', (_, http, wanted, says) => {
    const file = join(disk, 'revoked.json');
    writeFileSync(file, '{');
    const nginx = `[ "$1" = -t ] && [ -e ${file} ] || exit 0\necho 'x while loading js_shared_dict_zone "meshgate_revoked" from state file "${file}"'\nexit 1`;
    const { status, stderr } = run('entrypoint.sh', http, nginx)(disk);
    expect([status, stderr]).toEqual([wanted, expect.stringContaining(says)]);
  });
});
