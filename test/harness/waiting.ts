import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runId } from './docker.ts';

/** A wait is shown after this time; shorter ones do not interest a person who watches. */
const SHOWN_AFTER_MS = 3_000;

let count = 0;

/** Workers and the reporting process are different processes of one run: they meet in this folder. */
const folder = () => join(tmpdir(), `meshgate-waits-${runId()}`);

/**
 * Records what this worker waits for, so that `make test` can show it.
 *
 * @param what completes "waits for …"
 * @returns to be called when the wait is over
 */
export function waiting(what: string): () => void {
  const file = join(folder(), `${process.pid}-${++count}`);
  let written = false;
  const timer = setTimeout(() => {
    written = true;
    mkdirSync(folder(), { recursive: true });
    writeFileSync(file, what);
  }, SHOWN_AFTER_MS);
  timer.unref();
  return () => {
    clearTimeout(timer);
    if (written) rmSync(file, { force: true });
  };
}

/** The current waits of this run's workers. */
export function waits(): readonly string[] {
  try {
    return readdirSync(folder()).map((name) => readFileSync(join(folder(), name), 'utf8'));
  } catch {
    // No worker has waited long, or a wait ended while it was read.
    return [];
  }
}

/** Removes the files of killed workers. */
export function forgetWaits(): void {
  rmSync(folder(), { recursive: true, force: true });
}
