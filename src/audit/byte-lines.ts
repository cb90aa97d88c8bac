const LF = 0x0a;

/** Yields the lines of a file, without their line breaks. Memory is limited to one chunk and one line.
 * @param unfinished is called before the last line if it has no line break */
export async function* byteLines(
  chunks: AsyncIterable<Uint8Array>,
  unfinished?: () => void,
): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array[] = [];
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
      const line = chunk.subarray(start, end);
      yield rest.length === 0 ? line : Buffer.concat([...rest, line]);
      if (rest.length > 0) rest = [];
      start = end + 1;
    }
    if (start < chunk.length) rest.push(chunk.slice(start));
  }
  if (rest.length === 0) return;
  unfinished?.();
  yield Buffer.concat(rest);
}
