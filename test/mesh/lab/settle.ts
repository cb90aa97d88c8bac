import { until } from '../../harness/index.ts';
import type { Istiod } from './istiod.ts';
import type { Kube } from './kube.ts';
import { hasMark, markerObject, refusal } from './marker.ts';
import type { MeshEnvoy } from './mesh-envoy.ts';
import type { KubeObject } from './objects.ts';

/** The Envoys could not take what istiod made of the objects, or istiod could not take the objects. */
export class NotEnforced extends Error {}

let marks = 0;

/**
 * Waits until every Envoy enforces the objects as the API server keeps them, and no longer those that are gone.
 *
 * First istiod's own store is asked, for each kind of object comes to it by a watch of its own; then a mark is sent
 * through istiod to every Envoy.
 *
 * @returns the mark: answers of the Envoys now carry it in `server`
 */
export async function settle(
  { kube, istiod, envoys }: { kube: Kube; istiod: Istiod; envoys: readonly MeshEnvoy[] },
  changed: { readonly there: readonly KubeObject[]; readonly gone: readonly KubeObject[] },
  timeoutMs = 10_000,
): Promise<string> {
  await knows(istiod, changed, timeoutMs);
  const mark = `lab-${++marks}`;
  await kube.apply(markerObject(mark));
  await Promise.all(envoys.map((envoy) => carries(envoy, mark, timeoutMs)));
  return mark;
}

const isIstios = ({ apiVersion }: KubeObject) => /\.istio\.io\//.test(apiVersion);
const keyOf = ({ kind, metadata }: KubeObject) => `${kind} ${metadata.namespace}/${metadata.name}`;

/** Waits until istiod's store is at these objects. */
async function knows(
  istiod: Istiod,
  { there, gone }: { readonly there: readonly KubeObject[]; readonly gone: readonly KubeObject[] },
  timeoutMs: number,
): Promise<void> {
  const wanted = there.filter(isIstios);
  const unwanted = gone.filter(isIstios);
  if (wanted.length + unwanted.length === 0) return;
  const state = await until(
    async () => {
      const store = new Map(((await istiod.debug('/debug/configz')) as KubeObject[]).map((one) => [keyOf(one), one]));
      const late = wanted.filter((one) => versionOf(store.get(keyOf(one))) < versionOf(one));
      return late.length === 0 && !unwanted.some((one) => store.has(keyOf(one)));
    },
    { what: `istiod to know of ${[...wanted, ...unwanted].map(keyOf).join(', ')}`, timeoutMs },
  ).catch((error: Error) => error);
  if (state instanceof Error) throw new NotEnforced(state.message);
}

function versionOf(object: KubeObject | undefined): number {
  return Number(object?.metadata.resourceVersion ?? -1);
}

async function carries(envoy: MeshEnvoy, mark: string, timeoutMs: number): Promise<void> {
  let refused: string | undefined;
  const waited = await envoy
    .waitFor(
      `the mark ${mark}`,
      (dump) => {
        refused = refusal(dump, mark);
        return refused !== undefined || hasMark(dump, mark);
      },
      timeoutMs,
    )
    .catch((error: Error) => error);
  if (refused !== undefined) throw new NotEnforced(`${envoy.name} refuses ${refused}`);
  if (waited instanceof Error) throw new NotEnforced(waited.message);
}
