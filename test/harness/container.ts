import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import {
  GenericContainer,
  getContainerRuntimeClient,
  type StartedTestContainer,
  type WaitStrategy,
} from 'testcontainers';
import { runId, runLabel } from './docker.ts';
import { type ExecResult, execIn } from './exec.ts';
import { LogBuffer } from './logs.ts';
import { refuseUnreachable } from './reach.ts';
import type { Stage } from './stage.ts';
import { waiting } from './waiting.ts';

// The reaper's image comes from a registry; docker.ts cleans up instead.
process.env.TESTCONTAINERS_RYUK_DISABLED = 'true';

/** A container to start. */
export interface ContainerSpec {
  readonly image: string;
  /** Its name in the stage's network, and in saved logs. */
  readonly alias: string;
  readonly aliases?: readonly string[];
  /** Absolute path in the container → content; copied in before the start, readable by all. */
  readonly files?: Readonly<Record<string, string | Buffer>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  /** The log line that says that it is ready; a server writes it once it listens. */
  readonly ready: RegExp;
  readonly tmpfs?: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly cpu?: number;
  /** The highest memory that it may use, MB. */
  readonly memory?: number;
  readonly ulimitFiles?: number;
  readonly startMs?: number;
  /** It prints `ready` and exits: it has no address then, and its whole log is there. */
  readonly ends?: boolean;
  /** The engine checks its health, as its image defines. */
  readonly healthcheck?: boolean;
  /** Has the loopback address of IPv6, which Docker otherwise takes from containers in a network of IPv4. */
  readonly ipv6?: boolean;
  /** Shares this box's network, as the containers of a pod do; its alias is for logs only. */
  readonly inside?: Box;
}

/** The files of a folder of this machine, for a folder of a container. */
export function filesBelow(folder: string, at: string): Record<string, Buffer> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(paths.map((path) => [join(at, relative(folder, path)), readFileSync(path)]));
}

/** The part of a core that each container has, to try tests as on a slow machine; absent: no limit. */
const SLOW_CPU = process.env.MESHGATE_CPU === undefined ? undefined : Number(process.env.MESHGATE_CPU);

/** A slow machine needs a long time for a start, and for nothing else: a container that ends is reported at once. */
const START_MS = 240_000;

/** A running container. */
export class Box {
  readonly alias: string;
  /** All its names in the network. */
  readonly names: readonly string[];
  readonly logs: LogBuffer;
  readonly started: StartedTestContainer;
  readonly #inside: Box | undefined;
  readonly #ready: RegExp;
  #address: string;
  #stopped: Promise<void> | undefined;

  constructor(spec: ContainerSpec, logs: LogBuffer, started: StartedTestContainer) {
    this.alias = spec.alias;
    this.names = [spec.alias, ...(spec.aliases ?? [])];
    this.logs = logs;
    this.started = started;
    this.#inside = spec.inside;
    this.#ready = spec.ready;
    const [network] = started.getNetworkNames();
    this.#address = network === undefined ? '' : started.getIpAddress(network);
  }

