import type { Answer, Box, Sent, Stage } from '../../harness/index.ts';
import type { Core } from './lab.ts';
import { bootstrap, MeshEnvoy, type Trust } from './mesh-envoy.ts';
import { accountObjects, type Pod, podObjects, podStatus } from './pod.ts';
import { configure, startEnvoyIn } from './start-envoy.ts';

export interface IngressOptions {
  /** Its namespace, and the labels by which `Gateway` and policies select it. */
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  /** Its service's and pod's name; default `ingress`. */
  readonly name?: string;
  /** Ports that Gateway objects open; {@link Ingress.send} uses the first. */
  readonly ports: readonly number[];
  /** DNS names of its certificate, which are also its names in the network; {@link Ingress.send} verifies the first. */
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

  /** Sends one request on its own connection, with an identity's certificate and key in one PEM, or without. */
  send(clientPem: string | undefined, authority: string, sent?: Sent): Promise<Answer> {
    return this.ask(this.#port, clientPem, authority, sent);
  }

  /** Its address, for `sendHttp2` and `keepAlive`. */
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
