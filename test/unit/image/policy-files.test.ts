/** Which files the image watches, and renders again when they change. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'meshgate-files-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (name: string, text = 'x: 1\n') => {
  mkdirSync(join(folder, name, '..'), { recursive: true });
  writeFileSync(join(folder, name), text);
};

/** The paths that the shell function prints, without the folder. */
function observed(overlay = ''): readonly string[] {
  const env = {
    PATH: process.env.PATH ?? '',
    MESHGATE_POLICY: join(folder, 'meshgate.yaml'),
    MESHGATE_OVERLAY: overlay,
  };
  const printed = execFileSync('sh', ['-c', `. ${resolve('nginx/common.sh')}; policy_files`], {
    env,
    timeout: 5000,
  }).toString();
  return printed
    .trim()
    .split('\n')
    .map((path) => path.replace(`${folder}/`, ''));
}

test('the policy and its overlays', () => {
  write('meshgate.yaml', 'version: 1\n');
  write('other.yaml');
  expect(observed(join(folder, 'prod.yaml'))).toEqual(['meshgate.yaml', 'prod.yaml']);
});

test.each(['teams:\n  pay: {}\n', '"teams": {}', 'profiles: [{ use: ./mine.yaml }]'])(
  'with %j, all YAML files below its folder',
  (text) => {
    write('meshgate.yaml', text);
    for (const name of ['mine.yaml', 'teams/pay.yaml', 'a/b/c/deep.yml', 'README.md']) write(name);
    expect(observed()).toEqual(['meshgate.yaml', 'mine.yaml', 'teams/pay.yaml', 'a/b/c/deep.yml']);
  },
);

test('a pipe in place of the policy or of a certificate is not read, because that would never end', () => {
  execFileSync('mkfifo', [join(folder, 'meshgate.yaml')]);
  expect(observed()).toEqual(['meshgate.yaml']);
  const script = `. ${resolve('nginx/common.sh')}; policy_files | digests`;
  const env = { PATH: process.env.PATH ?? '', MESHGATE_POLICY: join(folder, 'meshgate.yaml') };
  expect(execFileSync('sh', ['-c', script], { env, timeout: 5000 }).toString()).toContain('no file: ');
});

test('in a ConfigMap, each file once', () => {
  write('..1/meshgate.yaml', 'teams: { pay: { file: pay.yaml } }\n');
  write('..1/pay.yaml');
  symlinkSync('..1', join(folder, '..data'));
  for (const name of ['meshgate.yaml', 'pay.yaml']) symlinkSync(`..data/${name}`, join(folder, name));
  expect(observed()).toEqual(['meshgate.yaml', 'pay.yaml']);
});
