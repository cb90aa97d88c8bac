/**
 * Reads the steps of a page of docs/, so that a test runs what people type: `follow` of follow.ts takes them.
 *
 * On a page, a block ```sh holds commands. A block with a file name behind its language, such as ```yaml meshgate.yaml,
 * is the content of this file; the text of the page names the file too, because readers do not see the fence. Other
 * blocks are examples, which are not followed.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A command to run, or a file to write: relative to the folder in which the reader is. */
export type Step =
  | { readonly page: string; readonly command: string }
  | { readonly page: string; readonly file: string; readonly text: string };

export interface Reading {
  /** Headings of the sections to follow, in this order; default: the whole page. */
  readonly sections?: readonly string[];
  /** Texts that are different in the test, such as host names. Each one must be in a step. */
  readonly replace?: Readonly<Record<string, string>>;
}

const BLOCK = /^( *)```(\w+)(?: (\S+))?\n([\s\S]*?)^\1```$/gm;

/** The steps of a page, in order. */
export function readGuide(page: string, reading: Reading = {}): readonly Step[] {
  return stepsOf(page, readFileSync(page, 'utf8'), reading);
}

/** The same from the text of a page. */
export function stepsOf(page: string, entire: string, { sections, replace = {} }: Reading = {}): readonly Step[] {
  const text = sections === undefined ? entire : sections.map((heading) => sectionOf(page, entire, heading)).join('');
  const prose = text.replace(BLOCK, '');
  const unused = new Set(Object.keys(replace));
  const names = [...unused].toSorted((a, b) => b.length - a.length).map((name) => RegExp.escape(name));
  const put = (line: string) =>
    names.length === 0
      ? line
      : line.replace(new RegExp(names.join('|'), 'g'), (name) => {
          unused.delete(name);
          return replace[name] as string;
        });
  const steps = [...text.matchAll(BLOCK)].flatMap(([, indent = '', language, file, block = '']): readonly Step[] => {
    const body = block.replace(new RegExp(`^${indent}`, 'gm'), '');
    if (file === undefined) return language === 'sh' ? commandsOf(put(body)).map((command) => ({ page, command })) : [];
    if (!prose.includes(file)) throw new Error(`${page}: the text does not name the file ${file}, which a block holds`);
    return [{ page, file: put(file), text: put(body) }];
  });
  if (steps.length === 0) throw new Error(`${page}: no step to follow`);
  if (unused.size > 0) throw new Error(`${page}: no step has ${[...unused].join(', ')}, which the test replaces`);
  return steps;
}

/** The text below a heading, up to the next heading of the same or a higher level. */
function sectionOf(page: string, text: string, heading: string): string {
  const [, level, body] = new RegExp(`^(#+) ${RegExp.escape(heading)}\n([\\s\\S]*)`, 'm').exec(text) ?? [];
  if (level === undefined || body === undefined) throw new Error(`${page}: no heading "${heading}"`);
  // A comment in a block of commands looks like a heading.
  const hidden = body.replace(BLOCK, (block) => block.replaceAll('#', '.'));
  const end = hidden.search(new RegExp(`^#{1,${level.length}} `, 'm'));
  return end === -1 ? body : body.slice(0, end);
}

/** The commands of a block: each one ends with the first line at which a shell would run it. */
function commandsOf(block: string): readonly string[] {
  const commands: string[] = [];
  let lines: string[] = [];
  for (const line of block.trimEnd().split('\n')) {
    lines.push(line);
    const command = lines.join('\n');
    if (/^(\s|#.*)*$/.test(command) || !isComplete(command)) continue;
    commands.push(command);
    lines = [];
  }
  return lines.length === 0 ? commands : [...commands, lines.join('\n')];
}

function isComplete(command: string): boolean {
  if (command.endsWith('\\')) return false;
  const { status, stderr } = spawnSync('bash', ['-n'], { input: `${command}\n`, encoding: 'utf8' });
  return status === 0 && !stderr.includes('here-document');
}

/** The content of a file that a guide shows. */
export function fileOf(steps: readonly Step[], name: string): string {
  const found = steps.flatMap((step) => ('file' in step && step.file === name ? [step.text] : []));
  if (found.length !== 1) throw new Error(`${found.length} steps of the guide write ${name}`);
  return found[0]!;
}
