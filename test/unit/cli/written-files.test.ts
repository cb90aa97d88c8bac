import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { main } from '../../../src/cli/app.ts';
import { systemRuntime } from '../../../src/cli/machine/runtime.ts';
import { POLICY } from './fake.ts';

let folder: string;
let out: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'meshgate-files-'));
  out = join(folder, 'out');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Renders a policy into the folder, with the functions of Node. */
async function render(policy: string, ...args: string[]) {
  const file = join(folder, 'meshgate.yaml');
  writeFileSync(file, policy);
  let [stdout, stderr] = ['', ''];
  const runtime = {
    ...systemRuntime(),
    args: ['render', ...args, '--out', out, file],
    home: 'dist',
    out(text: string) {
      stdout += text;
    },
    err(text: string) {
      stderr += text;
    },
  };
  return { code: await main(runtime), stdout, stderr };
}

const TWO = POLICY.replace(
  '  wiki.example.com:',
  '  "blog.example.com": { providers: [okta], /x: { service: wiki, allow: [anyone] } }\n  wiki.example.com:',
);
const nginx = (policy: string) => render(policy, '--target', 'nginx', '--resolver', '10.0.0.10');
const hosts = () => readdirSync(join(out, 'hosts')).sort();
const BLOG = 'hosts/blog.example.com.conf';
const LIST = '.meshgate-files';

const listed = () => JSON.parse(readFileSync(join(out, LIST), 'utf8')).files;

test('a file that is no longer rendered is removed, and named on standard error', async () => {
  expect((await nginx(TWO)).stderr).not.toContain('removed');
  expect(hosts()).toEqual(['blog.example.com.conf', 'wiki.example.com.conf']);
  const { code, stdout, stderr } = await nginx(POLICY);
  expect({ code, stderr: stderr.split('\n').filter((it) => !it.startsWith('gap:')) }).toEqual({
    code: 0,
    stderr: [`removed: ${out}/${BLOG}: it is no longer rendered`, ''],
  });
  expect(stdout).not.toContain('blog');
  expect(hosts()).toEqual(['wiki.example.com.conf']);
});

test('the list has the SHA-256 of each file, by target', async () => {
  await nginx(POLICY);
  const digest = createHash('sha256').update(readFileSync(join(out, 'hosts/wiki.example.com.conf')));
  expect(listed().nginx['hosts/wiki.example.com.conf']).toBe(digest.digest('base64url'));
  expect(Object.keys(listed().nginx)).toContain('meshgate.js');
  expect(Object.keys(listed().nginx)).not.toContain(LIST);
});

test('a file that has changed since it was written stays, until someone removes it', async () => {
  await nginx(TWO);
  writeFileSync(join(out, BLOG), '# mine\n');
  for (const _ of ['at once', 'later']) {
    const { code, stderr } = await nginx(POLICY);
    expect(code).toBe(0);
    expect(stderr).toContain(
      `kept: ${out}/${BLOG}: it is no longer rendered, and has changed since meshgate wrote it; remove it if nothing needs it\n`,
    );
    expect(readFileSync(join(out, BLOG), 'utf8')).toBe('# mine\n');
  }
  rmSync(join(out, BLOG));
  expect((await nginx(POLICY)).stderr).not.toContain('blog');
  expect(Object.keys(listed().nginx)).not.toContain(BLOG);
});

test('files of other programs stay, also those with a name that was rendered before the list existed', async () => {
  mkdirSync(join(out, 'hosts'), { recursive: true });
  writeFileSync(join(out, BLOG), '');
  writeFileSync(join(out, 'mine.conf'), '');
  await nginx(POLICY);
  await nginx(POLICY);
  expect(hosts()).toEqual(['blog.example.com.conf', 'wiki.example.com.conf']);
  expect(readdirSync(out)).toContain('mine.conf');
});

test('targets that share a folder leave the files of each other', async () => {
  await nginx(TWO);
  await render(POLICY, '--target', 'envoy');
  expect(hosts()).toEqual(['blog.example.com.conf', 'wiki.example.com.conf']);
  expect(Object.keys(listed()).sort()).toEqual(['envoy', 'nginx']);
  await nginx(POLICY);
  expect(hosts()).toEqual(['wiki.example.com.conf']);
  expect(readdirSync(out)).toContain('envoy.yaml');
});

