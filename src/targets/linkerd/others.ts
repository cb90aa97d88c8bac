import {
  type Bearing,
  type Bearings,
  isNear,
  kubeBearing,
  type Labels,
  type LiveObject,
  mayMeet,
  titleOf,
} from '../kit/kubernetes-objects.ts';

interface Ref {
  readonly kind?: unknown;
  readonly name?: unknown;
  readonly namespace?: unknown;
}

type Spec = Readonly<Record<string, unknown>>;

const specOf = ({ spec }: LiveObject): Spec => (spec ?? {}) as Spec;

/** The references in a value. If an item is not an object, it may name anything. */
const refsOf = (value: unknown): readonly Ref[] =>
  (Array.isArray(value) ? value : [value]).map((it) => (typeof it === 'object' && it !== null ? it : {}) as Ref);

/** The text in lower case, because Linkerd ignores the case of kinds and names in references. */
const folded = (value: unknown): string | undefined => (typeof value === 'string' ? value.toLowerCase() : undefined);

/** The rendered objects that are in the same namespace. */
const near = (other: LiveObject, own: readonly LiveObject[]) => own.filter((it) => isNear(other, it));

/** The kinds that are known here. A reference to any other kind may name a rendered object. */
const TARGETS = ['server', 'httproute', 'grpcroute'];
const PARENTS = ['server', 'service', 'gateway', 'egressnetwork', 'unmeshednetwork'];

/** Whether a reference may name a rendered object: by kind and name, or because the kind is unknown. */
function names({ kind, name }: Ref, it: LiveObject, known: readonly string[]): boolean {
  const what = folded(kind);
  if (what === undefined || !known.includes(what)) return true;
  if (what !== it.kind.toLowerCase()) return false;
  return name === undefined || folded(name) === it.metadata.name.toLowerCase();
}

/** The text about the rendered object that a member of another object may name. */
const naming =
  (member: string, known: readonly string[], text: (met: string) => string): Bearing =>
  (other, own) => {
    const refs = refsOf(specOf(other)[member]);
    const servers = own.filter(({ kind }) => kind === 'Server');
    const met = [...servers, ...own].find((it) =>
      refs.some((ref) => {
        const isHere = isNear(other, it) || ref.namespace === it.metadata.namespace;
        return isHere && names(ref, it, known);
      }),
    );
    return met && text(titleOf(met));
  };

const server: Bearing = (other, own) => {
  const { podSelector, port } = specOf(other) as {
    readonly podSelector?: { readonly matchLabels?: Labels };
    readonly port?: unknown;
  };
  // A port that is given by name, or labels that are given by expressions, may match any rendered server.
  const met = near(other, own).find(({ kind, spec }) => {
    const ours = spec as { readonly podSelector: { readonly matchLabels: Labels }; readonly port: number };
    if (kind !== 'Server' || (typeof port === 'number' && port !== ours.port)) return false;
    return mayMeet(podSelector?.matchLabels ?? {}, ours.podSelector.matchLabels);
  });
  return met && `it may apply instead of ${titleOf(met)}`;
};

const takes = naming('parentRefs', PARENTS, (met) => `it takes requests from the routes of ${met}`);

/** A route in another namespace than its Server has no effect. */
const route: Bearing = (other, own) => takes(other, near(other, own));

const serverAuthorization: Bearing = (other, own) => {
  const [{ name } = {}] = refsOf(specOf(other).server);
  const met = near(other, own).find((it) => it.kind === 'Server' && names({ kind: 'server', name }, it, TARGETS));
  return met && `it allows more than routes of ${titleOf(met)} allow`;
};

const authentication: Bearing = (other, own) => {
  const { kind, metadata } = other;
  const met = near(other, own).find((it) => it.kind === kind && it.metadata.name === folded(metadata.name));
  return met && `rendered policies name it, and it replaces ${titleOf(met)}`;
};

const BEARINGS: Bearings = {
  Server: server,
  HTTPRoute: route,
  GRPCRoute: route,
  AuthorizationPolicy: naming('targetRef', TARGETS, (met) => `it allows more than routes of ${met} allow`),
  ServerAuthorization: serverAuthorization,
  HTTPLocalRateLimitPolicy: naming('targetRef', TARGETS, (met) => `it may refuse what ${met} allows`),
  MeshTLSAuthentication: authentication,
  // A NetworkAuthentication has an effect only if a policy names it, and no rendered policy does.
  NetworkAuthentication: () => undefined,
};

/** How another object may change the decisions of the rendered ones; undefined if it does not. */
export const bearingOf = (other: LiveObject, own: readonly LiveObject[]): string | undefined =>
  kubeBearing(BEARINGS, other.kind, other, own);
