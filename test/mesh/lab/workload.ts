import { type Answer, type Box, Echo, type Sent, type Stage, startService } from '../../harness/index.ts';
import type { Core } from './lab.ts';
import { bootstrap, MeshEnvoy, type Trust } from './mesh-envoy.ts';
import type { KubeObject } from './objects.ts';
import { accountObjects, type Pod, podObjects, podStatus } from './pod.ts';
import { configure, startEnvoyIn } from './start-envoy.ts';

export interface WorkloadOptions {
  /** The service's and the pod's name, and the echo's. */
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  /** The port of its sidecar, on every address of the pod. */
  readonly port: number;
  /** The service's own port; default the same. */
  readonly servicePort?: number;
  /** The program behind the sidecar; by default an echo. */
  readonly app?: App;
}

/** A program of a pod, started by the test itself; the sidecar runs in the same network. */
export interface App {
  /** Its port, which differs from that of its service. */
  readonly port: number;
  /** Starts it with these names in the network. */
  start(place: { readonly alias: string; readonly aliases: readonly string[] }): Promise<Box>;
}

/** The echo listens here, inside the pod. */
const echoPort = 18080;
const echoAdminPort = 9901;

/** A workload: an echo service, or another app, with Envoy as its sidecar in front. */
export class Workload extends MeshEnvoy {
  readonly app: Box;
  readonly #port: number;

  constructor(box: Box, app: Box, name: string, port: number, trust: Trust) {
    super(box, name, trust);
    this.app = app;
    this.#port = port;
  }

  /** The requests that its echo received, if it is one. */
  get echo(): Echo {
    return new Echo(this.app);
  }

  /** Sends one request directly to the sidecar, without the ingress, as another pod would. */
  send(clientPem: string | undefined, authority: string, sent?: Sent): Promise<Answer> {
    return this.ask(this.#port, clientPem, authority, sent);
  }

  target(clientPem?: string) {
    return this.at(this.#port, clientPem);
  }
}

/** Starts an app and its sidecar; done when istiod has given the sidecar its listener. */
export async function startWorkload(stage: Stage, core: Core, options: WorkloadOptions): Promise<Workload> {
  const { name: service, namespace, labels, serviceAccount, port, app = echoOf(stage) } = options;
  const pod: Pod = { name: service, namespace, labels, serviceAccount, ports: [[options.servicePort ?? port, port]] };
  const name = `${pod.name}.${namespace}`;
  const aliases = [`${service}.${namespace}`, `${service}.${namespace}.svc.cluster.local`];
  const [inside, identity] = await Promise.all([
    app.start({ alias: service, aliases }),
    stage.meshCa.client(core.spiffe(namespace, serviceAccount)),
    core.kube.apply(accountObjects(pod)),
  ]);
  const { host: ip } = inside;
  const [box, token] = await Promise.all([
    startEnvoyIn(stage, `${service}-sidecar`, { inside }),
    core.kube.token(namespace, serviceAccount, 'istio-ca'),
    core.kube
      .apply([...podObjects(pod, ip), sidecar(pod, port, app.port)])
      .then(() => core.kube.applyStatus(podStatus(pod, ip))),
    core.sds.give(name, { ...identity, ca: stage.meshCa.cert }),
  ]);
  await configure(box, bootstrap({ kind: 'sidecar', pod: pod.name, namespace, labels, serviceAccount, ip, token }));
  const trust = { name: '', ca: stage.meshCa.cert, serverSpiffe: core.spiffe(namespace, serviceAccount) };
  const workload = new Workload(box, inside, name, port, trust);
  // State: the listener of its port is active. settle waits for its policies.
  await workload.waitFor(`a listener on port ${port}`, ({ listeners }) =>
    listeners.some((listener) => listener.active !== undefined && listener.name.endsWith(`_${port}`)),
  );
  core.envoys.push(workload);
  return workload;
}

function echoOf(stage: Stage): App {
  return {
    port: echoPort,
    start: (names) =>
      startService(stage, 'echo', {
        ...names,
        env: { NAME: names.alias, PORT: String(echoPort), ADMIN_PORT: String(echoAdminPort) },
      }),
  };
}

/** Without interception by iptables, the sidecar listens on the pod's port itself. */
function sidecar({ name, namespace, labels }: Pod, port: number, appPort: number): KubeObject {
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
          defaultEndpoint: `127.0.0.1:${appPort}`,
          captureMode: 'NONE',
        },
      ],
      egress: [{ hosts: ['./*'], captureMode: 'NONE' }],
    },
  };
}
