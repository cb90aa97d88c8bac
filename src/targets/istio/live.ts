import { Foreign } from '../types.ts';
import { documentsIn } from '../yaml.ts';
import { LAYER, type Layer, MANAGED_BY } from './objects.ts';

/** An object of whoever, as `kubectl get -o yaml` prints it. */
export interface LiveObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: Readonly<Record<string, unknown>>;
}

/** `AuthorizationPolicy wiki/meshgate-workload-wiki`. */
export const titleOf = ({ kind, metadata }: Pick<LiveObject, 'kind'> & { readonly metadata: LiveObject['metadata'] }) =>
  `${kind} ${metadata.namespace ?? ''}/${metadata.name}`;

function isObject(value: unknown): value is LiveObject {
  const { kind, metadata } = (value ?? {}) as Partial<LiveObject>;
  return typeof kind === 'string' && typeof metadata === 'object' && metadata !== null;
}

/** An object, or those of a list. */
function flatten(value: unknown): readonly LiveObject[] {
  const { items } = (value ?? {}) as { readonly items?: unknown };
  if (Array.isArray(items)) return items.flatMap(flatten);
  return isObject(value) ? [value] : [];
}

/** Every kind that tells what the mesh lets through. */
const ASK =
  'ask for all of its policies: kubectl get gateways.networking.istio.io,virtualservices.networking.istio.io,authorizationpolicies.security.istio.io,requestauthentications.security.istio.io,peerauthentications.security.istio.io,telemetries.telemetry.istio.io,envoyfilters.networking.istio.io,wasmplugins.extensions.istio.io -A -o yaml';

/**
 * Istio's objects in some files: several documents, lists, or one object each.
 *
 * @throws Foreign where there is none
 */
export function liveObjects(files: Readonly<Record<string, string>>): readonly LiveObject[] {
  const all = Object.entries(files).flatMap(([name, text]) => documentsIn(name, text).flatMap(flatten));
  const own = all.filter(({ apiVersion }) => typeof apiVersion === 'string' && /\.istio\.io\//.test(apiVersion));
  if (own.length === 0) {
    const other = all.find(({ kind }) => kind !== 'Kustomization');
    throw new Foreign(`no object of Istio${other ? `, but ${titleOf(other)}` : ''}; ${ASK}`);
  }
  return own;
}

/** The layer of an object that meshgate rendered; undefined for anybody else's. */
export function layerOf({ metadata: { labels } }: LiveObject): Layer | undefined {
  const layer = labels?.[LAYER];
  return labels?.[MANAGED_BY] === 'meshgate' && (layer === 'ingress' || layer === 'workload') ? layer : undefined;
}
