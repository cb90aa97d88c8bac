import { PassThrough, type Readable, type Writable } from 'node:stream';
import { PATIENCE_MS, until } from './until.ts';

/** The two streams of a container. The engine keeps the order within each one, and not between them. */
type Side = 'stdout' | 'stderr';

/** A request that the harness sends to mark the log (`settle` in case.ts): nginx refuses it, and logs that in the error
 * log, with its worker's process id, and in the access log. */
const MARKER = / (\d+)#\d+: .*"POST (\/meshgate-settle-\d+) HTTP|"url\.path":"(\/meshgate-settle-\d+)"/;

/** The path of the marker with that number. */
export const markerPath = (number: number): string => `/meshgate-settle-${number}`;

/** The output of a container so far (standard output and error together), line by line; markers are left out. */
export class LogBuffer {
  readonly lines: string[] = [];
  readonly #rest: Record<Side, string> = { stdout: '', stderr: '' };
  /** Paths of markers in the access log; in the error log with the worker that handled each. */
  readonly #markers = { stdout: new Set<string>(), stderr: new Map<string, string>() };
  #ended = false;

  /** Reads a container's log: `split` writes its two streams separately until the stream ends. */
  follow(stream: NodeJS.EventEmitter, split: (out: Writable, err: Writable) => void): void {
    this.#ended = false;
    const sides = [this.#side('stdout'), this.#side('stderr')] as const;
    const end = () => {
      this.#ended = true;
    };
    stream.on('end', end);
    stream.on('close', end);
    stream.on('error', end);
    split(...sides);
  }

  #side(side: Side): Writable {
    const stream: Readable & Writable = new PassThrough();
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => this.add(text, side));
    return stream;
  }

  add(text: string, side: Side = 'stdout'): void {
    const parts = (this.#rest[side] + text).split('\n');
    this.#rest[side] = parts.pop() ?? '';
    for (const line of parts) {
      const marker = MARKER.exec(line);
      if (marker === null) this.lines.push(line);
      else if (marker[3] !== undefined) this.#markers.stdout.add(marker[3]);
      else this.#markers.stderr.set(marker[2]!, marker[1]!);
    }
  }

  /** A position to search from: later lines are new. */
  mark(): number {
    return this.lines.length;
  }

  since(mark: number): string[] {
    return this.lines.slice(mark);
  }

  tail(count = 40): string {
    return this.lines.slice(-count).join('\n');
  }

  /** Waits for a line after `mark` that the pattern matches; fails if the container has ended. */
  waitFor(pattern: RegExp, mark = 0, timeoutMs = PATIENCE_MS): Promise<string> {
    const find = () => this.since(mark).find((line) => pattern.test(line));
    return until(
      () => {
        // Read before the search, so that the last lines of a container that ends are still found.
        const ended = this.#ended;
        const found = find();
        if (found === undefined && ended)
          throw new Error(`the container ended without a log line like ${pattern}\n${this.tail()}`);
        return found;
      },
      { what: `a log line like ${pattern}`, timeoutMs, everyMs: 5, help: () => this.tail() },
    );
  }

  /** Waits until both streams have the marker: the earlier lines of its worker are here then. Returns the worker. */
  waitForMarker(path: string): Promise<string> {
    return until(() => this.#markers.stdout.has(path) && this.#markers.stderr.get(path), {
      what: `the marker ${path} in both logs`,
      everyMs: 5,
      help: () => this.tail(),
    });
  }

  /** Waits until the container has ended and its log is whole. */
  async waitForEnd(): Promise<void> {
    await until(() => this.#ended, { what: 'the end of a log', help: () => this.tail() });
  }

  /** Waits until at least `count` JSON lines come after `mark`, and returns them parsed. */
  waitForJson(count: number, mark = 0, timeoutMs = PATIENCE_MS): Promise<Record<string, unknown>[]> {
    return until(
      () => {
        const found = jsonLines(this.since(mark));
        return found.length >= count ? found : undefined;
      },
      { what: `${count} access log lines`, timeoutMs, everyMs: 5, help: () => this.tail() },
    );
  }
}
/** The lines that are JSON objects, parsed; a line that begins like one and is invalid is an error. */
export function jsonLines(lines: readonly string[]): Record<string, unknown>[] {
  return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Record<string, unknown>);
}

/**
 * nginx logs a kept connection to the check whose worker a reload has ended, and uses another one. A lost request is
 * visible by its response.
 */
const STALE =
  /writev\(\) failed \(32: Broken pipe\) while sending request to upstream, .*"http:\/\/unix:[^"]*check\.sock:/;

/** Lines of nginx's error log at `warn` or above, and lines that are not log lines (a crash, a script's output). */
export function troubles(lines: readonly string[]): string[] {
  return lines.filter((line) => {
    if (line === '' || line.startsWith('{') || line.startsWith('meshgate: ') || STALE.test(line)) return false;
    const level = /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[(\w+)\]/.exec(line)?.[1];
    return level !== 'notice' && level !== 'info' && level !== 'debug';
  });
}
