import { CREDENTIAL } from '../../../src/targets/istio/ingress.ts';
import type { Stage } from '../../harness/index.ts';
import { documentedMesh } from '../istio/mesh.ts';
import {
  type Ingress,
  type KubeObject,
  type Lab,
  plainService,
  settleEach,
  startLab,
  type Workload,
} from '../lab/index.ts';
import { EDGE, INGRESS, POD, PORT } from './istio-policies.ts';
import type { Subject } from './policies.ts';
import { startServed } from './services.ts';

/** Where the services that ingresses lead to begin to listen. */
const FIRST_PORT = 9000;
/** Where a slot's program listens, inside. */
const APP_PORT = 18080;
/** What a slot's program answers with: it does not know which service it stands for. */
export const SLOT = 'slot';

/**
 * A place for rendered objects: an Envoy in a namespace of its own. The policy says another namespace; objects are put
 * into this one instead, so that many versions of them stand side by side.
 */
export interface Place {
  readonly envoy: Ingress | Workload;
  readonly namespace: string;
  /** What is there now, by kind, namespace and name. */
  readonly there: Map<string, KubeObject>;
}

/** Objects for a place; `instead` is the namespace that they were rendered for. */
export interface Version {
  readonly place: Place;
  readonly instead: string;
  readonly objects: readonly KubeObject[];
}

const nameOf = ({ kind, metadata }: KubeObject): string => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`;

function placed(object: KubeObject, { place, instead }: Version): KubeObject {
  const { namespace } = object.metadata;
  if (!namespace?.startsWith(instead)) return object;
  // What a mutant added to the name stays.
  const own = place.namespace + namespace.slice(instead.length);
  return { ...object, metadata: { ...object.metadata, namespace: own } };
}

/**
 * One lab for all policies of the matrix: some ingresses, and some pods ("slots") that stand for the workload of one
 * service after the other. Behind the ingresses are plain services, so that what an ingress lets pass is not refused a
 * second time. Forty workloads would be eighty containers; a slot takes another service's objects in a third of a second.
 */
export class IstioMesh {
  readonly lab: Lab;
  readonly ingresses: readonly Place[];
  readonly slots: readonly Place[];

  private constructor(lab: Lab, ingresses: readonly Place[], slots: readonly Place[]) {
    this.lab = lab;
    this.ingresses = ingresses;
    this.slots = slots;
  }

  static async start(stage: Stage, subjects: readonly Subject[], count: number): Promise<IstioMesh> {
    const trustDomain = subjects[0]!.policy.mesh!.trustDomain;
    const names = [...new Set(subjects.flatMap(({ policy }) => Object.keys(policy.services)))];
    const served = names.map((name, i) => ({ name, host: 'services', port: FIRST_PORT + i }));
    const [lab, services] = await Promise.all([
      // A Gateway opens ports of pods in its own namespace only: the versions of it must not meet.
      startLab(stage, { trustDomain, mesh: documentedMesh(), env: { PILOT_SCOPE_GATEWAY_TO_NAMESPACE: 'true' } }),
      startServed(stage, served),
    ]);
    const numbers = Array.from({ length: count }, (_, i) => i + 1);
    const [ingresses, slots] = await Promise.all([
      Promise.all(numbers.map((n) => startPlace(`${EDGE}-${n}`, (name) => startIngress(lab, name)))),
      Promise.all(numbers.map((n) => startPlace(`slot-${n}`, (name) => startSlot(stage, lab, name)))),
      lab.kube.apply(
        served.flatMap(({ name, port }) =>
          plainService({ name, namespace: name, port: 80, targetPort: port, ip: services.ip }),
        ),
      ),
    ]);
    return new IstioMesh(lab, ingresses, slots);
  }

  /**
   * Puts other objects into some places, and waits until the Envoys there enforce them.
   *
   * @returns for each, why API server, istiod or Envoy do not take it; undefined: it holds
   */
  async hold(versions: readonly Version[]): Promise<readonly (string | undefined)[]> {
    const changes = await Promise.all(versions.map((version) => this.#put(version)));
    const there = changes.flatMap((change) => change.there);
    const gone = changes.flatMap((change) => change.gone);
    const envoys = versions.map(({ place }) => place.envoy);
    const { refused } = await settleEach(
      { kube: this.lab.kube, istiod: this.lab.istiod, envoys },
      { there, gone },
      { keeps: true },
    );
    return changes.map(({ rejected }, i) => rejected ?? refused.get(envoys[i]!));
  }

  /** Applies what differs from what is there, and takes the rest away. */
  async #put(version: Version) {
    const { there: before } = version.place;
    const objects = version.objects.map((object) => placed(object, version));
    const wanted = new Map(objects.map((object) => [nameOf(object), object]));
    const fresh = [...wanted].filter(([name, object]) => JSON.stringify(before.get(name)) !== JSON.stringify(object));
    const gone = [...before].filter(([name]) => !wanted.has(name)).map(([, object]) => object);
    const applied = await Promise.all([
      ...fresh.map(async ([name, object]) => {
        const made = await this.lab.kube.apply(object).catch((error: Error) => error.message);
        if (typeof made !== 'string') before.set(name, object);
        return made;
      }),
      this.lab.kube.delete(gone).then(() => []),
    ]);
    for (const object of gone) before.delete(nameOf(object));
    const rejected = applied.find((it) => typeof it === 'string');
    return { there: applied.flatMap((it) => (typeof it === 'string' ? [] : it)), gone, rejected };
  }
}

async function startPlace(namespace: string, start: (namespace: string) => Promise<Place['envoy']>): Promise<Place> {
  return { namespace, envoy: await start(namespace), there: new Map() };
}

function startIngress(lab: Lab, namespace: string): Promise<Ingress> {
  return lab.startIngress({
    namespace,
    name: namespace,
    labels: INGRESS,
    serviceAccount: 'ingress',
    ports: [8443],
    dns: ['ingress.mesh'],
    credentialName: CREDENTIAL,
  });
}

function startSlot(stage: Stage, lab: Lab, namespace: string): Promise<Workload> {
  return lab.startWorkload({
    namespace,
    name: namespace,
    labels: POD,
    serviceAccount: 'service',
    port: PORT,
    app: {
      port: APP_PORT,
      start: ({ alias, ports }) => startServed(stage, [{ name: SLOT, host: alias, port: APP_PORT }], ports),
    },
  });
}
