import { isCanonical } from '../../../src/base/raw-path.ts';
import { type Box, envoyCommand, envoyImage, type Stage, startContainer } from '../../harness/index.ts';
import type { Assertions } from '../matrix/assertions.ts';
import { Connection } from '../matrix/connection.ts';
import type { View } from '../matrix/expect.ts';
import { Identities } from '../matrix/identities.ts';
import { askMesh, type Presenter } from '../matrix/mesh-ask.ts';
import type { Subject } from '../matrix/policies.ts';
import type { Answer, Cell, Side } from '../matrix/types.ts';
import { renderedEntries } from './ask.ts';
import { takenIn } from './objects.ts';
import { proxyConfig, type Workload } from './proxy.ts';
import { ConsulSide, consulView } from './side.ts';
import { readPath } from './target.ts';

const FILES = { cert: '/run/proxy/tls.crt', key: '/run/proxy/tls.key', ca: '/run/proxy/ca.pem' };
const NAME = 'sidecar.test';
const FIRST_PORT = 21000;

/** By default Envoy accepts expired tokens for one more minute. */
const EXPIRED_FOR = 70;

/** A raw path as Envoy normalises it. */
function madePlain(raw: string): ReturnType<View['path']> {
  const path = readPath('GET', raw, true);
  return path !== undefined && isCanonical(path) ? { path } : { refused: 'refused: rules' };
}

/** How an Envoy is started, if not as in a current mesh. */
export interface Otherwise {
  /** Changes the entries before Consul reads them. */
  readonly change?: (entries: readonly unknown[]) => readonly unknown[];
  /** Paths are read as they are, as before Consul 1.20.1. */
  readonly old?: boolean;
}

/** A real Envoy with Consul's configuration for the rendered entries, with one listener for each workload. */
export class ConsulEnvoySide implements Side {
  readonly name = 'consul on envoy';
  readonly #evaluated: ConsulSide;
  readonly #presenter: Presenter;
  readonly #connections: ReadonlyMap<string, Connection>;

  private constructor(evaluated: ConsulSide, presenter: Presenter, connections: ReadonlyMap<string, Connection>) {
    this.#evaluated = evaluated;
    this.#presenter = presenter;
    this.#connections = connections;
  }

  static async start(
    stage: Stage,
    { policy, rules }: Subject,
    assertions: Assertions,
    { change = (entries) => entries, old = false }: Otherwise = {},
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
    const config = proxyConfig(entries, workloads, FILES, {
      trustDomain: policy.mesh?.trustDomain ?? '',
      normalizes: !old,
    });
    const server = await stage.meshCa.server(NAME);
    const box: Box = await startContainer(stage, {
      image: envoyImage,
      command: envoyCommand,
      alias: 'sidecars',
      files: {
        '/etc/envoy/envoy.yaml': JSON.stringify(config),
        [FILES.cert]: server.cert,
        [FILES.key]: server.key,
        [FILES.ca]: stage.meshCa.cert,
      },
      ready: /starting workers/,
    });
    const { cert: ca } = stage.meshCa;
    const view = { ...(old ? consulView(policy) : consulView(policy, madePlain)), rules: [] };
    const { ingress } = view;
    const right = ingress === undefined ? undefined : async () => (await stage.meshCa.client(ingress)).pem;
    const identities = new Identities(policy, stage.meshCa, right);
    const connections = services.map(({ name }, index) => {
      const port = FIRST_PORT + index;
      return [name, new Connection({ host: box.host, port, tls: true, name: NAME, ca })] as const;
    });
    const presenter = { view, identities, ca, assertions, expiredFor: EXPIRED_FOR };
    return new ConsulEnvoySide(new ConsulSide(policy, rules, view), presenter, new Map(connections));
  }

  expected(cell: Cell): Answer | undefined {
    return this.#evaluated.expected(cell);
  }

  async ask(cell: Cell): Promise<Answer> {
    const connection = this.#connections.get(cell.service);
    if (connection === undefined) return 'not askable';
    const answer = await askMesh(cell, connection, this.#presenter);
    // A fragment is refused before any permission.
    return answer === 'refused: path' ? 'refused: rules' : answer;
  }

  close(): void {
    for (const connection of this.#connections.values()) connection.close();
  }
}
