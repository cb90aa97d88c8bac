import { type Labels, mayMeet } from '../kube-object.ts';
import type { Rendered } from './objects.ts';
import type { KubeObject } from './parse.ts';

interface Ref {
  readonly kind?: string;
  readonly name?: string;
}

type Spec = Readonly<Record<string, unknown>>;

const specOf = ({ spec }: KubeObject): Spec => (spec ?? {}) as Spec;

const refsOf = (value: unknown): readonly Ref[] =>
  (Array.isArray(value) ? value : [value]).filter((it) => typeof it === 'object' && it !== null) as Ref[];

const titleOf = ({ kind, metadata }: Rendered) => `${kind} ${metadata.namespace}/${metadata.name}`;

/** Ours of one namespace. */
const near = (other: KubeObject, own: readonly Rendered[]) =>
  own.filter(({ metadata }) => metadata.namespace === other.metadata?.namespace);

/** One of ours that some references name; the namespace itself, where that is what they name. */
function named(refs: readonly Ref[], other: KubeObject, own: readonly Rendered[]): string | undefined {
  const here = near(other, own);
  const met = here.find((it) =>
    refs.some(({ kind, name }) => kind === 'Namespace' || (kind === it.kind && name === it.metadata.name)),
  );
  return met && titleOf(met);
}

function server(other: KubeObject, own: readonly Rendered[]): string | undefined {
  const { podSelector, port } = specOf(other) as {
    readonly podSelector?: { readonly matchLabels?: Labels };
    readonly port?: unknown;
  };
  // A port by its name, and labels by expressions, may be any.
  const met = near(other, own).find(({ kind, spec }) => {
    const ours = spec as { readonly podSelector: { readonly matchLabels: Labels }; readonly port: number };
    if (kind !== 'Server' || (typeof port === 'number' && port !== ours.port)) return false;
    return mayMeet(podSelector?.matchLabels ?? {}, ours.podSelector.matchLabels);
  });
  return met && `it may count in place of ${titleOf(met)}`;
}

function route(other: KubeObject, own: readonly Rendered[]): string | undefined {
  const met = named(refsOf(specOf(other).parentRefs), other, own);
  return met && `it takes requests from the routes of ${met}`;
}

function authorization(other: KubeObject, own: readonly Rendered[]): string | undefined {
  const met = named(refsOf(specOf(other).targetRef), other, own);
  return met && `it lets in more than routes of ${met} allow`;
}

function serverAuthorization(other: KubeObject, own: readonly Rendered[]): string | undefined {
  const { name } = (specOf(other).server ?? {}) as { readonly name?: string };
  const met = near(other, own).find((it) => it.kind === 'Server' && (name === undefined || name === it.metadata.name));
  return met && `it lets in more than routes of ${titleOf(met)} allow`;
}

function limit(other: KubeObject, own: readonly Rendered[]): string | undefined {
  const met = named(refsOf(specOf(other).targetRef), other, own);
  return met && `it may refuse what ${met} lets in`;
}

/** It counts only where a policy names it, and no policy of ours names one of others. */
const byReference = () => undefined;

const BEARINGS: Readonly<Record<string, (other: KubeObject, own: readonly Rendered[]) => string | undefined>> = {
  Server: server,
  HTTPRoute: route,
  GRPCRoute: route,
  AuthorizationPolicy: authorization,
  ServerAuthorization: serverAuthorization,
  HTTPLocalRateLimitPolicy: limit,
  MeshTLSAuthentication: byReference,
  NetworkAuthentication: byReference,
  Kustomization: byReference,
};

/**
 * How an object of others may change the answers of those that the policy renders to.
 *
 * @returns undefined: it is known not to
 */
export function bearingOf(other: KubeObject, own: readonly Rendered[]): string | undefined {
  const bearing = BEARINGS[other.kind ?? ''];
  return bearing === undefined ? 'prove does not know objects of this kind' : bearing(other, own);
}
