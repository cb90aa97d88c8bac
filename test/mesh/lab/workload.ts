import { type Answer, type Box, Echo, type Sent, type Stage, startService } from '../../harness/index.ts';
import type { Core } from './lab.ts';
import { adminPort, bootstrap, MeshEnvoy, type Trust } from './mesh-envoy.ts';
import type { KubeObject } from './objects.ts';
import { accountObjects, type Pod, podObjects, podStatus } from './pod.ts';
import { configure, startEnvoyIn } from './start-envoy.ts';

export interface WorkloadOptions {
  /** The service's and the pod's name, and the echo's. */
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  /** Where its sidecar listens; the service's port too. */
  readonly port: number;
}

/** The echo listens here, inside the pod. */
const echoPort = 18080;
const echoAdminPort = 9901;

/** A workload: an echo service, and in front of it Envoy as its sidecar. */
export class Workload extends MeshEnvoy {
  readonly echo: Echo;
  readonly #port: number;

  constructor(box: Box, echo: Echo, name: string, port: number, trust: Trust) {
    super(box, echo.box, name, trust);
    this.echo = echo;
    this.#port = port;
  }

  /** One request straight to the sidecar, past the ingress, as another pod would. */
  send(clientPem: string | undefined, authority: string, sent?: Sent): Promise<Answer> {
    return this.ask(this.#port, clientPem, authority, sent);
  }

  target(clientPem?: string) {
    return this.at(this.#port, clientPem);
  }
}

/** Starts an echo service and its sidecar; done when istiod has given the sidecar its listener. */
export async function startWorkload(stage: Stage, core: Core, options: WorkloadOptions): Promise<Workload> {
  const { name: service, namespace, labels, serviceAccount, port } = options;
  const pod: Pod = { name: service, namespace, labels, serviceAccount, ports: [port] };
  const name = `${pod.name}.${namespace}`;
  const host = `${service}.${namespace}.svc.cluster.local`;
  const [echo, identity] = await Promise.all([
    startService(stage, 'echo', {
      alias: service,
      aliases: [`${service}.${namespace}`, host],
      ports: [port, adminPort, echoPort],
      env: { NAME: service, PORT: String(echoPort), ADMIN_PORT: String(echoAdminPort) },
    }),
    stage.meshCa.client(core.spiffe(namespace, serviceAccount)),
    core.kube.apply(accountObjects(pod)),
  ]);
  const { ip } = echo;
  const [box, token] = await Promise.all([
    startEnvoyIn(stage, `${service}-sidecar`, { inside: echo }),
    core.kube.token(namespace, serviceAccount, 'istio-ca'),
    core.kube.apply([...podObjects(pod, ip), sidecar(pod, port)]).then(() => core.kube.applyStatus(podStatus(pod, ip))),
    core.sds.give(name, { ...identity, ca: stage.meshCa.cert }),
  ]);
  await configure(box, bootstrap({ kind: 'sidecar', pod: pod.name, namespace, labels, serviceAccount, ip, token }));
  const trust = { name: '', ca: stage.meshCa.cert, serverSpiffe: core.spiffe(namespace, serviceAccount) };
  const workload = new Workload(box, new Echo(echo), name, port, trust);
  await workload.waitFor(`a listener on port ${port}`, ({ listeners }) =>
    listeners.some((listener) => listener.active !== undefined && listener.name.endsWith(`_${port}`)),
  );
  core.envoys.push(workload);
  return workload;
}

/** Without interception by iptables, the sidecar listens on the pod's port itself. */
function sidecar({ name, namespace, labels }: Pod, port: number): KubeObject {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'Sidecar',
    metadata: { name: `lab-${name}`, namespace },
    spec: {
      workloadSelector: { labels },
      ingress: [
        {
          bind: '0.0.0.0',
          port: { number: port, protocol: 'HTTP', name: `http-${port}` },
          defaultEndpoint: `127.0.0.1:${echoPort}`,
          captureMode: 'NONE',
        },
      ],
      egress: [{ hosts: ['./*'], captureMode: 'NONE' }],
    },
  };
}
