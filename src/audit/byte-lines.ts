const LF = 0x0a;

/** Yields the lines of a file, without their line breaks. Memory is limited to one chunk and one line.
 * @param size bytes of the file that are read; a file can grow meanwhile */
export async function* byteLines(
  chunks: AsyncIterable<Uint8Array>,
  size = Number.POSITIVE_INFINITY,
): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array[] = [];
  let left = size;
  for await (const all of chunks) {
    if (left === 0) break;
    const chunk = all.subarray(0, Math.min(left, all.length));
    left -= chunk.length;
    let start = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
      const line = chunk.subarray(start, end);
      yield rest.length === 0 ? line : Buffer.concat([...rest, line]);
      if (rest.length > 0) rest = [];
      start = end + 1;
    }
    if (start < chunk.length) rest.push(chunk.slice(start));
  }
  if (rest.length > 0) yield Buffer.concat(rest);
}
