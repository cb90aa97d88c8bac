import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

const common = new URL('../../../nginx/common.sh', import.meta.url).pathname;
const OPTION = '# insecure: gateway.session.insecure_forget_revocations: a restart may forget what was revoked\n';

let memory: string;
let disk: string;

beforeEach(() => {
  memory = mkdtempSync('/dev/shm/meshgate-state-');
  disk = mkdtempSync(join(process.cwd(), 'node_modules/.state-'));
});

afterEach(() => {
  for (const folder of [memory, disk]) rmSync(folder, { recursive: true });
});

/** Runs the entrypoint's look at the state, on rendered files as said. */
function check(state: string, http: string, servers = '') {
  const conf = join(disk, 'conf');
  mkdirSync(conf, { recursive: true });
  writeFileSync(join(conf, 'http.conf'), http);
  writeFileSync(join(conf, 'servers.conf'), servers);
  const { status, stderr } = spawnSync('sh', [
    '-eu',
    '-c',
    '. "$0"; conf=$1; state=$2; check_state',
    common,
    conf,
    state,
  ]);
  return { status, stderr: stderr.toString() };
}

const sessions = 'js_shared_dict_zone zone=meshgate_revoked:11m type=string;\n';
const etcd = `${sessions}upstream meshgate_etcd_0 {\n}\n`;

it('the image does not start where a restart would forget what was revoked', () => {
  const { status, stderr } = check(memory, sessions);
  expect(status).toBe(1);
  expect(stderr).toContain('mount a volume at /var/lib/meshgate');
});

it.each<[string, () => ReturnType<typeof check>]>([
  ['its state is on a disk', () => check(disk, sessions)],
  ['nobody signs in', () => check(memory, '')],
  ['replicas share revocations', () => check(memory, etcd)],
  ['the policy says so', () => check(memory, sessions, OPTION)],
])('it starts where %s', (_, start) => {
  expect(start()).toEqual({ status: 0, stderr: '' });
});
