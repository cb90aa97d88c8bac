import { assertionJwksUri } from '../../assertion/published.ts';
import { TO_SERVICE } from '../../base/internal-headers.ts';
import type { Assertion } from '../../policy/checked/types.ts';
import { isOf, type KubeObject, type LiveObject, marksOf, type ObjectMetadata } from '../kit/kubernetes-objects.ts';

/** The label that says to which layer an object belongs: `ingress` or `workload`. */
const LAYER = 'meshgate/layer';
/** The annotation with the ids of the policy's rules, one for each rule of the object. */
export const RULE_IDS = 'meshgate/rules';

type Layer = 'ingress' | 'workload';

/** Returns the layer of a rendered object of an owner; undefined for any other object. */
export const layersOf =
  (owner: string) =>
  (object: LiveObject): Layer | undefined => {
    const layer = object.metadata.labels?.[LAYER];
    return isOf(owner)(object) && (layer === 'ingress' || layer === 'workload') ? layer : undefined;
  };

/** The metadata of a rendered object. */
export const metadata = (owner: string, layer: Layer, name: string, namespace: string): ObjectMetadata => ({
  name,
  namespace,
  labels: { ...marksOf(owner), [LAYER]: layer },
});

/** A rule of Istio's `AuthorizationPolicy`, in the forms that meshgate renders. */
export interface IstioRule {
  readonly from: readonly [{ readonly source: { readonly principals: readonly string[] } }];
  readonly to: readonly [{ readonly operation: Operation }];
  readonly when?: readonly Condition[];
}

type Operation = { readonly paths: readonly string[] } & {
  readonly [Key in 'hosts' | 'ports' | 'methods' | 'notPaths']?: readonly string[];
};

export interface Condition {
  readonly key: string;
  readonly values?: readonly string[];
  readonly notValues?: readonly string[];
}

const GROUPS = {
  ...{ AuthorizationPolicy: 'security', PeerAuthentication: 'security', RequestAuthentication: 'security' },
  ...{ Gateway: 'networking', VirtualService: 'networking', Telemetry: 'telemetry' },
} as const;

export const istioObject = (kind: keyof typeof GROUPS, metadata: ObjectMetadata, spec: unknown): KubeObject => ({
  apiVersion: `${GROUPS[kind]}.istio.io/v1`,
  kind,
  metadata,
  spec,
});

/** The selector of the pods to which an object applies. */
export const selector = (labels: Readonly<Record<string, string>>) => ({ selector: { matchLabels: labels } });

/** @param jwks the gateway's public keys as JSON; absent: istiod fetches them */
interface VerifiedAssertion {
  readonly jwks: string | undefined;
  readonly assertion: Assertion;
  readonly audiences: readonly string[];
}

/** How Istio verifies the assertion. It denies a request with an invalid assertion. A request without one continues,
 * because a rule for `anyone` needs none; the rules decide. */
export function requestAuthentication(
  meta: ObjectMetadata,
  labels: Readonly<Record<string, string>>,
  { jwks, assertion, audiences }: VerifiedAssertion,
): KubeObject {
  return istioObject('RequestAuthentication', meta, {
    ...selector(labels),
    jwtRules: [
      {
        issuer: assertion.issuer,
        audiences,
        ...(jwks === undefined ? { jwksUri: assertionJwksUri(assertion) } : { jwks }),
        fromHeaders: [{ name: TO_SERVICE.assertion }],
        forwardOriginalToken: true,
      },
    ],
  });
}

/** The name of the extension provider in Istio's mesh config; docs/istio.md contains the text for it. */
export const LOG_PROVIDER = 'meshgate';

/** An access log with trace and peer, written by the extension provider in the mesh config. */
export function telemetry(meta: ObjectMetadata, labels: Readonly<Record<string, string>>): KubeObject {
  return istioObject('Telemetry', meta, {
    ...selector(labels),
    accessLogging: [{ providers: [{ name: LOG_PROVIDER }] }],
  });
}
