import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { formatError, parsePolicy } from '../../../../src/policy/index.ts';
import { compile } from '../../../../src/rules/compile.ts';
import { linkerd } from '../../../../src/targets/linkerd/index.ts';

const FOLDER = join(import.meta.dirname, 'golden');
const POLICY = 'policy.yaml';

/** The content of a golden folder: the rendered files, and the gaps as lines. */
function rendered(name: string): Readonly<Record<string, string>> {
  const { policy, errors } = parsePolicy(readFileSync(join(FOLDER, name, POLICY), 'utf8'), POLICY);
  if (policy === undefined) throw new Error(errors.map(formatError).join('\n'));
  const { files, gaps } = linkerd.emit(policy, compile(policy));
  return { ...files, 'gaps.txt': gaps.map(({ part, text }) => `${part}: ${text}\n`).join('') };
}

const onDisk = (name: string) => readdirSync(join(FOLDER, name)).filter((file) => file !== POLICY);

/** UPDATE_GOLDEN=1 writes the current output; read the difference before it is committed. */
describe.each(readdirSync(FOLDER))('%s', (name) => {
  const files = rendered(name);
  if (process.env.UPDATE_GOLDEN === '1') {
    for (const old of onDisk(name)) rmSync(join(FOLDER, name, old));
    for (const [file, text] of Object.entries(files)) writeFileSync(join(FOLDER, name, file), text);
  }

  test('the same files', () => {
    expect(Object.keys(files).sort()).toEqual(onDisk(name).sort());
  });

  test.each(Object.keys(files))('%s', (file) => {
    expect(files[file]).toBe(readFileSync(join(FOLDER, name, file), 'utf8'));
  });
});
