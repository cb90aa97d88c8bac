import hash from 'crypto';
import { MAX_DICT_TTL_MS, NONCE_LIFE_S } from '../../base/limits.ts';
import { readRing } from '../../session/keys/ring.ts';
import { KeyFile } from '../keys/key-file.ts';
import { proofsDict } from '../shared/dicts.ts';

/** The keys for nonces. The first key makes nonces; all keys verify them. */
type NonceKeys = readonly Buffer[] & { readonly expires?: number };

/** The name of this nginx's own key in the zone of used proofs. No proof's name contains a space. */
const OWN_KEY = 'own key';

const encoder = new TextEncoder();

type DeriveAlgorithm = Parameters<typeof crypto.subtle.deriveBits>[0];

const derivation = {
  name: 'HKDF',
  hash: 'SHA-256',
  salt: new Uint8Array(0),
  info: encoder.encode('meshgate nonce'),
} as unknown as DeriveAlgorithm;

async function readNonceKeys(text: string, now: number): Promise<NonceKeys | string> {
  const ring = await readRing(text, now);
  if (typeof ring === 'string') return ring;
  const { sealing, keys, expires } = ring;
  const all = [sealing, ...[...keys.values()].filter((key) => key !== sealing)];
  const derived = all.map(({ base }) => crypto.subtle.deriveBits(derivation, base as never, 256));
  const buffers = (await Promise.all(derived)).map((bits) => Buffer.from(bits));
  return expires === undefined ? buffers : Object.assign(buffers, { expires });
}

/** Returns the key that all workers of this nginx share. No other nginx has it, and after a restart this nginx has
 * another key. So this nginx accepts only proofs with its own nonces, and it remembers which of these were used. */
function ownKeys(): NonceKeys | undefined {
  const dict = proofsDict();
  try {
    if (!dict.has(OWN_KEY)) {
      const bytes = new Uint8Array(32);
      crypto.getRandomValues(bytes as never);
      dict.add(OWN_KEY, Buffer.from(bytes).toString('base64url'), MAX_DICT_TTL_MS);
    }
  } catch {
    return undefined;
  }
  const key = dict.get(OWN_KEY);
  return key === undefined ? undefined : [Buffer.from(key, 'base64url')];
}

const nonceOf = (key: Buffer, slot: number): string =>
  hash.createHmac('sha256', key).update(`nonce ${slot}`).digest('base64url').slice(0, 22);

export interface NoncesNow {
  readonly fresh: string;
  /** All accepted nonces, also of the periods before and after, because the clocks of replicas differ. */
  readonly taken: readonly string[];
}

/** Makes and verifies nonces for proofs (RFC 9449 section 9). They are computed from a key and the time. So nothing is
 * stored, and every replica with the key knows them. A nonce is given out for {@link NONCE_LIFE_S} and accepted for the
 * same time after that. */
export class Nonces {
  readonly #file: KeyFile<NonceKeys> | undefined;
  #keys: NonceKeys | undefined;
  #slot = 0;
  #now: NoncesNow | undefined;

  /** @param keysFile see `ProofPolicy.keysFile` */
  constructor(keysFile: string | undefined) {
    this.#file = keysFile === undefined ? undefined : new KeyFile(keysFile, readNonceKeys, 'no DPoP proof is accepted');
  }

  #made(keys: NonceKeys | undefined, now: number): NoncesNow | undefined {
    const slot = Math.floor(now / NONCE_LIFE_S);
    if (keys !== this.#keys || slot !== this.#slot) {
      this.#keys = keys;
      this.#slot = slot;
      const taken = keys?.flatMap((key) => [nonceOf(key, slot), nonceOf(key, slot - 1), nonceOf(key, slot + 1)]);
      this.#now = taken && { fresh: taken[0] as string, taken };
    }
    return this.#now;
  }

  /** Returns the current nonces, or a promise if the file must be read; `undefined` if there is no key: the file is
   * missing or broken, or shared memory has no room for this nginx's own key. */
  at(now: number): NoncesNow | undefined | Promise<NoncesNow | undefined> {
    const file = this.#file;
    if (file === undefined) {
      const isCurrent = Math.floor(now / NONCE_LIFE_S) === this.#slot && this.#now !== undefined;
      return isCurrent ? this.#now : this.#made(ownKeys(), now);
    }
    const keys = file.recall(now);
    return keys === undefined ? file.current(now).then((read) => this.#made(read, now)) : this.#made(keys, now);
  }
}
