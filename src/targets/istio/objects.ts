import { jwksUri } from '../../assertion/published.ts';
import { TO_SERVICE } from '../../internal-headers.ts';
import type { Assertion } from '../../policy/types.ts';
import { hash } from '../../rules/hash.ts';
import { isManaged, type KubeObject, type LiveObject, MANAGED, type Metadata } from '../kit/kubernetes.ts';

/** Which layer an object belongs to: `ingress` or `workload`. */
export const LAYER = 'meshgate/layer';
/** Annotation with the ids of the policy's rules, one for each rule of the object. */
export const RULES = 'meshgate/rules';

type Layer = 'ingress' | 'workload';

/** The layer of a rendered object; undefined for any other object. */
export function layerOf(object: LiveObject): Layer | undefined {
  const layer = object.metadata.labels?.[LAYER];
  return isManaged(object) && (layer === 'ingress' || layer === 'workload') ? layer : undefined;
}

const LONGEST = 63;

/** A valid Kubernetes name (RFC 1123), the same for the same parts. A long one ends in a hash of the whole. */
export function objectName(...parts: readonly string[]): string {
  const name = ['meshgate', ...parts].join('-');
  return name.length <= LONGEST ? name : `${name.slice(0, LONGEST - 17)}-${hash(name)}`;
}

/** Metadata of a rendered object. */
export function metadata(layer: Layer, name: string, namespace: string): Metadata {
  return { name, namespace, labels: { ...MANAGED, [LAYER]: layer } };
}

/** A rule of Istio's `AuthorizationPolicy`, in the forms that are used here. */
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

export function istioObject(kind: string, metadata: Metadata, spec: unknown): KubeObject {
  return { apiVersion: VERSIONS[kind] ?? '', kind, metadata, spec };
}

/** The pods of an object. */
export const selector = (labels: Readonly<Record<string, string>>) => ({ selector: { matchLabels: labels } });

/** How the assertion is verified. An invalid one is denied. A request without one passes here and is left to the rules,
 * because `anyone` needs none. */
export function requestAuthentication(
  meta: Metadata,
  labels: Readonly<Record<string, string>>,
  jwks: string | undefined,
  assertion: Assertion,
  audiences: readonly string[],
): KubeObject {
  return istioObject('RequestAuthentication', meta, {
    ...selector(labels),
    jwtRules: [
      {
        issuer: assertion.issuer,
        audiences,
        ...(jwks === undefined ? { jwksUri: jwksUri(assertion) } : { jwks }),
        fromHeaders: [{ name: TO_SERVICE.assertion }],
        forwardOriginalToken: true,
      },
    ],
  });
}

/** Name of the extension provider in Istio's mesh config; docs/istio.md has its text. */
export const LOG_PROVIDER = 'meshgate';

/** An access log with trace and peer, by the provider in the mesh config. */
export function telemetry(meta: Metadata, labels: Readonly<Record<string, string>>): KubeObject {
  return istioObject('Telemetry', meta, {
    ...selector(labels),
    accessLogging: [{ providers: [{ name: LOG_PROVIDER }] }],
  });
}
