/** The addresses and files of the measured gateway. */
export interface Places {
  readonly port: number;
  readonly backend: number;
  /** The backend's port of mutual TLS. */
  readonly ingress: number;
  readonly issuer: string;
  /** The port of the DNS server that knows the issuer's name. */
  readonly dns: number;
}

export const audience = 'bench';
/** The group of the tokens that the measured route requires. */
export const group = 'readers';

/** The requested path: the only route's, or one in the middle of two hundred. */
export function measuredPath(routes: number): string {
  return routes === 1 ? '/' : `/area-${routes >> 1}/page`;
}

/** How many identities the measurement of many has. */
export const most = 100;

/** One path for each of {@link most} identities. */
export function identityPaths(page: string): readonly string[] {
  return Array.from({ length: most }, (_, i) => `/area-${i + 1}/${page}`);
}

/** SPIFFE id of the i-th identity. */
export const spiffe = (i: number) => `spiffe://bench.example/ns/edge/sa/id-${i}`;

/** `count` identities, and a service behind the mesh's ingress. */
function meshed({ ingress }: Places, identities: number): string {
  const names = Array.from({ length: identities }, (_, i) => i);
  const one = (i: number) => `    id-${i}: { spiffe: "${spiffe(i)}", svid_dir: /bench/id-${i} }\n`;
  return `mesh:
  kind: envoy
  trust_domain: bench.example
  rotation: 1h
  ingress: { address: "127.0.0.1:${ingress}", server_name: ingress.bench, ca_file: /bench/mesh.pem }
  identities:
${names.map(one).join('')}services:
  app: { authority: bench.example.com }
`;
}

const requested = `    client: { id: bench, secret_file: /bench/secret }
    introspection: { cache: 1m }
`;

/**
 * A policy with so many routes on one host; each beyond the first with a role of its own.
 *
 * @param identities if given, the service is in the mesh, and the routes take turns with these: each has the choice of
 *   two where there are two
 * @param sessions whether callers may come with sessions as well; they last longer than any measurement
 * @param opaque whether the issuer is asked about tokens that are no JWTs
 * @param limited whether callers have a budget; none of them uses it up
 * @param proofs whether DPoP proofs are taken; one client may use a quarter of the rate, and ten seconds of that at once
 * @param tls whether the gateway serves TLS
 * @param sockets whether there is a route for WebSockets
 * @param sealed whether the log is sealed
 */
export function policy(
  places: Places,
  routes = 1,
  identities?: number,
  sessions = false,
  opaque = false,
  limited = false,
  proofs = false,
  tls = false,
  sockets = false,
  sealed = false,
): string {
  const as = (i: number) => (identities === undefined ? '' : `, as: id-${i % identities}`);
  const areas = Array.from({ length: routes - 1 }, (_, i) => i + 1);
  const roles = areas.map((i) => `  team-${i}: { group: team-${i} }\n`);
  const paths = areas.map(
    (i) =>
      `    /area-${i}/*: { service: app, allow: [{ role: team-${i}, methods: [POST]${as(i + 1)} }, { role: reader${as(i)} }] }\n`,
  );
  const services = `services:
  app: { insecure_url: http://127.0.0.1:${places.backend}, authority: bench.example.com }
`;
  return `version: 1
gateway:
  listen: ${places.port}
  resolver: ["127.0.0.1:${places.dns}"]
  ${tls ? 'tls: { cert_file: /bench/server.pem, key_file: /bench/server.pem }' : 'insecure_http: true'}
${sessions ? '  session: { keys_file: /bench/session.jwks, idle: 24h, absolute: 24h, fresh: 24h }\n' : ''}${
  limited ? '  limits: { callers: { rate: 1000000/s } }\n' : ''
}${proofs ? '  proof: { rate: 12000/s }\n' : ''}${
  sealed ? '  audit: { log: /bench/access.log, folder: /bench/audit }\n' : ''
}providers:
  bench:
    issuer: ${places.issuer}
    audiences: [${audience}]
    algorithms: [RS256, ES256]
    ca_file: /bench/ca.pem
${sessions ? '    client: { id: bench }\n' : ''}${opaque ? requested : ''}roles:
  editor: { group: editors }
  reader: { group: ${group} }
${roles.join('')}${identities === undefined ? services : meshed(places, identities)}hosts:
  bench.example.com:
    /*: { service: app, allow: [{ role: editor${as(0)} }, { role: reader, methods: [GET]${as(0)} }] }
${sockets ? '    /socket: { service: app, proxy: { stream: true }, allow: [reader] }\n' : ''}${paths.join('')}`;
}
