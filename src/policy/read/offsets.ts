import { lineColumn, lineStarts } from '../../base/yaml.ts';
import type { At, FilePlace } from '../forms/at.ts';

interface File {
  readonly name: string;
  readonly base: number;
  readonly end: number;
  /** The offset of each line in the text. */
  readonly lines: readonly number[];
  readonly team?: string | undefined;
  /** Set for the offsets of a profile and of the values that it takes: what to add to an offset to get the line of the
   * policy, and the line of the profile. */
  readonly sources?: { readonly policy: (offset: number) => number; readonly profile: (offset: number) => number };
}

/** The policy, its overlays, its profiles and the files of its teams. Offsets count through all texts, in the order in
 * which they are added, so that one number says where a value is. */
export class Files {
  readonly #files: File[] = [];
  #end = 0;

  /** Adds a text and returns the offset of its beginning.
   * @param team - the team whose file it is */
  add(name: string, text: string, team?: string): number {
    return this.#push({ name, length: text.length, lines: lineStarts(text), team });
  }

  /** Adds the text of a profile and returns the offset of its beginning.
   * @param use - the offset at which the policy uses the profile */
  addProfile(name: string, text: string, use: number): number {
    const sources = { policy: () => use, profile: (offset: number) => offset };
    return this.#push({ name, length: text.length, lines: lineStarts(text), sources });
  }

  /** Adds offsets for a value of the policy that a profile takes, so that errors about it name both places. Returns what
   * to add to the value's own offsets.
   * @param at - an offset in the value's file
   * @param parameter - the offset in the profile that declares the parameter */
  addValue(at: number, parameter: number): number {
    const { name, base, end, lines } = this.#fileAt(at) as File;
    const shift = this.#end - base;
    const sources = { policy: (offset: number) => offset - shift, profile: () => parameter };
    this.#push({ name, length: end - base, lines, sources });
    return shift;
  }

  /** The offset in the policy or its overlays; for an offset of a profile, that of its use. */
  inPolicy(offset: number): number {
    return this.#fileAt(offset)?.sources?.policy(offset) ?? offset;
  }

  /** The team in whose file an offset is; undefined for the policy and its overlays. For an offset of a profile, the file
   * that uses the profile counts. */
  teamAt(offset: number): string | undefined {
    const { sources, team } = this.#fileAt(offset) ?? {};
    return sources === undefined ? team : this.teamAt(sources.policy(offset));
  }

  /** The place of an offset. Lines and columns count from 1. */
  place(offset: number): At {
    const { sources } = this.#fileAt(offset) ?? {};
    if (sources === undefined) return this.#placeIn(offset);
    return { ...this.#placeIn(sources.policy(offset)), profile: this.#placeIn(sources.profile(offset)) };
  }

  #push({ length, ...file }: Omit<File, 'base' | 'end'> & { readonly length: number }): number {
    const base = this.#end;
    this.#end += length + 1;
    this.#files.push({ ...file, base, end: base + length });
    return base;
  }

  #fileAt(offset: number): File | undefined {
    return this.#files.filter(({ base }) => base <= offset).at(-1);
  }

  #placeIn(offset: number): FilePlace {
    const file = this.#fileAt(offset);
    const place = file === undefined ? { line: 1, column: 1 } : lineColumn(file.lines, offset - file.base);
    return { file: file?.name ?? '', ...place };
  }
}
