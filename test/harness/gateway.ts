import type { Policy } from '../../src/policy/index.ts';
import { type Box, startContainer } from './container.ts';
import { type Answer, keepAlive, type Sent, send, sendHttp2, type Target } from './http.ts';
import { gatewayImage } from './images.ts';
import { jsonLines, troubles } from './logs.ts';
import { type Files, gatewayFiles, type PolicySource, policyFiles, readPolicy, render } from './policy.ts';
import { type RawExchange, type RawOptions, sendRaw } from './raw.ts';
import { expectSameDecisions } from './same-decisions.ts';
import type { Stage } from './stage.ts';
import { until } from './until.ts';
import { expectValidLines } from './valid-lines.ts';

export interface GatewayOptions {
  /** The policy; the image merges its overlay itself. */
  readonly policy: PolicySource;
  /** Changes the rendered files, to show the effect of a line. */
  readonly mutate?: (files: Files) => Files;
  /** Rendered files instead of what the policy renders to. */
  readonly rendered?: Files;
  /** Additional files, or replacements of those that the stage makes; absolute path → content, null: the file is
   * missing. */
  readonly files?: Readonly<Record<string, string | null>>;
  readonly image?: string;
  /** Worker processes; default 1, so that a case uses the worker of the case before. */
  readonly workers?: number;
  /** The highest memory that it may use, MB. */
  readonly memory?: number;
  readonly alias?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Has the loopback address of IPv6. */
  readonly ipv6?: boolean;
  /** The engine checks its health. */
  readonly healthcheck?: boolean;
}

const conf = '/run/meshgate/conf';

/** A running gateway. */
export class Gateway {
  readonly box: Box;
  readonly policy: Policy;
  readonly #ca: string;
  readonly #workers: number;
  readonly #running = new Set<string>();
  #read = 0;

  constructor(box: Box, policy: Policy, ca: string, workers = 1) {
    this.box = box;
    this.policy = policy;
    this.#ca = ca;
    this.#workers = workers;
  }

  /** The address of one of the policy's hosts; with the client's certificate and key in one PEM, if it sends one. */
  target(host: string, clientPem?: string): Target {
    const { listen, insecureHttp } = this.policy.gateway;
    const client = clientPem === undefined ? {} : { clientPem };
    return {
      host: this.box.host,
      port: listen,
      tls: !insecureHttp,
      name: host,
      ca: this.#ca,
      ...client,
    };
  }

