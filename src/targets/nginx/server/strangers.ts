import { DEFAULTS } from '../../../policy/forms/bounds.ts';
import { MAX_FORM_BYTES } from '../../../session/limits.ts';
import * as paths from '../../../session/names.ts';
import type { Context } from '../render-context.ts';
import { bodyBuffer } from '../route/module.ts';
import { hasSessions } from '../signin/sessions.ts';
import { conf, type Directive, literal, template } from '../text/directive.ts';
import { JWKS_PATH } from '../text/names.ts';

/** How many clients of each worker's connections the image accepts. nginx.conf has twice as many connections: the rest
 * is for services, for checks and for health. */
export const WORKER_CLIENTS = 8192;

/** How many connections to health each worker of the image accepts: of one address and of all. Probes and Prometheus need a
 * few, and their room is beside that of the clients. */
export const HEALTH_CLIENTS = { address: 32, worker: 512 };

/** Seconds in which a client must finish its TLS handshake and the header of its request. */
const HEADER_SECONDS = 10;

/** Seconds for which a client may pause in the body of a request to the gateway itself. */
const BODY_SECONDS = 5;

/** Requests at once on one connection of HTTP/2. */
const STREAMS = 32;

/** For each connection that an address may have, this many of its requests may be open at all locations together. */
const REQUESTS_PER_CONNECTION = 2;

/** The longest body with which an ingress may ask a sidecar. */
export const MAX_ASKED_BYTES = 64 * 1024;

/** A site of IPv6 may have this many times the connections of one address. */
export const SITE_CONNECTIONS = 2;

/** What one address may use at an endpoint without a credential. */
export interface Exposed {
  /** The endpoint, for readers. */
  readonly what: string;
  /** Its locations, as nginx writes them: exact paths, and folders that end with a star. Patterns of named locations, too. */
  readonly locations: readonly string[];
  /** The longest body that nginx reads, into memory, also of a GET; absent: it reads none before the answer. */
  readonly body?: number;
  /** The requests of one address that may be open at once, and the zone that counts them; absent: those of all locations. */
  readonly open?: readonly [zone: string, count: number];
  /** The work that one request can cause. */
  readonly work: string;
}

const SIGNIN = ['meshgate_open_signin', 128] as const;

/** Every location that nginx answers, and what an address may use there before it has shown a credential. The renderer, a
 * test that reads all rendered locations, and docs/sizing.md use this table. */
export const EXPOSED = {
  route: {
    what: 'a path of a route, or of none',
    locations: ['/*', '/'],
    work: 'one check. nginx reads the body only after the check has let the request pass',
  },
  refusal: {
    what: 'a refusal by nginx itself',
    locations: [
      '@meshgate_*',
      ...['bad', 'large', 'host', 'unknown', 'often', 'worker', 'certificate', 'path_not_canonical'].map(
        (it) => `/.meshgate/${it}`,
      ),
      '/.meshgate/',
    ],
    work: 'a fixed text',
  },
  page: {
    what: 'the page of a refusal',
    locations: [`${paths.PAGE_PATH}*`],
    work: 'a page. The URL of an answer to a sign-in is opened once more, with at most fifty calls a second to etcd',
  },
  check: {
    what: 'the check',
    locations: ['/.meshgate/check/*', '/.meshgate/check;*', '/.meshgate/hop/*'],
    work: 'none: only nginx reaches it',
  },
  metadata: {
    what: 'metadata of a resource (RFC 9728)',
    locations: ['/.well-known/oauth-protected-resource', '/.well-known/oauth-protected-resource/*'],
    work: 'a fixed text',
  },
  jwks: { what: 'the public keys', locations: [JWKS_PATH], body: MAX_FORM_BYTES, work: 'a text from memory' },
  signin: {
    what: 'the sign-in',
    locations: [paths.SIGNIN_PATH],
    body: MAX_FORM_BYTES,
    open: SIGNIN,
    work: 'one seal, and at most one discovery document that all share',
  },
  callback: {
    what: 'the callback, and the handover',
    locations: [paths.CALLBACK_PATH, `${paths.CALLBACK_PATH}/*`, paths.HANDOVER_PATH],
    body: MAX_FORM_BYTES,
    open: SIGNIN,
    work: 'the calls of a sign-in, if the browser has the cookie of an attempt',
  },
  signout: {
    what: 'the sign-out, and front-channel sign-out',
    locations: [paths.SIGNOUT_PATH, paths.FRONTCHANNEL_PATH],
    body: MAX_FORM_BYTES,
    open: SIGNIN,
    work: 'one cookie that is opened',
  },
  backchannel: {
    what: 'back-channel sign-out',
    locations: [paths.BACKCHANNEL_PATH],
    body: MAX_FORM_BYTES,
    open: ['meshgate_open_backchannel', 256],
    work: 'one logout token that is verified',
  },
  assets: {
    what: 'files of the pages',
    locations: [`${paths.ASSETS_PATH}*`],
    body: MAX_FORM_BYTES,
    work: 'a text from memory',
  },
  health: {
    what: 'health and metrics',
    locations: ['/.meshgate/healthz', '/.meshgate/readyz', '/.meshgate/metrics'],
    body: MAX_FORM_BYTES,
    work: 'a text. Keep strangers away from gateway.health',
  },
  requested: {
    what: 'the checks of an ingress',
    locations: ['/auth-request', '/forward-auth', '/envoy', '/envoy/*', '/gateway-fabric', '/.meshgate/elsewhere'],
    body: MAX_ASKED_BYTES,
    work: 'one check. Keep strangers away from the listener of a sidecar',
  },
  whoami: { what: 'whoami', locations: [paths.WHOAMI_PATH], body: MAX_FORM_BYTES, open: SIGNIN, work: 'one check' },
} as const satisfies Readonly<Record<string, Exposed>>;

