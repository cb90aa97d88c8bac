import { parse } from 'yaml';
import { type Box, envoyImage, render, type Stage, startContainer } from '../../harness/index.ts';
import { type Files, ingressFiles } from '../../harness/policy.ts';
import { Connection } from './connection.ts';
import { Discovered, discovering, type Json, type Loaded } from './envoy-discovery.ts';
import { askMesh, type Presenter } from './mesh-ask.ts';
import { JWKS_FILE, type Subject } from './policies.ts';
import { TUNNEL } from './services.ts';
import type { Answer, Cell, Mutable, OriginalTrial, Rendered, Side, Trial, VersionTrial } from './types.ts';

/** Bytes of listeners that are loaded at once: Envoy reads all of them again if it cannot read one. */
const BATCH_BYTES = 500_000;
const FIRST_PORT = 20_000;
const HTTP_MANAGER = 'envoy.filters.network.http_connection_manager';

/**
 * Renames the changed clusters, and the references to them, so that versions can be loaded side by side. Unchanged
 * parts are the same object in every version.
 */
function loadedOf(value: Json, original: Json, number: number): Loaded {
  const suffix = `@${number}`;
  const {
    listeners: [before],
    clusters: known,
  } = original.static_resources;
  const { listeners: [own = {}] = [], clusters = [] } = value?.static_resources ?? {};
  const port = FIRST_PORT + number;
  // It is found only where it is rendered.
  const here = own.address === before.address && { socket_address: { address: '0.0.0.0', port_value: port } };
  const listener = { ...own, name: `trial${suffix}`, ...(here && { address: here }) };
  const changed: readonly string[] = known.filter((it: Json) => !clusters.includes(it)).map((it: Json) => it.name);
  const text = changed.reduce(
    (all, name) => all.replaceAll(`"cluster":${JSON.stringify(name)}`, `"cluster":${JSON.stringify(name + suffix)}`),
    JSON.stringify(listener),
  );
  const named = (it: Json) => (it.name === undefined ? it : { ...it, name: it.name + suffix });
  const fresh = clusters.filter((it: Json) => !known.includes(it)).map(named);
  return { name: listener.name, port, listener: text, clusters: fresh.map((it: Json) => JSON.stringify(it)) };
}

/**
 * Whether Envoy can ever answer. It accepts a list of HTTP filters without a router, and then holds each request:
 * nothing could answer it, so there is no state to wait for.
 */
function answers(value: Json): boolean {
  const listeners: readonly Json[] = value?.static_resources?.listeners ?? [];
  const chains: readonly Json[] = listeners.flatMap((it) => it.filter_chains ?? []);
  const managers = chains.flatMap((it) => it.filters ?? []).filter((it: Json) => it.name === HTTP_MANAGER);
  return managers.every((it: Json) => (it.typed_config?.http_filters?.length ?? 0) > 0);
}

/** An Envoy that receives its configuration by discovery. */
class Told {
  readonly alias: string;
  readonly clusters: Discovered;
  readonly listeners: Discovered;

  private constructor(box: Box, services: Box, own: readonly Json[]) {
    const texts = own.map((it) => JSON.stringify(it));
    const clusters = (all: readonly Loaded[]) => [...texts, ...all.flatMap((one) => one.clusters)];
    const listeners = (all: readonly Loaded[]) => all.map(({ listener }) => listener);
    this.alias = box.alias;
    this.clusters = new Discovered(box, services, 'clusters', clusters);
    this.listeners = new Discovered(box, services, 'listeners', listeners);
  }

  static async start(stage: Stage, services: Box, original: Json, files: Files, alias: string): Promise<Told> {
    const box = await startContainer(stage, {
      image: envoyImage,
      // As in the static file, an unknown field is an error. Removed listeners close at once. Rejected configuration is
      // not logged, because the log would have all of it.
      command: [
        ...['envoy', '-c', '/etc/envoy/trials.json', '--disable-hot-restart', '--log-level', 'warn'],
        ...['--component-log-level', 'config:critical'],
        ...['--reject-unknown-dynamic-fields', '--drain-time-s', '1', '--concurrency', '1'],
      ],
      alias,
      files: { ...files, '/etc/envoy/trials.json': discovering(alias) },
      ready: /no configured limit to the number of allowed active downstream connections/,
    });
    const told = new Told(box, services, original.static_resources.clusters);
    await told.clusters.take([], new Set());
    return told;
  }
}

