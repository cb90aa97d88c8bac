import { LONG_MISTAKE, readLine } from '../../audit/lines/line.ts';
import { toOcsf } from '../../audit/lines/ocsf-event.ts';
import { argument, command, NO, YES } from '../common/context.ts';
import { LOGS, placeText, textLines } from '../common/log-lines.ts';

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
