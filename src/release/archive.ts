/** Archives whose bytes depend on the names, the contents and the time only. */
import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';

/** A file of an archive. */
export interface Member {
  readonly name: string;
  readonly content: Buffer;
  readonly executable: boolean;
}

/**
 * A .tar.gz of these files.
 *
 * @param folder that the archive has at its top
 * @param seconds since the epoch: the time of each file
 */
export async function archive(folder: string, members: readonly Member[], seconds: number): Promise<Buffer> {
  const tar = pack();
  const owner = { uid: 0, gid: 0, uname: 'root', gname: 'root', mtime: new Date(seconds * 1000) };
  for (const { name, content, executable } of members.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    tar.entry({ ...owner, name: `${folder}/${name}`, mode: executable ? 0o755 : 0o644 }, content);
  }
  tar.finalize();
  return gzipSync(await buffer(tar), { level: 9 });
}

/** A hash in hexadecimal digits. */
export const sha256Hex = (content: Buffer | string): string => createHash('sha256').update(content).digest('hex');
