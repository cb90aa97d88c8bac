import { appendFileSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { type HeldFile, holdFile } from '../../../src/cli/machine/chunks.ts';

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'meshgate-hold-'));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}

async function textOf(file: HeldFile): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of file.chunks()) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test('reads the file that had the name, with the size that it had, as often as it is asked', async () => {
  const [path, text] = [join(folder(), 'access.log'), `${'x'.repeat(300_000)}\n`];
  writeFileSync(path, text);
  const held = holdFile(path);
  appendFileSync(path, 'late\n');
  renameSync(path, `${path}.1`);
  writeFileSync(path, 'new\n');
  expect(await textOf(held)).toBe(text);
  expect(await textOf(held)).toBe(text);
});

test('reads a compressed file that was renamed', async () => {
  const path = join(folder(), 'access.log.1.gz');
  writeFileSync(path, gzipSync('line\n'));
  const held = holdFile(path);
  renameSync(path, path.replace('.1.gz', '.2.gz'));
  expect(await textOf(held)).toBe('line\n');
  expect(await textOf(held)).toBe('line\n');
});

test('names one file by the same id under both of its names, and says when it was renamed', () => {
  const path = join(folder(), 'access.log');
  writeFileSync(path, 'line\n');
  const held = holdFile(path);
  const before = Date.now() / 1000;
  renameSync(path, `${path}.1`);
  const renamed = holdFile(`${path}.1`);
  expect(renamed.inode?.id).toBe(held.inode?.id);
  expect(Math.abs(renamed.inode!.changed - before)).toBeLessThan(5);
});

test('fails if the file was truncated', async () => {
  const path = join(folder(), 'access.log');
  writeFileSync(path, 'line\n');
  const held = holdFile(path);
  truncateSync(path);
  await expect(textOf(held)).rejects.toMatchObject({ code: 'ESHORTER' });
});

test('fails if there is no such file', () => {
  expect(() => holdFile(join(folder(), 'none'))).toThrow(/ENOENT/);
});