  /** The address at which services call one of the policy's hosts, with certificate and key in one PEM. */
  inner(host: string, clientPem?: string): Target {
    const port = this.policy.gateway.inner?.listen ?? 0;
    const client = clientPem === undefined ? {} : { clientPem };
    return { host: this.box.host, port, tls: true, name: host, ca: this.#ca, ...client };
  }

  send(host: string, sent: Sent = {}): Promise<Answer> {
    return send(this.target(host), sent);
  }

  /** One after the other on one HTTP/2 connection. */
  sendHttp2(host: string, ...sents: Sent[]): Promise<Answer[]> {
    return sendHttp2(this.target(host), sents);
  }

  /** Exact bytes. */
  sendRaw(
    host: string,
    bytes: string | Buffer | readonly (string | Buffer)[],
    options: RawOptions = {},
  ): Promise<RawExchange> {
    return sendRaw(this.target(host), bytes, options);
  }

  /** An agent for `send` that keeps its connections. */
  keepAlive(host: string, maxSockets?: number) {
    return keepAlive(this.target(host), maxSockets);
  }

  /** The current position in the log. */
  mark(): number {
    return this.box.logs.mark();
  }

  /** Process ids of the workers that have started and have not said since that they end. */
  workers(): readonly string[] {
    for (const line of this.box.logs.since(this.#read)) {
      this.#read += 1;
      const started = /start worker process (\d+)$/.exec(line)?.[1];
      if (started !== undefined) this.#running.add(started);
      const ended = / (\d+)#\d+: gracefully shutting down$/.exec(line) ?? /worker process (\d+) exited/.exec(line);
      if (ended !== null) this.#running.delete(ended[1]!);
    }
    return [...this.#running];
  }

  /** Access log lines after the mark. */
  access(mark = 0): Record<string, unknown>[] {
    return jsonLines(this.box.logs.since(mark));
  }

  /** Error log lines after the mark that no request should cause. */
  troubles(mark = 0): string[] {
    return troubles(this.box.logs.since(mark));
  }

  /** Health over the port of the policy. */
  health(path: string): Promise<Answer> {
    const port = Number(this.policy.gateway.health?.split(':').at(-1));
    return send({ host: this.box.host, port, tls: false, name: 'health' }, { path });
  }

  /** Loads the configuration again, as a deployment would; from then on only new workers accept connections. */
  async reload(): Promise<void> {
    const mark = this.mark();
    const workers = (pattern: RegExp) => {
      const lines = this.box.logs.since(mark).map((line) => pattern.exec(line)?.[1]);
      return new Set(lines.filter((line) => line !== undefined)).size >= this.#workers;
    };
    await this.box.signal('SIGHUP');
    // State: each new worker has its sockets, and each old one has closed those that it listened on. A worker says that it
    // shuts down right before it closes them, and takes no connection in between.
    const help = () => this.box.logs.tail();
    await until(() => workers(/start worker process (\d+)/), { what: 'all new workers', help });
    await until(() => workers(/ (\d+)#\d+: gracefully shutting down/), {
      what: 'all old workers to take no more',
      help,
    });
  }
}

/**
 * Starts the gateway's image with a policy. All files that the policy names (certificates, keys, CAs) are made up by
 * the stage's authorities unless `files` has them. Done when nginx listens with all its workers. Then it still lacks the
 * providers' keys and the services' addresses: a test that needs them asks `ready` or `readyToSignIn`.
 */
export async function startGateway(stage: Stage, options: GatewayOptions): Promise<Gateway> {
  const policy = readPolicy(options.policy);
  const given = Object.entries({ ...(await gatewayFiles(policy, stage)), ...options.files });
  const files = Object.fromEntries(given.filter((entry): entry is [string, string] => entry[1] !== null));
  // A test that changes files says itself when they are loaded.
  const env: Record<string, string> = {
    MESHGATE_WORKERS: String(options.workers ?? 1),
    MESHGATE_WATCH: 'off',
    ...options.env,
  };
  if (options.rendered !== undefined || options.mutate !== undefined) {
    const rendered = options.rendered ?? (await render('nginx', options.policy));
    const changed = options.mutate === undefined ? rendered : options.mutate(rendered);
    for (const [path, text] of Object.entries(changed)) files[`${conf}/${path}`] = text;
    env.MESHGATE_RENDERED = '1';
  } else {
    const [, ...overlays] = policyFiles(options.policy).map(([name, text]) => {
      files[`/etc/meshgate/${name}`] = text;
      return `/etc/meshgate/${name}`;
    });
    if (overlays.length > 0) env.MESHGATE_OVERLAY = overlays.join(' ');
  }
  const box = await startContainer(stage, {
    image: options.image ?? gatewayImage,
    alias: options.alias ?? 'gateway',
    aliases: [...policy.hosts.map((host) => host.name), policy.gateway.signin?.host ?? '*'].filter(
      (name) => !name.startsWith('*'),
    ),
    files,
    env,
    healthcheck: options.healthcheck ?? false,
    ipv6: options.ipv6 ?? false,
    ...(options.memory !== undefined && { memory: options.memory }),
    ready: /start worker process \d+/,
  });
  const gateway = new Gateway(box, policy, stage.ca.cert, options.workers);
  stage.checks.push(() => expectValidLines(box.logs.lines));
  // A changed configuration may decide in another way than the policy.
  if (env.MESHGATE_RENDERED === undefined) stage.checks.push(() => expectSameDecisions(policy, box.logs.lines));
  await until(() => gateway.workers().length >= (options.workers ?? 1), {
    what: 'all workers to start',
    help: () => box.logs.tail(),
  });
  return gateway;
}

/** Removes or changes text in rendered files, and throws if there is nothing to change. */
export function replaceIn(files: Files, path: string | RegExp, pattern: RegExp | string, by: string): Files {
  const changed = { ...files };
  let hits = 0;
  for (const [name, text] of Object.entries(files)) {
    if (typeof path === 'string' ? name !== path : !path.test(name)) continue;
    const replaced = typeof pattern === 'string' ? text.replaceAll(pattern, by) : text.replace(pattern, by);
    if (replaced !== text) hits++;
    changed[name] = replaced;
  }
  if (hits === 0) throw new Error(`nothing in ${path} matches ${pattern}: this mutation changes nothing`);
  return changed;
}
