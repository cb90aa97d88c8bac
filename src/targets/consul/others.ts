import { differences, type Neutral } from '../kit/compare.ts';
import { type ConsulEntry, EVERYBODY } from './entries.ts';
import { isEmpty, type LiveEntry } from './parse.ts';

/** How an entry may change decisions; undefined if it is known to change none. */
type Text = string | undefined;
type Bearing = (entry: LiveEntry, names: ReadonlySet<string>, sources: ReadonlySet<string>) => Text;

/** Top-level members of an entry that change no decision. All of them have the same reason. */
const neutral = (why: string, ...names: readonly string[]) => names.map((name) => ({ path: [name], why }));

/** Members that Consul adds. */
const CONSUL_NEUTRAL: readonly Neutral[] = [
  ...neutral('Consul counts changes with it, and no proxy reads it', 'CreateIndex', 'ModifyIndex', 'Hash'),
  ...['Partition', 'Namespace'].map(
    (name): Neutral => ({ path: [name], values: ['default'], why: 'meshgate renders entries only for this one' }),
  ),
];

const UPSTREAM = 'says how the service calls others, and not who may call it';
const TIMES = 'limits times and numbers, and does not say who may call';

/** Members of a service's entry that decide nothing, whether it receives requests or sends them. */
const OF_EITHER: readonly Neutral[] = [
  ...CONSUL_NEUTRAL,
  ...neutral('is only for people', 'Meta'),
  ...neutral(UPSTREAM, 'Mode', 'TransparentProxy'),
  ...neutral('is about requests to other datacenters', 'MeshGateway'),
  ...neutral(TIMES, 'LocalConnectTimeoutMs', 'LocalRequestTimeoutMs'),
  ...neutral(TIMES, 'MaxInboundConnections', 'BalanceInboundConnections'),
];

/** Members of the entry of a rendered service that decide nothing. */
const DEFAULTS: readonly Neutral[] = [
  ...OF_EITHER,
  ...neutral(UPSTREAM, 'UpstreamConfig'),
  { path: ['Protocol'], values: ['http', 'http2', 'grpc'], why: 'proxies read requests of these protocols' },
];

const PROVED: readonly Neutral[] = [
  { path: ['Sources'], why: 'they are read back as rules, and proved', proved: true },
];

/** Members of a live entry that change no decision, or that a reader proves. */
export function neutralOf({ Kind }: ConsulEntry): readonly Neutral[] {
  if (Kind === 'service-defaults') return DEFAULTS;
  return Kind === 'service-intentions' ? [...CONSUL_NEUTRAL, ...PROVED] : CONSUL_NEUTRAL;
}

const HERE = 'describes the entry, and is for people';
const OWN = 'the rendered entries set it for each service';
const ASKING = 'says how a service calls others; the service that is called decides';

/** Members of the entries for the whole mesh that change no decision about a service. */
const PROXY_DEFAULTS: readonly Neutral[] = [
  ...CONSUL_NEUTRAL,
  ...neutral(HERE, 'Kind', 'Name', 'Meta', 'AccessLogs'),
  ...neutral(OWN, 'MutualTLSMode'),
  ...neutral(ASKING, 'Mode', 'TransparentProxy', 'MeshGateway', 'FailoverPolicy', 'PrioritizeByLocality'),
  { path: ['Config', 'protocol'], why: OWN },
];

const MESH: readonly Neutral[] = [
  ...CONSUL_NEUTRAL,
  ...neutral(HERE, 'Kind', 'Name', 'Meta'),
  ...neutral(OWN, 'AllowEnablingPermissiveMutualTLS'),
  ...neutral(ASKING, 'TransparentProxy', 'ValidateClusters', 'Peering'),
  ...neutral('says which versions and ciphers of TLS proxies accept, and not from which callers', 'TLS'),
  { path: ['HTTP', 'SanitizeXForwardedClientCert'], why: 'says what a service receives, and not who passes' },
];

/** The text about the first member of an entry that is not known to change no decision. */
function unknown(entry: LiveEntry, known: readonly Neutral[], text = 'it applies to every service, and'): Text {
  const [first] = differences({}, entry, { neutral: known, isNothing: isEmpty });
  return first && `${text} ${first}`;
}

/** An intention that denies cannot allow more than the rendered ones. */
const DENIALS: readonly Neutral[] = [
  ...CONSUL_NEUTRAL,
  ...neutral(HERE, 'Kind', 'Name', 'Meta'),
  { path: ['Sources', '*', 'Action'], values: ['deny'], why: 'it denies all requests' },
  ...['Name', 'Type', 'Precedence', 'Description', 'Namespace', 'Partition'].map(
    (name): Neutral => ({ path: ['Sources', '*', name], why: 'says which source is denied' }),
  ),
];

/** The items of a list. A value that is no list may mean anything. */
const items = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : isEmpty(value) ? [] : [value]);

function intentions(entry: LiveEntry): Text {
  const { Name, Sources } = entry;
  if (!Name.includes(EVERYBODY)) return undefined;
  const open = items(Sources).flatMap((it) => {
    const { Name, Action } = (it ?? {}) as { readonly Name?: unknown; readonly Action?: unknown };
    return Action === 'deny' ? [] : [Name];
  });
  // If a wildcard destination has a source, proxies keep this source even if the intentions of a named destination deny
  // it.
  if (open.length > 0) return `it allows ${open[0]} to call every service, whatever the intentions of that service say`;
  return unknown(entry, DENIALS);
}

