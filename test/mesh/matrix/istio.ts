import { renderIstio } from '../../../src/targets/istio/render.ts';
import type { Stage } from '../../harness/index.ts';
import { type KubeObject, readObjects } from '../lab/index.ts';
import type { Assertions } from './assertions.ts';
import type { View } from './expect.ts';
import { Identities } from './identities.ts';
import { type IstioMesh, type Place, SLOT, type Version } from './istio-mesh.ts';
import { EDGE } from './istio-policies.ts';
import { expectedAt, istioView } from './istio-view.ts';
import { askMesh, type Presenter } from './mesh-ask.ts';
import type { Subject } from './policies.ts';
import { Road } from './road.ts';
import type { Answer, Cell, Mutable, Rendered, Trial } from './types.ts';

/** Seconds that Envoy lets an assertion live on, and some more. */
const EXPIRED_FOR = 70;

const titleOf = ({ kind, metadata }: KubeObject) => `${kind} ${metadata.namespace}/${metadata.name}`;

/** Objects that belong together: those of the ingress, or of one workload. */
interface Part {
  /** The service of a workload; absent: the ingress. */
  readonly service?: string;
  /** Where its objects were rendered for. */
  readonly namespace: string;
  readonly objects: readonly Rendered[];
}

/** What a policy renders to, in parts. */
export function partsOf({ policy, rules }: Subject, published: string): readonly Part[] {
  const { files } = renderIstio(policy, rules, { assertionJwks: published });
  return Object.entries(files).flatMap(([file, text]): Part[] => {
    if (file === 'kustomization.yaml') return [];
    const objects = readObjects(text).map((value) => ({ name: titleOf(value), value }));
    const service = /^workloads\/(.*)\.yaml$/.exec(file)?.[1];
    return [service === undefined ? { namespace: EDGE, objects } : { service, namespace: service, objects }];
  });
}

/** One of Istio's layers: real Envoys that enforce what was rendered. */
export class IstioSide implements Mutable {
  readonly name: string;
  readonly objects: readonly Rendered[];
  readonly #mesh: IstioMesh;
  readonly #parts: readonly Part[];
  readonly #places: readonly Place[];
  readonly #presenter: Presenter;
  readonly #ca: string;
  /** By what is there. */
  readonly #roads = new Map<string, Pick<Road, 'ask' | 'close'>>();

  constructor(
    mesh: IstioMesh,
    subject: Subject,
    layer: View['layer'],
    stage: Pick<Stage, 'meshCa'>,
    assertions: Assertions,
  ) {
    const { meshCa } = stage;
    const view = istioView(subject, layer);
    this.name = `istio ${layer}`;
    this.#mesh = mesh;
    this.#places = layer === 'ingress' ? mesh.ingresses : mesh.slots;
    this.#parts = partsOf(subject, assertions.published).filter(
      ({ service }) => (service === undefined) === (layer === 'ingress'),
    );
    this.objects = this.#parts.flatMap(({ objects }) => objects);
    this.#ca = meshCa.cert;
    const ingress = async () => (await meshCa.client(view.ingress!)).pem;
    const identities = new Identities(subject.policy, meshCa, layer === 'ingress' ? undefined : ingress);
    this.#presenter = { view, identities, ca: meshCa.cert, assertions, expiredFor: EXPIRED_FOR };
  }

  /** The parts in groups that fit into the lab at once: the ingress, or some workloads. */
  get waves(): readonly (readonly Part[])[] {
    const size = this.#places.length;
    return this.#parts.flatMap((_, i) => (i % size === 0 ? [this.#parts.slice(i, i + size)] : []));
  }

  /** Has Envoys enforce some parts as they were rendered. */
  async hold(parts: readonly Part[]): Promise<void> {
    const versions = parts.map((part, i) => versionOf(part, this.#places[i]!, part.objects));
    const refused = (await this.#mesh.hold(versions)).find((words) => words !== undefined);
    if (refused !== undefined) throw new Error(refused);
    // A connection keeps the configuration that it began with.
    for (const road of this.#roads.values()) road.close();
    this.#roads.clear();
    for (const [i, part] of parts.entries()) this.#roads.set(part.service ?? EDGE, this.#road(part, this.#places[i]!));
  }

  expected(cell: Cell): Answer {
    return expectedAt(cell, this.#presenter.view);
  }

  async ask(cell: Cell): Promise<Answer> {
    const road = this.#roads.get(this.#presenter.view.layer === 'ingress' ? EDGE : cell.service);
    return road === undefined ? 'not askable' : askMesh(cell, road, this.#presenter);
  }

  #road({ service }: Part, { envoy }: Place): Pick<Road, 'ask' | 'close'> {
    const { host, port, name, serverSpiffe } = envoy.target();
    const spiffe = serverSpiffe === undefined ? {} : { serverSpiffe };
    const road = new Road({ host, port, tls: true, name, ca: this.#ca, ...spiffe });
    if (service === undefined) return road;
    return {
      close: () => road.close(),
      async ask(client, question) {
        const reply = await road.ask(client, question);
        return typeof reply === 'object' && reply.answered === SLOT ? { ...reply, answered: service } : reply;
      },
    };
  }

  async *trials(versions: readonly (readonly Rendered[])[]): AsyncGenerator<Trial> {
    const size = this.#places.length;
    for (let at = 0; at < versions.length; at += size) {
      const batch = versions.slice(at, at + size).map((version, i) => {
        const part = this.#changed(version);
        const place = this.#places[i]!;
        const own = version.filter((_, n) => part.objects.includes(this.objects[n]!));
        return { part, place, objects: own };
      });
      const words = await this.#mesh.hold(batch.map(({ part, place, objects }) => versionOf(part, place, objects)));
      for (const [i, { part, place }] of batch.entries()) {
        const rejected = words[i];
        if (rejected !== undefined) yield { rejected };
        else yield* this.#trial(part, this.#road(part, place));
      }
    }
  }

  async *#trial({ service }: Part, road: Pick<Road, 'ask' | 'close'>): AsyncGenerator<Trial> {
    yield {
      ask: (cell) =>
        service === undefined || cell.service === service ? askMesh(cell, road, this.#presenter) : 'not askable',
    };
    road.close();
  }

  /** The part that a version changes. */
  #changed(version: readonly Rendered[]): Part {
    const index = version.findIndex((it, i) => it !== this.objects[i]);
    const found = this.#parts.find(({ objects }) => objects.includes(this.objects[Math.max(index, 0)]!));
    if (found === undefined) throw new Error(`${this.name}: a version of nothing`);
    return found;
  }
}

function versionOf(part: Part, place: Place, objects: readonly Rendered[]): Version {
  return { place, instead: part.namespace, objects: objects.map(({ value }) => value as KubeObject) };
}
