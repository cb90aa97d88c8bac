/** Takes the steps of a guide as its reader does: in one shell session, in a container or a folder. */
import { execFile } from 'node:child_process';
import type { Box } from './container.ts';
import type { ExecResult } from './exec.ts';
import type { Step } from './guide.ts';
import { until } from './until.ts';

/** Runs a script in a shell where the reader is. */
export type Place = (script: string) => Promise<ExecResult>;

/** A container, where the reader is its user. */
export const inBox = (box: Box): Place => {
  return (script) => box.exec('sh', '-c', script);
};

/** A folder of this machine, with only these variables. */
export const inFolder = (folder: string, env: Readonly<Record<string, string>>): Place => {
  return (script) =>
    new Promise((resolve) => {
      execFile('sh', ['-c', script], { cwd: folder, env, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
        const exitCode = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        resolve({ exitCode, stdout, stderr });
      });
    });
};

export interface Following {
  /** The folder in which the reader begins; default: the place's own. */
  readonly folder?: string;
  /** The output of commands that ask for a state which comes soon: part of a command, and what it prints then. The
   * reader would run such a command again. */
  readonly soon?: Readonly<Record<string, RegExp>>;
}

/** The output of each command. */
export class Followed {
  readonly #runs: { readonly command: string; readonly output: string }[] = [];

  add(command: string, output: string): void {
    this.#runs.push({ command, output });
  }

  /** What the command with this text printed on stdout. Exactly one command must have it. */
  output(part: string): string {
    const found = this.#runs.filter(({ command }) => command.includes(part));
    if (found.length !== 1) throw new Error(`${found.length} commands of the guide have "${part}"`);
    return found[0]!.output;
  }
}

const END = 'end-of-the-command-of-a-guide';
const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

/** Takes all steps in one shell session: the folder and the variables stay. The first failed command is an error. */
export async function follow(steps: readonly Step[], place: Place, following: Following = {}): Promise<Followed> {
  const followed = new Followed();
  const soon = new Map(Object.entries(following.soon ?? {}));
  let session = following.folder === undefined ? '' : `cd ${quote(following.folder)}`;
  const run = async (page: string, what: string, script: string) => {
    // All variables are exported, because `export -p` is how a shell prints them for another one.
    const { exitCode, stdout, stderr } = await place(`${session}\nset -ea\n${script}\necho ${END}; export -p; pwd`);
    const [output = '', state] = stdout.split(`${END}\n`);
    if (exitCode !== 0 || state === undefined) {
      throw new Error(`${page}: exit code ${exitCode} of\n${what}\n${output}${stderr}`);
    }
    const lines = state.trimEnd().split('\n');
    session = `${lines.slice(0, -1).join('\n')}\ncd ${quote(lines.at(-1)!)}`;
    return output;
  };
  for (const step of steps) {
    if ('file' in step) {
      const text = `cat > ${quote(step.file)} <<'${END}'\n${step.text}${END}`;
      await run(step.page, `the file ${step.file}`, text);
      continue;
    }
    const { page, command } = step;
    const [part, wanted] = [...soon].find(([it]) => command.includes(it)) ?? [];
    let output = await run(page, command, command);
    if (part !== undefined && wanted !== undefined) {
      soon.delete(part);
      const isThere = async () => {
        if (wanted.test(output)) return true;
        output = await run(page, command, command);
        return false;
      };
      await until(isThere, { what: `"${command}" of ${page} to print ${wanted}`, help: () => output });
    }
    followed.add(command, output);
  }
  if (soon.size > 0) throw new Error(`no command of the guide has ${[...soon.keys()].join(', ')}`);
  return followed;
}
