import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cases, golden, goldenPolicy, render } from './golden.ts';

/** The content of a golden folder: the rendered files, and the gaps as lines. */
function rendered(name: string): Readonly<Record<string, string>> {
  const { files, gaps } = render(goldenPolicy(name));
  return { ...files, 'gaps.txt': gaps.map(({ part, text }) => `${part}: ${text}\n`).join('') };
}

function onDisk(name: string): readonly string[] {
  return readdirSync(golden(name), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'policy.yaml')
    .map((entry) => `${entry.parentPath}/${entry.name}`.slice(golden(name).length + 1))
    .sort();
}

function update(name: string, files: Readonly<Record<string, string>>): void {
  for (const old of onDisk(name)) rmSync(golden(name, old));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(golden(name, path)), { recursive: true });
    writeFileSync(golden(name, path), text);
  }
}

/** UPDATE_GOLDEN=1 writes the current output; read the difference before it is committed. */
describe.each(cases)('%s', (name) => {
  const files = rendered(name);
  if (process.env.UPDATE_GOLDEN === '1') update(name, files);

  test('the same files', () => {
    expect(Object.keys(files).sort()).toEqual(onDisk(name));
  });

  test.each(Object.keys(files))('%s', (path) => {
    expect(files[path]).toBe(readFileSync(golden(name, path), 'utf8'));
  });
});
