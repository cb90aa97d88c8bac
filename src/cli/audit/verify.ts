import type { Published } from '../../audit/log/log-reader.ts';
import { Malformed } from '../../audit/log/malformed.ts';
import { leafHash } from '../../audit/log/merkle.ts';
import { formatVkey, type VerifierKey } from '../../audit/log/note.ts';
import { type ByteLine, byteLines } from '../../audit/verify/byte-lines.ts';
import { type Compared, Comparison, UNSEALED_S } from '../../audit/verify/compare-files.ts';
import { UNKNOWN } from '../../audit/verify/match-lines.ts';
import { type VerifiedLog, verifyLog } from '../../audit/verify/verify-log.ts';
import {
  argument,
  command,
  Failed,
  flag,
  formatFlag,
  NO,
  parseDuration,
  several,
  switchFlag,
  WrongUse,
  YES,
} from '../common/context.ts';
import { readFile, reasonOf } from '../common/load.ts';
import { LOGS } from '../common/log-lines.ts';
import type { HeldFile } from '../machine/chunks.ts';
import { codeOf, type Runtime } from '../machine/runtime.ts';
import { folderFlag, keyFlag, keyOf, logFolder, witnessFlag, witnessKeys } from './sealed-folder.ts';
import { findingsOf, type Verified, verifiedJson, verifiedText } from './text.ts';

/** What follows the name of the log in that of a rotated file. */
const ROTATED = /^[.-]\d[\w.-]*$/;

/** The most seconds from the shell's list of the files to their opening. */
const MEANWHILE_S = 10;

/** The lines at the beginning of a file by which its place among the other files is found. */
const SAMPLED = 100;

/** A file of the log, as it was when the checkpoint was read. */
interface LogFile extends HeldFile {
  readonly file: string;
}

const cannotRead = (file: string, error: unknown): WrongUse =>
  new WrongUse(`cannot read the log ${file}: ${reasonOf(error)}`);

function logFile(runtime: Runtime, file: string): LogFile {
  try {
    return { file, ...runtime.hold(file) };
  } catch (error) {
    throw codeOf(error) === undefined ? error : cannotRead(file, error);
  }
}

async function* linesOf({ file, chunks }: LogFile, unfinished?: () => void): AsyncGenerator<ByteLine> {
  try {
    yield* byteLines(chunks(), unfinished);
  } catch (error) {
    if (codeOf(error) === 'ENOZIP')
      throw new WrongUse(`this engine cannot decompress ${file}: give its text on standard input (zcat FILE | … -)`);
    if (codeOf(error) === 'ESHORTER')
      throw new WrongUse(`${file} was truncated while it was read: give its copy, too, and run the command again`);
    if (codeOf(error) === undefined) throw error;
    throw cannotRead(file, error);
  }
}

/** Sorts files by the place of their lines in the log, so that `access.log*` can be given in any order. */
async function inLogOrder(files: readonly LogFile[], { hashes }: VerifiedLog): Promise<readonly LogFile[]> {
  if (files.length < 2 || files.some(({ file }) => file === '-')) return files;
  const placed: { readonly file: LogFile; readonly at: number }[] = [];
  for (const file of files) {
    const found: number[] = [];
    let sampled = 0;
    for await (const { entry } of linesOf(file)) {
      const index = hashes.find(leafHash(entry), 0);
      if (index !== UNKNOWN) found.push(index);
      if (++sampled === SAMPLED) break;
    }
    // The first line may be one that was moved.
    const middle = found.sort((one, other) => one - other)[found.length >> 1];
    placed.push({ file, at: middle ?? Number.POSITIVE_INFINITY });
  }
  return placed.sort((one, other) => one.at - other.at || 0).map(({ file }) => file);
}

async function compareLines(
  files: readonly LogFile[],
  log: VerifiedLog,
  { isPart, lag }: { readonly isPart: boolean; readonly lag: number },
): Promise<Compared> {
  const comparison = new Comparison(log.hashes, log.entry, lag);
  let newest: ByteLine | undefined;
  for (const file of await inLogOrder(files, log)) {
    comparison.startFile(file.file === '-' ? 'stdin' : file.file);
    for await (const line of linesOf(file, () => comparison.endUnfinished())) {
      comparison.add(line);
      newest = line;
    }
  }
  if (newest !== undefined) comparison.newest(newest);
  return comparison.result(isPart);
}

/** Returns the rotated files beside the given ones. */
function rotatedBeside(runtime: Runtime, logs: readonly string[]): readonly string[] {
  const beside = logs.flatMap((log) => {
    const start = log.lastIndexOf('/') + 1;
    const [folder, base] = [log.slice(0, start), log.slice(start)];
    const names = runtime.names(folder === '' ? '.' : folder.replace(/(.)\/$/, '$1'));
    return names
      .filter((name) => ROTATED.test(name.slice(base.length)) && name.startsWith(base))
      .map((name) => folder + name);
  });
  return [...new Set(beside)].filter((file) => !logs.includes(file));
}

