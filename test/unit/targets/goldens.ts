import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Emitted } from '../../../src/targets/types.ts';

const POLICY = 'policy.yaml';

function onDisk(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== POLICY)
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

function update(folder: string, files: Readonly<Record<string, string>>): void {
  for (const old of onDisk(folder)) rmSync(join(folder, old));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

/** Tests that each golden folder of a target has what its policy renders to: the files, and the gaps as lines.
 * UPDATE_GOLDEN=1 writes the current output; read the difference before it is committed. */
export function testGoldens(target: string, render: (name: string, text: string) => Omit<Emitted, 'notes'>): void {
  const root = join(import.meta.dirname, target, 'golden');
  describe.each(readdirSync(root))(`${target}: %s`, (name) => {
    const folder = join(root, name);
    const { files, gaps } = render(name, readFileSync(join(folder, POLICY), 'utf8'));
    const rendered = { ...files, 'gaps.txt': gaps.map(({ part, text }) => `${part}: ${text}\n`).join('') };
    if (process.env.UPDATE_GOLDEN === '1') update(folder, rendered);

    test('the same files', () => {
      expect(Object.keys(rendered).sort()).toEqual(onDisk(folder));
    });

    test.each(Object.entries(rendered))('%s', (path, text) => {
      expect(text).toBe(readFileSync(join(folder, path), 'utf8'));
    });
  });
}
