import { Foreign } from '../types.ts';
import { type Comparing, differences, type Neutral, objectDifferences } from './compare.ts';
import { DEFAULT_OWNER } from './owner.ts';
import { documentsIn } from './yaml.ts';

const KEPT = 'the API server keeps it for itself, and no proxy reads it';
const TOOL = 'a tool that applies objects finds its own objects by it, and no proxy reads it';

const metadata = (why: string, inside: readonly string[], ...names: readonly string[]): readonly Neutral[] =>
  names.map((name) => ({ path: ['metadata', ...inside, name], why }));

/** Members that Kubernetes adds to an object and that change no decision. */
export const KUBE_NEUTRAL: readonly Neutral[] = [
  ...metadata(KEPT, [], 'uid', 'resourceVersion', 'generation', 'creationTimestamp', 'managedFields', 'selfLink'),
  ...metadata('says what removes the object, or delays its removal', [], 'ownerReferences', 'finalizers'),
  ...metadata(TOOL, ['labels'], 'app.kubernetes.io/instance', 'argocd.argoproj.io/instance', 'helm.sh/chart'),
  ...metadata(TOOL, ['labels'], 'kustomize.toolkit.fluxcd.io/name', 'kustomize.toolkit.fluxcd.io/namespace'),
  ...metadata(TOOL, ['annotations'], 'kubectl.kubernetes.io/last-applied-configuration'),
  ...metadata(TOOL, ['annotations'], 'argocd.argoproj.io/tracking-id'),
  ...metadata(TOOL, ['annotations'], 'argocd.argoproj.io/sync-wave', 'argocd.argoproj.io/sync-options'),
  ...metadata(TOOL, ['annotations'], 'meta.helm.sh/release-name', 'meta.helm.sh/release-namespace'),
];

/** Any object, as `kubectl get -o yaml` prints it. */
export interface LiveObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly creationTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: unknown;
  readonly status?: unknown;
}

