import { chainOf, follow, type KeyChain, type KeyStep, keysFor } from './chain.ts';
import { type OpenedCheckpoint, openCheckpoint } from './checkpoint.ts';
import { base64, base64Bytes, decimal, Malformed, utf8 } from './malformed.ts';
import { HASH_BYTES, isIncluded, leafHash } from './merkle.ts';
import type { VerifierKey } from './note.ts';

/* Proofs of C2SP tlog-proof: that an entry is in a log. The extra data has the entry itself, and the chain of the log's
 * keys, so that a verifier needs only the first key. It is not trusted: everything in it is verified. */

const FIRST_LINE = 'c2sp.org/tlog-proof@v1';

/** Maximum number of hashes in a proof: the height of the largest tree. */
const MAX_HASHES = 63;

export interface LogProof {
  readonly index: number;
  readonly hashes: readonly Uint8Array[];
  /** The signed note. */
  readonly checkpoint: string;
  readonly entry: Uint8Array;
  readonly keys: readonly KeyStep[];
}

const hashLines = (hashes: readonly Uint8Array[]): readonly string[] => hashes.map(base64);

function extraOf({ entry, keys }: LogProof): string {
  const steps = keys.map(({ checkpoint, leaf, proof }) => ({
    checkpoint: typeof checkpoint === 'string' ? checkpoint : Buffer.from(checkpoint).toString(),
    leaf: base64(leaf),
    proof: hashLines(proof),
  }));
  return base64(Buffer.from(JSON.stringify({ entry: base64(entry), keys: steps })));
}

/** Returns the text of a proof. */
export function formatProof(proof: LogProof): string {
  const lines = [FIRST_LINE, `extra ${extraOf(proof)}`, `index ${proof.index}`, ...hashLines(proof.hashes)];
  return `${lines.join('\n')}\n\n${proof.checkpoint}`;
}

function readHashes(lines: readonly unknown[], what: string): readonly Uint8Array[] {
  if (lines.length > MAX_HASHES) throw new Malformed(`${what} has more than ${MAX_HASHES} hashes`);
  return lines.map((line) => {
    const bytes = base64Bytes(String(line), `a hash of ${what}`);
    if (bytes.length !== HASH_BYTES) throw new Malformed(`a hash of ${what} has not ${HASH_BYTES} bytes`);
    return bytes;
  });
}

function readExtra(text: string): Pick<LogProof, 'entry' | 'keys'> {
  const wrong = new Malformed('the extra data of the proof is not of "meshgate audit prove"');
  let value: { entry?: unknown; keys?: unknown };
  try {
    value = JSON.parse(utf8(base64Bytes(text, 'the extra data of the proof'), 'the extra data of the proof')) ?? {};
  } catch (error) {
    throw error instanceof Malformed ? error : wrong;
  }
  if (typeof value.entry !== 'string' || !Array.isArray(value.keys)) throw wrong;
  const keys = value.keys.map((step: Record<string, unknown> | null): KeyStep => {
    const { checkpoint, leaf, proof } = step ?? {};
    if (typeof checkpoint !== 'string' || typeof leaf !== 'string' || !Array.isArray(proof)) throw wrong;
    return { checkpoint, leaf: base64Bytes(leaf, 'the leaf of a key'), proof: readHashes(proof, 'the proof of a key') };
  });
  return { entry: base64Bytes(value.entry, 'the entry of the proof'), keys };
}

/** Parses a proof, without verifying it.
 * @throws Malformed */
export function parseProof(text: string): LogProof {
  const split = text.indexOf('\n\n');
  if (split < 0) throw new Malformed('the proof has no empty line before its checkpoint');
  const [first, ...lines] = text.slice(0, split).split('\n');
  if (first !== FIRST_LINE) throw new Malformed(`the first line of the proof is not ${FIRST_LINE}`);
  const [, extra] = /^extra (.*)$/.exec(lines[0] ?? '') ?? [];
  if (extra === undefined)
    throw new Malformed('the proof has no extra data with its line: let "meshgate audit prove" make it');
  const [, index] = /^index (.*)$/.exec(lines[1] ?? '') ?? [];
  if (index === undefined) throw new Malformed('the proof has no line "index NUMBER" after its extra data');
  const proof = {
    index: decimal(index, 'the index of the proof'),
    hashes: readHashes(lines.slice(2), 'the proof'),
    checkpoint: text.slice(split + 2),
    ...readExtra(extra),
  };
  // So there is nothing in it that no one verifies.
  if (formatProof(proof) !== text) throw new Malformed('the extra data of the proof has members that are not known');
  return proof;
}

/** What a proof proves. */
export interface Proven {
  readonly entry: Uint8Array;
  readonly index: number;
  readonly checkpoint: OpenedCheckpoint;
  readonly chain: KeyChain;
}

/** Verifies a proof with the first key of a log.
 * @param witnesses their cosignatures are verified if they are there
 * @param now seconds since the epoch, to which the times of cosignatures are compared
 * @throws Malformed */
export async function verifyProof(
  proof: LogProof,
  first: VerifierKey,
  witnesses: readonly VerifierKey[] = [],
  now = 0,
): Promise<Proven> {
  let chain = chainOf(first);
  for (const [number, step] of proof.keys.entries()) {
    try {
      chain = await follow(chain, step);
    } catch (error) {
      throw error instanceof Malformed
        ? new Malformed(`key ${number + 1} of the log is not proven: ${error.message}`)
        : error;
    }
  }
  const newest = chain.keys.slice(-1);
  const checkpoint = await openCheckpoint(proof.checkpoint, newest, witnesses, now);
  // A later key must not vouch for entries that an earlier key has signed, because its owner could rewrite them.
  if (
    !keysFor(chain, checkpoint.size).includes(newest[0] as VerifierKey) ||
    proof.index < (chain.last.at(-1)?.size ?? 0)
  )
    throw new Malformed('the entry is older than the key that signed the checkpoint');
  if (!isIncluded(proof.index, leafHash(proof.entry), checkpoint, proof.hashes))
    throw new Malformed('the hashes do not lead from the entry to the root of the checkpoint');
  return { entry: proof.entry, index: proof.index, checkpoint, chain };
}
