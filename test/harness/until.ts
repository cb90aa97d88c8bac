import { setTimeout as pause } from 'node:timers/promises';
import { waiting } from './waiting.ts';

/** The time that a state may take. A machine under load is slow; only a state that never comes takes longer. */
export const PATIENCE_MS = 120_000;

export interface Wait {
  /** The expected state; completes "waited N ms for …". */
  readonly what: string;
  /** Default {@link PATIENCE_MS}. */
  readonly timeoutMs?: number;
  /** Pause between two tries; default 20, and 100 after a second, because a try may cost more than the pause. */
  readonly everyMs?: number;
  /** More text for the error. */
  readonly help?: () => string;
}

/** Calls a function until its result is neither undefined nor false, and returns that; throws after the time-out. */
export async function until<T>(
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  wait: Wait,
): Promise<T> {
  const timeoutMs = wait.timeoutMs ?? PATIENCE_MS;
  const began = performance.now();
  const over = waiting(wait.what);
  try {
    for (;;) {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
      const waited = performance.now() - began;
      if (waited > timeoutMs) {
        throw new Error(`waited ${timeoutMs} ms for ${wait.what}${wait.help ? `\n${wait.help()}` : ''}`);
      }
      await pause(wait.everyMs ?? (waited < 1000 ? 20 : 100));
    }
  } finally {
    over();
  }
}
