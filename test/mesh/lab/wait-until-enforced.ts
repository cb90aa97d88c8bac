import { until } from '../../harness/index.ts';
import type { Dump } from './dump.ts';
import type { Fences } from './fence.ts';
import { HUNG_MS } from './hung.ts';
import type { Kube } from './kube.ts';
import { hasMark, markerObject, refusal } from './marker.ts';
import type { MeshEnvoy } from './mesh-envoy.ts';
import type { KubeObject } from './objects.ts';

/** An Envoy refused istiod's configuration for the objects. */
export class NotEnforced extends Error {}

let marks = 0;

const nextMark = (): string => `lab-${++marks}`;

/** The signs by which objects are known to be enforced. */
interface Core {
  readonly kube: Kube;
  readonly fences: Fences;
}

/**
 * Waits until every Envoy enforces the objects as the API server keeps them, and no longer those that are gone.
 *
 * First istiod has to have handled them (see {@link Fences}); then a mark is sent through istiod to every Envoy.
 *
 * @returns the mark: answers of the Envoys now carry it in `server`
 * @throws NotEnforced where one cannot take them
 */
export async function waitUntilEnforced(
  { kube, fences, envoys }: Core & { readonly envoys: readonly MeshEnvoy[] },
  changed: { readonly there: readonly KubeObject[]; readonly gone: readonly KubeObject[] },
): Promise<string> {
  await fences.pass([...changed.there, ...changed.gone]);
  const mark = nextMark();
  await kube.apply(markerObject(mark));
  for (const words of await Promise.all(envoys.map((envoy) => carries(kube, envoy, mark)))) {
    if (words !== undefined) throw new NotEnforced(words);
  }
  return mark;
}

/** The changes in a namespace that has one Envoy. */
export interface Changed {
  readonly namespace: string;
  readonly envoy: MeshEnvoy;
  readonly there: readonly KubeObject[];
  readonly gone: readonly KubeObject[];
}

/** The state of an Envoy: the mark in its answers, or its reason for refusing the change. */
export type EnvoyState = { readonly mark: string } | { readonly refused: string };

/**
 * Waits until the Envoys of some namespaces enforce the changes there, each one its own and with its own mark. They
 * keep connections after an answer: a client has to open new ones.
 */
export async function waitUntilEachEnforces(
  { kube, fences }: Core,
  changes: readonly Changed[],
): Promise<readonly EnvoyState[]> {
  await fences.pass(changes.flatMap(({ there, gone }) => [...there, ...gone]));
  return Promise.all(
    changes.map(async ({ namespace, envoy }): Promise<EnvoyState> => {
      const mark = nextMark();
      await kube.apply(markerObject(mark, true, namespace));
      const refused = await carries(kube, envoy, mark);
      return refused === undefined ? { mark } : { refused };
    }),
  );
}

/**
 * Waits until an Envoy enforces everything with the mark: its listeners and routes have the mark, and no listener or
 * cluster is warming. Clusters come before the listeners of the same push.
 *
 * @returns why it never will, or undefined
 */
async function carries(kube: Kube, envoy: MeshEnvoy, mark: string): Promise<string | undefined> {
  // State: the listener with exactly this mark is there, and then everything else of its push. A whole dump of forty
  // hosts is megabytes, so the mark alone is checked first.
  const isThere = () => envoy.hasListener(mark).catch(() => false);
  await until(isThere, {
    what: `${envoy.name}: the mark ${mark}`,
    timeoutMs: HUNG_MS,
    help: () => envoy.box.logs.tail(),
  });
  let refused: string | undefined;
  const stable = async (dump: Dump) => {
    const words = refusal(dump, mark);
    refused = words === undefined ? await missing(kube, envoy, dump) : `${envoy.name} refuses ${words}`;
    return refused !== undefined || (hasMark(dump, mark) && dump.warming.length === 0);
  };
  await envoy.waitFor(`all of the mark ${mark}`, stable, HUNG_MS);
  return refused;
}

/** A secret that a listener waits for and that does not exist: the listener never starts. */
async function missing(kube: Kube, envoy: MeshEnvoy, { listeners, warming }: Dump): Promise<string | undefined> {
  if (warming.length === 0 && listeners.every(({ active }) => active !== undefined)) return undefined;
  for (const name of await envoy.awaitedSecrets()) {
    const metadata = { name, namespace: envoy.namespace };
    const there = await kube.read({ apiVersion: 'v1', kind: 'Secret', metadata });
    if (there === undefined) return `${envoy.name} waits for the secret ${name}, which is not there`;
  }
  return undefined;
}
