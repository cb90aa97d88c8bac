import { disk } from '../../audit/seal/disk.ts';
import type { Machine } from '../../audit/seal/lock.ts';

/** What the sealer needs beside the rest of the runtime. */
export interface Sealing extends Pick<Machine, 'disk' | 'pid' | 'id'> {
  /** Takes the signals that end the process, and returns a function that tells whether one has come. */
  stopped(): () => boolean;
}

const node = process as unknown as { readonly once?: (signal: string, then: () => void) => void };

/** Returns what the sealer needs; undefined on njs, which has neither timers nor signals. */
export function systemSealing(): Sealing | undefined {
  const { once } = node;
  if (once === undefined) return undefined;
  return {
    disk,
    pid: process.pid,
    id: `${process.pid}-${Date.now()}-${Math.random()}`,
    stopped() {
      let isStopped = false;
      for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'])
        once.call(process, signal, () => {
          isStopped = true;
        });
      return () => isStopped;
    },
  };
}
