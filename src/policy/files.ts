import { LineCounter } from 'yaml';
import type { At } from './at.ts';

/** The policy and its overlays. Offsets count through all texts, in the order in which they are added, so that one number
 * says where a value is. */
export class Files {
  readonly #files: { readonly name: string; readonly base: number; readonly lines: LineCounter }[] = [];
  #end = 0;

  /** Adds a text and returns the offset of its beginning. */
  add(name: string, text: string): number {
    const base = this.#end;
    this.#files.push({ name, base, lines: lineCounter(text) });
    this.#end += text.length + 1;
    return base;
  }

  /** The place of an offset. Lines and columns count from 1. */
  place(offset: number): At {
    const file = this.#files.filter(({ base }) => base <= offset).at(-1);
    const { line = 1, col = 1 } = file?.lines.linePos(offset - file.base) ?? {};
    return { file: file?.name ?? '', line: Math.max(line, 1), column: Math.max(col, 1) };
  }
}

function lineCounter(text: string): LineCounter {
  const counter = new LineCounter();
  for (let at = 0; at !== -1; at = text.indexOf('\n', at) + 1 || -1) counter.addNewLine(at);
  return counter;
}
