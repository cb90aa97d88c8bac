import { expect, it } from 'vitest';
import { byteLines } from '../../../src/audit/byte-lines.ts';

async function linesOf(chunks: readonly string[], size?: number): Promise<string[]> {
  async function* given() {
    for (const chunk of chunks) yield Buffer.from(chunk);
  }
  const lines: string[] = [];
  for await (const line of byteLines(given(), size)) lines.push(Buffer.from(line).toString());
  return lines;
}

it.each([
  ['lines in one chunk', ['a\nbc\n'], undefined, ['a', 'bc']],
  ['a line in three chunks', ['a', 'b', 'c\nd\n'], undefined, ['abc', 'd']],
  ['empty lines', ['\n\na\n'], undefined, ['', '', 'a']],
  ['a last line without a line break', ['a\nb'], undefined, ['a', 'b']],
  ['a line break at the beginning of a chunk', ['a', '\nb\n'], undefined, ['a', 'b']],
  ['nothing after the size', ['a\nb\n', 'c\nd\n'], 6, ['a', 'b', 'c']],
  ['a line that the size cuts', ['a\nbcd\n'], 4, ['a', 'bc']],
  ['an empty file', [], undefined, []],
] as const)('reads %s', async (_, chunks, size, wanted) => {
  expect(await linesOf(chunks, size)).toEqual(wanted);
});
