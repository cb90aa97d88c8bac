/** Writes the options, arguments and exit codes of commands into the pages of docs/cli/. */
import type { CommandDefinition, OptionDefinition } from '../../../src/cli/common/definitions.ts';

/** Options that at least this many commands have, with the same description, are on one page. */
const SEVERAL = 4;

const same = (a: OptionDefinition) => (b: OptionDefinition) => a.name === b.name && a.description === b.description;

const escaped = (text: string) => text.replace(/[|*<]/g, '\\$&');
const code = (text: string) => `\`${text.replaceAll('|', '\\|')}\``;

function table(rows: readonly (readonly [name: string, meaning: string])[]): readonly string[] {
  if (rows.length === 0) return [];
  return ['| option | meaning |', '| --- | --- |', ...rows.map(([name, meaning]) => `| ${name} | ${meaning} |`), ''];
}

function meaning({ required, repeats, description }: Pick<OptionDefinition, 'required' | 'repeats' | 'description'>) {
  const isDeclared = /repeat|several/.test(description);
  return `${required ? 'Required. ' : ''}${escaped(description)}${repeats && !isDeclared ? '. It may be repeated' : ''}`;
}

function optionRow(option: OptionDefinition): readonly [string, string] {
  const { name, value, default: usual } = option;
  const spelt = code(value === undefined ? name : `${name} ${value}`);
  return [spelt, usual === undefined ? meaning(option) : `${meaning(option)}. Default: ${code(usual)}`];
}

export class CommandOptions {
  private readonly common: readonly OptionDefinition[];
  private readonly definitions: readonly CommandDefinition[];

  constructor(definitions: readonly CommandDefinition[]) {
    const all = definitions.flatMap(({ options }) => options);
    const several = all.filter((it) => all.filter(same(it)).length >= SEVERAL);
    this.common = several.filter((it, index) => several.findIndex(same(it)) === index);
    this.definitions = definitions;
  }

  get names(): readonly string[] {
    return this.definitions.map(({ name }) => name);
  }

  /** The options, arguments and exit codes of a command, or the options that several commands have. */
  of(name: string): string {
    if (name === 'several commands') return table(this.common.map(optionRow)).join('\n');
    const command = this.definitions.find((it) => it.name === name);
    if (command === undefined) throw new Error(`no command ${name}`);
    const isCommon = (it: OptionDefinition) => this.common.some(same(it));
    const isFile = ({ description }: { readonly description: string }) =>
      this.common.some((it) => it.description === description);
    const elsewhere = [...command.arguments.filter(isFile), ...command.options.filter(isCommon)].map((it) =>
      code(it.name),
    );
    const exits = Object.entries(command.exits).filter(([number]) => number !== '2');
    return [
      ...table([
        ...command.arguments.filter((it) => !isFile(it)).map((it) => [code(it.name), meaning(it)] as const),
        ...command.options.filter((it) => !isCommon(it)).map(optionRow),
      ]),
      ...(elsewhere.length === 0
        ? []
        : [`Also: ${elsewhere.join(', ')} ([common options](../cli.md#common-options)).`, '']),
      `Exit code ${exits.map(([number, text]) => `${number}: ${text}`).join('; ')}.`,
      '',
    ].join('\n');
  }

  /** A page in which the text between the markers is what the definitions say. */
  written(page: string): string {
    return page.replace(
      /^<!-- options: (.+) -->\n[\s\S]*?^<!-- end -->/gm,
      (_, name: string) => `<!-- options: ${name} -->\n${this.of(name)}<!-- end -->`,
    );
  }
}
