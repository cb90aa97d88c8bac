import hash from 'crypto';
import { type Disk, ifThere } from './disk.ts';
import { sealerEntry } from './leaf.ts';

/* The compiled policy becomes a part of the log, so that the digest in the lines can be resolved from the log alone. */

const NAME = /^policy-([0-9a-f]{16,64})\.json$/;

/** Characters in a leaf. Each takes at most three bytes of UTF-8, also a quote, which has a backslash. */
const PART = 19_000;

/** Number of digests that the sealer remembers. If a forgotten policy is loaded again, it becomes a leaf again. */
export const REMEMBERED = 64;

/** Returns the digests of the policies in a folder that are not known yet.
 * @param folder of rendered files, as in `audit/policy-DIGEST.json` */
export function newPolicies(disk: Disk, folder: string, known: readonly string[]): readonly string[] {
  const names = ifThere(() => disk.names(folder)) ?? [];
  return names.flatMap((name) => NAME.exec(name)?.[1] ?? []).filter((digest) => !known.includes(digest));
}

/** Returns the text of a policy; undefined if the file does not have the digest in its name, because it is being written or
 * was changed. */
export function policyText(disk: Disk, folder: string, digest: string): string | undefined {
  const bytes = ifThere(() => disk.load(`${folder}/policy-${digest}.json`));
  return bytes !== undefined && sha256(bytes).startsWith(digest) ? Buffer.from(bytes).toString() : undefined;
}

/** Returns the leaves of a policy. */
export function policyEntries(digest: string, text: string): readonly Uint8Array[] {
  const texts: string[] = [];
  for (let at = 0; at < text.length; ) {
    const end = at + PART;
    // The two halves of a character stay together.
    const whole = /[\ud800-\udbff]/.test(text[end - 1] ?? '') ? end - 1 : end;
    texts.push(text.slice(at, whole));
    at = whole;
  }
  return texts.map((part, index) =>
    sealerEntry({ kind: 'policy', digest, part: index + 1, parts: texts.length, text: part }),
  );
}

const sha256 = (bytes: Uint8Array): string =>
  hash
    .createHash('sha256')
    .update(bytes as Buffer)
    .digest('hex');
