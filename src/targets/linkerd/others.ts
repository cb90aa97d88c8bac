import { ingressesFor } from '../../policy/checked/ingresses.ts';
import type { Policy } from '../../policy/checked/types.ts';
import { clusterAddress, isReachedItself } from '../../policy/checked/workload.ts';
import type { Rule } from '../../rules/types.ts';
import {
  type Bearing,
  type Bearings,
  isNear,
  kubeBearing,
  type Labels,
  type LiveObject,
  objectTitle,
  selectorsMayOverlap,
} from '../kit/kubernetes-objects.ts';
import { meshServices } from './workloads.ts';

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
  (member: string, known: readonly string[], text: (affected: string) => string): Bearing =>
  (other, own) => {
    const refs = refsOf(specOf(other)[member]);
    const servers = own.filter(({ kind }) => kind === 'Server');
    const affected = [...servers, ...own].find((it) =>
      refs.some((ref) => {
        const isHere = isNear(other, it) || ref.namespace === it.metadata.namespace;
        return isHere && names(ref, it, known);
      }),
    );
    return affected && text(objectTitle(affected));
  };

const server: Bearing = (other, own) => {
  const { podSelector, port } = specOf(other) as {
    readonly podSelector?: { readonly matchLabels?: Labels };
    readonly port?: unknown;
  };
  // A port that is given by name, or labels that are given by expressions, may match any rendered server.
  const affected = near(other, own).find(({ kind, spec }) => {
    const ours = spec as { readonly podSelector: { readonly matchLabels: Labels }; readonly port: number };
    if (kind !== 'Server' || (typeof port === 'number' && port !== ours.port)) return false;
    return selectorsMayOverlap(podSelector?.matchLabels ?? {}, ours.podSelector.matchLabels);
  });
  return affected && `it may apply instead of ${objectTitle(affected)}`;
};

const takes = naming('parentRefs', PARENTS, (affected) => `it takes requests from the routes of ${affected}`);

/** A service that requests reach through the proxy of a meshed ingress. Routes, profiles and splits of this proxy can lead
 * the requests elsewhere, where no rendered object decides. */
interface UpstreamOwner {
  /** Its name in Kubernetes; undefined if its address does not say it, so that it may be any in the namespace. */
  readonly name: string | undefined;
  readonly namespace: string | undefined;
  readonly port: string;
  /** The namespaces of the objects that the proxy reads; undefined: any. */
  readonly spaces: readonly (string | undefined)[];
}

const KUBERNETES_NAME = /^([^.]+)\.([^.]+)\.svc\..*:(\d+)$/;

function ledServices(policy: Policy, rules: readonly Rule[]): readonly UpstreamOwner[] {
  const { mesh } = policy;
  if (mesh === undefined) return [];
  return meshServices(policy, rules).flatMap((service) => {
    if (isReachedItself(mesh, service)) return [];
    const address = clusterAddress(service);
    const [, name, namespace = service.namespace] = KUBERNETES_NAME.exec(address) ?? [];
    const spaces = [namespace, ...ingressesFor(mesh, service).map((it) => it.namespace)];
    return { name, namespace, port: address.slice(address.lastIndexOf(':') + 1), spaces };
  });
}

/** A service of Kubernetes by name. If a part is absent, it may have any value. */
type Destination = Readonly<Partial<Record<'name' | 'namespace' | 'port', string | undefined>>>;

const mayBe = (a: string | undefined, b: string | undefined): boolean =>
  a === undefined || b === undefined || a.toLowerCase() === b.toLowerCase();

/** The service in NAME, NAME.NAMESPACE or NAME.NAMESPACE.svc.DOMAIN, with or without a port. */
function destinationOf(text: unknown, here: string | undefined): Destination {
  if (typeof text !== 'string') return {};
  const [, host = '', port] = /^(.*?)(?::(\d+))?$/.exec(text) ?? [];
  const [name, namespace = here] = host.split('.');
  return { name, namespace, port };
}

/** The rendered service to which an object of a proxy applies. */
const ledBy = (
  { metadata: { namespace: here } }: LiveObject,
  { name, namespace }: Destination,
  owner: readonly UpstreamOwner[],
) =>
  owner.find(
    (it) => mayBe(name, it.name) && mayBe(namespace, it.namespace) && it.spaces.some((space) => mayBe(here, space)),
  );

/** Whether a destination is certainly the same service, and the same port. */
const isSame = ({ name, namespace, port }: Destination, owner: UpstreamOwner): boolean =>
  name !== undefined && name === owner.name && namespace === owner.namespace && (port ?? owner.port) === owner.port;

const isOnly = (value: unknown, known: readonly string[]): value is Spec =>
  typeof value === 'object' && value !== null && Object.keys(value).every((name) => known.includes(name));

