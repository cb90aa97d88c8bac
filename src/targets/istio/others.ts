import { isAgentgateway } from '../../policy/forms/workload-names.ts';
import { differences, type Neutral } from '../kit/compare.ts';
import {
  type Bearing,
  type Bearings,
  groupOf,
  isNear,
  kubeBearing,
  type Labels,
  type LiveObject,
  objectTitle,
  selectorsMayOverlap,
} from '../kit/kubernetes-objects.ts';

/** Istio's default root namespace. Its objects apply to all namespaces. A mesh may use another root namespace. */
export const ROOT = 'istio-system';

interface Selecting {
  readonly selector?: { readonly matchLabels?: Labels };
  readonly workloadSelector?: { readonly labels?: Labels };
  readonly targetRef?: unknown;
  readonly targetRefs?: unknown;
}

/** The labels of the pods that an object selects. Empty: it selects all pods. */
function podsOf({ spec }: Pick<LiveObject, 'spec'>): Labels {
  const { selector, workloadSelector, targetRef, targetRefs } = (spec ?? {}) as Selecting;
  if ((targetRef ?? targetRefs) !== undefined) return {};
  return selector?.matchLabels ?? workloadSelector?.labels ?? {};
}

/** Whether another object may select pods of a rendered object. */
function overlaps(other: LiveObject, own: LiveObject): boolean {
  if (!isNear(other, own) && other.metadata.namespace !== ROOT) return false;
  return selectorsMayOverlap(podsOf(other), podsOf(own));
}

/** The text about a rendered object of this kind whose pods another object may select. */
const overlapping =
  (kind: string, text: (affected: string) => string): Bearing =>
  (other, own) => {
    const affected = own.find((it) => it.kind === kind && overlaps(other, it));
    return affected && text(objectTitle(affected));
  };

/** The name of a gateway that stands for the sidecars. */
const SIDECARS = 'mesh';

const authorization: Bearing = (other, own) => {
  const { action = 'ALLOW', rules } = (other.spec ?? {}) as { readonly action?: unknown; readonly rules?: unknown };
  // An ALLOW policy without rules denies everything. It changes nothing, because the rendered policies also deny all
  // that they do not allow.
  const isEmpty = action === 'ALLOW' && (rules === undefined || (Array.isArray(rules) && rules.length === 0));
  if (isEmpty || action === 'AUDIT') return undefined;
  const text = (affected: string) =>
    action === 'ALLOW' ? `it allows more than ${affected}` : `it may refuse what ${affected} allows`;
  return overlapping('AuthorizationPolicy', text)(other, own);
};

/** A Gateway by name and namespace. If a part is absent, it may have any value. */
type Named = Partial<Pick<LiveObject['metadata'], 'name' | 'namespace'>>;

/** The Gateway that a VirtualService names: NAME, NS/NAME, ./NAME, NAME.NS or NAME.NS.svc.cluster.local. */
function gatewayOf(declared: unknown, { namespace }: LiveObject['metadata']): Named {
  if (typeof declared !== 'string' || declared === '') return {};
  const here = (name: string): Named => ({ name, ...(namespace === undefined ? {} : { namespace }) });
  const slash = declared.indexOf('/');
  if (slash >= 0) {
    const [space, name] = [declared.slice(0, slash), declared.slice(slash + 1)];
    return space === '.' ? here(name) : { name, namespace: space };
  }
  const [name = '', space] = declared.split('.');
  return space === undefined ? here(name) : { name, namespace: space };
}

const gatewaysOf = (own: readonly LiveObject[]) => own.filter(({ kind }) => kind === 'Gateway');

const routes: Bearing = ({ metadata, spec }, own) => {
  const { gateways } = (spec ?? {}) as { readonly gateways?: unknown };
  const names = Array.isArray(gateways) ? gateways : [gateways ?? SIDECARS];
  const meant = names.filter((it) => it !== SIDECARS).map((it) => gatewayOf(it, metadata));
  const affected = gatewaysOf(own).find((it) =>
    meant.some(
      ({ name = it.metadata.name, namespace = it.metadata.namespace }) =>
        name === it.metadata.name && namespace === it.metadata.namespace,
    ),
  );
  return affected && `it leads requests of ${objectTitle(affected)} elsewhere`;
};

