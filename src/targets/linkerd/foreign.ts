import { isNear, type Labels, type LiveObject, mayMeet, titleOf } from '../kube-object.ts';
import type { Rendered } from './objects.ts';

interface Ref {
  readonly kind?: unknown;
  readonly name?: unknown;
  readonly namespace?: unknown;
}

type Spec = Readonly<Record<string, unknown>>;

const specOf = ({ spec }: LiveObject): Spec => (spec ?? {}) as Spec;

/** References; what is no object names anything. */
const refsOf = (value: unknown): readonly Ref[] =>
  (Array.isArray(value) ? value : [value]).map((it) => (typeof it === 'object' && it !== null ? it : {}) as Ref);

/** As Linkerd compares kinds and the names in references: it ignores their case. */
const folded = (value: unknown): string | undefined => (typeof value === 'string' ? value.toLowerCase() : undefined);

/** Ours of one namespace. */
const near = (other: LiveObject, own: readonly Rendered[]) => own.filter((it) => isNear(other, it));

/** What references may name beside ours without a meaning for ours. */
const TARGETS = ['server', 'httproute', 'grpcroute'];
const PARENTS = ['server', 'service', 'gateway', 'egressnetwork', 'unmeshednetwork'];

/** Whether a reference may name one of ours: by its kind and name, as its namespace, or by a kind that nobody knows. */
function names({ kind, name }: Ref, it: Rendered, known: readonly string[]): boolean {
  const what = folded(kind);
  if (what === undefined || !known.includes(what)) return true;
  if (what !== it.kind.toLowerCase()) return false;
  return name === undefined || folded(name) === it.metadata.name.toLowerCase();
}

/** One of ours that some references may name. */
function named(refs: readonly Ref[], other: LiveObject, own: readonly Rendered[], known: readonly string[]) {
  const servers = own.filter(({ kind }) => kind === 'Server');
  const met = [...servers, ...own].find((it) =>
    refs.some((ref) => {
      const isHere = isNear(other, it) || ref.namespace === it.metadata.namespace;
      return isHere && names(ref, it, known);
    }),
  );
  return met && titleOf(met);
}

function server(other: LiveObject, own: readonly Rendered[]): string | undefined {
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

function route(other: LiveObject, own: readonly Rendered[]): string | undefined {
  const met = named(refsOf(specOf(other).parentRefs), other, own, PARENTS);
  return met && `it takes requests from the routes of ${met}`;
}

function authorization(other: LiveObject, own: readonly Rendered[]): string | undefined {
  const met = named(refsOf(specOf(other).targetRef), other, own, TARGETS);
  return met && `it lets in more than routes of ${met} allow`;
}

function serverAuthorization(other: LiveObject, own: readonly Rendered[]): string | undefined {
  const [{ name } = {}] = refsOf(specOf(other).server);
  const met = near(other, own).find((it) => it.kind === 'Server' && names({ kind: 'server', name }, it, TARGETS));
  return met && `it lets in more than routes of ${titleOf(met)} allow`;
}

function limit(other: LiveObject, own: readonly Rendered[]): string | undefined {
  const met = named(refsOf(specOf(other).targetRef), other, own, TARGETS);
  return met && `it may refuse what ${met} lets in`;
}

function authentication(other: LiveObject, own: readonly Rendered[]): string | undefined {
  const { kind, metadata } = other;
  const met = near(other, own).find((it) => it.kind === kind && it.metadata.name === folded(metadata.name));
  return met && `policies of ours name it, and it stands in place of ${titleOf(met)}`;
}

/** It counts only where a policy names it, and no policy of ours names one. */
const byReference = () => undefined;

const BEARINGS: Readonly<Record<string, (other: LiveObject, own: readonly Rendered[]) => string | undefined>> = {
  Server: server,
  HTTPRoute: route,
  GRPCRoute: route,
  AuthorizationPolicy: authorization,
  ServerAuthorization: serverAuthorization,
  HTTPLocalRateLimitPolicy: limit,
  MeshTLSAuthentication: authentication,
  NetworkAuthentication: byReference,
};

/**
 * How an object of others may change the answers of those that the policy renders to.
 *
 * @returns undefined: it is known not to
 */
export function bearingOf(other: LiveObject, own: readonly Rendered[]): string | undefined {
  const bearing = Object.hasOwn(BEARINGS, other.kind) ? BEARINGS[other.kind] : undefined;
  return bearing === undefined ? 'prove does not know objects of this kind' : bearing(other, own);
}
