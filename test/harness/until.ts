import { setTimeout as pause } from 'node:timers/promises';
import { waiting } from './waiting.ts';

export interface Wait {
  /** Completes "waited N ms for …". */
  readonly what: string;
  readonly timeoutMs?: number;
  /** Pause between two questions; default 5. */
  readonly everyMs?: number;
  /** More text for the error. */
  readonly help?: () => string;
}

/** Asks again and again until the answer is neither undefined nor false, and gives it; an error after the time-out. */
export async function until<T>(
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  wait: Wait,
): Promise<T> {
  const timeoutMs = wait.timeoutMs ?? 10_000;
  const end = performance.now() + timeoutMs;
  const over = waiting(wait.what);
  try {
    for (;;) {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
      if (performance.now() > end) {
        throw new Error(`waited ${timeoutMs} ms for ${wait.what}${wait.help ? `\n${wait.help()}` : ''}`);
      }
      await pause(wait.everyMs ?? 5);
    }
  } finally {
    over();
  }
}
