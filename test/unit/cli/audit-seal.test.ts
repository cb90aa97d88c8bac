/** The command as a process of its own, on Node. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { until } from '../../harness/until.ts';
import { newLines, readSealed, sealLab } from '../audit/seal-lab.ts';
import { meshgate } from './fake.ts';

const cli = (...args: readonly string[]) =>
  spawnSync(process.execPath, ['src/entries/cli.ts', 'audit', 'seal', ...args], { encoding: 'utf8' });

const policyFor = (log: string, folder: string) => `version: 1
gateway: { insecure_http: true, listen: 8080, audit: { log: ${log}, folder: ${folder} } }
providers: { okta: { issuer: https://login.example.com, audiences: [wiki] } }
services: { wiki: { insecure_url: "http://127.0.0.1:9" } }
hosts: { wiki.example.com: { /*: { service: wiki, allow: [authenticated] } } }
`;

test('seals the log that a policy names, and the compiled policy itself', () => {
  // A policy does not accept a log in /dev.
  const lab = sealLab(tmpdir());
  const file = join(lab.folder, 'meshgate.yaml');
  writeFileSync(file, policyFor(lab.log, lab.settings.folder));
  const lines = newLines(3);
  lab.write(lines);
  const { status, stdout, stderr } = cli('--once', file);
  expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
  const vkey = readFileSync(join(lab.settings.folder, 'keys/first'), 'utf8').trim();
  expect(stderr).toBe(`meshgate: a new log; this key verifies it: ${vkey}\n`);
  const sealed = lab.sealed();
  expect(sealed.lines).toEqual(lines);
  expect(sealed.checkpoint.split('\n')[0]).toBe('wiki.example.com/meshgate/gw-0');
  const digest = spawnSync(process.execPath, ['src/entries/cli.ts', 'validate', '--format', 'json', file], {
    encoding: 'utf8',
  });
  const leaf = JSON.parse(sealed.entries.map(String).find((it) => it.startsWith('{"meshgate.leaf":"policy"'))!);
  expect(digest.stdout).toContain(leaf.digest);
});

test('seals with the files and folders of its flags, until SIGTERM', async () => {
  const lab = sealLab();
  const settings = join(lab.folder, 'seal.json');
  writeFileSync(settings, JSON.stringify({ ...lab.settings, log: '/nowhere', folder: '/nowhere' }));
  const keyFolder = join(lab.folder, 'key');
  const flags = ['--log', lab.log, '--folder', lab.settings.folder, '--key-folder', keyFolder];
  const child = spawn(process.execPath, ['src/entries/cli.ts', 'audit', 'seal', ...flags, settings], {
    stdio: 'ignore',
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const sizeOf = () => {
    try {
      return readSealed(lab.settings.folder).size;
    } catch {
      return 0;
    }
  };
  await until(() => sizeOf() > 0, { what: 'the first checkpoint' });
  const lines = newLines(5);
  lab.write(lines);
  child.kill('SIGTERM');
  expect(await once(child, 'close')).toEqual([0, null]);
  expect(lab.sealed().lines).toEqual(lines);
  expect(JSON.parse(readFileSync(join(keyFolder, 'key'), 'utf8')).crv).toBe('Ed25519');
});

test.each<[string, Record<string, string>, readonly string[], string]>([
  [
    'a policy without gateway.audit',
    { './meshgate.yaml': policyFor('/l', '/f').replace(/, audit.*\}/, ' }') },
    [],
    'gateway.audit',
  ],
  ['settings that are not JSON', { './seal.json': '{' }, ['./seal.json'], './seal.json is not JSON'],
])('refuses %s', async (_, files, args, message) => {
  const sealing = { sealing: {} as never, ask: {} as never };
  const { code, err } = await meshgate(['audit', 'seal', ...args], { files, ...sealing });
  expect(code).toBeGreaterThan(0);
  expect(err).toContain(message);
});

test('says on njs, which has no timers, what to run instead', async () => {
  const { code, err } = await meshgate(['audit', 'seal'], { files: { './meshgate.yaml': policyFor('/l', '/f') } });
  expect({ code, err }).toEqual({
    code: 2,
    err: 'meshgate: this engine has no timers: run meshgate-seal, or this command on Node\n',
  });
});
