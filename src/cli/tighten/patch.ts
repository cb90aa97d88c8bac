import type { Runtime } from '../machine/runtime.ts';
import { type Cut, withoutCuts } from './edit.ts';
import type { EditedFile } from './propose.ts';

/** The number of unchanged lines around a change. */
const CONTEXT = 3;

/** Stands behind the last line of a file that does not end with a line break. */
const OPEN = '\\ No newline at end of file';

/** Lines that change together; `from` and `to` are offsets of the old text, at the beginnings of lines. */
interface Change {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

const lineStart = (text: string, at: number): number => text.lastIndexOf('\n', at - 1) + 1;

function lineEnd(text: string, at: number): number {
  if (at > 0 && text[at - 1] === '\n') return at;
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end + 1;
}

const linesOf = (text: string): readonly string[] => (text === '' ? [] : text.replace(/\n$/, '').split('\n'));

/** Returns the whole lines that change, each with its new text. */
function changesOf(text: string, cuts: readonly Cut[]): readonly Change[] {
  const groups: { from: number; to: number; cuts: Cut[] }[] = [];
  for (const cut of cuts) {
    const [from, to] = [lineStart(text, cut.from), lineEnd(text, cut.to)];
    const last = groups.at(-1);
    if (last !== undefined && from <= last.to) {
      last.to = Math.max(last.to, to);
      last.cuts.push(cut);
    } else groups.push({ from, to, cuts: [cut] });
  }
  return groups.map(({ from, to, cuts: own }) => {
    const inside = own.map((cut) => ({ from: cut.from - from, to: cut.to - from }));
    return { from, to, text: withoutCuts(text.slice(from, to), inside) };
  });
}

/** A patch of files. Its names are relative to the current folder, or to the root if a file is elsewhere. */
export interface Patch {
  readonly text: string;
  readonly fromRoot: boolean;
}

/** Returns the absolute path of a file that exists. */
function absolute(runtime: Runtime, file: string): string {
  const slash = file.lastIndexOf('/');
  const folder = slash < 0 ? '.' : file.slice(0, slash) || '/';
  return `${runtime.folder(folder).replace(/\/$/, '')}/${file.slice(slash + 1)}`;
}

/** Returns the patch of several files. */
export function patchOfAll(runtime: Runtime, files: readonly EditedFile[]): Patch {
  const here = `${runtime.folder('.').replace(/\/$/, '')}/`;
  const paths = files.map(({ file }) => absolute(runtime, file));
  const fromRoot = !paths.every((path) => path.startsWith(here));
  const names = paths.map((path) => path.slice(fromRoot ? 1 : here.length));
  return { fromRoot, text: files.map(({ text, cuts }, i) => patchOf(names[i] as string, text, cuts)).join('') };
}

/** Returns the removal of parts from a file as a patch that `patch -p1` and `git apply` read; empty if there are none. */
export function patchOf(file: string, text: string, cuts: readonly Cut[]): string {
  const all = linesOf(text);
  const isOpen = !text.endsWith('\n');
  const lineAt = (offset: number) => linesOf(text.slice(0, offset)).length;
  const changes = changesOf(text, cuts).map((it) => ({
    from: lineAt(it.from),
    to: lineAt(it.to),
    lines: linesOf(it.text),
  }));
  const hunks: (typeof changes)[] = [];
  for (const change of changes) {
    const last = hunks.at(-1)?.at(-1);
    if (last !== undefined && change.from - last.to <= 2 * CONTEXT) hunks.at(-1)?.push(change);
    else hunks.push([change]);
  }
  let moved = 0;
  const out = hunks.map((hunk) => {
    const [first, last] = [hunk[0] as (typeof changes)[number], hunk.at(-1) as (typeof changes)[number]];
    const [from, to] = [Math.max(0, first.from - CONTEXT), Math.min(all.length, last.to + CONTEXT)];
    const lines: string[] = [];
    const old = (mark: string, start: number, end: number) => {
      for (let i = start; i < end; i++)
        lines.push(`${mark}${all[i]}`, ...(isOpen && i === all.length - 1 ? [OPEN] : []));
    };
    let at = from;
    for (const change of hunk) {
      old(' ', at, change.from);
      old('-', change.from, change.to);
      lines.push(...change.lines.map((it) => `+${it}`));
      if (isOpen && change.to === all.length && change.lines.length > 0) lines.push(OPEN);
      at = change.to;
    }
    old(' ', at, to);
    const size = hunk.reduce((sum, it) => sum + it.lines.length - (it.to - it.from), 0);
    const head = `@@ -${from + 1},${to - from} +${from + 1 + moved},${to - from + size} @@`;
    moved += size;
    return [head, ...lines].join('\n');
  });
  return out.length === 0 ? '' : `--- a/${file}\n+++ b/${file}\n${out.join('\n')}\n`;
}
