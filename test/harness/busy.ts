import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

export interface Busy {
  readonly pid: number | undefined;
  /** Ends it. Returns a sentence if the machine was not busy. */
  end(): string | undefined;
}

/** The part of the machine's time that the busy process must have had, beside a suite that wants all of it. */
const LEAST_SHARE = 0.1;

/** Keeps every core busy until it is ended. When this process ends, by whatever signal, it ends too. */
export function busyProcess(): Busy {
  const cores = availableParallelism();
  const threads = `
    const { Worker } = require('node:worker_threads');
    for (let i = 0; i < ${cores}; i++) new Worker('for (;;);', { eval: true });
    process.stdin.resume().on('end', () => process.exit());`;
  const began = performance.now();
  const busy = spawn(process.execPath, ['-e', threads], { stdio: ['pipe', 'ignore', 'ignore'] });
  const end = () => {
    if (busy.exitCode !== null || busy.signalCode !== null) return 'the process that keeps all cores busy has ended';
    const [user, system] = readFileSync(`/proc/${busy.pid}/stat`, 'utf8').split(') ')[1]!.split(' ').slice(11, 13);
    busy.kill('SIGKILL');
    // Linux counts the time of a process in hundredths of a second.
    const share = (Number(user) + Number(system)) / 100 / ((performance.now() - began) / 1000) / cores;
    return share < LEAST_SHARE ? `the busy process had only ${Math.round(share * 100)} % of the machine` : undefined;
  };
  return { pid: busy.pid, end };
}
