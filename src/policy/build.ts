import { DEFAULTS } from '../limits.ts';
import { buildGatewayLimits, buildOwnLimit, buildPlaceLimit } from './build-limits.ts';
import {
  buildAccept,
  buildClient,
  buildGatewaySignin,
  buildGroups,
  buildIntrospection,
  buildOwner,
  kindOf,
} from './build-signin.ts';
import { buildCors, buildProxying } from './build-traffic.ts';
import type { RawFact } from './caller-sections.ts';
import { COMBINED } from './facts/combined.ts';
import { buildLeaf } from './facts/describe.ts';
import { DEFAULT_HEADERS, mergeHeaders } from './headers.ts';
import { issuersOf } from './issuers.ts';
import { parseMessage, toolCall } from './message.ts';
import { type Path, ROUTES, routePath } from './path.ts';
import { buildProof } from './proof.ts';
import type { Raw } from './schema.ts';
import { DEFAULT_ALGORITHMS } from './sections.ts';
import type * as policy from './types.ts';
import { hostPort, seconds } from './units.ts';

/** Finds the place of a path in the file. */
export type Locate = (path: Path) => policy.At;

/** Adds the defaults and the place of every part; the policy has been checked. */
export function buildPolicy(raw: Raw, at: Locate): policy.Policy {
  const mesh = raw.mesh === undefined ? undefined : buildMesh(raw.mesh, at);
  return {
    version: 1,
    gateway: buildGateway(raw.gateway ?? {}, raw.mesh),
    providers: mapRecord(raw.providers, (name, it) => buildProvider(name, it, at(['providers', name]))),
    roles: mapRecord(raw.roles ?? {}, (name, it) => {
      const path = ['roles', name];
      return { name, fact: buildFact(it, path, at), at: at(path) };
    }),
    agents: mapRecord(raw.agents ?? {}, (name, it) => buildAgent(name, it, at(['agents', name]))),
    ...(mesh && { mesh }),
    services: mapRecord(raw.services, (name, it) => buildService(name, it, at(['services', name]))),
    hosts: Object.keys(raw.hosts).map((name) => buildHost(raw, name, at)),
    tests: (raw.tests ?? []).map((it, index) => buildTest(raw, it, at(['tests', index]))),
  };
}

function mapRecord<In, Out>(record: Readonly<Record<string, In>>, map: (name: string, value: In) => Out) {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(name, value)]));
}

const tls = (raw: { cert_file: string; key_file: string }): policy.Tls => ({
  certFile: raw.cert_file,
  keyFile: raw.key_file,
});

/** The server certificate, if the policy has one. A server that terminates TLS itself needs only the clients' CA. */
function buildTls(raw: { cert_file?: string | undefined; key_file?: string | undefined } | undefined) {
  const { cert_file, key_file } = raw ?? {};
  return cert_file === undefined || key_file === undefined ? {} : { tls: tls({ cert_file, key_file }) };
}

function buildGateway(raw: NonNullable<Raw['gateway']>, mesh: Raw['mesh']): policy.Gateway {
  const time = (text: string | undefined, fallback: number) => (text === undefined ? fallback : seconds(text));
  return {
    clockSkew: time(raw.clock_skew, DEFAULTS.clockSkew),
    tokenCache: time(raw.token_cache, DEFAULTS.tokenCache),
    keys: {
      refresh: time(raw.keys?.refresh, DEFAULTS.keysRefresh),
      stale: time(raw.keys?.stale, DEFAULTS.keysStale),
      coolDown: time(raw.keys?.cool_down, DEFAULTS.keysCoolDown),
    },
    trustedProxies: raw.trusted_proxies ?? [],
    resolver: raw.resolver ?? [],
    listen: raw.listen ?? DEFAULTS.listen,
    ...buildTls(raw.tls),
    insecureHttp: raw.insecure_http ?? false,
    ...(raw.insecure_proxied_networks && { proxiedNetworks: true as const }),
    ...(raw.assertion && {
      assertion: {
        issuer: raw.assertion.issuer,
        keysFile: raw.assertion.keys_file,
        lifetime: time(raw.assertion.lifetime, DEFAULTS.assertionLifetime),
        ...(mesh?.kind === 'consul' && { byRole: true as const }),
      },
    }),
    ...(raw.health && { health: String(raw.health.listen) }),
    ...(raw.inner && {
      inner: {
        listen: raw.inner.listen ?? DEFAULTS.innerListen,
        clientCaFile: raw.inner.client_ca_file,
        ...(raw.inner.tls && { tls: tls(raw.inner.tls) }),
      },
    }),
    ...(raw.hsts && {
      hsts: { maxAge: seconds(raw.hsts.max_age), subdomains: raw.hsts.include_subdomains === true },
    }),
    ...buildGatewaySignin(raw),
    ...buildGatewayLimits(raw),
    ...(raw.proof && { proof: buildProof(raw.proof) }),
  };
}

