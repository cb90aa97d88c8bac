import type { Path } from './path.ts';

/** A place in a policy file; lines and columns count from 1. */
export interface At {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Finds the place of a path in the file. */
export type Locate = (path: Path) => At;

/** What has a name of its own in a policy, and a place there. */
export interface Defined {
  readonly name: string;
  readonly at: At;
}

/** Builds each thing of a section, which is handed its name and its place. */
export function define<Said, Built>(
  said: Readonly<Record<string, Said>> | undefined,
  section: Path,
  locate: Locate,
  build: (name: string, said: Said, at: At) => Built,
): Readonly<Record<string, Built>> {
  const entries = Object.entries(said ?? {});
  return Object.fromEntries(entries.map(([name, it]) => [name, build(name, it, locate([...section, name]))]));
}
