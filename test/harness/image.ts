import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { runId, runLabel } from './docker.ts';
import { type ExecResult, execIn } from './exec.ts';
import { gatewayImage } from './images.ts';
import { until } from './until.ts';

/** The options of the `docker run` in docs/image.md, except the name, files and ports. */
export const GUIDE_OPTIONS: readonly string[] = (
  /^docker run -d ((?:.*\\\n)*.*) meshgate\/gateway:dev$/m.exec(readFileSync('docs/image.md', 'utf8'))?.[1] ?? ''
)
  .replaceAll('\\\n', ' ')
  .replace(/-[vp] (?:"[^"]*"|\S+)|--(?:name|restart) \S+/g, '')
  .trim()
  .split(/ +/);

export interface ImageRun {
  /** Paths of this machine by their path in the container. All are mounted read-only. */
  readonly mounts?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Options of `docker run`; default: those of docs/image.md. */
  readonly options?: readonly string[];
}

/** A container of the image that `docker run` starts, with files of this machine. `startGateway` copies files instead. */
export class RunningImage {
  readonly name: string;
  /** Whether nginx has started, or the container has ended without that. */
  readonly started: Promise<boolean>;
  #log = '';
  #ended = false;

  constructor({ mounts = {}, env = {}, options = GUIDE_OPTIONS }: ImageRun) {
    this.name = `meshgate-image-${process.pid}-${++count}`;
    const child = spawn('docker', [
      ...['run', '--rm', '--name', this.name, '--label', `${runLabel}=${runId()}`, '--no-healthcheck', ...options],
      ...Object.entries(env).flatMap(([name, value]) => ['-e', `${name}=${value}`]),
      ...Object.entries(mounts).flatMap(([path, file]) => ['-v', `${file}:${path}:ro`]),
      gatewayImage,
    ]);
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text: Buffer) => {
        this.#log += text;
      });
    }
    child.on('close', () => {
      this.#ended = true;
    });
    this.started = until(() => (/start worker process \d+/.test(this.#log) ? 'yes' : this.#ended && 'no'), {
      what: `${this.name} to start or end`,
      help: () => this.#log,
    }).then((is) => is === 'yes');
  }

  /** All that it has printed. */
  get log(): string {
    return this.#log;
  }

  /** Waits until it has printed a text; throws if it ends without it. */
  async says(text: string): Promise<void> {
    const reported = () => this.#log.includes(text);
    const found = await until(() => (reported() ? 'said' : this.#ended && 'ended'), {
      what: `${this.name} to say "${text}"`,
      help: () => this.#log,
    });
    if (found === 'ended' && !reported()) throw new Error(`it ended without saying "${text}":\n${this.#log}`);
  }

  exec(...command: string[]): Promise<ExecResult> {
    return execIn(this.name, command);
  }

  stop(): void {
    spawnSync('docker', ['rm', '-f', '-v', this.name]);
  }
}

let count = 0;

/** Runs the image as the README does. It resolves as soon as nginx has started, or the container has ended. */
export async function runImage(options: ImageRun): Promise<RunningImage> {
  const image = new RunningImage(options);
  await image.started;
  return image;
}
