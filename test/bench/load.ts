import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A bounded number of requests from a file of lines `PATH TOKEN`. */
export interface Load {
  readonly port: number;
  readonly tls?: boolean;
  readonly file: string;
  readonly count: number;
  readonly connections: number;
}

/** The counters of the load generator. */
export interface Counted {
  readonly requests: number;
  /** Answers other than 2xx and 3xx. */
  readonly refused: number;
  /** Connections that failed and requests without an answer. */
  readonly broken: number;
}

export const host = 'bench.example.com';
const script = join(import.meta.dirname, 'load.lua');
/** Only a run that hangs reaches this limit. */
const longest = 600;

/**
 * Runs wrk, one thread, until the last answer is in.
 *
 * @param atEnd called when all requests are answered and before wrk ends: the moment to read the worker's accounts
 */
export async function run(load: Load, atEnd: () => void): Promise<Counted> {
  const { port, tls, file, count, connections } = load;
  const url = `${tls ? 'https' : 'http'}://127.0.0.1:${port}/`;
  const wrk = spawn(
    'wrk',
    [
      '-t1',
      `-c${connections}`,
      `-d${longest}`,
      '--timeout',
      '60',
      '-s',
      script,
      url,
      '--',
      file,
      `${count}`,
      `${connections}`,
      host,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const reported: string[] = [];
  wrk.stderr.on('data', (chunk) => reported.push(String(chunk)));
  const ended = new Promise<void>((resolve, reject) => {
    wrk.once('error', (error) =>
      reject(new Error('wrk does not start: test/images/prepare.sh bench installs it', { cause: error })),
    );
    wrk.once('close', () => resolve());
  });
  for await (const line of createInterface({ input: wrk.stdout })) {
    reported.push(line);
    if (line === 'idle') {
      atEnd();
      wrk.kill('SIGINT');
    }
  }
  await ended;
  return countedBy(reported);
}

/** Finds what load.lua reported among the lines that wrk printed. */
export function countedBy(lines: readonly string[]): Counted {
  const line = lines.find((text) => text.startsWith('{"requests"'));
  if (line === undefined) throw new Error(`wrk said no result:\n${lines.join('\n')}`);
  if (!lines.includes('idle')) throw new Error(`wrk did not get through in ${longest} s:\n${lines.join('\n')}`);
  return JSON.parse(line) as Counted;
}