export interface ObjectMetadata {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A rendered object. */
export interface KubeObject extends LiveObject {
  readonly metadata: ObjectMetadata;
}

const MANAGED_BY = 'app.kubernetes.io/managed-by';

/** The label with the owner of a rendered object. Tools that apply objects change `app.kubernetes.io/instance`, so it
 * cannot be this label. */
const OWNER = 'meshgate/gateway';

/** The labels that mark the rendered objects of an owner. */
export const marksOf = (owner: string) => ({ [MANAGED_BY]: 'meshgate', [OWNER]: owner });

/** The owner of an object; undefined if meshgate did not render the object. */
export const objectOwner = ({ metadata: { labels } }: LiveObject): string | undefined =>
  labels?.[MANAGED_BY] === 'meshgate' ? (labels[OWNER] ?? DEFAULT_OWNER) : undefined;

/** Returns whether an object is one of the rendered objects of an owner. */
export const isOf =
  (owner: string) =>
  (object: LiveObject): boolean =>
    objectOwner(object) === owner;

/** The title of an object, such as `AuthorizationPolicy wiki/meshgate-workload-wiki.e4e065b7e486746a`. */
export const objectTitle = ({ kind, metadata }: Pick<LiveObject, 'kind' | 'metadata'>): string =>
  `${kind} ${metadata.namespace ?? ''}/${metadata.name}`;

/** The API group of an object's kind. It is empty for kinds of Kubernetes itself. */
export const groupOf = ({ apiVersion }: Pick<LiveObject, 'apiVersion'>): string =>
  apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';

/** Whether two objects are in the same namespace. An object that names no namespace may be in any. */
export const isNear = (a: Pick<LiveObject, 'metadata'>, b: Pick<LiveObject, 'metadata'>): boolean =>
  a.metadata.namespace === undefined || a.metadata.namespace === b.metadata.namespace;

/** Labels that select pods. */
export type Labels = Readonly<Record<string, string>>;

/** Whether a pod can match both selectors. It can, unless they have different values for the same label. */
export const selectorsMayOverlap = (a: Labels, b: Labels): boolean =>
  Object.entries(a).every(([key, value]) => !Object.hasOwn(b, key) || b[key] === value);

/** The file that `kubectl apply -k` reads first. It lists the other files of the folder that are applied. */
export const kustomization = (resources: readonly string[]) => ({
  apiVersion: 'kustomize.config.k8s.io/v1beta1',
  kind: 'Kustomization',
  resources,
});

/** Whether kustomize reads a document as a kustomization. The name of the file alone can decide this. */
function isKustomization(file: string, value: unknown): boolean {
  const { apiVersion, kind } = (value ?? {}) as { readonly apiVersion?: unknown; readonly kind?: unknown };
  const isNamed = /^(.*\/)?kustomization(\.ya?ml)?$/i.test(file);
  return isNamed || (kind === 'Kustomization' && /^kustomize\.config\.k8s\.io\//.test(String(apiVersion)));
}

/** How kustomizations differ from the rendered one. A patch in a kustomization can change all objects of its folder. */
const kustomizationLines = (live: readonly unknown[], resources: readonly string[]): readonly string[] =>
  live.flatMap((it) => differences(kustomization(resources), it).map((text) => `kustomization.yaml: ${text}`));

/** The Kubernetes objects in some files. */
export interface KubeFiles {
  readonly objects: readonly LiveObject[];
  readonly kustomizations: readonly unknown[];
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';

/** Returns one object or, if the value is a list as `kubectl get` prints it, the objects of the list. */
function flat(file: string, value: unknown, ask: string): readonly LiveObject[] {
  if (!isRecord(value) || !isText(value.kind)) throw new Foreign(`no objects of Kubernetes; ${ask}`, file);
  const { kind, items, apiVersion, metadata } = value;
  if (String(kind).endsWith('List') && Array.isArray(items)) return items.flatMap((it) => flat(file, it, ask));
  // kubectl reads every object with `items` as a list, whatever its kind is.
  if (items !== undefined || String(kind).endsWith('List'))
    throw new Error(`${file}: ${kind}: items need a kind that ends in List, and must be a list`);
  const isComplete =
    isText(apiVersion) &&
    isRecord(metadata) &&
    isText(metadata.name) &&
    (metadata.namespace === undefined || isText(metadata.namespace));
  if (!isComplete)
    throw new Error(`${file}: ${kind}: apiVersion, metadata.name and metadata.namespace must be strings`);
  return [value as unknown as LiveObject];
}

/** Returns all objects in some files: each has one object, documents or a list. `ask` says how to get such files. */
export function kubeFiles(files: Readonly<Record<string, string>>, ask: string): KubeFiles {
  const all = Object.entries(files).flatMap(([file, text]) =>
    documentsIn(file, text).map((value) => ({ file, value, isOurs: isKustomization(file, value) })),
  );
  return {
    objects: all.flatMap(({ file, value, isOurs }) => (isOurs ? [] : flat(file, value, ask))),
    kustomizations: all.flatMap(({ value, isOurs }) => (isOurs ? [value] : [])),
  };
}

/** How an object of another tool may change decisions of rendered objects; undefined if it is known not to. */
export type Bearing = (other: LiveObject, own: readonly LiveObject[]) => string | undefined;
export type Bearings = Readonly<Record<string, Bearing>>;

/** The {@link Bearing} for an object's kind. An object of an unknown kind may change every decision. */
export const kubeBearing = (bearings: Bearings, kind: string, ...objects: Parameters<Bearing>): string | undefined =>
  Object.hasOwn(bearings, kind) ? bearings[kind]?.(...objects) : 'prove does not know objects of this kind';

/** What differs between meshes when their Kubernetes objects are compared. */
interface KubeComparing extends Omit<Comparing<LiveObject, LiveObject>, 'title' | 'without'> {
  /** The rendered objects that are missing, and without which nothing enforces rules at some pods. */
  readonly unguarding: readonly LiveObject[];
  /** What the mesh does with requests to these pods. */
  readonly unguarded: string;
}

/** How live objects and kustomizations differ from the rendered ones in `files`; see {@link objectDifferences}. */
export function kubeDifferences(
  own: readonly LiveObject[],
  live: KubeFiles,
  files: readonly string[],
  { unguarding, unguarded, ...comparing }: KubeComparing,
): readonly string[] {
  const without = (it: LiveObject) => (unguarding.includes(it) ? unguarded : undefined);
  return [
    ...objectDifferences(own, live.objects, { ...comparing, title: objectTitle, without }),
    ...kustomizationLines(live.kustomizations, files),
  ];
}
