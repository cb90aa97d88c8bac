import { GenericContainer, getContainerRuntimeClient, type StartedTestContainer, Wait } from 'testcontainers';
import { runId, runLabel } from './docker.ts';
import { LogBuffer } from './logs.ts';
import type { Stage } from './stage.ts';
import { waiting } from './waiting.ts';

// The reaper's image comes from a registry; docker.ts cleans up instead.
process.env.TESTCONTAINERS_RYUK_DISABLED = 'true';

/** What to start. */
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
  readonly ports: readonly number[];
  /** The log line that says it is ready. */
  readonly ready: RegExp;
  readonly tmpfs?: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly cpu?: number;
  /** Most memory that it may hold, MB. */
  readonly memory?: number;
  readonly ulimitFiles?: number;
  readonly startMs?: number;
  /** Shares this box's network, as the containers of a pod do; its alias is for logs only, its ports are the box's. */
  readonly inside?: Box;
}

export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running container. */
export class Box {
  readonly alias: string;
  /** All its names in the network. */
  readonly names: readonly string[];
  readonly logs: LogBuffer;
  readonly started: StartedTestContainer;
  #gone = false;

  constructor(names: readonly [string, ...string[]], logs: LogBuffer, started: StartedTestContainer) {
    this.alias = names[0];
    this.names = names;
    this.logs = logs;
    this.started = started;
  }

  /** Address of this machine under which {@link port} answers. */
  get host(): string {
    return '127.0.0.1';
  }

  /** Its own address in the stage's network. */
  get ip(): string {
    const [network] = this.started.getNetworkNames();
    return this.started.getIpAddress(network!);
  }

  /** Port of this machine that leads to a port of the container. */
  port(inside: number): number {
    return this.started.getMappedPort(inside);
  }

  exec(...command: string[]): Promise<ExecResult> {
    return this.started.exec(command);
  }

  /** Puts files in place, each whole at once: written beside it, then renamed over it. */
  async write(files: Readonly<Record<string, string | Buffer>>): Promise<void> {
    const beside = Object.entries(files).map(([path, content]) => ({ content, target: `${path}.new`, mode: 0o644 }));
    await this.started.copyContentToContainer(beside);
    for (const path of Object.keys(files)) await this.#asRoot('mv', '-f', `${path}.new`, path);
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

  /** Stops and removes it; the second time it does nothing. */
  async stop(): Promise<void> {
    if (this.#gone) return;
    this.#gone = true;
    await this.started.stop({ timeout: 0, remove: true, removeVolumes: true });
  }

  async #raw() {
    const client = await getContainerRuntimeClient();
    return client.container.getById(this.started.getId());
  }

  async #asRoot(...command: string[]): Promise<void> {
    const { exitCode, output } = await this.started.exec(command, { user: 'root' });
    if (exitCode !== 0) throw new Error(`${command.join(' ')}: ${output}`);
  }
}

/** testcontainers gives the engine ten seconds to bind ports, which a busy machine's may not keep. */
const SLOW_ENGINE = /while waiting for container ports to be bound/;

/** Starts a container; another one where the engine was slow and the container has said nothing. */
async function start(container: GenericContainer, logs: LogBuffer): Promise<StartedTestContainer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await container.start();
    } catch (error) {
      if (attempt === 3 || logs.lines.length > 0 || !SLOW_ENGINE.test(String(error))) throw error;
    }
  }
}

/** Starts a container in the stage's network and waits for its ready line; its log is in the error if that fails. */
export async function startContainer(stage: Stage, spec: ContainerSpec): Promise<Box> {
  const logs = new LogBuffer();
  const container = new GenericContainer(spec.image)
    .withLabels({ [runLabel]: runId(), 'meshgate.test.stage': stage.name })
    .withEnvironment({ ...spec.env })
    .withLogConsumer((stream) => logs.follow(stream))
    .withWaitStrategy(Wait.forLogMessage(spec.ready).withStartupTimeout(spec.startMs ?? 60_000))
    .withCopyContentToContainer(
      Object.entries(spec.files ?? {}).map(([target, content]) => ({ content, target, mode: 0o644 })),
    );
  if (spec.inside) container.withNetworkMode(`container:${spec.inside.started.getId()}`);
  else {
    container.withNetwork(stage.network).withNetworkAliases(spec.alias, ...(spec.aliases ?? []));
    container.withExposedPorts(...spec.ports);
  }
  if (spec.command) container.withCommand([...spec.command]);
  if (spec.entrypoint) container.withEntrypoint([...spec.entrypoint]);
  if (spec.tmpfs) container.withTmpFs({ ...spec.tmpfs });
  if (spec.user) container.withUser(spec.user);
  container.withResourcesQuota({
    ...(spec.cpu === undefined ? {} : { cpu: spec.cpu }),
    ...(spec.memory === undefined ? {} : { memory: spec.memory / 1024 }),
  });
  if (spec.ulimitFiles) container.withUlimits({ nofile: { hard: spec.ulimitFiles, soft: spec.ulimitFiles } });
  const over = waiting(`${spec.alias} (${spec.image}) to say ${spec.ready}`);
  try {
    const box = new Box([spec.alias, ...(spec.aliases ?? [])], logs, await start(container, logs));
    stage.boxes.push(box);
    return box;
  } catch (error) {
    throw new Error(`${spec.alias} (${spec.image}) did not start: ${String(error)}\n${logs.tail()}`, { cause: error });
  } finally {
    over();
  }
}
