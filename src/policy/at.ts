import type { Path } from './path.ts';

/** A place in a policy file; lines and columns count from 1. */
export interface At {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A place as `file:line:column`, which people and editors understand. */
export const place = ({ file, line, column }: At): string => `${file}:${line}:${column}`;

/** Returns the place in the file of the value at a path. */
export type Locate = (path: Path) => At;

/** A part of a policy that has a name, and a place in the file. */
export interface Defined {
  readonly name: string;
  readonly at: At;
}

export function define<Said, Built>(
  said: Readonly<Record<string, Said>> | undefined,
  section: Path,
  locate: Locate,
  build: (name: string, said: Said, at: At) => Built,
): Readonly<Record<string, Built>> {
  const entries = Object.entries(said ?? {});
  return Object.fromEntries(entries.map(([name, it]) => [name, build(name, it, locate([...section, name]))]));
}