export interface EnvoyTrialsOptions {
  readonly subject: Subject;
  /** The container that leads into the network. */
  readonly services: Box;
  /** The Envoy that has the rendered file itself. */
  readonly side: Side;
  readonly presenter: Presenter;
  /** Number of Envoys, which is the number of concurrent trials. */
  readonly count: number;
}

/** Envoys that load many versions of the rendered listener at once, each on its own port, and then the original. */
export class EnvoyTrials implements Mutable {
  readonly name = 'envoy';
  readonly objects: readonly Rendered[];
  readonly #options: EnvoyTrialsOptions;
  readonly #original: Json;
  readonly #free: Told[];
  #count = 0;

  private constructor(options: EnvoyTrialsOptions, original: Json, envoys: readonly Told[]) {
    this.#options = options;
    this.#original = original;
    this.#free = [...envoys];
    this.objects = [{ name: 'envoy.yaml', value: original }];
  }

  static async start(stage: Stage, options: EnvoyTrialsOptions): Promise<EnvoyTrials> {
    const { subject, services, presenter, count } = options;
    const original = parse((await render('envoy', subject.text))['envoy.yaml'] as string);
    const files = { ...(await ingressFiles(subject.policy, stage)), [JWKS_FILE]: presenter.assertions.published };
    const aliases = Array.from({ length: count }, (_, i) => `trials-${i}`);
    const envoys = await Promise.all(aliases.map((alias) => Told.start(stage, services, original, files, alias)));
    return new EnvoyTrials(options, original, envoys);
  }

  expected(cell: Cell): Answer | undefined {
    return this.#options.side.expected(cell);
  }

  ask(cell: Cell): Answer | Promise<Answer> {
    return this.#options.side.ask(cell);
  }

  async *trials(versions: readonly (readonly Rendered[])[]): AsyncGenerator<VersionTrial | OriginalTrial> {
    const envoy = this.#free.pop();
    if (envoy === undefined) throw new Error('more trials at once than Envoys');
    const size = Math.ceil(BATCH_BYTES / JSON.stringify(this.#original).length);
    for (let from = 0; from < versions.length; from += size) {
      yield* this.#batch(envoy, from, versions.slice(from, from + size));
    }
    this.#free.push(envoy);
  }

  /** A slot is a port of an Envoy: first a version listens there, then the original. */
  async *#batch(
    { clusters, listeners, alias }: Told,
    from: number,
    versions: readonly (readonly Rendered[])[],
  ): AsyncGenerator<VersionTrial | OriginalTrial> {
    const first = this.#count;
    this.#count += versions.length;
    const batch = versions.map(([file], i) => loadedOf(file?.value, this.#original, first + i));
    const rejected = new Set<string>();
    const withOwn = batch.filter((it) => it.clusters.length > 0);
    await clusters.take(withOwn, rejected);
    await listeners.take(batch, rejected);
    for (const [i, loaded] of batch.entries()) {
      if (!rejected.has(loaded.name) && !answers(versions[i]?.[0]?.value)) {
        yield { rejected: 'Envoy has no HTTP filter, and answers nothing', version: from + i };
        continue;
      }
      for await (const trial of this.#trial(alias, loaded, rejected)) yield { ...trial, version: from + i };
    }
    const originals = batch.map((_, i) => loadedOf(this.#original, this.#original, first + i));
    const failed = new Set<string>();
    await listeners.take(originals, failed);
    for (const [i, loaded] of originals.entries()) {
      for await (const trial of this.#trial(alias, loaded, failed)) yield { ...trial, originalOf: [from + i] };
    }
  }

  async *#trial(host: string, { port, name: listener }: Loaded, rejected: ReadonlySet<string>): AsyncGenerator<Trial> {
    if (rejected.has(listener)) return yield { rejected: 'Envoy does not take it' };
    const { presenter, services } = this.#options;
    const { serverName: name } = presenter.view.policy.mesh!.ingress;
    const tunnel = { host: services.host, port: TUNNEL };
    const connection = new Connection({ host, port, tls: true, name, ca: presenter.ca, tunnel });
    yield { ask: (cell) => askMesh(cell, connection, presenter) };
    connection.close();
  }
}