function buildProvider(name: string, raw: Raw['providers'][string], at: policy.At): policy.Provider {
  return {
    name,
    kind: kindOf(raw),
    issuer: raw.issuer,
    ...issuersOf(kindOf(raw), raw),
    ...(raw.jwks_uri !== undefined && { jwksUri: raw.jwks_uri }),
    audiences: raw.audiences ?? [],
    ...(raw.insecure_any_audience && { anyAudience: true as const }),
    ...(raw.clients && { clients: raw.clients }),
    algorithms: raw.algorithms ?? DEFAULT_ALGORITHMS,
    ...(raw.ca_file !== undefined && { caFile: raw.ca_file }),
    subject: { claim: raw.subject?.claim ?? 'sub', prefix: raw.subject?.prefix ?? '' },
    ...(raw.insecure_private_addresses && { privateAddresses: true as const }),
    ...buildClient(name, raw),
    ...buildIntrospection(raw),
    ...buildGroups(raw),
    at,
  };
}

function buildFact(raw: string | RawFact, path: Path, at: Locate): policy.Fact {
  const here = at(path);
  if (typeof raw === 'string') return { op: 'role', value: raw, at: here };
  for (const op of COMBINED) {
    const inner = raw[op];
    if (inner) return { op, facts: inner.map((it, index) => buildFact(it, [...path, op, index], at)), at: here };
  }
  return { ...buildLeaf(raw), at: here };
}

type RawAgent = NonNullable<Raw['agents']>[string];

function buildMatch({ client_id, spiffe, service, ...fact }: RawAgent['match'], at: policy.At): policy.AgentMatch {
  const provider = fact.provider === undefined ? {} : { provider: fact.provider };
  if (client_id !== undefined) return { kind: 'client', client: client_id, ...provider };
  if (spiffe !== undefined) return { kind: 'spiffe', spiffe, ...provider };
  if (service !== undefined) return { kind: 'service', service };
  return { kind: 'claim', fact: buildFact(fact, [], () => at) as policy.ClaimFact };
}

function buildAgent(name: string, raw: RawAgent, at: policy.At): policy.Agent {
  return {
    name,
    match: buildMatch(raw.match, at),
    actsFor: raw.acts_for ?? [],
    ...(raw.alone && { alone: true as const }),
    hops: raw.hops ?? 1,
    ...(raw.bound !== undefined && { bound: raw.bound }),
    ...buildOwnLimit(raw.limit),
    at,
  };
}

/** Where a part of the mesh runs in Kubernetes. */
function buildPlace({
  namespace,
  labels,
}: {
  namespace?: string | undefined;
  labels?: Record<string, string> | undefined;
}) {
  return { ...(namespace !== undefined && { namespace }), ...(labels && { labels }) };
}

/** Files with an identity's certificate and key; by default with the names that spiffe-helper uses. */
function svidFiles({ pem_file, svid_dir, cert_file, key_file }: NonNullable<Raw['mesh']>['identities'][string]) {
  if (svid_dir !== undefined) return { certFile: `${svid_dir}/svid.pem`, keyFile: `${svid_dir}/svid_key.pem` };
  return { certFile: pem_file ?? cert_file ?? '', keyFile: pem_file ?? key_file ?? '' };
}

