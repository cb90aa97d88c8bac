import { istio } from '../../../src/targets/istio/index.ts';
import type { Stage } from '../../harness/index.ts';
import { type KubeObject, readObjects } from '../lab/index.ts';
import type { Assertions } from './assertions.ts';
import { Connection } from './connection.ts';
import type { View } from './expect.ts';
import { Identities } from './identities.ts';
import { type IstioMesh, type Place, SLOT } from './istio-mesh.ts';
import { EDGE } from './istio-policies.ts';
import { expectedAt, istioView } from './istio-view.ts';
import { askMesh, type Presenter } from './mesh-ask.ts';
import type { Subject } from './policies.ts';
import type { Answer, Cell, Rendered, Side } from './types.ts';

/** Seconds for which Envoy accepts an expired assertion, and some more. */
const EXPIRED_FOR = 70;

const titleOf = ({ kind, metadata }: KubeObject) => `${kind} ${metadata.namespace}/${metadata.name}`;

/** Objects that belong together: those of the ingress, or of one workload. */
export interface Part {
  /** The service of a workload; absent: the ingress. */
  readonly service?: string;
  /** The namespace that its objects were rendered for. */
  readonly namespace: string;
  readonly objects: readonly Rendered[];
}

/** The rendered objects of a policy, in parts. */
export function partsOf({ policy, rules }: Subject, published: string): readonly Part[] {
  const { files } = istio.emit(policy, rules, { assertionJwks: published });
  return Object.entries(files).flatMap(([file, text]): Part[] => {
    if (file === 'kustomization.yaml') return [];
    const objects = readObjects(text).map((value) => ({ name: titleOf(value), value }));
    const service = /^workloads\/(.*)\.yaml$/.exec(file)?.[1];
    return [service === undefined ? { namespace: EDGE, objects } : { service, namespace: service, objects }];
  });
}

/** One of Istio's layers: real Envoys that enforce the rendered objects. */
export class IstioSide implements Side {
  readonly name: string;
  readonly parts: readonly Part[];
  /** The places for them. */
  readonly places: readonly Place[];
  readonly mesh: IstioMesh;
  readonly #presenter: Presenter;
  /** By the present objects. */
  readonly #connections = new Map<string, Pick<Connection, 'ask' | 'close'>>();

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
    this.mesh = mesh;
    this.places = layer === 'ingress' ? mesh.ingresses : mesh.slots;
    this.parts = partsOf(subject, assertions.published).filter(
      ({ service }) => (service === undefined) === (layer === 'ingress'),
    );
    const ingress = async () => (await meshCa.client(view.ingress!)).pem;
    const identities = new Identities(subject.policy, meshCa, layer === 'ingress' ? undefined : ingress);
    this.#presenter = { view, identities, ca: meshCa.cert, assertions, expiredFor: EXPIRED_FOR };
  }

  /** The parts in groups that fit into the lab at once: the ingress, or some workloads. */
  get waves(): readonly (readonly Part[])[] {
    const size = this.places.length;
    return this.parts.flatMap((_, i) => (i % size === 0 ? [this.parts.slice(i, i + size)] : []));
  }

  /** Makes Envoys enforce some parts as they were rendered. */
  async hold(parts: readonly Part[]): Promise<void> {
    const versions = parts.map(({ namespace, objects }, i) => ({
      place: this.places[i]!,
      instead: namespace,
      objects: objects.map(({ value }) => value as KubeObject),
    }));
    const stable = await this.mesh.hold(versions);
    // A connection keeps the configuration with which it began.
    for (const connection of this.#connections.values()) connection.close();
    this.#connections.clear();
    for (const [i, part] of parts.entries()) {
      const its = stable[i]!;
      if ('refused' in its) throw new Error(its.refused);
      this.#connections.set(part.service ?? EDGE, this.connection(part, this.places[i]!, its.mark));
    }
  }

  expected(cell: Cell): Answer {
    return expectedAt(cell, this.#presenter.view);
  }

  async ask(cell: Cell): Promise<Answer> {
    const connection = this.#connections.get(this.#presenter.view.layer === 'ingress' ? EDGE : cell.service);
    return connection === undefined ? 'not askable' : this.askBy(connection, cell);
  }

  askBy(connection: Pick<Connection, 'ask'>, cell: Cell): Promise<Answer> {
    return askMesh(cell, connection, this.#presenter);
  }

  /**
   * The address of the place that has the objects of a part.
   *
   * @param mark what its Envoy stands at: an answer that names another one is an error
   */
  connection({ service }: Part, { envoy }: Place, mark: string): Pick<Connection, 'ask' | 'close'> {
    const { host, port, name, serverSpiffe } = envoy.target();
    const spiffe = serverSpiffe === undefined ? {} : { serverSpiffe };
    const connection = new Connection({ host, port, tls: true, name, ca: this.#presenter.ca, ...spiffe });
    return {
      close: () => connection.close(),
      async ask(client, query) {
        const reply = await connection.ask(client, query);
        if (typeof reply !== 'object') return reply;
        if (reply.server !== undefined && reply.server !== mark) {
          throw new Error(`${envoy.name} answers by ${reply.server}, and was to enforce ${mark}`);
        }
        return service !== undefined && reply.answered === SLOT ? { ...reply, answered: service } : reply;
      },
    };
  }
}
