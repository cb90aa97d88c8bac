import { readYaml } from '../yaml.ts';
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

function documentsIn(name: string, text: string): readonly unknown[] {
  try {
    return readYaml(text);
  } catch (error) {
    throw new Error(`${name}: ${(error as Error).message}`);
  }
}

/** Istio's objects in some files: several documents, lists, or one object each. */
export function liveObjects(files: Readonly<Record<string, string>>): readonly LiveObject[] {
  return Object.entries(files)
    .flatMap(([name, text]) => documentsIn(name, text).flatMap(flatten))
    .filter(({ apiVersion }) => typeof apiVersion === 'string' && /\.istio\.io\//.test(apiVersion));
}

/** The layer of an object that meshgate rendered; undefined for anybody else's. */
export function layerOf({ metadata: { labels } }: LiveObject): Layer | undefined {
  const layer = labels?.[LAYER];
  return labels?.[MANAGED_BY] === 'meshgate' && (layer === 'ingress' || layer === 'workload') ? layer : undefined;
}
