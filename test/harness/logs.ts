import type { Readable } from 'node:stream';
import { until } from './until.ts';

/** What a container wrote so far (standard output and error together), line by line. */
export class LogBuffer {
  readonly lines: string[] = [];
  #rest = '';

  /** Takes in a container's log stream. */
  follow(stream: Readable): void {
    stream.on('data', (chunk: Buffer | string) => this.add(chunk.toString()));
    stream.on('error', () => {});
  }

  add(text: string): void {
    const parts = (this.#rest + text).split('\n');
    this.#rest = parts.pop() ?? '';
    this.lines.push(...parts);
  }

  /** A position to look from: lines after it are new. */
  mark(): number {
    return this.lines.length;
  }

  since(mark: number): string[] {
    return this.lines.slice(mark);
  }

  tail(count = 40): string {
    return this.lines.slice(-count).join('\n');
  }

  /** Waits for a line after `mark` that the pattern matches. */
  waitFor(pattern: RegExp, mark = 0, timeoutMs = 30_000): Promise<string> {
    return until(() => this.since(mark).find((line) => pattern.test(line)), {
      what: `a log line like ${pattern}`,
      timeoutMs,
      help: () => this.tail(),
    });
  }

  /** Waits until at least `count` JSON lines stand after `mark`, and gives them parsed. */
  waitForJson(count: number, mark = 0, timeoutMs = 30_000): Promise<Record<string, unknown>[]> {
    return until(
      () => {
        const found = jsonLines(this.since(mark));
        return found.length >= count ? found : undefined;
      },
      { what: `${count} access log lines`, timeoutMs, help: () => this.tail() },
    );
  }
}

/** The lines that are JSON objects, parsed; a line that looks like one and is none is an error. */
export function jsonLines(lines: readonly string[]): Record<string, unknown>[] {
  return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Record<string, unknown>);
}

/**
 * A connection to the check that was kept with a worker which a reload has ended since: nginx says so and takes another
 * one. A request that is lost is seen by its answer.
 */
const STALE =
  /writev\(\) failed \(32: Broken pipe\) while sending request to upstream, .*"http:\/\/unix:[^"]*check\.sock:/;

/** Lines of nginx's error log at `warn` or above, and what is no log line at all (a crash, a script's words). */
export function troubles(lines: readonly string[]): string[] {
  return lines.filter((line) => {
    if (line === '' || line.startsWith('{') || line.startsWith('meshgate: ') || STALE.test(line)) return false;
    const level = /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[(\w+)\]/.exec(line)?.[1];
    return level !== 'notice' && level !== 'info' && level !== 'debug';
  });
}
