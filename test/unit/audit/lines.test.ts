/** Reading files line by line, whatever chunks they come in. */
import { expect, test } from 'vitest';
import { type FileLine, linesOf, MAX_LINE_BYTES } from '../../../src/audit/lines/split-lines.ts';

async function* chunks(...texts: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield typeof text === 'string' ? new TextEncoder().encode(text) : text;
}

async function read(...texts: readonly (string | Uint8Array)[]): Promise<readonly FileLine[]> {
  const lines: FileLine[] = [];
  for await (const line of linesOf('a.log', chunks(...texts))) lines.push(line);
  return lines;
}

const line = (number: number, text: string | undefined) => ({ file: 'a.log', number, text });

test('a line can be in several chunks, and a chunk can have several lines', async () => {
  expect(await read('on', 'e\ntwo\nth', 'ree\n')).toEqual([line(1, 'one'), line(2, 'two'), line(3, 'three')]);
});

test('the last line needs no line end', async () => {
  expect(await read('one\ntwo')).toEqual([line(1, 'one'), line(2, 'two')]);
});

test('the last line of a file that grows is left for later', async () => {
  const lines: FileLine[] = [];
  for await (const it of linesOf('a.log', chunks('one\ntw'), false)) lines.push(it);
  expect(lines).toEqual([line(1, 'one')]);
});

test('a character can be in two chunks', async () => {
  const bytes = new TextEncoder().encode('ä\n');
  expect(await read(bytes.subarray(0, 1), bytes.subarray(1))).toEqual([line(1, 'ä')]);
});

test('empty lines count', async () => {
  expect(await read('one\n\nthree\n')).toEqual([line(1, 'one'), line(2, ''), line(3, 'three')]);
});

test('a line that is too long has no text, and the next line is read', async () => {
  const half = 'x'.repeat(MAX_LINE_BYTES / 2 + 1);
  expect(await read('one\n', half, half, half, '\nthree\n')).toEqual([
    line(1, 'one'),
    line(2, undefined),
    line(3, 'three'),
  ]);
  expect(await read(half, half)).toEqual([line(1, undefined)]);
});
