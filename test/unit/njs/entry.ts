import fs from 'fs';
import { type CaseReport, runCases } from './run.ts';

/** Runs the cases inside njs: as a script of the command, and as a handler of nginx. */

function textOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}\n${error.stack}` : String(error);
}

async function report(): Promise<string> {
  try {
    return JSON.stringify(await runCases(JSON.parse(fs.readFileSync('/specs/cases.json', 'utf8'))));
  } catch (error) {
    return JSON.stringify({ ran: 0, wrong: [textOf(error)], hasEd25519: false } satisfies CaseReport);
  }
}

/** Answers with the report. */
async function content(r: { return(status: number, body: string): void }): Promise<void> {
  r.return(200, await report());
}

// nginx gives its modules no arguments.
if (process.argv[0] === 'njs') fs.writeSync(1, await report());

export default { content };