export type Endpoint = keyof typeof EXPOSED;

/** The zones that count open requests by address at each worker: the counts of a worker that dies are never taken back. Such a zone has an entry for each address with an open request. */
export function openZones(context: Context): readonly Directive[] {
  const own = hasSessions(context) ? Object.values<Exposed>(EXPOSED).flatMap(({ open }) => open?.[0] ?? []) : [];
  const zones = new Set([...(countsOpen(context) ? ['meshgate_open'] : []), ...own]);
  if (zones.size === 0) return [];
  return conf`
    # How many requests of each address are open at each worker.
    ${[...zones].flatMap((zone) => conf`limit_conn_zone $pid:$meshgate_from ${template('zone=', literal(zone), ':4m')};`)}
    ${
      countsOpen(context) &&
      conf`
      # The same for each /48 network of IPv6.
      // Each place has this limit behind one that reads $meshgate_from, whose expression finds the site.
      map $meshgate_from_site_net $meshgate_open_from_site { "" ""; default $pid:$meshgate_from_site_net; }
      limit_conn_zone $meshgate_open_from_site zone=meshgate_open_site:4m;
    `
    }
  `;
}

/** Whether the open requests of an address are counted at all locations. For a sidecar, every client has the address of its
 * ingress. */
const countsOpen = ({ options }: Context): boolean => !options.sidecar;

/** How many connections of one address each worker of the image accepts. */
export const connectionsPerAddress = ({ policy: { gateway } }: Pick<Context, 'policy'>): number =>
  gateway.connections?.perAddress ?? DEFAULTS.connectionsPerAddress;

/** What the servers of all hosts share: times, requests on a connection, and open requests of an address. */
export const strangersAnywhere = (context: Context): readonly Directive[] => conf`
  client_header_timeout ${HEADER_SECONDS}s; http2_max_concurrent_streams ${STREAMS}; # no client holds memory with requests that it does not finish
  ${countsOpen(context) && open(context)}
`;

/** The limit of the site of an address. Each location with a limit of its own repeats it, because it inherits none. */
const ofSite = (context: Context): readonly Directive[] =>
  countsOpen(context)
    ? conf`limit_conn meshgate_open_site ${SITE_CONNECTIONS * REQUESTS_PER_CONNECTION * connectionsPerAddress(context)};`
    : [];

/** The limits of open requests. nginx closes the stream or the connection of a request that is one too many, because
 * nothing counts an answer to it. */
const open = (context: Context): readonly Directive[] => {
  return conf`
    limit_conn meshgate_open ${REQUESTS_PER_CONNECTION * connectionsPerAddress(context)}; ${ofSite(context)}
    limit_conn_status 444; limit_conn_log_level info; # closes without an answer, which nothing would count
  `;
};

/** Sends a request to the named location with its response. A `return` in the first location would end the request before
 * `limit_conn` counts it, so nothing would limit how many of these responses a client leaves unread. No file has this
 * path. */
export const counted = (name: string): readonly Directive[] => conf`
  auth_request off; allow all; root /dev/null; try_files /- @meshgate_${name};
`;

/** The error pages for statuses for which the gateway has no text. Without them, nginx would answer before it counts the
 * request. The statuses stay. */
export const otherErrors = conf`error_page 405 413 421 501 @meshgate_error;`;

/** The same in a location with error pages of its own. The other statuses come before nginx has found a location. */
export const tooLarge = conf`error_page 413 @meshgate_error;`;

/** The locations of these error pages. The status is that of the error. The one that is written here would be sent only if
 * there were no error, so it is one that refuses. `return` needs a variable, since it takes an empty text for none. */
export const errorLocations: readonly Directive[] = conf`
  location @meshgate_error { ${counted('error_text')} }
  location @meshgate_error_text { return 500 $meshgate_no_text; }
`;

/** The limits of all endpoints of the gateway itself. */
export const strangersBody: readonly Directive[] = conf`
  ${bodyBuffer(MAX_FORM_BYTES)}
  client_body_timeout ${BODY_SECONDS}s;
`;

/** The limits of one endpoint. */
export function strangersAt(context: Context, endpoint: Endpoint): readonly Directive[] {
  const { open }: Exposed = EXPOSED[endpoint];
  return conf`
    ${open && conf`limit_conn ${literal(open[0])} ${open[1]}; ${ofSite(context)} limit_conn_status 444; limit_conn_log_level info;`}
  `;
}
