import { type Box, envoyCommand, envoyImage, type Stage, startContainer } from '../../harness/index.ts';
import type { Assertions } from '../matrix/assertions.ts';
import { Identities } from '../matrix/identities.ts';
import { askMesh, type Presenter } from '../matrix/mesh-ask.ts';
import type { Subject } from '../matrix/policies.ts';
import { Road } from '../matrix/road.ts';
import type { Answer, Cell, Side } from '../matrix/types.ts';
import { renderedEntries } from './ask.ts';
import { takenIn } from './objects.ts';
import { proxyConfig, type Workload } from './proxy.ts';
import { ConsulSide, consulView } from './side.ts';

const FILES = { cert: '/run/proxy/tls.crt', key: '/run/proxy/tls.key', ca: '/run/proxy/ca.pem' };
const NAME = 'sidecar.test';
const FIRST_PORT = 21000;

/** Envoy takes what is expired for a minute, unless it is told otherwise. */
const EXPIRED_FOR = 70;

/** A real Envoy with what Consul makes of the rendered entries, a listener for each workload. */
export class ConsulEnvoySide implements Side {
  readonly name = 'consul on envoy';
  readonly #evaluated: ConsulSide;
  readonly #presenter: Presenter;
  readonly #roads: ReadonlyMap<string, Road>;

  private constructor(evaluated: ConsulSide, presenter: Presenter, roads: ReadonlyMap<string, Road>) {
    this.#evaluated = evaluated;
    this.#presenter = presenter;
    this.#roads = roads;
  }

  /** @param change what becomes of the entries before Consul gets them */
  static async start(
    stage: Stage,
    { policy, rules }: Subject,
    assertions: Assertions,
    change: (entries: readonly unknown[]) => readonly unknown[] = (entries) => entries,
  ): Promise<ConsulEnvoySide> {
    const services = Object.values(policy.services).filter(({ direct }) => direct === undefined);
    const workloads = services.map(
      ({ name, consulService, endpoint }, index): Workload => ({
        service: consulService ?? name,
        listen: FIRST_PORT + index,
        ...endpoint,
      }),
    );
    const entries = change(renderedEntries(policy, rules, assertions.published)).map(takenIn);
    const config = proxyConfig(entries, workloads, FILES, policy.mesh?.trustDomain ?? '');
    const server = await stage.meshCa.server(NAME);
    const box: Box = await startContainer(stage, {
      image: envoyImage,
      command: envoyCommand,
      alias: 'sidecars',
      ports: workloads.map(({ listen }) => listen),
      files: {
        '/etc/envoy/envoy.yaml': JSON.stringify(config),
        [FILES.cert]: server.cert,
        [FILES.key]: server.key,
        [FILES.ca]: stage.meshCa.cert,
      },
      ready: /starting workers/,
    });
    const { cert: ca } = stage.meshCa;
    const view = { ...consulView(policy), rules: [] };
    const { ingress } = view;
    const right = ingress === undefined ? undefined : async () => (await stage.meshCa.client(ingress)).pem;
    const identities = new Identities(policy, stage.meshCa, right);
    const roads = services.map(({ name }, index) => {
      const port = box.port(FIRST_PORT + index);
      return [name, new Road({ host: box.host, port, tls: true, name: NAME, ca })] as const;
    });
    const presenter = { view, identities, ca, assertions, expiredFor: EXPIRED_FOR };
    return new ConsulEnvoySide(new ConsulSide(policy, rules), presenter, new Map(roads));
  }

  expected(cell: Cell): Answer | undefined {
    return this.#evaluated.expected(cell);
  }

  async ask(cell: Cell): Promise<Answer> {
    const road = this.#roads.get(cell.service);
    if (road === undefined) return 'not askable';
    const answer = await askMesh(cell, road, this.#presenter);
    // A fragment is refused before any permission.
    return answer === 'refused: path' ? 'refused: rules' : answer;
  }

  close(): void {
    for (const road of this.#roads.values()) road.close();
  }
}
