import hash from 'crypto';
import { sealerEntry } from '../log/leaf.ts';
import { codeOf, type Disk, ifThere } from './disk.ts';
import type { SealSettings } from './settings.ts';

/* The compiled policy becomes a part of the log, so that the digest in the lines can be resolved from the log alone. */

const NAME = /^policy-([0-9a-f]{16,64})\.json$/;

/** Characters in a leaf. Each takes at most three bytes of UTF-8, also a quote, which has a backslash. */
const PART = 19_000;

/** Number of digests that the sealer remembers although their policies are gone. If a forgotten policy is loaded again, it
 * becomes a leaf again. A policy that is there is never forgotten: it would become a leaf at each turn. */
const REMEMBERED = 64;

/** The compiled policies for which a log needs leaves. */
export class NewPolicies {
  readonly #disk: Disk;
  readonly #settings: Pick<SealSettings, 'policies' | 'compiled'>;
  readonly #say: (text: string) => void;
  readonly #wrong = new Set<string>();
  /** The digests of the newest policies in the log, and of those that are there. */
  known: readonly string[];

  constructor(
    disk: Disk,
    settings: Pick<SealSettings, 'policies' | 'compiled'>,
    known: readonly string[],
    say: (text: string) => void,
  ) {
    this.#disk = disk;
    this.#settings = settings;
    this.#say = say;
    this.known = known;
  }

  /** Returns the leaves of the policies that are new since the last call. The caller adds them to the log. */
  entries(): readonly Uint8Array[] {
    const { policies, compiled } = this.#settings;
    const inFolder = policies === undefined ? [] : (ifThere(() => this.#disk.names(policies)) ?? []);
    const digests = inFolder.flatMap((name) => NAME.exec(name)?.[1] ?? []);
    const present = new Set([...(compiled ? [compiled.digest] : []), ...digests]);
    const known = new Set(this.known);
    const entries = [...present].flatMap((digest) => {
      const text = known.has(digest) ? undefined : digest === compiled?.digest ? compiled.text : this.#text(digest);
      if (text === undefined) return [];
      known.add(digest);
      return policyEntries(digest, text);
    });
    if (entries.length > 0) this.known = remembered([...known], present);
    return entries;
  }

  /** Returns the text of a policy; undefined if the file does not have the digest in its name, because it is being written or
   * was changed, or if it is no regular file. */
  #text(digest: string): string | undefined {
    const path = `${this.#settings.policies}/policy-${digest}.json`;
    let bytes: Uint8Array | undefined;
    try {
      bytes = ifThere(() => this.#disk.load(path));
    } catch (error) {
      if (!['ENOTREG', 'EFBIG', 'ELOOP', 'EACCES'].includes(codeOf(error) ?? '')) throw error;
    }
    if (bytes !== undefined && sha256(bytes).startsWith(digest)) return Buffer.from(bytes).toString();
    if (!this.#wrong.has(digest)) this.#say(`${path} does not have the digest in its name, so it is not sealed`);
    this.#wrong.add(digest);
    return undefined;
  }
}

/** Returns the digests without the oldest ones whose policies are gone. */
function remembered(digests: readonly string[], present: ReadonlySet<string>): readonly string[] {
  const gone = digests.filter((it) => !present.has(it));
  const forgotten = new Set(gone.slice(0, Math.max(0, gone.length - REMEMBERED)));
  return digests.filter((it) => !forgotten.has(it));
}

/** Returns the leaves of a policy. */
function policyEntries(digest: string, text: string): readonly Uint8Array[] {
  const texts: string[] = [];
  for (let at = 0; at < text.length; ) {
    const end = at + PART;
    // The two halves of a character stay together.
    const entire = /[\ud800-\udbff]/.test(text[end - 1] ?? '') ? end - 1 : end;
    texts.push(text.slice(at, entire));
    at = entire;
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
