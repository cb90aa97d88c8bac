/** A part of the configuration around the rendered files that weakens or breaks them. */
export interface Warning {
  readonly file: string;
  readonly line: number;
  /** What is wrong. */
  readonly text: string;
  /** What to write instead. */
  readonly instead: string;
}

/** Reads a file of the machine; undefined if there is none, or this user may not read it. */
export type ReadText = (path: string) => string | undefined;

/** A warning with its place. */
export function warn(at: { readonly file: string; readonly line: number }, text: string, instead: string): Warning {
  return { file: at.file, line: at.line, text, instead };
}
