import type { Stage } from '../../harness/index.ts';
import { Fences } from './fence.ts';
import { type Ingress, type IngressOptions, startIngress } from './ingress.ts';
import { type Istiod, type IstiodOptions, startIstiod } from './istiod.ts';
import { type Kube, startKube } from './kube.ts';
import type { MeshEnvoy } from './mesh-envoy.ts';
import { type Objects, readObjects } from './objects.ts';
import { type Sds, startSds } from './sds.ts';
import { waitUntilEnforced } from './wait-until-enforced.ts';
import { installWebhook } from './webhook.ts';
import { startWorkload, type Workload, type WorkloadOptions } from './workload.ts';

/** The common options of all Envoys. */
export interface Core {
  readonly kube: Kube;
  readonly istiod: Istiod;
  readonly sds: Sds;
  /** The Envoys that a change waits for. */
  readonly envoys: MeshEnvoy[];
  /** The SPIFFE id of a service account. */
  spiffe(namespace: string, serviceAccount: string): string;
}

export interface Change {
  readonly apply?: Objects;
  readonly delete?: Objects;
}

/** A Kubernetes API and an istiod, with any number of ingresses and workloads. */
export class Lab implements Core {
  readonly kube: Kube;
  readonly istiod: Istiod;
  readonly sds: Sds;
  readonly fences: Fences;
  readonly envoys: MeshEnvoy[] = [];
  readonly #stage: Stage;
  #last: Promise<unknown> = Promise.resolve();

  constructor(stage: Stage, kube: Kube, istiod: Istiod, sds: Sds) {
    this.#stage = stage;
    this.kube = kube;
    this.istiod = istiod;
    this.sds = sds;
    this.fences = new Fences(kube, istiod);
  }

  spiffe(namespace: string, serviceAccount: string): string {
    return `spiffe://${this.istiod.trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
  }

  startIngress(options: IngressOptions): Promise<Ingress> {
    return startIngress(this.#stage, this, options);
  }

  startWorkload(options: WorkloadOptions): Promise<Workload> {
    return startWorkload(this.#stage, this, options);
  }

  /** Applies objects and waits until every Envoy enforces them: {@link change}. */
  apply(given: Objects): Promise<string> {
    return this.change({ apply: given });
  }

  /** Deletes objects and waits until no Envoy enforces them any more. */
  delete(given: Objects): Promise<string> {
    return this.change({ delete: given });
  }

  /**
   * Applies objects, deletes others, and waits once for both.
   *
   * @returns the mark that answers now carry in `server`
   * @throws NotEnforced where an Envoy cannot take it, in its words
   */
  change(given: Change): Promise<string> {
    // One after the other: the mark of the next change would replace this one's before it arrives.
    const done = this.#last.then(() => this.#change(given));
    this.#last = done.catch(() => {});
    return done;
  }

  async #change(given: Change): Promise<string> {
    const gone = readObjects(given.delete ?? []);
    const [there] = await Promise.all([this.kube.apply(given.apply ?? []), this.kube.delete(gone)]);
    return waitUntilEnforced(this, { there, gone });
  }
}

/** Starts a Kubernetes API, an istiod on it, and the server of the pods' certificates. */
export async function startLab(stage: Stage, options: IstiodOptions = {}): Promise<Lab> {
  const [kube, sds] = await Promise.all([startKube(stage), startSds(stage)]);
  const istiod = await startIstiod(stage, kube, options);
  await installWebhook(kube);
  return new Lab(stage, kube, istiod, sds);
}
