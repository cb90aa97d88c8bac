import type { Neutral } from './partings.ts';

const KEPT = 'the API server keeps it for itself, and no proxy reads it';
const TOOL = 'a tool that applies objects finds its own by it, and no proxy reads it';

const metadata = (why: string, ...names: readonly string[]): readonly Neutral[] =>
  names.map((name) => ({ path: ['metadata', name], why }));

const labels = (...names: readonly string[]): readonly Neutral[] =>
  names.map((name) => ({ path: ['metadata', 'labels', name], why: TOOL }));

const annotations = (...names: readonly string[]): readonly Neutral[] =>
  names.map((name) => ({ path: ['metadata', 'annotations', name], why: TOOL }));

/** What a live object of Kubernetes has beside what was applied, and changes no answer. */
export const KUBE_NEUTRAL: readonly Neutral[] = [
  ...metadata(KEPT, 'uid', 'resourceVersion', 'generation', 'creationTimestamp', 'managedFields', 'selfLink'),
  ...metadata('says who removes the object, or waits for that', 'ownerReferences', 'finalizers'),
  ...labels('app.kubernetes.io/instance', 'argocd.argoproj.io/instance', 'helm.sh/chart'),
  ...labels('kustomize.toolkit.fluxcd.io/name', 'kustomize.toolkit.fluxcd.io/namespace'),
  ...annotations('kubectl.kubernetes.io/last-applied-configuration', 'argocd.argoproj.io/tracking-id'),
  ...annotations('argocd.argoproj.io/sync-wave', 'argocd.argoproj.io/sync-options'),
  ...annotations('meta.helm.sh/release-name', 'meta.helm.sh/release-namespace'),
];

/** An object of whoever, as `kubectl get -o yaml` prints it. */
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

/** `AuthorizationPolicy wiki/meshgate-workload-wiki`. */
export const titleOf = ({ kind, metadata }: Pick<LiveObject, 'kind' | 'metadata'>): string =>
  `${kind} ${metadata.namespace ?? ''}/${metadata.name}`;

/** The group of an object's kind: nothing for Kubernetes' own. */
export const groupOf = ({ apiVersion }: Pick<LiveObject, 'apiVersion'>): string =>
  apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';

/** Whether two objects are in one namespace; one that says none may be applied to any. */
export const isNear = (a: Pick<LiveObject, 'metadata'>, b: Pick<LiveObject, 'metadata'>): boolean =>
  a.metadata.namespace === undefined || a.metadata.namespace === b.metadata.namespace;

/** Labels by which pods are selected. */
export type Labels = Readonly<Record<string, string>>;

/** Whether a pod may have all of both: selectors meet unless a label contradicts. */
export const mayMeet = (a: Labels, b: Labels): boolean =>
  Object.entries(a).every(([key, value]) => !Object.hasOwn(b, key) || b[key] === value);