/** Opens the files. A file that was rotated after the shell had listed them has another name now: it is opened, too. */
function openFiles(runtime: Runtime, logs: readonly string[]): readonly LogFile[] {
  const given = logs.map((file) => logFile(runtime, file));
  const now = runtime.now();
  const meanwhile = rotatedBeside(runtime, logs).filter((file) => !file.endsWith('.gz'));
  const all = [...given, ...meanwhile.flatMap((file) => justRotated(runtime, file, now))];
  const ids = all.map(({ inode }) => inode?.id);
  return all.filter((_, at) => ids[at] === undefined || ids.indexOf(ids[at]) === at);
}

function justRotated(runtime: Runtime, file: string, now: number): readonly LogFile[] {
  try {
    const held = runtime.hold(file);
    return now - (held.inode?.changed ?? 0) <= MEANWHILE_S ? [{ file, ...held }] : [];
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return [];
  }
}

/** Whether the signatures are not those of the given key, and the folder has another first key. */
function isOtherKey(files: Published, key: VerifierKey, { findings }: VerifiedLog): boolean {
  const first = files.read('keys/first');
  const isUnsigned = findings.some(({ kind, file }) => kind === 'checkpoint' || file === 'keys/0');
  return isUnsigned && first !== undefined && Buffer.from(first).toString().trim() !== formatVkey(key);
}

/** `meshgate audit verify`: compares the log with what was sealed. */
export const auditVerifyCommand = command({
  brief: 'Verify that no line of the log was removed or changed since it was sealed',
  text: 'Verifies the folder of a transparency log: the signature of its checkpoint, its keys, all hashes and entries, and that it continues each checkpoint that was kept or that a witness has signed. Then compares the files LOG… with it, in any order: it names each line that was removed, altered, added, moved, repeated or cut off, with its file and number. Lines of the last two seconds may not be sealed yet; their number is printed, and nothing is proven about them. For a copy, copy the folder before the files, and allow with --lag the time between the two: lines that were sealed after the copy of a file would be missing in it. Without LOG, only the folder is verified.',
  exits: { 0: 'everything is as it was sealed', 1: 'something is not' },
  examples: [
    'meshgate audit verify access.log --log-folder audit --key first.vkey',
    'meshgate audit verify /var/log/meshgate/access.log* --key first.vkey --checkpoint kept-in-march',
    'meshgate audit verify access.log.1.gz --part --key first.vkey --format json',
  ],
  flags: {
    logFolder: folderFlag,
    key: keyFlag,
    checkpoint: several(
      flag('FILE', 'A checkpoint of the log that you have kept, which the log must continue; may be repeated'),
    ),
    witness: witnessFlag,
    part: switchFlag('The files are a part of the log: sealed lines before and after them are not missing'),
    lag: flag(
      'TIME',
      'How much older than the newest line a line may be that is not sealed, such as 60s (default 2s)',
      parseDuration,
    ),
    format: formatFlag,
  },
  args: [{ ...argument(...LOGS), several: true, optional: true }],
  async run(runtime, { logFolder: folder, key, checkpoint = [], witness, part = false, lag = UNSEALED_S }, ...logs) {
    if (key === undefined)
      throw new WrongUse(
        'give the first key of the log with --key: the text of keys/first, from a place that you trust',
      );
    if (logs.filter((it) => it === '-').length > 1) throw new WrongUse('only one log can come from standard input');
    const kept = checkpoint.map((name) => ({ name, text: readFile(runtime, name, 'the checkpoint') }));
    const options = { key: keyOf(runtime, key), kept, witnesses: witnessKeys(runtime, witness), now: runtime.now() };
    const files = logFolder(runtime, folder);
    // The gateway may go on: what it writes from now on is not compared.
    const opened = openFiles(runtime, logs);
    let log: VerifiedLog;
    try {
      log = await verifyLog(files, options);
    } catch (error) {
      throw error instanceof Malformed ? new Failed(`checkpoint: ${error.message}`) : error;
    }
    const compared = logs.length === 0 ? undefined : await compareLines(opened, log, { isPart: part, lag });
    const isMissing = compared?.findings.some(({ kind }) => kind === 'removed' || kind === 'cut off');
    const names = opened.map(({ file }) => file);
    const verified: Verified = {
      log,
      isOtherKey: isOtherKey(files, options.key, log),
      ...(compared && { compared }),
      meanwhile: names.filter((name) => !logs.includes(name)),
      notGiven: isMissing === true ? rotatedBeside(runtime, logs).filter((name) => !names.includes(name)) : [],
    };
    return {
      code: findingsOf(verified).length === 0 ? YES : NO,
      value: verifiedJson(verified),
      text: (paint) => verifiedText(verified, paint),
    };
  },
});
