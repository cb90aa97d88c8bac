import { parse } from 'yaml';
import {
  type Box,
  envoyImage,
  type Files,
  type Stage,
  send,
  startContainer,
  type Target,
} from '../../harness/index.ts';
import { ingressFiles } from '../../harness/policy.ts';
import { askMesh, type Presenter } from './mesh-ask.ts';
import { JWKS_FILE, SERVICES_HOST, type Subject } from './policies.ts';
import { Road } from './road.ts';
import { DISCOVERY, TUNNEL } from './services.ts';
import type { Rendered, Trial } from './types.ts';

// biome-ignore lint/suspicious/noExplicitAny: Envoy's configuration, and what became of it
type Json = any;

const ALIAS = 'trials';
/** Listeners that are loaded at once: so many bytes, since Envoy writes all of them to its log where one is refused. */
const BATCH_BYTES = 500_000;
const FIRST_PORT = 20_000;

/** Discovery by REST, from the container of the services: it answers when there is something new. */
function discovered(): Json {
  const api_config_source = {
    ...{ api_type: 'REST', transport_api_version: 'V3', cluster_names: ['discovery'] },
    ...{ refresh_delay: '0.001s', request_timeout: '600s' },
  };
  return { resource_api_version: 'V3', api_config_source };
}

function bootstrap(): string {
  const address = { socket_address: { address: SERVICES_HOST, port_value: DISCOVERY } };
  const endpoints = [{ lb_endpoints: [{ endpoint: { address } }] }];
  const load_assignment = { cluster_name: 'discovery', endpoints };
  return JSON.stringify({
    node: { id: 'trials', cluster: 'trials' },
    dynamic_resources: { lds_config: discovered(), cds_config: discovered() },
    static_resources: { clusters: [{ name: 'discovery', type: 'STRICT_DNS', load_assignment }] },
  });
}

const document = (version: string, kind: string, resources: readonly Json[]) =>
  JSON.stringify({
    version_info: version,
    resources: resources.map((it) => ({ '@type': `type.googleapis.com/envoy.config.${kind}`, ...it })),
  });

/** One version of envoy.yaml as a listener of its own, and the clusters that it alone has. */
interface Loaded {
  readonly name: string;
  readonly port: number;
  readonly listener: Json;
  readonly clusters: readonly Json[];
}

/** Renames the clusters that changed, and what leads to them, so that versions can stand side by side. */
function loadedOf(value: Json, original: Json, number: number): Loaded {
  const suffix = `@${number}`;
  const { listeners = [], clusters = [] } = value?.static_resources ?? {};
  const before: readonly Json[] = original.static_resources.clusters;
  const texts = new Set(clusters.map((it: Json) => JSON.stringify(it)));
  const changed = before.filter((it) => !texts.has(JSON.stringify(it))).map((it) => it.name);
  const originals = new Set(before.map((it) => JSON.stringify(it)));
  const own = clusters.filter((it: Json) => !originals.has(JSON.stringify(it)));
  const port = FIRST_PORT + number;
  const text = changed.reduce(
    (all, name) => all.replaceAll(`"cluster":${JSON.stringify(name)}`, `"cluster":${JSON.stringify(name + suffix)}`),
    JSON.stringify(listeners[0] ?? {}),
  );
  const listener = {
    ...JSON.parse(text),
    name: `trial${suffix}`,
    address: { socket_address: { address: '0.0.0.0', port_value: port } },
  };
  const named = (it: Json) => (it.name === undefined ? it : { ...it, name: it.name + suffix });
  return { name: listener.name, port, listener, clusters: own.map(named) };
}

/** What Envoy asks for one kind of resource. */
class Discovered {
  readonly #box: Box;
  readonly #target: Target;
  readonly #name: string;
  readonly #kind: string;
  readonly #resources: (versions: readonly Loaded[]) => readonly Json[];
  #version = 0;
  #isPut = false;

  constructor(
    box: Box,
    services: Box,
    name: string,
    kind: string,
    resources: (versions: readonly Loaded[]) => readonly Json[],
  ) {
    this.#box = box;
    this.#target = { host: services.host, port: services.port(DISCOVERY), tls: false, name };
    this.#name = name;
    this.#kind = kind;
    this.#resources = resources;
  }

