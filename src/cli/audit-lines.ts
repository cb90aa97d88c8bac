import { requestOf } from '../audit/altered.ts';
import { readSealerLeaf } from '../audit/leaf.ts';
import { Malformed } from '../audit/malformed.ts';
import { sealedEntries } from '../audit/sealed-entries.ts';
import { folderFlag, logFolder } from './audit-folder.ts';
import { command, flag, WrongUse, YES } from './context.ts';
import { parseSince, sinceMs } from './since.ts';

/** Lines are written together, when they have so many characters. */
const CHUNK = 1 << 16;

/** `meshgate audit lines`: prints the lines in a transparency log. */
export const auditLinesCommand = command({
  brief: 'Print the lines that are in the sealed log',
  text: 'Prints the lines in a transparency log in their order, as nginx wrote them, also those of files that a rotation has removed. So replay, trace and explain --request can read them from standard input, and tighten from a file. Characters that control a terminal are printed as escapes of JSON. The command does not verify the log: audit verify does.',
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
    const isWanted = (line: Uint8Array): boolean =>
      from === undefined || Date.parse(requestOf(line).time ?? '') >= from;
    let text = '';
    try {
      for (const entry of sealedEntries(logFolder(runtime, folder))) {
        if (readSealerLeaf(entry) !== undefined || !isWanted(entry)) continue;
        text += `${Buffer.from(entry).toString()}\n`;
        if (text.length < CHUNK) continue;
        runtime.out(text);
        text = '';
      }
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      throw new WrongUse(`this is no valid transparency log: ${error.message}`);
    }
    runtime.out(text);
    return YES;
  },
});
