import { codeOf, type Disk } from './disk.ts';
import type { LogFolder } from './log-folder.ts';
import { formatVkey, generateKey, importSigner, parseVkey, type Signer } from './note.ts';
import { Refused } from './refused.ts';

/** The file of the first verifier key, below the folder of the log. */
export const FIRST_KEY = 'keys/first';

/** Returns the signing key. At the first start, it makes one.
 * @throws Refused if the log has another origin, or its key is not there */
export async function openKey(disk: Disk, folder: LogFolder, origin: string): Promise<Signer> {
  const path = `${folder.privatePath}/key`;
  const first = folder.load(FIRST_KEY);
  const text = first && Buffer.from(first).toString().trim();
  const name = text === undefined || text === '' ? origin : parseVkey(text).name;
  if (name !== origin)
    throw new Refused(
      `the log in ${folder.path} has the origin ${name}, and not ${origin}: give the new origin a folder of its own, or set gateway.audit.host and instance as they were`,
    );
  let bytes: Uint8Array | undefined;
  try {
    bytes = folder.loadPrivate('key');
  } catch (error) {
    throw new Refused(
      `cannot read the signing key ${path} (${codeOf(error)}): it must belong to the user of the sealer`,
    );
  }
  if (bytes === undefined) {
    if (folder.load('checkpoint') !== undefined)
      throw new Refused(
        `the log in ${folder.path} has a checkpoint, but its key ${path} is not there: restore the key, or begin a new log in another folder`,
      );
    const jwk = await generateKey();
    disk.create(path, `${JSON.stringify(jwk)}\n`, 0o600);
    bytes = folder.loadPrivate('key') as Uint8Array;
  }
  const signer = await importSigner(origin, parseJwk(bytes)).catch((error: Error) => {
    throw new Refused(`the signing key ${path} cannot be used: ${error.message}`);
  });
  if (text === undefined || text === '') folder.put(FIRST_KEY, `${formatVkey(signer.key)}\n`);
  return signer;
}

function parseJwk(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return undefined;
  }
}
