import * as z from 'zod';
import { origin } from './addresses.ts';
import { PROXY_DEFAULTS } from './bounds.ts';
import { hints } from './hints.ts';
import { flag, mapping, orNone } from './mapping.ts';
import * as s from './scalars.ts';

/** How nginx proxies requests of a route; a route's keys replace its host's. */
export const proxy = mapping({
  stream: flag
    .describe('Events and messages pass at once, both ways: nothing is buffered, and a pause may last an hour.')
    .meta({ default: false })
    .optional(),
  // Longer times have no effect: the kernel stops trying to connect after about 75 s.
  connect_timeout: s
    .secondsWithin({ least: '1s', most: '75s' })
    .describe('Longest wait for a connection, TLS included.')
    .meta({ default: `${PROXY_DEFAULTS.connectTimeout}s` })
    .optional(),
  send_timeout: s
    .secondsWithin({ least: '1s', most: '86400s' })
    .describe('Longest pause of the service while it reads a request; 1h with stream.')
    .meta({ default: `${PROXY_DEFAULTS.silence}s` })
    .optional(),
  read_timeout: s
    .secondsWithin({ least: '1s', most: '86400s' })
    .describe('Longest pause of the service while it responds; 1h with stream.')
    .meta({ default: `${PROXY_DEFAULTS.silence}s` })
    .optional(),
  max_body: s
    .bytesWithin({ most: '100g' })
    .describe('Largest body of a request.')
    .meta({ default: `${PROXY_DEFAULTS.maxBody >> 20}m` })
    .optional(),
  buffering: flag.describe('false: responses pass to the client as they come.').meta({ default: true }).optional(),
  request_buffering: flag
    .describe('false: bodies of requests pass to the service as they come.')
    .meta({ default: true })
    .optional(),
})
  .register(hints, { what: 'a mapping', write: '{ read_timeout: 5m }' })
  .describe('How nginx proxies the requests.');

type SaidOfProxy = z.output<typeof proxy>;

/** How nginx proxies requests. Times are in seconds, sizes in bytes. If the body size is 0, there is no limit. */
export type Proxying = Required<Omit<SaidOfProxy, 'stream'>>;

/**
 * The proxy settings of a route. Each setting is the route's own or, if it has none, the host's or the default.
 *
 * @param grpc whether the service uses gRPC: then calls may last, and send data, for as long as they need
 */
export function proxying(host: SaidOfProxy = {}, route: SaidOfProxy = {}, grpc: boolean): Proxying {
  const said = { ...host, ...route };
  const streams = grpc || (said.stream ?? false);
  const silence = streams ? PROXY_DEFAULTS.streamSilence : PROXY_DEFAULTS.silence;
  return {
    connectTimeout: said.connectTimeout ?? PROXY_DEFAULTS.connectTimeout,
    sendTimeout: said.sendTimeout ?? silence,
    readTimeout: said.readTimeout ?? silence,
    maxBody: said.maxBody ?? (grpc ? 0 : PROXY_DEFAULTS.maxBody),
    buffering: !grpc && (said.buffering ?? !streams),
    requestBuffering: !grpc && (said.requestBuffering ?? !streams),
  };
}

/** Pages of other origins that may send requests to a route. The setting of a route replaces the setting of its host. */
export const cors = z
  .union([
    mapping({
      origins: s
        .list(origin, '[https://app.example.com]')
        .describe('Origins whose pages may send requests, exactly; or only "*" for all, without credentials.'),
      methods: s
        .list(z.enum(s.METHODS), '[GET, POST]')
        .describe('Methods that they may use. Default: those of the route’s rules.')
        .optional(),
      headers: s
        .list(s.headerName, '[Authorization, Content-Type]')
        .describe('Request headers that they may set.')
        .prefault(['Authorization', 'Content-Type']),
      expose: orNone(
        s
          .list(s.headerName, '[ETag]')
          .describe('Response headers that they may read, besides those that are always readable. Default: none.'),
      ),
      credentials: flag.describe('true: the browser sends cookies along.').prefault(false),
      max_age: s
        .secondsWithin({ most: '86400s' })
        .describe('How long a browser remembers what it may do, at most 1d.')
        .prefault('10m'),
    }),
    z.null(),
  ])
  .register(hints, { what: 'a mapping', write: '{ origins: [https://app.example.com] }, or null for none' })
  .describe('Pages of other origins that may send requests; null removes the host’s setting.');

type SaidOfCors = z.output<typeof cors>;
type Method = (typeof s.METHODS)[number];

/** Pages of other origins that may send requests, and which requests they may send (Fetch standard, section 3.2). */
export type Cors = NonNullable<SaidOfCors> & { readonly methods: readonly Method[] };

/** The methods that pages of other origins may use if the rules of a route name no methods. */
const USUAL: readonly Method[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** The methods that at least one of these rules allows. If a rule allows all methods, the usual ones. */
function allowed(rules: readonly { readonly methods?: readonly Method[] }[]): readonly Method[] {
  const named = rules.map(({ methods }) => methods);
  if (named.includes(undefined)) return USUAL;
  const all = new Set(named.flatMap((methods) => methods ?? []));
  return [...all].flatMap((method): Method[] => (method === 'GET' && !all.has('HEAD') ? ['GET', 'HEAD'] : [method]));
}

/** The CORS settings of a route: its own or, if it has none, the host's. */
export function corsOf(said: SaidOfCors | undefined, rules: Parameters<typeof allowed>[0]): Cors | undefined {
  return said == null ? undefined : { ...said, methods: said.methods ?? allowed(rules) };
}
