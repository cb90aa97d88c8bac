import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { POLICY } from './fake.ts';
import { envoyLine, nginxLine, TRACE } from './trace/lines.ts';

const folder = mkdtempSync(join(tmpdir(), 'meshgate-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Built now, as `dist/` is: the sources themselves take most of a second to start. */
const built = spawnSync(process.execPath, ['src/build.mjs', folder], { encoding: 'utf8' });
const cli = join(folder, 'cli.js');

/** The command in its own process. */
function run(args: readonly string[], input = '') {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
    cwd: folder,
    input,
    encoding: 'utf8',
    timeout: 20_000,
    env: { ...process.env, NODE_NO_WARNINGS: '1' },
  });
  return { status, stdout, stderr };
}

test('reads the default policy, and standard input', () => {
  expect(built.status, built.stderr).toBe(0);
  writeFileSync(join(folder, 'meshgate.yaml'), POLICY);
  expect(run(['validate'])).toMatchObject({ status: 0, stderr: '' });
  expect(run(['validate', '-'], POLICY).stdout).toContain('stdin: valid: ');
  expect(run(['explain', 'GET', 'https://wiki.example.com/']).status).toBe(1);
});

test('a missing file and a folder are wrong use', () => {
  expect(run(['validate', 'none.yaml'])).toMatchObject({
    status: 2,
    stdout: '',
    stderr: 'meshgate: cannot read the policy none.yaml: there is no such file\n',
  });
  expect(run(['validate', '.']).stderr).toBe('meshgate: cannot read the policy .: it is a folder\n');
});

test('writes files with their folders', () => {
  const { status, stdout } = run(['render', '--target', 'envoy', '--out', 'a/b', '-'], POLICY);
  expect({ status, stdout }).toEqual({ status: 0, stdout: 'a/b/envoy.yaml\n' });
  expect(readFileSync(join(folder, 'a/b/envoy.yaml'), 'utf8')).toContain('static_resources:');
});

test('ends with an error if a folder cannot be made', () => {
  writeFileSync(join(folder, 'file'), '');
  for (const [out, why] of [
    ['/proc/meshgate', 'there is no such file'],
    ['/proc/a/b', 'there is no such file'],
    ['file', 'a file of this name is there already'],
    ['file/a', 'a part of its path is not a folder'],
  ]) {
    expect(run(['render', '--target', 'envoy', '--out', out as string, '-'], POLICY), out).toMatchObject({
      status: 2,
      stdout: '',
      stderr: `meshgate: cannot write ${out}: ${why}\n`,
    });
  }
});

test('loads the migration from the folder of the command, and only for it', () => {
  const config = 'provider = "google"\nemail_domains = ["example.com"]\n';
  const migrated = run(['migrate', 'oauth2-proxy', '-'], config);
  expect(migrated.status, migrated.stderr).toBe(0);
  expect(migrated.stdout).toContain('issuer: https://accounts.google.com,');
  const bundle = join(folder, 'migrate.js');
  renameSync(bundle, `${bundle}.away`);
  try {
    expect(run(['migrate', 'oauth2-proxy', '-'], config)).toEqual({
      status: 2,
      stdout: '',
      stderr: `meshgate: cannot load ${bundle}: copy it from the folder that cli.js is from\n`,
    });
    expect(run(['validate', '-'], POLICY).status).toBe(0);
    expect(run(['migrate', 'oauth2-proxy', '--help']).status).toBe(0);
  } finally {
    renameSync(`${bundle}.away`, bundle);
  }
});

test('exits with 3 if nothing is proven, and with 1 if two policies differ', () => {
  expect(run(['prove', 'meshgate.yaml', '-'], 'version: 1\n').status).toBe(3);
  expect(run(['prove', 'meshgate.yaml', '-'], POLICY.replace('allow: [anyone]', 'allow: [authenticated]')).status).toBe(
    1,
  );
  expect(run(['prove', 'meshgate.yaml', '-'], POLICY).status).toBe(0);
});

test('trace reads compressed files of several parts, and standard input', () => {
  const [before, line] = [nginxLine({ 'user.id': 'é'.repeat(70_000), trace_id: '' }), nginxLine()];
  writeFileSync(join(folder, 'a.gz'), Buffer.concat([gzipSync(`${before}\n`), gzipSync(`${line}\n`)]));
  const ran = run(
    ['trace', TRACE, '--nginx', 'a.gz', '--mesh', '-'],
    `${envoyLine({ path: `/${'é'.repeat(70_000)}` })}\n`,
  );
  expect(ran).toMatchObject({ status: 0, stderr: '' });
  expect(ran.stdout).toMatch(/gateway .* a\.gz:2\n.*mesh .* -:1\n/);
});

test('trace says that a compressed file is damaged or ends too early', () => {
  const entire = gzipSync(`${nginxLine()}\n`);
  writeFileSync(join(folder, 'short.gz'), entire.subarray(0, -20));
  writeFileSync(join(folder, 'bad.gz'), Buffer.concat([entire.subarray(0, 20), Buffer.alloc(200, 7)]));
  const words = (file: string) => run(['trace', TRACE, '--nginx', file]).stderr;
  expect(words('short.gz')).toBe('meshgate: cannot read short.gz: its compressed data ends too early\n');
  expect(words('bad.gz')).toBe('meshgate: cannot read bad.gz: its compressed data is damaged\n');
});

test('trace reads a log that is larger than the memory', () => {
  const other = `${nginxLine({ trace_id: 'a'.repeat(32), request_id: 'a'.repeat(32) })}\n`.repeat(1000);
  const parts = [...Array(100).fill(gzipSync(other)), gzipSync(`${nginxLine()}\n`)];
  writeFileSync(join(folder, 'large.gz'), Buffer.concat(parts));
  const { status, stdout } = spawnSync(
    process.execPath,
    ['--max-old-space-size=24', cli, 'trace', TRACE, '--nginx', 'large.gz'],
    { cwd: folder, encoding: 'utf8', timeout: 60_000 },
  );
  expect(status).toBe(0);
  expect(stdout).toContain('large.gz:100001');
});

test('trace says that a line is too long to be read, and reads the others', () => {
  writeFileSync(join(folder, 'long.log'), `${'x'.repeat(3 << 20)}\n${nginxLine()}\n`);
  const { status, stdout, stderr } = run(['trace', TRACE, '--nginx', 'long.log']);
  expect([status, stderr]).toEqual([0, 'long.log: 1 line is longer than 1048576 bytes and not read\n']);
  expect(stdout).toContain('long.log:2');
});
