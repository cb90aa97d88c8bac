/** A line of a file. */
export interface FileLine {
  readonly file: string;
  /** The number of the line, from 1. */
  readonly number: number;
  /** The text without its end; undefined: the line is longer than a line of the log can be. */
  readonly text: string | undefined;
}

/** Maximum length of a line, in bytes. nginx writes none that is longer, and the memory for a line is limited. */
export const MAX_LINE_BYTES = 1 << 20;

const LF = 0x0a;

/** Returns the lines in the chunks of a file. It holds one chunk and one line in memory.
 * @param last whether text after the last line end counts as a line. A file that still grows can end within a line */
export async function* linesOf(file: string, chunks: AsyncIterable<Uint8Array>, last = true): AsyncGenerator<FileLine> {
  const decoder = new TextDecoder();
  let number = 0;
  let rest = new Uint8Array(0);
  let isLong = false;
  const line = (text: string): FileLine => ({ file, number: ++number, text });
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(LF);
    if (end < 0) {
      if (!isLong) rest = joined(rest, chunk);
      if (rest.length > MAX_LINE_BYTES) [rest, isLong] = [new Uint8Array(0), true];
      continue;
    }
    const lines = decoder.decode(asBuffer(joined(rest, chunk.subarray(0, end)))).split('\n');
    for (const [index, text] of lines.entries()) {
      if (index === 0 && isLong) yield { file, number: ++number, text: undefined };
      else yield line(text);
    }
    [rest, isLong] = [chunk.slice(end + 1), false];
  }
  if (isLong) yield { file, number: ++number, text: undefined };
  else if (last && rest.length > 0) yield line(decoder.decode(asBuffer(rest)));
}

const asBuffer = (bytes: Uint8Array) => bytes as unknown as ArrayBuffer;

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}