type RawIngress = NonNullable<NonNullable<Raw['mesh']>['ingress']>;

function buildIngress(name: string, raw: RawIngress, at: policy.At): policy.Ingress {
  const { address, server_name, ca_file, own, service_account, consul_service } = raw;
  const { host, port } = hostPort(address, 443);
  return {
    name,
    host,
    port,
    serverName: server_name ?? host,
    caFile: ca_file,
    ...(own && {
      own: {
        ...tls(own),
        clientCaFile: own.client_ca_file,
        listen: own.listen,
        ...(own.assertion_jwks_file !== undefined && { assertionJwksFile: own.assertion_jwks_file }),
      },
    }),
    ...buildPlace(raw),
    ...(service_account !== undefined && { serviceAccount: service_account }),
    ...(consul_service !== undefined && { consulService: consul_service }),
    at,
  };
}

function buildMesh(raw: NonNullable<Raw['mesh']>, at: Locate): policy.Mesh {
  const ingresses = raw.ingress
    ? { default: buildIngress('default', raw.ingress, at(['mesh', 'ingress'])) }
    : mapRecord(raw.ingresses ?? {}, (name, it) => buildIngress(name, it, at(['mesh', 'ingresses', name])));
  const [ingress] = Object.values(ingresses);
  if (ingress === undefined) throw new Error('policy: a mesh without an ingress was not refused');
  return {
    kind: raw.kind,
    trustDomain: raw.trust_domain,
    rotation: raw.rotation === undefined ? DEFAULTS.rotation : seconds(raw.rotation),
    ingress,
    ingresses,
    identities: mapRecord(raw.identities, (name, it) => ({
      name,
      spiffe: it.spiffe,
      ...svidFiles(it),
      at: at(['mesh', 'identities', name]),
    })),
    ...(raw.assertion_ca_file !== undefined && { assertionCaFile: raw.assertion_ca_file }),
    at: at(['mesh']),
  };
}

function buildService(name: string, raw: Raw['services'][string], at: policy.At): policy.Service {
  const url = raw.url ?? raw.insecure_url;
  const spiffe = raw.spiffe === undefined ? {} : { spiffe: raw.spiffe };
  const protocol = raw.protocol === undefined || raw.protocol === 'http1' ? {} : { protocol: raw.protocol };
  const receives = raw.request_headers === undefined ? {} : { requestHeaders: raw.request_headers };
  if (url === undefined) {
    const authority = raw.authority ?? '';
    const endpoint = hostPort(raw.endpoint ?? hostPort(authority, 80).host, 80);
    const more = {
      ...(raw.port !== undefined && { port: raw.port }),
      ...(raw.ingress !== undefined && { ingress: raw.ingress }),
      ...(raw.consul_service !== undefined && { consulService: raw.consul_service }),
    };
    return { name, authority, endpoint, ...buildPlace(raw), ...more, ...protocol, ...receives, ...spiffe, at };
  }
  const target = url.slice(url.indexOf('//') + 2);
  const endpoint = hostPort(target, raw.url === undefined ? 80 : 443);
  return {
    name,
    authority: raw.authority ?? target,
    endpoint,
    direct: {
      ...endpoint,
      tls: raw.url !== undefined,
      ...(raw.ca_file !== undefined && { caFile: raw.ca_file }),
      serverName: raw.server_name ?? endpoint.host,
    },
    ...protocol,
    ...receives,
    ...spiffe,
    at,
  };
}