  /** Its own address in the stage's network, which this machine reaches as well. */
  get host(): string {
    if (this.#inside !== undefined) return this.#inside.host;
    return this.#address;
  }

  exec(...command: string[]): Promise<ExecResult> {
    return execIn(this.started.getId(), command);
  }

  /** The same as another user: a name or a number. */
  execAs(user: string, ...command: string[]): Promise<ExecResult> {
    return execIn(this.started.getId(), command, user);
  }

  /** Writes files atomically: each one beside its place first, then renamed. */
  async write(files: Readonly<Record<string, string | Buffer>>): Promise<void> {
    const beside = Object.entries(files).map(([path, content]) => ({ content, target: `${path}.new`, mode: 0o644 }));
    await this.started.copyContentToContainer(beside);
    // One process for all files: starting one in a container takes longer than its work.
    const move = 'for file; do mv -f "$file.new" "$file"; done';
    await this.#asRoot('sh', '-ec', move, 'sh', ...Object.keys(files));
  }

  /** Freezes all its processes: connections are accepted and nothing answers. */
  async pause(): Promise<void> {
    await (await this.#raw()).pause();
  }

  async resume(): Promise<void> {
    await (await this.#raw()).unpause();
  }

  /** Sends its first process a signal, e.g. SIGHUP. */
  async signal(name: string): Promise<void> {
    await (await this.#raw()).kill({ signal: name });
  }

  /** Ends its processes with the image's signal and starts it again; resolves when it has said again that it is
   * ready. */
  async restart(): Promise<void> {
    const raw = await this.#raw();
    await raw.stop({ t: 60 });
    // State: the old log has ended, so no late line of it counts as one of the new start.
    await this.logs.waitForEnd();
    const mark = this.logs.mark();
    await follow(this.started.getId(), this.logs);
    await raw.start();
    // It may have another address now.
    const [joined] = Object.values((await raw.inspect()).NetworkSettings.Networks);
    this.#address = joined!.IPAddress;
    await this.logs.waitFor(this.#ready, mark, START_MS);
  }

  /** Stops and removes it, once: later calls wait until it is gone as well. */
  stop(): Promise<void> {
    this.#stopped ??= this.started.stop({ timeout: 0, remove: true, removeVolumes: true }).then(() => {});
    return this.#stopped;
  }

  async #raw() {
    const client = await getContainerRuntimeClient();
    return client.container.getById(this.started.getId());
  }

  async #asRoot(...command: string[]): Promise<void> {
    const { exitCode, stdout, stderr } = await this.execAs('root', ...command);
    if (exitCode !== 0) throw new Error(`${command.join(' ')}: ${stdout}${stderr}`);
  }
}

/** A container whose log is followed from before its first line, so that no line is missed. */
class Followed extends GenericContainer {
  readonly #logs: LogBuffer;

  constructor(spec: ContainerSpec, logs: LogBuffer) {
    super(spec.image);
    this.#logs = logs;
    // A process in each container every ten seconds costs the tests time.
    if (!spec.healthcheck) this.createOpts.Healthcheck = { Test: ['NONE'] };
    if (spec.ipv6) this.hostConfig.Sysctls = { 'net.ipv6.conf.all.disable_ipv6': '0' };
    this.withWaitStrategy(new Ready(spec, logs));
  }

  /**
   * Joins one network, by its names there. testcontainers would join Docker's own network first. No port is published:
   * this machine reaches the container's address, and a start waits for no ports of this machine to be bound.
   */
  join(network: string, aliases: readonly string[]): void {
    this.withNetworkMode(network);
    this.createOpts.NetworkingConfig = { EndpointsConfig: { [network]: { Aliases: [...aliases] } } };
  }

  protected override containerCreated(id: string): Promise<void> {
    return follow(id, this.#logs);
  }
}

/** Waits for the state in which the container has said its ready line, in the log that the tests read. */
class Ready implements WaitStrategy {
  readonly #spec: ContainerSpec;
  readonly #logs: LogBuffer;

  constructor(spec: ContainerSpec, logs: LogBuffer) {
    this.#spec = spec;
    this.#logs = logs;
  }

  async waitUntilReady(): Promise<void> {
    await this.#logs.waitFor(this.#spec.ready, 0, this.getStartupTimeout());
  }

  withStartupTimeout(): this {
    return this;
  }

  isStartupTimeoutSet(): boolean {
    return true;
  }

  getStartupTimeout(): number {
    return this.#spec.startMs ?? START_MS;
  }
}

/** Reads the log of a container that does not run yet. */
async function follow(id: string, logs: LogBuffer): Promise<void> {
  const { container } = await getContainerRuntimeClient();
  const raw = container.getById(id);
  const stream = await raw.attach({ stream: true, stdout: true, stderr: true });
  logs.follow(stream, (out, err) => raw.modem.demuxStream(stream, out, err));
}

/** Starts a container in the stage's network and waits for its ready line; its log is in the error if that fails. */
export async function startContainer(stage: Stage, spec: ContainerSpec): Promise<Box> {
  const logs = new LogBuffer();
  const container = new Followed(spec, logs)
    .withLabels({ [runLabel]: runId(), 'meshgate.test.stage': stage.name })
    .withEnvironment({ ...spec.env })
    .withCopyContentToContainer(
      Object.entries(spec.files ?? {}).map(([target, content]) => ({ content, target, mode: 0o644 })),
    );
  if (spec.inside) container.withNetworkMode(`container:${spec.inside.started.getId()}`);
  else container.join(stage.network.getName(), [spec.alias, ...(spec.aliases ?? [])]);
  if (spec.command) container.withCommand([...spec.command]);
  if (spec.entrypoint) container.withEntrypoint([...spec.entrypoint]);
  if (spec.tmpfs) container.withTmpFs({ ...spec.tmpfs });
  if (spec.user) container.withUser(spec.user);
  const cpu = spec.cpu ?? SLOW_CPU;
  container.withResourcesQuota({
    ...(cpu === undefined ? {} : { cpu }),
    ...(spec.memory === undefined ? {} : { memory: spec.memory / 1024 }),
  });
  if (spec.ulimitFiles) container.withUlimits({ nofile: { hard: spec.ulimitFiles, soft: spec.ulimitFiles } });
  const over = waiting(`${spec.alias} (${spec.image}) to say ${spec.ready}`);
  try {
    const start = container.start().then((started) => {
      const box = new Box(spec, logs, started);
      stage.boxes.push(box);
      return box;
    });
    stage.starting.add(start);
    const box = await start.finally(() => stage.starting.delete(start));
    if (spec.ends) await logs.waitForEnd();
    else refuseUnreachable(box.alias, box.host);
    return box;
  } catch (error) {
    throw new Error(`${spec.alias} (${spec.image}) did not start: ${String(error)}\n${logs.tail()}`, { cause: error });
  } finally {
    over();
  }
}
