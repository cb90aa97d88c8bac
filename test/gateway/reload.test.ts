/** `meshgate-reload` in the image, with the policy mounted from this machine. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type RunningImage, runImage } from '../harness/index.ts';

mkdirSync('test-results', { recursive: true });
const root = mkdtempSync(resolve('test-results', 'reload-'));

const policy = (host: string, gateway = '') => `version: 1
gateway: { insecure_http: true, listen: 8080${gateway} }
providers: { okta: { issuer: https://login.example.com, audiences: [wiki] } }
services: { wiki: { insecure_url: "http://127.0.0.1:9" } }
hosts: { ${host}: { /*: { service: wiki, allow: [authenticated] } } }
`;

/** Replaces a file as editors and git do: the new file gets the name of the old one. */
function replace(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

const folder = join(root, 'policy');
mkdirSync(folder);
const file = join(folder, 'meshgate.yaml');
const single = join(root, 'single.yaml');
for (const path of [file, single]) replace(path, policy('wiki.example.com'));
const MOUNTED = '/etc/meshgate/meshgate.yaml';
// The image would load a change before the command does.
const env = { MESHGATE_WATCH: 'off' };
const [gateway, mounted] = await Promise.all([
  runImage({ mounts: { '/etc/meshgate': folder }, env }),
  runImage({ mounts: { [MOUNTED]: single }, env }),
]);
afterAll(() => {
  for (const image of [gateway, mounted]) image.stop();
  rmSync(root, { recursive: true });
});

async function loaded(image: RunningImage): Promise<string> {
  const { stdout } = await image.exec('meshgate-health');
  return JSON.parse(stdout).policy;
}

const first = await loaded(gateway);

test('the start says the digest that readyz has', async () => {
  expect(first).toMatch(/^[0-9a-f]{32}$/);
  await gateway.says(`meshgate: the policy ${MOUNTED} has the digest ${first}`);
});

test('commands in the image read the policy of the gateway', async () => {
  const { exitCode, stdout } = await gateway.exec('meshgate', 'validate');
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringContaining(`${MOUNTED}: valid: `) });
});

test('an image that does not watch its files says nothing of changes in readyz', async () => {
  expect(JSON.parse((await gateway.exec('meshgate-health')).stdout)).not.toHaveProperty('changes');
});

describe('a reload prints the digest of the loaded policy', () => {
  test('and "unchanged" if it did not change', async () => {
    const { exitCode, stdout, stderr } = await gateway.exec('meshgate-reload');
    expect({ exitCode, stdout }, stderr).toEqual({ exitCode: 0, stdout: `${first} unchanged\n` });
    replace(file, `# a comment\n${policy('wiki.example.com')}`);
    expect((await gateway.exec('meshgate-reload')).stdout).toBe(`${first} unchanged\n`);
  });

  test('which differs from the one before if the policy has changed', async () => {
    replace(file, policy('wiki.example.org'));
    const { exitCode, stdout } = await gateway.exec('meshgate-reload');
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: `${await loaded(gateway)}\n` });
    expect(stdout).not.toBe(`${first}\n`);
  });

  test('and says that a log is not sealed before the container starts again', async () => {
    replace(
      file,
      policy('wiki.example.org', ', audit: { log: /run/meshgate/access.log, folder: /run/meshgate/audit }'),
    );
    const { exitCode, stderr } = await gateway.exec('meshgate-reload');
    expect(exitCode, stderr).toBe(0);
    expect(stderr).toContain('gateway.audit is new in the policy: start the container again');
  });

  test('once for each of two reloads that run at the same time', async () => {
    replace(file, policy('wiki.example.net'));
    const both = await Promise.all([gateway.exec('meshgate-reload'), gateway.exec('meshgate-reload')]);
    const digest = await loaded(gateway);
    expect(both.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    expect(both.map(({ stdout }) => stdout).sort()).toEqual([`${digest}\n`, `${digest} unchanged\n`]);
  });
});

/** The names in the folder of the gateway, and the digest in its files. */
async function files(): Promise<string> {
  const list = 'ls -d /run/meshgate/conf*; grep -o \'"policy": "[0-9a-f]*"\' /run/meshgate/conf/watched.js';
  return (await gateway.exec('sh', '-c', list)).stdout;
}

/** Listens on a port of the container, which nginx -t does not notice. */
const PORT = 'timeout 600 nc -l -k 8099 >/dev/null 2>&1 &';

describe('a reload that fails leaves everything in place', () => {
  test.each([
    ['a policy with an error', () => policy('wiki.example.com').replace('service: wiki', 'service: wuki'), 'wuki'],
    [
      'a log that is sealed, in a folder without a volume',
      () => policy('wiki.example.com', ', audit: { log: /nowhere/access.log }'),
      'mount a volume at /nowhere',
    ],
    ['a policy that nginx refuses', () => policy('wiki.example.com', ', client_ca_file: /nowhere.pem'), ''],
    [
      'a port that another process uses',
      () => policy('wiki.example.com').replace('8080', '8099'),
      'its error log says why',
    ],
  ])('%s', async (_, text, says) => {
    const [digest, before] = [await loaded(gateway), await files()];
    expect(before).toBe(`/run/meshgate/conf\n"policy": "${digest}"\n`);
    await gateway.exec('sh', '-c', PORT);
    replace(file, text());
    const { exitCode, stdout, stderr } = await gateway.exec('meshgate-reload');
    expect({ exitCode, stdout }, stderr).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toContain(says);
    expect(stderr).toMatch(/old (one|configuration) stays/);
    expect([await loaded(gateway), await files()]).toEqual([digest, before]);
  });
});

test('a file that is mounted by itself and was replaced outside is explained, and nothing is loaded', async () => {
  const before = await loaded(mounted);
  expect((await mounted.exec('meshgate-reload')).stderr).toContain(`the file itself is mounted`);
  replace(single, policy('wiki.example.org'));
  const { exitCode, stdout, stderr } = await mounted.exec('meshgate-reload');
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
  expect(stderr).toContain(`${MOUNTED} was replaced outside, but this container keeps the earlier file`);
  expect(stderr).toContain('mount its folder');
  expect(await loaded(mounted)).toBe(before);
});
