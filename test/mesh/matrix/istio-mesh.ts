import { gatewayName } from '../../../src/targets/istio/ingress.ts';
import { ownerOf } from '../../../src/targets/kit/owner.ts';
import type { Stage } from '../../harness/index.ts';
import { documentedMesh } from '../istio/mesh.ts';
import {
  type Changed,
  type EnvoyState,
  type Ingress,
  type KubeObject,
  type Lab,
  plainService,
  Rejected,
  startLab,
  type Workload,
  waitUntilEachEnforces,
} from '../lab/index.ts';
import { EDGE, INGRESS, POD, PORT } from './istio-policies.ts';
import type { Subject } from './policies.ts';
import { startServed } from './services.ts';

/** The first port of the services behind the ingresses. */
const FIRST_PORT = 9000;
/** The port of a slot's program, inside. */
const APP_PORT = 18080;
/** The answer of a slot's program, which does not know its service. */
export const SLOT = 'slot';

/**
 * A place for rendered objects: an Envoy in a namespace of its own. The policy says another namespace; objects are put
 * into this one instead, so that many versions of them stand side by side.
 */
export interface Place {
  readonly envoy: Ingress | Workload;
  readonly namespace: string;
  /** The present objects, by kind, namespace and name. */
  readonly there: Map<string, KubeObject>;
}

/** Objects for a place; `instead` is the namespace that they were rendered for. */
export interface Version {
  readonly place: Place;
  readonly instead: string;
  readonly objects: readonly KubeObject[];
}

const nameOf = ({ kind, metadata }: KubeObject): string => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`;

/** Whether the API server can store it at all. */
function isNamed({ apiVersion, kind, metadata }: KubeObject): boolean {
  return [apiVersion, kind, metadata?.name].every((it) => typeof it === 'string');
}

function placed(object: KubeObject, { place, instead }: Pick<Version, 'place' | 'instead'>): KubeObject {
  const { namespace = 'elsewhere' } = object.metadata;
  // A text that a mutant added to the name stays, and so does another name, which no place has.
  const own = namespace.startsWith(instead) ? namespace.slice(instead.length) : `-${namespace}`;
  return { ...object, metadata: { ...object.metadata, namespace: place.namespace + own } };
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
    const { policy } = subjects[0]!;
    const { trustDomain } = policy.mesh!;
    const credential = gatewayName(ownerOf(policy));
    const names = [...new Set(subjects.flatMap(({ policy }) => Object.keys(policy.services)))];
    const served = names.map((name, i) => ({ name, host: 'services', port: FIRST_PORT + i }));
    const [lab, services] = await Promise.all([
      // A Gateway opens only ports of pods in its own namespace: its versions must not meet.
      startLab(stage, { trustDomain, mesh: documentedMesh(), env: { PILOT_SCOPE_GATEWAY_TO_NAMESPACE: 'true' } }),
      startServed(stage, served),
    ]);
    const numbers = Array.from({ length: count }, (_, i) => i + 1);
    const [ingresses, slots] = await Promise.all([
      Promise.all(numbers.map((n) => startPlace(`${EDGE}-${n}`, (name) => startIngress(lab, name, credential)))),
      Promise.all(numbers.map((n) => startPlace(`slot-${n}`, (name) => startSlot(stage, lab, name)))),
      lab.kube.apply(
        served.flatMap(({ name, port }) =>
          plainService({ name, namespace: name, port: 80, targetPort: port, ip: services.host, others: [81] }),
        ),
      ),
    ]);
    // State: each ingress has a cluster for each service. No mark waits for services, because no policy is about them.
    await Promise.all(
      ingresses.map(({ envoy }) =>
        envoy.waitFor('all services', ({ clusters, warming }) =>
          names.every((name) => {
            const cluster = `outbound|80||${name}.${name}.svc.cluster.local`;
            return clusters.includes(cluster) && !warming.includes(cluster);
          }),
        ),
      ),
    );
    return new IstioMesh(lab, ingresses, slots);
  }

  /**
   * The answer of API server and istiod about an object in a place; nothing is changed.
   *
   * @returns why they do not take it; undefined: they do
   */
  async refusal(
    object: KubeObject,
    { place, instead }: Pick<Version, 'place' | 'instead'>,
  ): Promise<string | undefined> {
    if (!isNamed(object)) return 'an object without kind or name is none';
    const verdict = await this.lab.kube.verdict(placed(object, { place, instead }));
    return verdict.accepted ? undefined : verdict.words;
  }

  /**
   * Replaces the objects of some places, and waits until the Envoys there enforce them, or never can.
   */
  async hold(versions: readonly Version[]): Promise<readonly EnvoyState[]> {
    const changes = await Promise.all(versions.map((version) => this.#put(version)));
    return waitUntilEachEnforces(this.lab, changes);
  }

  /** Applies the objects that differ from the present ones, and deletes the others. */
  async #put(version: Version): Promise<Changed> {
    const { there: before, envoy, namespace } = version.place;
    const wanted = new Map(
      version.objects.map((object) => placed(object, version)).map((object) => [nameOf(object), object]),
    );
    const fresh = [...wanted].filter(([name, object]) => JSON.stringify(before.get(name)) !== JSON.stringify(object));
    const gone = [...before].filter(([name]) => !wanted.has(name)).map(([, object]) => object);
    for (const object of gone) before.delete(nameOf(object));
    for (const [name, object] of fresh) before.set(name, object);
    const [there] = await Promise.all([
      Promise.all(fresh.map(([, object]) => this.#apply(object))),
      this.lab.kube.delete(gone),
    ]);
    return { namespace, envoy, there: there.flat(), gone };
  }

  /** A change that removes the last field of a part leaves a null there and is rejected: the object is then made
   * again. Trouble of the API server is no such rejection, and is not tried again. */
  async #apply(object: KubeObject): Promise<KubeObject[]> {
    const { kube } = this.lab;
    try {
      return await kube.apply(object);
    } catch (error) {
      if (!(error instanceof Rejected)) throw error;
      await kube.delete(object);
      return kube.apply(object);
    }
  }
}

async function startPlace(namespace: string, start: (namespace: string) => Promise<Place['envoy']>): Promise<Place> {
  return { namespace, envoy: await start(namespace), there: new Map() };
}

function startIngress(lab: Lab, namespace: string, credentialName: string): Promise<Ingress> {
  return lab.startIngress({
    namespace,
    name: namespace,
    labels: INGRESS,
    serviceAccount: 'ingress',
    ports: [8443],
    dns: ['ingress.mesh'],
    credentialName,
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
      start: ({ alias }) => startServed(stage, [{ name: SLOT, host: alias, port: APP_PORT }]),
    },
  });
}
