import { expect, it } from 'vitest';
import { byteLines } from '../../../src/audit/byte-lines.ts';

async function linesOf(chunks: readonly string[]): Promise<{ lines: string[]; unfinished: number }> {
  async function* given() {
    for (const chunk of chunks) yield Buffer.from(chunk);
  }
  const lines: string[] = [];
  let unfinished = 0;
  for await (const line of byteLines(given(), () => unfinished++)) lines.push(Buffer.from(line).toString());
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
