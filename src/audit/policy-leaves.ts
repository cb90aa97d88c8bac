import hash from 'crypto';
import { codeOf, type Disk, ifThere } from './disk.ts';
import { sealerEntry } from './leaf.ts';
import type { SealSettings } from './seal-settings.ts';

/* The compiled policy becomes a part of the log, so that the digest in the lines can be resolved from the log alone. */

const NAME = /^policy-([0-9a-f]{16,64})\.json$/;

/** Characters in a leaf. Each takes at most three bytes of UTF-8, also a quote, which has a backslash. */
const PART = 19_000;

/** Number of digests that the sealer remembers. If a forgotten policy is loaded again, it becomes a leaf again. */
const REMEMBERED = 64;

/** The compiled policies for which a log needs leaves. */
export class NewPolicies {
  readonly #disk: Disk;
  readonly #settings: Pick<SealSettings, 'policies' | 'compiled'>;
  readonly #say: (text: string) => void;
  readonly #wrong = new Set<string>();
  /** The digests of the newest policies in the log. */
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
    const fresh = [...(compiled ? [compiled.digest] : []), ...digests].filter((it) => !this.known.includes(it));
    return fresh.flatMap((digest) => {
      const text = digest === compiled?.digest ? compiled.text : this.#text(digest);
      if (text === undefined) return [];
      this.known = [...this.known, digest].slice(-REMEMBERED);
      return policyEntries(digest, text);
    });
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

/** Returns the leaves of a policy. */
function policyEntries(digest: string, text: string): readonly Uint8Array[] {
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
