import { parse } from 'yaml';
import { type Box, envoyImage, render, type Stage, startContainer } from '../../harness/index.ts';
import { ingressFiles } from '../../harness/policy.ts';
import { ADMIN, Discovered, discovering, type Json, type Loaded } from './envoy-discovery.ts';
import { askMesh, type Presenter } from './mesh-ask.ts';
import { JWKS_FILE, type Subject } from './policies.ts';
import { Road } from './road.ts';
import { TUNNEL } from './services.ts';
import type { Answer, Cell, Mutable, Rendered, Side, Trial } from './types.ts';

/** Listeners that are loaded at once, in bytes: Envoy reads all of them again where it cannot read one. */
const BATCH_BYTES = 500_000;
const FIRST_PORT = 20_000;

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
  const listener = { ...JSON.parse(text), name: `trial${suffix}` };
  // Elsewhere than rendered nobody finds it here either.
  const isInPlace = JSON.stringify(listener.address) === JSON.stringify(original.static_resources.listeners[0].address);
  if (isInPlace) listener.address = { socket_address: { address: '0.0.0.0', port_value: port } };
  const named = (it: Json) => (it.name === undefined ? it : { ...it, name: it.name + suffix });
  return { name: listener.name, port, listener, clusters: own.map(named) };
}

/** An Envoy that takes many versions of the rendered listener at once, each on a port of its own. */
export class EnvoyTrials implements Mutable {
  readonly name = 'envoy';
  readonly objects: readonly Rendered[];
  readonly #alias: string;
  readonly #side: Side;
  readonly #tunnel: { readonly host: string; readonly port: number };
  readonly #presenter: Presenter;
  readonly #original: Json;
  readonly #clusters: Discovered;
  readonly #listeners: Discovered;
  #count = 0;

  private constructor(box: Box, services: Box, side: Side, presenter: Presenter, original: Json) {
    this.#alias = box.alias;
    this.#side = side;
    this.#tunnel = { host: services.host, port: services.port(TUNNEL) };
    this.#presenter = presenter;
    this.#original = original;
    const own: readonly Json[] = original.static_resources.clusters;
    const clusters = (all: readonly Loaded[]) => [...own, ...all.flatMap((one) => one.clusters)];
    const listeners = (all: readonly Loaded[]) => all.map(({ listener }) => listener);
    this.#clusters = new Discovered(box, services, 'clusters', clusters);
    this.#listeners = new Discovered(box, services, 'listeners', listeners);
    this.objects = [{ name: 'envoy.yaml', value: original }];
  }

  /**
   * Starts one.
   *
   * @param services the container that leads into the network
   * @param side the Envoy that has the rendered file itself
   * @param alias of several another one each
   */
  static async start(
    stage: Stage,
    { policy, text }: Subject,
    services: Box,
    side: Side,
    presenter: Presenter,
    alias = 'trials',
  ): Promise<EnvoyTrials> {
    const rendered = await render('envoy', text);
    const box = await startContainer(stage, {
      image: envoyImage,
      // As in the static file: a field that Envoy does not know is an error. What goes goes at once. What it does not
      // take is not logged: it would be logged whole.
      command: [
        ...['envoy', '-c', '/etc/envoy/trials.json', '--disable-hot-restart', '--log-level', 'warn'],
        ...['--component-log-level', 'config:critical'],
        ...['--reject-unknown-dynamic-fields', '--drain-time-s', '1', '--concurrency', '1'],
      ],
      alias,
      ports: [ADMIN],
      files: {
        ...(await ingressFiles(policy, stage)),
        '/etc/envoy/trials.json': discovering(alias),
        [JWKS_FILE]: presenter.assertions.published,
      },
      ready: /no configured limit to the number of allowed active downstream connections/,
    });
    const trials = new EnvoyTrials(box, services, side, presenter, parse(rendered['envoy.yaml'] as string));
    await trials.#clusters.take([], new Set());
    return trials;
  }

  expected(cell: Cell): Answer | undefined {
    return this.#side.expected(cell);
  }

  ask(cell: Cell): Answer | Promise<Answer> {
    return this.#side.ask(cell);
  }

  async *trials(versions: readonly (readonly Rendered[])[]): AsyncGenerator<Trial> {
    const size = Math.ceil(BATCH_BYTES / JSON.stringify(this.#original).length);
    for (let at = 0; at < versions.length; at += size) {
      const batch = versions.slice(at, at + size).map(([file]) => {
        this.#count += 1;
        return loadedOf(file?.value, this.#original, this.#count);
      });
      const rejected = new Set<string>();
      await this.#clusters.take(
        batch.filter(({ clusters }) => clusters.length > 0),
        rejected,
      );
      await this.#listeners.take(batch, rejected);
      for (const version of batch) {
        if (rejected.has(version.name)) yield { rejected: 'Envoy does not take it' };
        else yield* this.#trial(version);
      }
    }
  }

  async *#trial({ port }: Loaded): AsyncGenerator<Trial> {
    const { serverName: name } = this.#presenter.view.policy.mesh!.ingress;
    const road = new Road({ host: this.#alias, port, tls: true, name, ca: this.#presenter.ca, tunnel: this.#tunnel });
    yield { ask: (cell) => askMesh(cell, road, this.#presenter) };
    road.close();
  }
}
