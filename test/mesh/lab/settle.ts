import { until } from '../../harness/index.ts';
import type { Dump } from './dump.ts';
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
  const mark = nextMark();
  await kube.apply(markerObject(mark));
  for (const words of await Promise.all(envoys.map((envoy) => carries(envoy, mark, timeoutMs)))) {
    if (words !== undefined) throw new NotEnforced(words);
  }
  return mark;
}

const nextMark = (): string => `lab-${++marks}`;

/** What was changed in a namespace that has one Envoy. */
export interface Changed {
  readonly namespace: string;
  readonly envoy: MeshEnvoy;
  readonly there: readonly KubeObject[];
  readonly gone: readonly KubeObject[];
}

/**
 * Waits until the Envoys of some namespaces enforce what was changed there, each its own and with a mark of its own. They
 * keep connections after an answer: whoever asks has to open new ones.
 *
 * @returns for each, why it does not; undefined: it does
 * @throws NotEnforced where istiod does not know of the objects
 */
export async function settleEach(
  { kube, istiod }: { readonly kube: Kube; readonly istiod: Istiod },
  changes: readonly Changed[],
  timeoutMs = 10_000,
): Promise<readonly (string | undefined)[]> {
  const all = { there: changes.flatMap(({ there }) => there), gone: changes.flatMap(({ gone }) => gone) };
  await knows(istiod, all, timeoutMs);
  return Promise.all(
    changes.map(async ({ namespace, envoy }) => {
      const mark = nextMark();
      await kube.apply(markerObject(mark, true, namespace));
      return carries(envoy, mark, timeoutMs);
    }),
  );
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
    { what: `istiod to know of ${[...wanted, ...unwanted].map(keyOf).join(', ')}`, timeoutMs, everyMs: 20 },
  ).catch((error: Error) => error);
  if (state instanceof Error) throw new NotEnforced(state.message);
}

function versionOf(object: KubeObject | undefined): number {
  return Number(object?.metadata.resourceVersion ?? -1);
}

/** Waits until an Envoy has all that came with the mark; why it does not take it, or undefined. */
async function carries(envoy: MeshEnvoy, mark: string, timeoutMs: number): Promise<string | undefined> {
  let refused: string | undefined;
  const settled = async () => {
    // A whole dump of forty hosts is megabytes: first only whether the mark is there at all.
    const isThere = () => envoy.hasListener(mark).catch(() => false);
    await until(isThere, { what: `${envoy.name}: the mark ${mark}`, timeoutMs });
    const hasAll = (dump: Dump) => {
      refused = refusal(dump, mark);
      return refused !== undefined || hasMark(dump, mark);
    };
    await envoy.waitFor(`the mark ${mark}`, hasAll, timeoutMs);
  };
  const words = await settled().then(
    () => undefined,
    (error: Error) => error.message,
  );
  return refused === undefined ? words : `${envoy.name} refuses ${refused}`;
}
