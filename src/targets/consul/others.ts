import { differences, type Neutral } from '../kit/compare.ts';
import { type Entry, EVERYBODY } from './entries.ts';
import { isEmpty, type LiveEntry } from './parse.ts';

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

/** Members of a service's entry that decide nothing. */
const DEFAULTS: readonly Neutral[] = [
  ...CONSUL_NEUTRAL,
  ...neutral('is only for people', 'Meta'),
  ...neutral(UPSTREAM, 'UpstreamConfig', 'MeshGateway', 'ExternalSNI', 'Mode', 'TransparentProxy'),
  ...neutral(TIMES, 'LocalConnectTimeoutMs', 'LocalRequestTimeoutMs'),
  ...neutral(TIMES, 'MaxInboundConnections', 'BalanceInboundConnections'),
  { path: ['Protocol'], values: ['http', 'http2', 'grpc'], why: 'proxies read requests of these protocols' },
];

const PROVED: readonly Neutral[] = [
  { path: ['Sources'], why: 'they are read back as rules, and proved', proved: true },
];

/** Members of a live entry that change no decision, or that a reader proves. */
export function neutralOf({ Kind }: Entry): readonly Neutral[] {
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

function unknown(entry: LiveEntry, known: readonly Neutral[]): string | undefined {
  const [first] = differences({}, entry, { neutral: known, isNothing: isEmpty });
  return first === undefined ? undefined : `it applies to every service, and ${first}`;
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

function intentions(entry: LiveEntry): string | undefined {
  const { Name, Sources } = entry;
  if (!Name.includes(EVERYBODY)) return undefined;
  const sources: readonly unknown[] = Array.isArray(Sources) ? Sources : [];
  const open = sources.flatMap((it) => {
    const { Name, Action } = (it ?? {}) as { readonly Name?: unknown; readonly Action?: unknown };
    return Action === 'deny' ? [] : [Name];
  });
  // If a wildcard destination has a source, proxies keep this source even if the intentions of a named destination deny
  // it.
  if (open.length > 0) return `it allows ${open[0]} to call every service, whatever the intentions of that service say`;
  return unknown(entry, DENIALS);
}

/** A JWT provider has an effect only if an intention names it. The other kinds are about one service that is not rendered,
 * or about the source. */
const HARMLESS = [
  ...['jwt-provider', 'service-defaults'],
  ...['exported-services', 'ingress-gateway', 'api-gateway', 'http-route', 'tcp-route'],
];

const BEARINGS: Readonly<Record<string, (entry: LiveEntry) => string | undefined>> = {
  'service-intentions': intentions,
  'proxy-defaults': (entry) => unknown(entry, PROXY_DEFAULTS),
  mesh: (entry) => unknown(entry, MESH),
};

/** A router of the proxy that calls a service decides before the intentions, which see the new path.
 * @param names the rendered services, in lower case */
function router({ Name, Routes }: LiveEntry, names: ReadonlySet<string>): string | undefined {
  const leads = (Array.isArray(Routes) ? Routes : []).map(
    (it) => (it as { readonly Destination?: { readonly Service?: unknown } } | null)?.Destination?.Service,
  );
  const touched = [Name, ...leads].some((it) => names.has(String(it).toLowerCase()));
  return touched
    ? 'it may rewrite paths of a rendered service, or lead its requests to another service; the intentions see the new path, and not the one that the gateway checked'
    : undefined;
}

const INSTANCES = 'chooses among the instances of the same service';

/** A resolver or a splitter of the proxy that calls a service can choose another service, or one of another datacenter.
 * Then the intentions of that one decide, and they are not proved.
 * @param names the rendered services, in lower case */
function leading(entry: LiveEntry, names: ReadonlySet<string>): string | undefined {
  if (!names.has(entry.Name.toLowerCase())) return undefined;
  const known: readonly Neutral[] = [
    ...CONSUL_NEUTRAL,
    ...neutral(HERE, 'Kind', 'Name', 'Meta'),
    ...neutral(INSTANCES, 'DefaultSubset', 'Subsets', 'LoadBalancer', 'PrioritizeByLocality'),
    ...neutral(TIMES, 'ConnectTimeout', 'RequestTimeout'),
    ...['Weight', 'ServiceSubset'].map((name): Neutral => ({ path: ['Splits', '*', name], why: INSTANCES })),
    { path: ['Splits', '*', 'Service'], values: [entry.Name], why: INSTANCES },
  ];
  const [first] = differences({}, entry, { neutral: known, isNothing: isEmpty });
  return first && `it may lead requests for a rendered service to another one, whose intentions decide: ${first}`;
}

/** How another entry may change the decisions of the rendered ones; undefined if it is known to change none.
 * @param names the rendered services, in lower case
 * @param sources the services that they accept, in lower case */
export function bearingOf(
  entry: LiveEntry,
  names: ReadonlySet<string>,
  sources: ReadonlySet<string>,
): string | undefined {
  if (/^(ingress|api)-gateway$/.test(entry.Kind) && sources.has(entry.Name.toLowerCase()))
    return 'Consul’s own gateway asks nginx for no certificate, so any client of it comes as the source that intentions allow';
  if (entry.Kind === 'service-router') return router(entry, names);
  if (entry.Kind === 'service-resolver' || entry.Kind === 'service-splitter') return leading(entry, names);
  if (HARMLESS.includes(entry.Kind)) return undefined;
  const bearing = Object.hasOwn(BEARINGS, entry.Kind) ? BEARINGS[entry.Kind] : undefined;
  return bearing === undefined ? 'prove does not know entries of this kind' : bearing(entry);
}