/** An exported service accepts certificates of peers, which the wildcard of the rendered intentions does not mean.
 * @param names the rendered services, in lower case */
function exporting({ Services }: LiveEntry, names: ReadonlySet<string>): Text {
  const exported = items(Services).map((it) => String((it as { readonly Name?: unknown } | null)?.Name).toLowerCase());
  const found = exported.find((name) => name.includes(EVERYBODY) || names.has(name));
  const text =
    'services of other partitions and peers can connect to it, and the default of the mesh decides whether they pass';
  return found && `it exports ${found}: ${text}`;
}

const RECEIVED = 'is about requests that the source receives';
const ASKED = [
  ...['Name', 'Protocol', 'MeshGateway', 'BalanceOutboundConnections'],
  ...['ConnectTimeoutMs', 'Limits', 'PassiveHealthCheck'],
];

/** Members of the entry of a source that decide nothing. Its proxy sends requests to rendered services. What changes
 * them there comes before the intentions. */
const SOURCE: readonly Neutral[] = [
  ...OF_EITHER,
  ...neutral(HERE, 'Kind', 'Name'),
  ...neutral(RECEIVED, 'Protocol', 'MutualTLSMode', 'Expose', 'RateLimits', 'MaxRequestHeadersKB', 'ExternalSNI'),
  ...ASKED.flatMap((name): readonly Neutral[] => [
    { path: ['UpstreamConfig', 'Defaults', name], why: ASKING },
    { path: ['UpstreamConfig', 'Overrides', '*', name], why: ASKING },
  ]),
];

/** @param sources the services that rendered intentions accept, in lower case */
function defaultsOf(entry: LiveEntry, sources: ReadonlySet<string>): Text {
  if (!sources.has(entry.Name.toLowerCase())) return undefined;
  const text = 'the proxy of this source may change requests, or lead them elsewhere, before the intentions see them:';
  return unknown(entry, SOURCE, text);
}

/** A router of the proxy that calls a service decides before the intentions, which see the new path.
 * @param names the rendered services, in lower case */
function router({ Name, Routes }: LiveEntry, names: ReadonlySet<string>): Text {
  type Route = { readonly Destination?: { readonly Service?: unknown } } | null;
  const leads = items(Routes).map((it) => (it as Route)?.Destination?.Service);
  const touched = [Name, ...leads].some((it) => names.has(String(it).toLowerCase()));
  return touched
    ? 'it may rewrite paths of a rendered service, or lead its requests to another service; the intentions see the new path, and not the one that the gateway checked'
    : undefined;
}

const INSTANCES = 'chooses among the instances of the same service';

/** A resolver or a splitter of the proxy that calls a service can choose another service, or one of another datacenter.
 * Then the intentions of that one decide, and they are not proved.
 * @param names the rendered services, in lower case */
function leading(entry: LiveEntry, names: ReadonlySet<string>): Text {
  if (!names.has(entry.Name.toLowerCase())) return undefined;
  const known: readonly Neutral[] = [
    ...CONSUL_NEUTRAL,
    ...neutral(HERE, 'Kind', 'Name', 'Meta'),
    ...neutral(INSTANCES, 'DefaultSubset', 'Subsets', 'LoadBalancer', 'PrioritizeByLocality'),
    ...neutral(TIMES, 'ConnectTimeout', 'RequestTimeout'),
    ...['Weight', 'ServiceSubset'].map((name): Neutral => ({ path: ['Splits', '*', name], why: INSTANCES })),
    { path: ['Splits', '*', 'Service'], values: [entry.Name], why: INSTANCES },
  ];
  return unknown(entry, known, 'it may lead requests for a rendered service to another one, whose intentions decide:');
}

/** @param sources the services that rendered intentions accept, in lower case */
const gateway = ({ Name }: LiveEntry, sources: ReadonlySet<string>): Text =>
  sources.has(Name.toLowerCase())
    ? 'Consul’s own gateway asks nginx for no certificate, so any client of it comes as the source that intentions allow'
    : undefined;

const BEARINGS: Readonly<Record<string, Bearing>> = {
  'service-intentions': intentions,
  'service-defaults': (entry, _, sources) => defaultsOf(entry, sources),
  'service-router': router,
  'service-resolver': leading,
  'service-splitter': leading,
  'exported-services': exporting,
  'ingress-gateway': (entry, _, sources) => gateway(entry, sources),
  'api-gateway': (entry, _, sources) => gateway(entry, sources),
  // Routes of a gateway of Consul's. Intentions decide by the name of the gateway.
  'http-route': () => undefined,
  'tcp-route': () => undefined,
  // It has an effect only if an intention names it, and rendered intentions name only the rendered one.
  'jwt-provider': () => undefined,
  'proxy-defaults': (entry) => unknown(entry, PROXY_DEFAULTS),
  mesh: (entry) => unknown(entry, MESH),
};

/** How another entry may change the decisions of the rendered ones; undefined if it is known to change none.
 * @param names the rendered services, in lower case
 * @param sources the services that they accept, in lower case */
export const consulBearing: Bearing = (entry, names, sources) =>
  Object.hasOwn(BEARINGS, entry.Kind)
    ? BEARINGS[entry.Kind]?.(entry, names, sources)
    : 'prove does not know entries of this kind';
