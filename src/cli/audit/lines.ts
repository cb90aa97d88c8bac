import { LONG_MISTAKE, readLine } from '../../audit/lines/line.ts';
import { toOcsf } from '../../audit/lines/ocsf-event.ts';
import { foreignText, readSealerLeaf } from '../../audit/log/leaf.ts';
import { Malformed } from '../../audit/log/malformed.ts';
import { requestOf } from '../../audit/verify/altered.ts';
import { sealedEntries } from '../../audit/verify/verify-log.ts';
import { pseudonymKeys, pseudonymOf } from '../../caller/pseudonym.ts';
import { argument, command, flag, NO, WrongUse, YES } from '../common/context.ts';
import { decoded, reasonOf } from '../common/load.ts';
import { LOGS, parseSince, placeText, sinceMs, textLines } from '../common/log-lines.ts';
import { count } from '../common/print.ts';
import type { Runtime } from '../machine/runtime.ts';
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

/** `meshgate audit ocsf`: prints lines of the log as events of OCSF. */
export const auditOcsfCommand = command({
  brief: 'Print lines of the log as OCSF events',
  text: 'Prints each line of the log as one JSON object of OCSF (Open Cybersecurity Schema Framework) 1.8.0: API Activity (6003) for requests, and Authentication (3002) for the paths of the sign-in. Fields for which OCSF has no attribute are in "unmapped", by their names in the log.',
  exits: { 1: 'a line cannot be read; standard error names it, and the others are printed' },
  examples: ['meshgate audit ocsf access.log > events.jsonl', 'zcat access.log.1.gz | meshgate audit ocsf -'],
  flags: {},
  args: [{ ...argument(...LOGS), several: true }],
  async run(runtime, _, ...logs) {
    let code = YES;
    for await (const line of textLines(runtime, logs)) {
      const mistake = line.text === undefined ? LONG_MISTAKE : mistakeIn(readLine(line.text));
      if (mistake === undefined) runtime.out(`${JSON.stringify(toOcsf(JSON.parse(line.text as string)))}\n`);
      else {
        runtime.err(`meshgate: ${placeText(line)}: ${mistake}\n`);
        code = NO;
      }
    }
    return code;
  },
});

const mistakeIn = (read: ReturnType<typeof readLine>): string | undefined =>
  'mistake' in read ? read.mistake : undefined;

/** Reads the keys of pseudonyms. No error contains a part of the file. */
function keysIn(runtime: Runtime, file: string): ReturnType<typeof pseudonymKeys> {
  let text: string;
  try {
    text = decoded(file, runtime.read(file));
  } catch (error) {
    throw error instanceof WrongUse ? error : new WrongUse(`${file}: ${reasonOf(error)}`);
  }
  try {
    return pseudonymKeys(text);
  } catch {
    throw new WrongUse(`${file}: this is no file of keys from "meshgate keys new --session"`);
  }
}

/** `meshgate audit pseudonym`: prints the names that a person has in the log. */
export const auditPseudonymCommand = command({
  brief: 'Print the pseudonyms of a person, to find the lines about the person',
  text: 'Prints the pseudonyms that a person has in a log with gateway.audit.pseudonyms: one for each key of the file, the current one first. Give the subject as services receive it, with the prefix of the provider. The pseudonym of an actor, and of a value of a claim (--provider claims), is found in the same way.',
  examples: [
    'meshgate audit pseudonym okta-ada --provider okta --key-file /run/secrets/pseudonyms.jwks',
    'grep -F "$(meshgate audit pseudonym okta-ada --provider okta --key-file pseudonyms.jwks)" access.log',
  ],
  flags: {
    provider: { ...flag('NAME', 'The provider that vouched for the person'), optional: false },
    keyFile: { ...flag('FILE', 'The file of gateway.audit.pseudonyms'), optional: false },
  },
  args: [argument('SUBJECT', 'The subject of the person')],
  run(runtime, { provider, keyFile }, subject) {
    const keys = keysIn(runtime, keyFile as string);
    for (const key of keys) runtime.out(`${pseudonymOf(key, provider as string, subject)}\n`);
    return Promise.resolve(YES);
  },
});
