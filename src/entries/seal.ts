/** The entry of seal.js: the sealer as a process of its own, on the command `njs` and on Node. A line on standard input is
 * a turn, because the command `njs` has no timers. At the end of the input, the sealer seals the last lines and ends.
 *
 *     seal.js SETTINGS [--log FILE] [--folder FOLDER] [--witnesses VKEYS] [--key-folder FOLDER] [--key-interval SECONDS]
 *         [--remove-rotated]
 *
 * With --log, --folder or --witnesses, it ends if the settings name others. */

import fs from 'fs';
import { codeOf, disk, ifThere } from '../audit/seal/disk.ts';
import { Refused } from '../audit/seal/fatal.ts';
import { Sealer } from '../audit/seal/sealer.ts';
import { readSettings, type SealSettings } from '../audit/seal/settings.ts';

/** Turns after which the settings are read again: they change with the policy. */
const SETTINGS_TURNS = 10;

const say = (text: string) => void fs.writeSync(2, `meshgate-seal: ${text}\n`);

/** Waits for the next line, and returns whether there is one. More lines than one are one turn. */
const line = Buffer.alloc(64);
const nextTurn = (): boolean => fs.readSync(0, line, 0, line.length, null) > 0;

const machine = {
  disk,
  pid: process.pid,
  id: `${process.pid}-${Date.now()}-${Math.random().toString(36).slice(2)}`,
  now: () => Date.now(),
  say,
  async sleep(seconds: number) {
    // At the end of the input, it takes the time of the processor: nothing else waits in njs.
    for (const until = Date.now() + seconds * 1000; Date.now() < until; ) nextTurn();
  },
};

function textOf(path: string): string {
  try {
    return Buffer.from(disk.load(path)).toString();
  } catch (error) {
    throw new Refused(`cannot read the settings ${path} (${codeOf(error)}): render them from the policy`);
  }
}

async function seal([path, ...flags]: readonly string[]): Promise<void> {
  if (path === undefined) throw new Refused('name the file audit/seal.json of the rendered policy');
  const valueAt = (flag: string) => (flags.includes(flag) ? flags[flags.indexOf(flag) + 1] : undefined);
  const [log, folder] = [valueAt('--log'), valueAt('--folder')];
  const keys = valueAt('--witnesses')?.split(/\s+/).filter(Boolean);
  const pinned = { ...(log && { log }), ...(folder && { folder }), ...(keys && { witnesses: keys }) };
  const [keyFolder, keyInterval] = [valueAt('--key-folder'), Number(valueAt('--key-interval'))];
  const more: Partial<SealSettings> = {
    ...(keyFolder && { keyFolder }),
    ...(keyInterval > 0 && { keyInterval }),
    ...(flags.includes('--remove-rotated') && { removeRotated: true }),
  };
  const open = (of: string) => Sealer.open({ ...readSettings(of, path, pinned), ...more }, machine);
  let text = textOf(path);
  let sealer = await open(text);
  let turns = 0;
  do {
    await sealer.turn();
    // While the policy is rendered anew, the file is not there for a moment.
    const now =
      ++turns % SETTINGS_TURNS === 0 ? (ifThere(() => Buffer.from(disk.load(path)).toString()) ?? text) : text;
    if (now === text) continue;
    text = now;
    say(`the settings in ${path} have changed`);
    await sealer.end();
    sealer = await open(text);
  } while (nextTurn());
  await sealer.end();
}

try {
  await seal(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Refused)) throw error;
  say(error.message);
  // njs has no exit: an error that is not caught makes the exit code 1, and its text is not wanted.
  fs.closeSync(2);
  throw error;
}
