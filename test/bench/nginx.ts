import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { docker, runId, runLabel } from '../harness/docker.ts';
import { type Sent, send, type Target } from '../harness/http.ts';
import { until } from '../harness/until.ts';
import { host } from './load.ts';
import { Worker } from './process.ts';

/** An nginx, or another server, in its own container, on this machine's loopback address, with one worker. */
export interface NginxSpec {
  readonly name: string;
  readonly image: string;
  readonly port: number;
  /** Files in the folder that the container sees as /bench. */
  readonly files: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** It serves TLS, with a certificate of this CA. */
  readonly ca?: string;
  /** It has no workers: its first process does all the work, in several threads. */
  readonly alone?: boolean;
  /** Its access log is on standard output; otherwise it is in a file. */
  readonly streams?: boolean;
  /** It writes no access log. */
  readonly silent?: boolean;
  /** Its access log is sealed in the folder `audit`: the CPU of all its processes counts, until all lines are sealed. */
  readonly sealed?: boolean;
  /** A shell command that ends in `exec`. */
  readonly command: string;
}

const user = '10101';

/** The image's own command with a configuration of the benchmark. */
export const plainNginx =
  'ulimit -n "$(ulimit -H -n)" && mkdir -p /run/meshgate/tmp && exec nginx -c /bench/nginx.conf -g "daemon off;"';

/** A configuration of test/bench/nginx/ with its ports filled in. */
export function configuration(name: string, values: Readonly<Record<string, number>>): Record<string, string> {
  const read = (file: string) => readFileSync(join(import.meta.dirname, 'nginx', `${file}.conf`), 'utf8');
  const filled = read(name).replace(/\{(\w+)\}/g, (_, key: string) => String(values[key]));
  return { 'nginx.conf': filled, 'common.conf': read('common') };
}

export class Nginx {
  readonly name: string;
  readonly port: number;
  readonly worker: Worker;
  readonly tls: boolean;
  readonly #spec: NginxSpec;
  readonly #container: string;
  readonly #log: string;
  #forgotten = 0;

  private constructor(spec: NginxSpec, container: string, worker: Worker, log: string) {
    this.name = spec.name;
    this.tls = spec.ca !== undefined;
    this.#spec = spec;
    this.#container = container;
    this.port = spec.port;
    this.worker = worker;
    this.#log = log;
  }

  /**
   * Starts it and waits until it answers.
   *
   * @param folder on a tmpfs; its access log lies there as well
   */
  static async start(spec: NginxSpec, folder: string): Promise<Nginx> {
    const own = join(folder, spec.name);
    mkdirSync(own, { recursive: true });
    chmodSync(own, 0o777);
    for (const [name, text] of Object.entries(spec.files)) {
      mkdirSync(dirname(join(own, name)), { recursive: true });
      writeFileSync(join(own, name), text, { mode: 0o644 });
    }
    const container = await docker(
      ...['run', '--detach', '--network', 'host', '--user', `${user}:${user}`, '--label', `${runLabel}=${runId()}`],
      ...['--tmpfs', `/run/meshgate:uid=${user},gid=${user},mode=0750`],
      ...['--volume', `${own}:/bench`, '--name', `meshgate-bench-${runId()}-${spec.name}`],
      ...Object.entries(spec.env ?? {}).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
      ...['--entrypoint', '/bin/sh', spec.image, '-c', spec.command],
    );
    try {
      await until(() => answers(spec), { what: `${spec.name} on port ${spec.port}`, timeoutMs: 60_000 });
      return new Nginx(spec, container, await Worker.of(container, spec.alone), join(own, 'access.log'));
    } catch (error) {
      const logs = await docker('logs', '--tail', '20', container).catch(String);
      throw new Error(`${spec.name} does not start\n${logs}`, { cause: error });
    }
  }

  /** Nanoseconds of CPU. */
  cpu(): number {
    return this.#spec.sealed ? this.worker.cpuOfAll() : this.worker.cpu();
  }

  /** Number of leaves in the sealed log, once there are as many as expected; 0 if the log is not sealed. */
  async leaves(expected = 0): Promise<number> {
    if (!this.#spec.sealed) return 0;
    const file = join(dirname(this.#log), 'audit/checkpoint');
    const size = () => Number(readFileSync(file, 'utf8').split('\n')[1]);
    return until(async () => (size() >= expected ? size() : undefined), {
      what: `${expected} leaves in the sealed log of ${this.name}`,
    });
  }

  /** Lines of the access log since the last {@link forget}. */
  log(): string[] {
    return readFileSync(this.#log, 'utf8').split('\n').slice(0, -1);
  }

  /** Number of lines in the access log since the last {@link forget}, once there are as many as expected. */
  async logged(expected: number): Promise<number> {
    if (this.#spec.silent) return expected;
    const what = `${expected} lines in the log of ${this.name}`;
    const count = this.#spec.streams ? () => this.#streamed() : async () => this.log().length;
    return until(async () => count().then((found) => (found >= expected ? found : undefined)), { what });
  }

  async #streamed(): Promise<number> {
    const { stdout } = await promisify(execFile)('sh', ['-c', `docker logs ${this.#container} 2>/dev/null | wc -l`]);
    return Number(stdout) - this.#forgotten;
  }

  /** Empties the access log, so that it does not fill the machine's memory; lines of a stream are counted from here
   * on. */
  async forget(): Promise<void> {
    if (this.#spec.silent) return;
    if (this.#spec.streams) this.#forgotten += await this.#streamed();
    else truncateSync(this.#log);
  }

  /** Waits until a valid token is accepted: the gateway fetches keys in the background. */
  async untilOpen(path: string, token: string): Promise<void> {
    await until(async () => (await this.ask(path, token)).status === 200, {
      what: `${this.name} to let a good token through`,
      timeoutMs: 30_000,
      help: () => (this.#spec.silent ? '' : this.log().slice(-3).join('\n')),
    });
  }

  /** The output of a command in its container, standard output and error. */
  async tell(command: string): Promise<string> {
    return docker('exec', this.#container, 'sh', '-c', `${command} 2>&1`);
  }

  async stop(): Promise<void> {
    await docker('rm', '--force', '--volumes', this.#container);
  }

  /** Sends one request with a token or a cookie; returns the status and the text. */
  async ask(path: string, credential?: string): Promise<{ status: number; text: string }> {
    const answer = await send(targetOf(this.#spec), { path, ...credentialOf(credential) });
    return { status: answer.status, text: answer.text };
  }
}

/** As load.lua sends it. */
function credentialOf(text: string | undefined): Pick<Sent, 'token' | 'headers'> {
  if (text === undefined) return {};
  if (text.startsWith('DPoP~')) {
    const [, token = '', proof = ''] = text.split('~');
    return { headers: { Authorization: `DPoP ${token}`, DPoP: proof } };
  }
  return text.startsWith('__Host-') ? { headers: { Cookie: text } } : { token: text };
}

const targetOf = ({ port, ca }: NginxSpec): Target => ({
  host: '127.0.0.1',
  port,
  tls: ca !== undefined,
  name: host,
  ...(ca !== undefined && { ca }),
});

async function answers(spec: NginxSpec): Promise<boolean> {
  try {
    return (await send(targetOf(spec), { path: '/' })).status > 0;
  } catch {
    return false;
  }
}
