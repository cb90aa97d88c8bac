import { sealerEntry } from '../log/leaf.ts';
import {
  formatVkey,
  generateKey,
  importSigner,
  parseVkey,
  SIGNATURE,
  type Signer,
  sameKey,
  type VerifierKey,
  verifierKey,
} from '../log/note.ts';
import { codeOf, type Disk } from './disk.ts';
import { Refused } from './fatal.ts';
import type { LogFolder } from './log-folder.ts';

/* The signing key of a log. Without a witness, it evolves: the key signs a last checkpoint, whose last leaf names the next
 * key, and is destroyed. The next key waits in a file of its own until that checkpoint is stored, so the sealer may be
 * killed at any time: the log never loses the key that it names, and no two keys sign different trees of one size. */

/** The file of the first verifier key, below the folder of the log. */
export const FIRST_KEY = 'keys/first';

/** The file of the last checkpoint that the key of a number has signed. */
export const lastOf = (number: number): string => `keys/${number}`;

const OWN = 'key';
const NEXT = 'next';

/** The files of private keys, in the folder of the key. */
export const PRIVATE_FILES = [OWN, NEXT] as const;

/** A signing key of a log. */
export interface OwnKey {
  readonly signer: Signer;
  /** The first key has the number 0. */
  readonly number: number;
  /** When it was made, in seconds since the epoch. */
  readonly since: number;
  /** The key that has named this one. */
  readonly previous?: VerifierKey;
}

/** Returns the signing key. At the first start, it makes one. If the sealer was killed while the key changed, and the old
 * key has signed its last checkpoint, the next key takes its place.
 * @param now in seconds since the epoch
 * @throws Refused if the log has another origin, or its key is not there */
export async function openKey(disk: Disk, folder: LogFolder, origin: string, now: number): Promise<OwnKey> {
  const path = `${folder.privatePath}/${OWN}`;
  const first = folder.load(FIRST_KEY);
  const text = first && Buffer.from(first).toString().trim();
  const name = text === undefined || text === '' ? origin : parseVkey(text).name;
  if (name !== origin)
    throw new Refused(
      `the log in ${folder.path} has the origin ${name}, and not ${origin}: give the new origin a folder of its own, or set gateway.audit.host and instance as they were`,
    );
  let bytes: Uint8Array | undefined;
  try {
    const next = await namedKey(folder, origin);
    if (next !== undefined && folder.load(lastOf(next.number - 1)) !== undefined)
      takeNext(disk, folder, undefined, next.signer.key);
    bytes = folder.loadPrivate(OWN);
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw new Refused(
      `cannot read the signing key ${path} (${codeOf(error)}): it must belong to the user of the sealer`,
    );
  }
  const hasCheckpoint = folder.load('checkpoint') !== undefined;
  if (bytes === undefined) {
    if (hasCheckpoint)
      throw new Refused(
        `the log in ${folder.path} has a checkpoint, but its key ${path} is not there: restore the key, or begin a new log in another folder`,
      );
    await makeKey(disk, folder, OWN, { number: 0, since: now });
    bytes = folder.loadPrivate(OWN) as Uint8Array;
  }
  const own = await readKey(bytes, origin).catch((error: Error) => {
    throw new Refused(`the signing key ${path} cannot be used: ${error.message}`);
  });
  const vkey = formatVkey(own.signer.key);
  if (own.number === 0 && text !== vkey && !hasCheckpoint) folder.put(FIRST_KEY, `${vkey}\n`);
  return own;
}

/** Makes the key that follows a key. It signs nothing until {@link takeNext}. */
export async function makeNext(disk: Disk, folder: LogFolder, own: OwnKey, now: number): Promise<OwnKey> {
  const previous = formatVkey(own.signer.key);
  await makeKey(disk, folder, NEXT, { number: own.number + 1, since: now, previous });
  return (await namedKey(folder, own.signer.key.name)) as OwnKey;
}

/** Returns the leaf that names a key. */
export const keyLeaf = ({ number, signer }: OwnKey): Uint8Array =>
  sealerEntry({ kind: 'key', number, key: formatVkey(signer.key) });

/** Returns the key that was made to follow the present one; undefined if it is missing or cannot be read. */
export async function namedKey(folder: LogFolder, origin: string): Promise<OwnKey | undefined> {
  const bytes = folder.loadPrivate(NEXT);
  return bytes && readKey(bytes, origin).catch(() => undefined);
}

/** Destroys the present key, and puts the next one into its place. A sealer that stood still must not do that to the keys of
 * its successor, so both files must have the keys that the caller knows. A key that is erased already is no other one.
 * @throws Refused if there is another key */
export function takeNext(disk: Disk, folder: LogFolder, own: VerifierKey | undefined, next: VerifierKey): void {
  const path = `${folder.privatePath}/${OWN}`;
  const bytes = folder.loadPrivate(OWN);
  const present = publicKey(bytes, next.name);
  if (present !== undefined && own !== undefined && !sameKey(present, own)) throw new Refused(OTHER_KEY);
  if (bytes !== undefined) disk.erase(path, Buffer.from(bytes).toString());
  const waiting = publicKey(folder.loadPrivate(NEXT), next.name);
  if (waiting === undefined || !sameKey(waiting, next)) throw new Refused(OTHER_KEY);
  disk.rename(`${folder.privatePath}/${NEXT}`, path);
}

const OTHER_KEY = 'another sealer has changed the signing key while this one stood still; this one ends';

/** Returns the public half of a stored key; undefined if there is none, or if it was erased. */
function publicKey(bytes: Uint8Array | undefined, origin: string): VerifierKey | undefined {
  const { x } = (bytes && (parseJwk(bytes) as { x?: unknown } | undefined)) ?? {};
  return typeof x === 'string' ? verifierKey(origin, SIGNATURE, Buffer.from(x, 'base64url')) : undefined;
}

async function makeKey(
  disk: Disk,
  folder: LogFolder,
  name: string,
  of: { readonly number: number; readonly since: number; readonly previous?: string },
): Promise<void> {
  const jwk = await generateKey();
  disk.put(`${folder.privatePath}/${name}`, `${JSON.stringify({ ...jwk, ...of })}\n`, 0o600);
}

async function readKey(bytes: Uint8Array, origin: string): Promise<OwnKey> {
  const jwk = parseJwk(bytes);
  const signer = await importSigner(origin, jwk);
  const { number = 0, since = 0, previous } = jwk as { number?: number; since?: number; previous?: string };
  return { signer, number, since, ...(previous !== undefined && { previous: parseVkey(previous) }) };
}

function parseJwk(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return undefined;
  }
}
