import type { Answer, Box, Sent, Stage } from '../../harness/index.ts';
import type { Core } from './lab.ts';
import { bootstrap, MeshEnvoy, type Trust } from './mesh-envoy.ts';
import { accountObjects, type Pod, podObjects, podStatus } from './pod.ts';
import { configure, startEnvoyIn } from './start-envoy.ts';

export interface IngressOptions {
  /** Where it runs, and what `Gateway` and policies select it by. */
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  /** Its service's and pod's name; default `ingress`. */
  readonly name?: string;
  /** Ports that Gateway objects open; the first is the one that {@link Ingress.send} asks. */
  readonly ports: readonly number[];
  /** DNS names of its certificate, its names in the network too; the first is checked by {@link Ingress.send}. */
  readonly dns: readonly string[];
  /** Name of the secret with its certificate and its clients' CA, as `credentialName` has it. */
  readonly credentialName: string;
  /** CA of the clients, PEM; default the stage's mesh CA. */
  readonly clientCa?: string;
}

/** The mesh ingress: Envoy as Istio's gateway, its listeners from Gateway objects. */
export class Ingress extends MeshEnvoy {
  readonly #port: number;

  constructor(box: Box, name: string, port: number, trust: Trust) {
    super(box, name, trust);
    this.#port = port;
  }

  /** One request on a connection of its own, with an identity's certificate and key in one PEM, or without. */
  send(clientPem: string | undefined, authority: string, sent?: Sent): Promise<Answer> {
    return this.ask(this.#port, clientPem, authority, sent);
  }

  /** Where it answers, for `sendHttp2` and `keepAlive`. */
  target(clientPem?: string) {
    return this.at(this.#port, clientPem);
  }
}

/** Starts an ingress. It listens once a Gateway object selects it. */
export async function startIngress(stage: Stage, core: Core, options: IngressOptions): Promise<Ingress> {
  const { namespace, labels, serviceAccount, dns } = options;
  const ports = options.ports.map((port) => [port, port] as const);
  const pod: Pod = { name: options.name ?? 'ingress', namespace, labels, serviceAccount, ports };
  const name = `${pod.name}.${namespace}`;
  const [box, certificate, identity] = await Promise.all([
    startEnvoyIn(stage, pod.name, { aliases: dns }),
    stage.meshCa.server(dns),
    stage.meshCa.client(core.spiffe(namespace, serviceAccount)),
    core.kube.apply(accountObjects(pod)),
  ]);
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: options.credentialName, namespace },
    type: 'Opaque',
    stringData: {
      'tls.crt': certificate.cert,
      'tls.key': certificate.key,
      'ca.crt': options.clientCa ?? stage.meshCa.cert,
    },
  };
  const [token] = await Promise.all([
    core.kube.token(namespace, serviceAccount, 'istio-ca'),
    core.kube.apply([secret, ...podObjects(pod, box.host)]).then(() => core.kube.applyStatus(podStatus(pod, box.host))),
    core.sds.give(name, { ...identity, ca: stage.meshCa.cert }),
  ]);
  const node = { kind: 'router' as const, pod: pod.name, namespace, labels, serviceAccount, ip: box.host, token };
  await configure(box, bootstrap(node));
  const ingress = new Ingress(box, name, options.ports[0]!, { name: dns[0]!, ca: stage.meshCa.cert });
  core.envoys.push(ingress);
  return ingress;
}
