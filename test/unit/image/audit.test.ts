/** What the entrypoint and meshgate-reload check of a sealed log. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const common = new URL('../../../nginx/common.sh', import.meta.url).pathname;

const settings = {
  log: '/var/log/meshgate/access.log',
  folder: '/var/lib/meshgate/audit',
  origin: 'wiki.test/meshgate/gw-0',
  witnesses: [],
  policies: '/run/meshgate/conf/audit',
};

/** A folder of rendered files, with these settings of the sealer, or without a sealed log. */
function rendered(more: Partial<typeof settings> | undefined): string {
  const conf = mkdtempSync(join(tmpdir(), 'meshgate-conf-'));
  onTestFinished(() => rmSync(conf, { recursive: true }));
  mkdirSync(join(conf, 'audit'));
  if (more !== undefined)
    writeFileSync(join(conf, 'audit/seal.json'), `${JSON.stringify({ ...settings, ...more }, null, 2)}\n`);
  return conf;
}

function run(script: string, ...args: string[]) {
  const { status, stderr } = spawnSync('sh', ['-eu', '-c', `. "$0"; conf=$1; ${script}`, common, ...args]);
  return { status, stderr: stderr.toString() };
}

const passes = { status: 0, stderr: '' };

/** Whether the gateway takes settings, if the folder has a log whose first key is this. */
function origin(key: string | undefined, name: string) {
  const folder = mkdtempSync(join(tmpdir(), 'meshgate-audit-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'keys'));
  if (key !== undefined) writeFileSync(join(folder, 'keys/first'), `${key}\n`);
  return run('check_origin', rendered({ folder, origin: name }));
}

test('a policy that gives the sealed log another name is refused, and the message says what to write', () => {
  expect(origin(undefined, settings.origin)).toEqual(passes);
  expect(origin(`${settings.origin}+3bacbb62+AcRi+/fZ`, settings.origin)).toEqual(passes);
  for (const other of ['aaa.test/meshgate/gw-0', 'wiki.test/meshgate/gw-1']) {
    const { status, stderr } = origin(`${settings.origin}+3bacbb62+AcRi+/fZ`, other);
    expect(status).toBe(1);
    expect(stderr).toContain(`is ${settings.origin}, and the policy says ${other}`);
    expect(stderr).toContain('gateway.audit.host: wiki.test and instance: gw-0');
  }
});

test.each(['log', 'folder'] as const)(
  'a reload does not change the %s of the audit, where the sealer would miss lines',
  (key) => {
    const reload = (before: Partial<typeof settings> | undefined, now: Partial<typeof settings> | undefined) =>
      run('check_same_log "$2"', rendered(now), rendered(before));
    expect(reload({}, {})).toEqual(passes);
    expect(reload({}, { origin: 'aaa.test/meshgate/gw-0' })).toEqual(passes);
    expect(reload(undefined, { [key]: '/srv/new' })).toEqual(passes);
    expect(reload({ [key]: '/srv/old' }, undefined)).toEqual(passes);
    const { status, stderr } = reload({ [key]: '/srv/old' }, { [key]: '/srv/new' });
    expect(status).toBe(1);
    expect(stderr).toContain(
      `a reload cannot change gateway.audit.${key} from /srv/old to /srv/new: start the container again`,
    );
  },
);