/** Whether all items of a list have only known members. An absent list has no items. */
const areOnly = (list: unknown, known: readonly string[], and: (item: Spec) => boolean): boolean =>
  list === undefined || (Array.isArray(list) && list.every((it) => isOnly(it, known) && and(it)));

const textIn = (value: unknown): string | undefined => (value === undefined ? undefined : String(value));

/** Whether a rule of a route sends every request unchanged to the service of the route. */
const staysAt = (rules: unknown, here: string | undefined, owner: UpstreamOwner): boolean =>
  areOnly(rules, ['name', 'matches', 'timeouts', 'backendRefs'], ({ backendRefs }) =>
    areOnly(backendRefs, ['group', 'kind', 'name', 'namespace', 'port', 'weight'], (ref) => {
      const { kind = 'Service', name, namespace = here, port } = ref;
      const to = { name: textIn(name), namespace: textIn(namespace), port: textIn(port) };
      return kind === 'Service' && isSame(to, owner);
    }),
  );

const leads = ({ name = 'any service', namespace }: UpstreamOwner) =>
  `it may change the requests for ${namespace}/${name}, or lead them to another service, for which no rendered object decides`;

/** A route with a Service as its parent applies in the proxies of clients. */
function outboundRoute(other: LiveObject, owner: readonly UpstreamOwner[]): string | undefined {
  const { parentRefs, rules } = specOf(other);
  const here = other.metadata.namespace;
  const parents = refsOf(parentRefs).filter(({ kind }) => (folded(kind) ?? 'service') === 'service');
  const affected = parents.flatMap(({ name, namespace = here }) => {
    const found = ledBy(other, { name: textIn(name), namespace: textIn(namespace) }, owner);
    return found === undefined || staysAt(rules, here, found) ? [] : found;
  });
  return affected[0] && leads(affected[0]);
}

/** A profile is named after its service. */
function serviceProfile(other: LiveObject, owner: readonly UpstreamOwner[]): string | undefined {
  const found = ledBy(other, destinationOf(other.metadata.name, undefined), owner);
  if (found === undefined) return undefined;
  const isPlain = isOnly(specOf(other), ['routes', 'retryBudget', 'dstOverrides']);
  const isKept = areOnly(specOf(other).dstOverrides, ['authority', 'weight'], ({ authority }) =>
    isSame(destinationOf(authority, undefined), found),
  );
  return isPlain && isKept ? undefined : leads(found);
}

/** A split of the Service Mesh Interface, which an extension of Linkerd turns into a profile. */
function trafficSplit(other: LiveObject, owner: readonly UpstreamOwner[]): string | undefined {
  const { service, backends } = specOf(other);
  const here = other.metadata.namespace;
  const found = ledBy(other, destinationOf(service, here), owner);
  const isKept =
    found !== undefined &&
    areOnly(backends, ['service', 'weight'], (it) => isSame(destinationOf(it.service, here), found));
  return found === undefined || isKept ? undefined : leads(found);
}

const serverAuthorization: Bearing = (other, own) => {
  const [{ name } = {}] = refsOf(specOf(other).server);
  const affected = near(other, own).find((it) => it.kind === 'Server' && names({ kind: 'server', name }, it, TARGETS));
  return affected && `it allows more than routes of ${objectTitle(affected)} allow`;
};

const authentication: Bearing = (other, own) => {
  const { kind, metadata } = other;
  const affected = near(other, own).find((it) => it.kind === kind && it.metadata.name === folded(metadata.name));
  return affected && `rendered policies name it, and it replaces ${objectTitle(affected)}`;
};

const BEARINGS: Bearings = {
  Server: server,
  AuthorizationPolicy: naming('targetRef', TARGETS, (affected) => `it allows more than routes of ${affected} allow`),
  ServerAuthorization: serverAuthorization,
  HTTPLocalRateLimitPolicy: naming('targetRef', TARGETS, (affected) => `it may refuse what ${affected} allows`),
  MeshTLSAuthentication: authentication,
  // A NetworkAuthentication has an effect only if a policy names it, and no rendered policy does.
  NetworkAuthentication: () => undefined,
};

/** Returns how another object may change the decisions of the rendered ones; undefined if it does not. */
export function bearingsOf(policy: Policy, rules: readonly Rule[], own: readonly LiveObject[]) {
  const owner = ledServices(policy, rules);
  // A route in another namespace than its Server has no effect.
  const route: Bearing = (other) => takes(other, near(other, own)) ?? outboundRoute(other, owner);
  const bearings: Bearings = {
    ...BEARINGS,
    HTTPRoute: route,
    GRPCRoute: route,
    ServiceProfile: (other) => serviceProfile(other, owner),
    TrafficSplit: (other) => trafficSplit(other, owner),
  };
  return (other: LiveObject): string | undefined => kubeBearing(bearings, other.kind, other, own);
}