  /** Makes Envoy take these versions and no others; notes its words for those that it does not take. */
  async take(versions: readonly Loaded[], rejected: Map<string, string>): Promise<void> {
    if (versions.length === 0 && this.#isPut) return;
    const open = versions.filter(({ name }) => !rejected.has(name));
    const taken = await this.#some([], open, rejected);
    if (taken.length < open.length || taken.length === 0) await this.#put(taken);
    this.#isPut = true;
  }

  /** Of versions those that Envoy takes beside what it has taken: all, or the ones of each half. */
  async #some(
    before: readonly Loaded[],
    versions: readonly Loaded[],
    rejected: Map<string, string>,
  ): Promise<readonly Loaded[]> {
    if (versions.length === 0) return before;
    const mark = this.#box.logs.mark();
    if (await this.#put([...before, ...versions])) return [...before, ...versions];
    if (versions.length === 1) {
      rejected.set((versions[0] as Loaded).name, await this.#words(mark));
      return before;
    }
    const half = Math.ceil(versions.length / 2);
    return this.#some(await this.#some(before, versions.slice(0, half), rejected), versions.slice(half), rejected);
  }

  async #put(versions: readonly Loaded[]): Promise<boolean> {
    this.#version += 1;
    const version = String(this.#version);
    const body = document(version, this.#kind, this.#resources(versions));
    const answer = await send(this.#target, { method: 'PUT', path: `/put/${this.#name}`, body });
    return answer.json().version === version;
  }

  /** What the log says of the one that was refused. */
  async #words(mark: number): Promise<string> {
    const line = await this.#box.logs.waitFor(/INVALID_ARGUMENT|rejected/, mark);
    return line.replace(/^.*?(rejected|failure): /, '').slice(0, 300);
  }
}

/** An Envoy that takes many versions of the rendered listener at once, each on a port of its own. */
export class EnvoyTrials {
  readonly objects: readonly Rendered[];
  readonly #tunnel: { readonly host: string; readonly port: number };
  readonly #presenter: Presenter;
  readonly #original: Json;
  readonly #clusters: Discovered;
  readonly #listeners: Discovered;
  #count = 0;

  private constructor(box: Box, services: Box, presenter: Presenter, original: Json) {
    this.#tunnel = { host: services.host, port: services.port(TUNNEL) };
    this.#presenter = presenter;
    this.#original = original;
    const own: readonly Json[] = original.static_resources.clusters;
    const clusters = (all: readonly Loaded[]) => [...own, ...all.flatMap((one) => one.clusters)];
    const listeners = (all: readonly Loaded[]) => all.map(({ listener }) => listener);
    this.#clusters = new Discovered(box, services, 'clusters', 'cluster.v3.Cluster', clusters);
    this.#listeners = new Discovered(box, services, 'listeners', 'listener.v3.Listener', listeners);
    this.objects = [{ name: 'envoy.yaml', value: original }];
  }

  /** @param services the container that leads into the network */
  static async start(
    stage: Stage,
    subject: Subject,
    rendered: Files,
    services: Box,
    presenter: Presenter,
  ): Promise<EnvoyTrials> {
    const original = parse(rendered['envoy.yaml'] as string);
    const published = presenter.assertions.published;
    const box = await startContainer(stage, {
      image: envoyImage,
      // As in the static file: a field that Envoy does not know is an error. What goes goes at once.
      command: [
        ...['envoy', '-c', '/etc/envoy/trials.json', '--disable-hot-restart', '--log-level', 'warn'],
        ...['--reject-unknown-dynamic-fields', '--drain-time-s', '1', '--concurrency', '1'],
      ],
      alias: ALIAS,
      ports: [],
      files: {
        ...(await ingressFiles(subject.policy, stage)),
        '/etc/envoy/trials.json': bootstrap(),
        [JWKS_FILE]: published,
      },
      ready: /no configured limit to the number of allowed active downstream connections/,
    });
    const trials = new EnvoyTrials(box, services, presenter, original);
    await trials.#clusters.take([], new Map());
    return trials;
  }

  async *trials(versions: readonly (readonly Rendered[])[]): AsyncGenerator<Trial> {
    const size = Math.ceil(BATCH_BYTES / JSON.stringify(this.#original).length);
    for (let at = 0; at < versions.length; at += size) {
      const batch = versions.slice(at, at + size).map(([file]) => {
        this.#count += 1;
        return loadedOf(file?.value, this.#original, this.#count);
      });
      const rejected = await this.#load(batch);
      for (const version of batch) {
        const words = rejected.get(version.name);
        if (words === undefined) yield* this.#trial(version);
        else yield { rejected: words };
      }
    }
  }

  async *#trial({ port }: Loaded): AsyncGenerator<Trial> {
    const { serverName: name } = this.#presenter.view.policy.mesh!.ingress;
    const road = new Road({ host: ALIAS, port, tls: true, name, ca: this.#presenter.ca, tunnel: this.#tunnel });
    yield { ask: (cell) => askMesh(cell, road, this.#presenter) };
    road.close();
  }

  /** Loads versions; gives Envoy's words for those that it does not take, by name. */
  async #load(batch: readonly Loaded[]): Promise<ReadonlyMap<string, string>> {
    const rejected = new Map<string, string>();
    const withClusters = batch.filter(({ clusters }) => clusters.length > 0);
    await this.#clusters.take(withClusters, rejected);
    await this.#listeners.take(batch, rejected);
    return rejected;
  }
}
