import fs from 'fs';
import { changesPart } from '../../health/changes.ts';
import type { Part } from '../../health/types.ts';

function textOf(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Returns what the image's watcher (nginx/watch.sh) says; undefined if it does not run here.
 * @param folder the one of the sockets */
export function changes(folder: string, now: number): Part | undefined {
  try {
    const age = now - fs.statSync(`${folder}watch.turn`).mtimeMs / 1000;
    return changesPart(age, textOf(`${folder}watch.rejected`));
  } catch {
    return undefined;
  }
}
