import { buildApplication, type Command, type RouteMap, run, text_en } from '@stricli/core';
import { printable } from '../base/hostile-text.ts';
import { type Context, NO, WRONG_USE } from './common/context.ts';
import { hasColours } from './common/print.ts';
import type { Runtime } from './machine/runtime.ts';

/** Returns the text of an exception. In njs, the stack does not contain the message. */
function exceptionText(thrown: unknown): string {
  return thrown instanceof Error ? `${thrown.name}: ${thrown.message}\n${thrown.stack ?? ''}` : String(thrown);
}

/** Makes a program of a command, or of several. It returns the exit code.
 * @param version what `--version` prints; absent: there is no such flag */
export function program(
  root: Command<Context> | RouteMap<Context>,
  name: string,
  version?: string,
): (system: Runtime, args?: readonly string[]) => Promise<number> {
  const options = {
    name,
    ...(version !== undefined && { versionInfo: { currentVersion: version } }),
    scanner: { caseStyle: 'allow-kebab-for-camel', allowArgumentEscapeSequence: true },
    documentation: { disableAnsiColor: true },
    localization: { text: { ...text_en, formatException: exceptionText } },
  } as const;
  const app = 'getAllEntries' in root ? buildApplication(root, options) : buildApplication(root, options);
  return async (system, args = system.args) => {
    const colours = hasColours(system);
    const runtime: Runtime = {
      ...system,
      out: (text) => system.out(printable(text, colours)),
      err: (text) => system.err(printable(text, colours)),
    };
    const context: Context = {
      process: {
        stdout: { write: runtime.out },
        stderr: { write: runtime.err },
        env: { ...runtime.env, STRICLI_SKIP_VERSION_CHECK: '1' },
      },
      runtime,
    };
    await run(app, args, context);
    const code = Number(context.process.exitCode ?? NO);
    return code < 0 ? WRONG_USE : code;
  };
}