function buildHost(raw: Raw, name: string, at: Locate): policy.Host {
  const host = raw.hosts[name] as Raw['hosts'][string];
  const clientCaFile = host.tls?.client_ca_file ?? raw.gateway?.tls?.client_ca_file;
  return {
    name,
    providers: host.providers ?? Object.keys(raw.providers),
    ...buildTls(host.tls),
    ...(clientCaFile !== undefined && { clientCaFile }),
    ...buildPlaceLimit(host),
    routes: Object.entries(host[ROUTES]).map(([path, route]): policy.Route => {
      const where = routePath(name, path);
      return {
        name: name + path,
        host: name,
        path: path.endsWith('/*') ? path.slice(0, -2) : path,
        kind: path.endsWith('/*') ? 'prefix' : 'exact',
        service: route.service,
        accept: buildAccept(raw, host, route),
        ...(route.audiences && { audiences: route.audiences }),
        ...buildWorkers(route),
        allow: route.allow.map((rule, index) => buildRule(raw, route.service, rule, at([...where, 'allow', index]))),
        headers: mergeHeaders(raw.headers ?? DEFAULT_HEADERS, host.headers, route.headers),
        ...buildProxying(host, route, raw.services[route.service]?.protocol === 'grpc'),
        ...buildCors(host, route),
        ...buildPlaceLimit(route),
        ...buildOwner(host, route),
        at: at(where),
      };
    }),
    at: at(['hosts', name]),
  };
}

function buildWorkers({
  service_workers: folder,
  insecure_service_workers: anywhere,
}: Raw['hosts'][string][typeof ROUTES][string]): Pick<policy.Route, 'serviceWorkers'> {
  if (anywhere) return { serviceWorkers: 'anywhere' };
  return folder ? { serviceWorkers: 'folder' } : {};
}

type RawRule = Raw['hosts'][string][typeof ROUTES][string]['allow'][number];

function buildRule(raw: Raw, routed: string, rule: RawRule, at: policy.At): policy.Allow {
  const { role, who, agent, methods, tools, service, as } =
    typeof rule === 'string' ? ({ role: rule } as Exclude<RawRule, string>) : rule;
  const asked = raw.services[service ?? routed];
  const direct = asked?.url ?? asked?.insecure_url;
  return {
    who: agent === undefined ? buildWho(who ?? role ?? '') : buildAgentWho(raw, agent, tools),
    // An MCP message is a POST (Streamable HTTP).
    ...((methods || tools) && { methods: methods ?? ['POST'] }),
    ...(service !== undefined && { service }),
    as: direct === undefined ? (as ?? 'default') : '',
    at,
  };
}

function buildAgentWho(raw: Raw, agent: string, tools: readonly string[] | undefined): policy.Who {
  const { acts_for = [], alone } = raw.agents?.[agent] ?? {};
  return { kind: 'agent', agent, actsFor: acts_for, ...(alone && { alone }), ...(tools && { tools }) };
}

function buildWho(name: string): policy.Who {
  return name === 'anyone' || name === 'authenticated' ? { kind: name } : { kind: 'role', role: name };
}

function buildTest(
  raw: Raw,
  { as, expect, tool, mcp, ...asked }: NonNullable<Raw['tests']>[number],
  at: policy.At,
): policy.PolicyTest {
  const [method = '', url = ''] = Object.entries(asked).find(([, it]) => it !== undefined) ?? [];
  const message = tool === undefined ? parseMessage(mcp ?? '') : toolCall(tool);
  return { as: buildCaller(raw, as), method, url, ...(message && { message }), expect, at };
}

function buildCaller(raw: Raw, as: NonNullable<Raw['tests']>[number]['as']): policy.PolicyTest['as'] {
  if (typeof as === 'string') return { kind: 'nobody' };
  const { network, certificate } = as;
  const from = { ...(network !== undefined && { network }), ...(certificate !== undefined && { certificate }) };
  if (as.roles) return { kind: 'roles', roles: as.roles, ...(as.agent !== undefined && { agent: as.agent }) };
  if (as.agent !== undefined) return { kind: 'alone', agent: as.agent };
  if (as.claims === undefined) return { kind: 'nobody', ...from };
  const provider = as.provider ?? Object.keys(raw.providers)[0] ?? '';
  const signedIn = as.signed_in === undefined ? {} : { signedIn: seconds(as.signed_in) };
  return { kind: 'claims', provider, claims: as.claims, ...signedIn, ...from };
}
