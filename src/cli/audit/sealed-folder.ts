import { type Published, snapshotOf } from '../../audit/log/log-reader.ts';
import { Malformed } from '../../audit/log/malformed.ts';
import { COSIGNATURE, type KeyType, parseVkey, SIGNATURE, type VerifierKey } from '../../audit/log/note.ts';
import { flag, several, WrongUse } from '../common/context.ts';
import { readText, reasonOf } from '../common/load.ts';
import { codeOf, type Runtime } from '../machine/runtime.ts';

/** The default of `gateway.audit.folder`. */
export const DEFAULT_FOLDER = '/var/lib/meshgate/audit';

/** The flags of the commands that read a transparency log. */
export const folderFlag = flag('FOLDER', `The folder of the transparency log (default ${DEFAULT_FOLDER})`);
export const keyFlag = flag('VKEY', 'The first key of the log: its text, or a file with it');
export const witnessFlag = several(flag('VKEY', 'The key of a witness: its text, or a file with it; may be repeated'));

/** Returns what a function reads from a file or folder of a log; undefined if it does not exist. */
function ifReadable<T>(path: string, read: (path: string) => T): T | undefined {
  try {
    return read(path);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    if (code === 'ENOTREG' || code === 'EISDIR') throw new Malformed('it is not a regular file');
    if (code === 'EFBIG') throw new Malformed('it is larger than a file of a log can be');
    if (code === undefined) throw error;
    throw new WrongUse(`cannot read ${path}: ${reasonOf(error)}`);
  }
}

/** Returns the files of a log in a folder, as they are now. */
export function logFolder(runtime: Runtime, folder = DEFAULT_FOLDER): Published {
  const files = snapshotOf({
    read: (name) => ifReadable(`${folder}/${name}`, (path) => runtime.load(path)),
    names: (name) => ifReadable(name === '' ? folder : `${folder}/${name}`, (path) => runtime.names(path)) ?? [],
  });
  try {
    if (files.read('checkpoint') !== undefined) return files;
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    throw new WrongUse(`${folder}/checkpoint: ${error.message}`);
  }
  throw new WrongUse(`${folder} has no file checkpoint: name the folder of the transparency log with --log-folder`);
}

/** Reads a key that a flag gives.
 * @param given the text of a verifier key, or the name of a file with it */
export function keyOf(runtime: Runtime, given: string, type: KeyType = SIGNATURE): VerifierKey {
  const isText = /\+[0-9a-f]{8}\+/.test(given);
  const text = isText ? given : readText(runtime, given, 'the key').trim();
  try {
    const key = parseVkey(text);
    if (key.type === type) return key;
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    throw new WrongUse(`the key ${isText ? '' : `in ${given} `}is not valid: ${error.message}`);
  }
  throw new WrongUse(
    type === SIGNATURE
      ? 'this is the key of a witness: give it with --witness, and the key of the log with --key'
      : 'this is the key of a log, and not of a witness: the key of a witness has type 0x04 (cosignature/v1)',
  );
}

export const witnessKeys = (runtime: Runtime, given: readonly string[] = []): readonly VerifierKey[] =>
  given.map((one) => keyOf(runtime, one, COSIGNATURE));

/** Returns the first key of a log: the one that is given, or the one in its folder. */
export function firstKey(runtime: Runtime, files: Published, given: string | undefined): VerifierKey {
  if (given !== undefined) return keyOf(runtime, given);
  const bytes = files.read('keys/first');
  if (bytes === undefined)
    throw new WrongUse('the folder has no file keys/first: name the folder of the log with --log-folder');
  return keyOf(runtime, Buffer.from(bytes).toString().trim());
}
