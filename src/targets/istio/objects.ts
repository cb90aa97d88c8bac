import { hash } from '../../rules/hash.ts';

/** An object as the Kubernetes API takes it. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
  readonly spec: unknown;
}

export interface Metadata {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The label that tells rendered objects from all others. */
export const MANAGED_BY = 'app.kubernetes.io/managed-by';
/** Which layer an object belongs to: `ingress` or `workload`. */
export const LAYER = 'meshgate/layer';
/** Annotation: ids of the rules that the policy was rendered from, one for each of its own rules. */
export const RULES = 'meshgate/rules';

export type Layer = 'ingress' | 'workload';

const LONGEST = 63;

/** A name that Kubernetes takes (RFC 1123), the same for the same parts; a long one ends in a hash of the whole. */
export function objectName(...parts: readonly string[]): string {
  const name = ['meshgate', ...parts].join('-');
  return name.length <= LONGEST ? name : `${name.slice(0, LONGEST - 17)}-${hash(name)}`;
}

/** Metadata of a rendered object. */
export function metadata(
  layer: Layer,
  name: string,
  namespace: string,
  annotations?: Readonly<Record<string, string>>,
): Metadata {
  const labels = { [MANAGED_BY]: 'meshgate', [LAYER]: layer };
  return { name, namespace, labels, ...(annotations && { annotations }) };
}

/** Istio's `AuthorizationPolicy` rule, the forms that are used here. */
export interface IstioRule {
  readonly from: readonly [{ readonly source: { readonly principals: readonly string[] } }];
  readonly to: readonly [{ readonly operation: Operation }];
  readonly when?: readonly Condition[];
}

export interface Operation {
  readonly hosts?: readonly string[];
  readonly methods?: readonly string[];
  readonly paths: readonly string[];
  readonly notPaths?: readonly string[];
}

export interface Condition {
  readonly key: string;
  readonly values?: readonly string[];
  readonly notValues?: readonly string[];
}

const SECURITY = 'security.istio.io/v1';
const NETWORKING = 'networking.istio.io/v1';
const TELEMETRY = 'telemetry.istio.io/v1';

const VERSIONS: Readonly<Record<string, string>> = {
  AuthorizationPolicy: SECURITY,
  PeerAuthentication: SECURITY,
  RequestAuthentication: SECURITY,
  Gateway: NETWORKING,
  VirtualService: NETWORKING,
  Telemetry: TELEMETRY,
};

/** An object of one of Istio's kinds. */
export function istioObject(kind: string, metadata: Metadata, spec: unknown): KubeObject {
  return { apiVersion: VERSIONS[kind] ?? '', kind, metadata, spec };
}

/** The pods that an object is about. */
export const selector = (labels: Readonly<Record<string, string>>) => ({ selector: { matchLabels: labels } });