test('a file that another target also writes stays', async () => {
  await nginx(POLICY);
  writeFileSync(
    join(out, LIST),
    JSON.stringify({ files: { ...listed(), istio: { 'http.conf': 'x' }, envoy: listed().nginx } }),
  );
  await render(POLICY, '--target', 'envoy');
  expect(readdirSync(out)).toContain('meshgate.js');
});

test('nothing is removed through a link, and no link', async () => {
  await nginx(TWO);
  const moved = join(folder, 'moved');
  mkdirSync(moved);
  const text = readFileSync(join(out, BLOG));
  writeFileSync(join(moved, 'blog.example.com.conf'), text);
  rmSync(join(out, BLOG));
  symlinkSync(join(moved, 'blog.example.com.conf'), join(out, BLOG));
  await nginx(POLICY);
  expect(hosts()).toEqual(['blog.example.com.conf', 'wiki.example.com.conf']);

  symlinkSync(moved, join(out, 'linked'));
  const files = {
    nginx: { ...listed().nginx, 'linked/blog.example.com.conf': createHash('sha256').update(text).digest('base64url') },
  };
  writeFileSync(join(out, LIST), JSON.stringify({ files }));
  expect((await nginx(POLICY)).stderr).not.toContain('removed');
  expect(readdirSync(moved)).toEqual(['blog.example.com.conf']);
});

test.each([
  ['text', 'nothing'],
  ['no mapping', '[]'],
  ['a path out of the folder', JSON.stringify({ files: { nginx: { '../meshgate.yaml': 'x' } } })],
  ['a path within out of the folder', JSON.stringify({ files: { nginx: { 'hosts/../../x': 'x' } } })],
  ['an absolute path', JSON.stringify({ files: { nginx: { '/etc/passwd': 'x' } } })],
  ['a digest that is no text', JSON.stringify({ files: { nginx: { 'http.conf': 1 } } })],
])('a list with %s is wrong use, and nothing is written', async (_, list) => {
  mkdirSync(out);
  writeFileSync(join(out, LIST), list);
  const { code, stdout, stderr } = await nginx(POLICY);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(`${out}/${LIST}: this is not a list of files that meshgate wrote: remove it,`);
  expect(readdirSync(out)).toEqual([LIST]);
});

test('the JSON names the files that were written, removed and kept', async () => {
  await nginx(TWO);
  const { stdout } = await render(POLICY, '--target', 'nginx', '--resolver', '10.0.0.10', '--json');
  const result = JSON.parse(stdout);
  expect(result).toMatchObject({ target: 'nginx', removed: [BLOG], kept: [] });
  expect(result.written).toContain('hosts/wiki.example.com.conf');
});

test('the last 16 compiled policies of earlier renders stay for the sealer, and older ones are removed', async () => {
  const policy = (n: number) =>
    POLICY.replace('insecure_http: true', `insecure_http: true, audit: {}, token_cache: ${n}s`);
  const names: string[] = [];
  for (let n = 1; n <= 19; n++) {
    const { stdout, stderr } = await nginx(policy(n));
    names.push(/audit\/policy-[0-9a-f]{32}\.json/.exec(stdout)?.[0] ?? '');
    const gone = n > 17 ? [`removed: ${out}/${names[n - 18]}: it is no longer rendered`] : [];
    expect(stderr.split('\n').filter((it) => it.startsWith('removed'))).toEqual(gone);
  }
  expect(new Set(names).size).toBe(19);
  expect(readdirSync(join(out, 'audit')).sort()).toEqual(
    ['seal.json', ...names.slice(2).map((name) => name.slice('audit/'.length))].sort(),
  );
  // A policy that returns is rendered again, and is the newest.
  await nginx(policy(3));
  await nginx(policy(20));
  expect(readdirSync(join(out, 'audit'))).toContain(names[2]?.slice('audit/'.length));
});
