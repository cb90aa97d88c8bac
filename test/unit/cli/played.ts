import type { Ran } from './fake.ts';

/** The output of a shell for the commands of a block: `meshgate …`, `meshgate … | head -n 4` and `echo $?`. */
async function output(commands: readonly string[], run: (args: readonly string[]) => Promise<Ran>): Promise<string> {
  let shown = '';
  let code = 0;
  for (const command of commands) {
    shown += `$ ${command}\n`;
    const [, args = '', lines] = /^meshgate (.*?)(?: \| head -n (\d+))?$/.exec(command) ?? [];
    if (command === 'echo $?') shown += `${code}\n`;
    else {
      const ran = await run(args.split(' '));
      code = ran.code;
      const printed = ran.err + ran.out;
      shown +=
        lines === undefined
          ? printed
          : printed
              .split(/(?<=\n)/)
              .slice(0, Number(lines))
              .join('');
    }
  }
  return shown;
}

/** A document whose blocks `console` have the output that their commands print now, and the number of these blocks. */
export async function played(text: string, run: (args: readonly string[]) => Promise<Ran>) {
  const blocks = [...text.matchAll(/^```console\n([\s\S]*?)^```/gm)].map(([, body = '']) => body);
  let fresh = text;
  for (const body of blocks) {
    const commands = [...body.matchAll(/^\$ (.*)$/gm)].map(([, command = '']) => command);
    const shown = await output(commands, run);
    fresh = fresh.replace(`\`\`\`console\n${body}`, () => `\`\`\`console\n${shown}`);
  }
  return { fresh, blocks: blocks.length };
}