const listener: Bearing = (other, own) => {
  const labels = (it: LiveObject) => ((it.spec ?? {}) as { readonly selector?: Labels }).selector ?? {};
  // A Gateway can select pods of any namespace.
  const affected = gatewaysOf(own).find((it) => selectorsMayOverlap(labels(other), labels(it)));
  return affected && `it changes the listeners of the proxies of ${objectTitle(affected)}`;
};

const mutualTls = overlapping('PeerAuthentication', (affected) => `it may apply instead of ${affected}`);
const extension = overlapping(
  'AuthorizationPolicy',
  (affected) => `it changes the proxies of ${affected} in a way that prove cannot read`,
);

type Routes = { readonly http: readonly { readonly route?: readonly [{ readonly destination: { host: string } }] }[] };

/** The host of a rendered route that another object may name. `*` stands for any beginning, and a name without its end
 * for a Service of some namespace. */
function hostAmong(named: unknown, own: readonly LiveObject[]): string | undefined {
  const routes = own.flatMap(({ kind, spec }) => (kind === 'VirtualService' ? (spec as Routes).http : []));
  const names = [named].flat().map((it) => String(it).toLowerCase());
  const mayBe = (host: string) => (name: string) =>
    name.startsWith('*')
      ? host.endsWith(name.slice(1))
      : `${host}.`.startsWith(`${name}.`) || name.startsWith(`${host}.`);
  return routes.flatMap(({ route }) => route?.[0].destination.host ?? []).find((host) => names.some(mayBe(host)));
}

/** Rendered routes name no subset. */
const BALANCE: readonly Neutral[] = [
  ...['host', 'exportTo', 'subsets'].map((name) => [name]),
  ...['loadBalancer', 'connectionPool', 'outlierDetection'].map((name) => ['trafficPolicy', name]),
].map((path) => ({ path: ['spec', ...path], why: 'chooses among the pods of the host' }));
const MUTUAL = { path: ['spec', 'trafficPolicy', 'tls', 'mode'], values: ['ISTIO_MUTUAL'], why: 'the TLS of the mesh' };

/** A ServiceEntry or a DestinationRule. */
const connection: Bearing = ({ spec }, own) => {
  const { host, hosts = host } = (spec ?? {}) as { readonly host?: unknown; readonly hosts?: unknown };
  const found = hostAmong(hosts, own);
  const [first] = found === undefined ? [] : differences({}, { spec }, { neutral: [...BALANCE, MUTUAL] });
  return first && `it may lead requests for ${found} elsewhere, or change their connections: ${first}`;
};

/** What a workload calls does not matter. */
const CALLED = ['workloadSelector', 'egress', 'outboundTrafficPolicy'];

const sidecar: Bearing = (other, own) =>
  Object.keys(other.spec ?? {}).every((it) => CALLED.includes(it)) ? undefined : extension(other, own);

/** A Gateway of the Gateway API. prove knows only that some of its classes are no Envoy. */
const gatewayApi: Bearing = ({ spec }) => {
  const { gatewayClassName: name } = (spec ?? {}) as { readonly gatewayClassName?: unknown };
  return isAgentgateway(name)
    ? `its class ${name} is another proxy than Envoy, and reads none of the rendered objects; use another class`
    : 'prove does not know Gateways of the Gateway API';
};

const BEARINGS: Bearings = {
  'gateway.networking.k8s.io/Gateway': gatewayApi,
  'security.istio.io/AuthorizationPolicy': authorization,
  'security.istio.io/RequestAuthentication': overlapping(
    'AuthorizationPolicy',
    (affected) => `tokens that it accepts also count for ${affected}`,
  ),
  // A PeerAuthentication without a selector has no effect here, because the rendered one has a selector and takes
  // precedence.
  'security.istio.io/PeerAuthentication': (other, own) =>
    Object.keys(podsOf(other)).length === 0 ? undefined : mutualTls(other, own),
  'networking.istio.io/Gateway': listener,
  'networking.istio.io/VirtualService': routes,
  'networking.istio.io/ServiceEntry': connection,
  'networking.istio.io/DestinationRule': connection,
  'networking.istio.io/Sidecar': sidecar,
  // It decides about logs, metrics and traces alone.
  'telemetry.istio.io/Telemetry': () => undefined,
  'networking.istio.io/EnvoyFilter': extension,
  'extensions.istio.io/WasmPlugin': extension,
};

/** How another object may change the decisions of the rendered objects; undefined if it does not. */
export const istioBearing = (other: LiveObject, own: readonly LiveObject[]): string | undefined =>
  kubeBearing(BEARINGS, `${groupOf(other)}/${other.kind}`, other, own);
