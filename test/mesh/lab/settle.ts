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
  const { mark, refused } = await settleEach({ kube, istiod, envoys }, changed, { timeoutMs });
  const [first] = refused.values();
  if (first !== undefined) throw new NotEnforced(first);
  return mark;
}

/**
 * The same, where some Envoys may refuse what came to them. With `keeps` they keep connections after an answer: whoever
 * asks has to open new ones after a change.
 *
 * @returns besides the mark, the words of those that do not enforce it
 * @throws NotEnforced where istiod does not take the objects
 */
export async function settleEach(
  { kube, istiod, envoys }: { kube: Kube; istiod: Istiod; envoys: readonly MeshEnvoy[] },
  changed: { readonly there: readonly KubeObject[]; readonly gone: readonly KubeObject[] },
  { timeoutMs = 10_000, keeps = false }: { readonly timeoutMs?: number; readonly keeps?: boolean } = {},
): Promise<{ readonly mark: string; readonly refused: ReadonlyMap<MeshEnvoy, string> }> {
  await knows(istiod, changed, timeoutMs);
  const mark = `lab-${++marks}`;
  await kube.apply(markerObject(mark, keeps));
  const refused = new Map<MeshEnvoy, string>();
  await Promise.all(
    envoys.map(async (envoy) => {
      const words = await carries(envoy, mark, timeoutMs);
      if (words !== undefined) refused.set(envoy, words);
    }),
  );
  return { mark, refused };
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

/** Waits until an Envoy has all that came with the mark; why it does not take it, or undefined. */
async function carries(envoy: MeshEnvoy, mark: string, timeoutMs: number): Promise<string | undefined> {
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
  if (refused !== undefined) return `${envoy.name} refuses ${refused}`;
  return waited instanceof Error ? waited.message : undefined;
}
