import type { Path } from './path.ts';

/** A place in a file; lines and columns count from 1. */
export interface FilePlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A place in a policy file. */
export interface At extends FilePlace {
  /** The place in the profile that this part of the policy comes from. The other place is then where the policy uses the
   * profile. */
  readonly profile?: FilePlace;
}

const inFile = ({ file, line, column }: FilePlace): string => `${file}:${line}:${column}`;

/** A place as `file:line:column`, which people and editors understand, and the place in the profile behind it. */
export const place = ({ profile, ...at }: At): string => `${inFile(at)}${profile ? ` (${inFile(profile)})` : ''}`;

/** Returns the place in the file of the value at a path. */
export type Locate = (path: Path) => At;

/** The team in whose file the value at a path is; undefined: it is in no team's file. */
export type TeamOf = (path: Path) => string | undefined;

/** A part of a policy that has a name, and a place in the file. */
export interface Defined {
  readonly name: string;
  readonly at: At;
}

export function define<Declared, Built>(
  declared: Readonly<Record<string, Declared>> | undefined,
  section: Path,
  locate: Locate,
  build: (name: string, declared: Declared, at: At) => Built,
): Readonly<Record<string, Built>> {
  const entries = Object.entries(declared ?? {});
  return Object.fromEntries(entries.map(([name, it]) => [name, build(name, it, locate([...section, name]))]));
}
