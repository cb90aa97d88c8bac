import { foreignText, readSealerLeaf } from '../../audit/log/leaf.ts';
import { Malformed } from '../../audit/log/malformed.ts';
import { requestOf } from '../../audit/verify/altered.ts';
import { sealedEntries } from '../../audit/verify/verify-log.ts';
import { command, flag, NO, WrongUse, YES } from '../common/context.ts';
import { count } from '../common/load.ts';
import { placeText } from '../common/log-lines.ts';
import { parseSince, sinceMs } from '../decide/since.ts';
import { DEFAULT_FOLDER, folderFlag, logFolder } from './sealed-folder.ts';

/** Lines are written together, when they have so many characters. */
const CHUNK = 1 << 16;

/** Maximum number of lines that nginx did not write, which are named. */
const MOST_NAMED = 20;

/** `meshgate audit lines`: prints the lines in a transparency log. */
export const auditLinesCommand = command({
  brief: 'Print the lines that are in the sealed log',
  text: 'Prints the lines in a transparency log in their order, as nginx wrote them, also those of files that a rotation has removed. So replay, trace and explain --request can read them from standard input, and tighten from a file. Characters that control a terminal are printed as escapes of JSON. Lines that nginx did not write are not printed: standard error names their entries. The command does not verify the log: audit verify does.',
  exits: { 0: 'all lines are printed', 1: 'there are lines that nginx did not write' },
  examples: [
    'meshgate audit lines --log-folder audit > access.log',
    'meshgate audit lines --since 1d | meshgate replay --policy new.yaml -',
  ],
  flags: {
    logFolder: folderFlag,
    since: flag('TIME', 'Only lines of requests that ended since a time, or in the last 1d', parseSince),
  },
  async run(runtime, { logFolder: folder, since }) {
    const from = since === undefined ? undefined : sinceMs(runtime, since);
    let isWanted = true;
    let [number, strange, text] = [-1, 0, ''];
    try {
      for (const entry of sealedEntries(logFolder(runtime, folder))) {
        number += 1;
        const leaf = readSealerLeaf(entry);
        if (leaf === undefined) {
          const time = from === undefined ? Number.NaN : Date.parse(requestOf(entry).time ?? '');
          // A line whose time cannot be read came with the line before it.
          if (from !== undefined && !Number.isNaN(time)) isWanted = time >= from;
          if (isWanted) text += `${Buffer.from(entry).toString()}\n`;
        } else {
          const mistake = isWanted ? foreignText(leaf) : undefined;
          if (mistake !== undefined && ++strange <= MOST_NAMED)
            runtime.err(`meshgate: ${placeText({ file: folder ?? DEFAULT_FOLDER, number })}: ${mistake}\n`);
        }
        if (text.length < CHUNK) continue;
        runtime.out(text);
        text = '';
      }
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      throw new WrongUse(`this is no valid transparency log: ${error.message}`);
    }
    runtime.out(text);
    if (strange > MOST_NAMED)
      runtime.err(`meshgate: and ${count(strange - MOST_NAMED, 'more line')} that nginx did not write\n`);
    return strange === 0 ? YES : NO;
  },
});
