import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { byteLines } from '../../../src/audit/verify/byte-lines.ts';

async function linesOf(chunks: readonly string[]): Promise<{ lines: string[]; unfinished: number }> {
  async function* given() {
    for (const chunk of chunks) yield Buffer.from(chunk);
  }
  const lines: string[] = [];
  let unfinished = 0;
  for await (const { bytes } of byteLines(given(), () => unfinished++)) lines.push(Buffer.from(bytes).toString());
  return { lines, unfinished };
}

it.each([
  ['lines in one chunk', ['a\nbc\n'], 0, ['a', 'bc']],
  ['a line in three chunks', ['a', 'b', 'c\nd\n'], 0, ['abc', 'd']],
  ['empty lines', ['\n\na\n'], 0, ['', '', 'a']],
  ['a last line without a line break', ['a\nb'], 1, ['a', 'b']],
  ['a line break at the beginning of a chunk', ['a', '\nb\n'], 0, ['a', 'b']],
  ['an empty file', [], 0, []],
] as const)('reads %s', async (_, chunks, unfinished, lines) => {
  expect(await linesOf(chunks)).toEqual({ lines, unfinished });
});

it('keeps the beginning of a line of a gigabyte, and returns the digest that is sealed for it', async () => {
  const piece = Buffer.alloc(2 ** 20, 'x');
  const before = process.memoryUsage().arrayBuffers;
  const hash = createHash('sha256');
  let most = 0;
  async function* given() {
    for (let at = 0; at < 1024; at++) {
      hash.update(piece);
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
      yield piece;
    }
    yield Buffer.from('\nnext\n');
  }
  const found: { bytes: string; entry: string }[] = [];
  for await (const { bytes, entry } of byteLines(given()))
    found.push({ bytes: Buffer.from(bytes).toString(), entry: Buffer.from(entry).toString() });
  const entry = JSON.stringify({ 'meshgate.leaf': 'long', sha256: hash.digest('hex'), bytes: 2 ** 30 });
  expect(found).toEqual([
    { bytes: 'x'.repeat(65_535), entry },
    { bytes: 'next', entry: 'next' },
  ]);
  expect(most).toBeLessThan(2 ** 26);
});
