import * as z from 'zod';
import { origin } from '../forms/addresses.ts';
import { FAILOVER, PROXY_DEFAULTS } from '../forms/bounds.ts';
import { hints } from '../forms/hints.ts';
import { computed, flag, key, mapping, optional, orNone, usually } from '../forms/mapping.ts';
import * as s from '../forms/scalars.ts';

/** How nginx proxies requests of a route. A key of a route replaces the same key of its host. */
export const proxy = mapping(
  {
    stream: computed(
      'destination',
      flag,
      false,
      'Events and messages pass at once in both directions: nginx buffers nothing, and a pause may last an hour.',
    ),
    // Longer times have no effect: the kernel stops trying to connect after about 75 s.
    connect_timeout: computed(
      'destination',
      s.secondsWithin({ least: '1s', most: '75s' }),
      `${PROXY_DEFAULTS.connectTimeout}s`,
      `How long nginx waits for a connection, and as long for TLS; ${FAILOVER.connectTimeout}s with several ingresses.`,
    ),
    send_timeout: computed(
      'destination',
      s.secondsWithin({ least: '1s', most: '86400s' }),
      `${PROXY_DEFAULTS.silence}s`,
      'Longest pause of the service while it reads a request; 1h with stream.',
    ),
    read_timeout: computed(
      'destination',
      s.secondsWithin({ least: '1s', most: '86400s' }),
      `${PROXY_DEFAULTS.silence}s`,
      'Longest pause of the service while it responds; 1h with stream.',
    ),
    max_body: computed(
      'destination',
      s.bytesWithin({ most: '100g' }),
      `${PROXY_DEFAULTS.maxBody >> 20}m`,
      'Largest body of a request.',
    ),
    buffering: computed('destination', flag, true, 'false: nginx passes responses to the client at once.'),
    request_buffering: computed(
      'destination',
      flag,
      false,
      'true: nginx keeps the body of a request in /run/meshgate/tmp until it is complete. All uploads share this folder.',
    ),
  },
  { notEmpty: 'nothing in it; write { read_timeout: 5m }, or remove it' },
)
  .register(hints, { what: 'a mapping', write: '{ read_timeout: 5m }' })
  .describe('How nginx proxies the requests.');

type DeclaredProxy = z.output<typeof proxy>;

/** How nginx proxies requests. Times are in seconds, sizes in bytes. If the body size is 0, there is no limit. */
export type Proxying = Required<Omit<DeclaredProxy, 'stream'>>;

/** Returns the proxy settings of a route. With gRPC, bodies are streamed and have no limit.
 * @param connect the default of `connect_timeout` */
export function proxying(
  host: DeclaredProxy = {},
  route: DeclaredProxy = {},
  grpc: boolean,
  connect: number,
): Proxying {
  const declared = { ...host, ...route };
  const streams = grpc || (declared.stream ?? false);
  const silence = streams ? PROXY_DEFAULTS.streamSilence : PROXY_DEFAULTS.silence;
  return {
    connectTimeout: declared.connectTimeout ?? connect,
    sendTimeout: declared.sendTimeout ?? silence,
    readTimeout: declared.readTimeout ?? silence,
    maxBody: declared.maxBody ?? (grpc ? 0 : PROXY_DEFAULTS.maxBody),
    buffering: !grpc && (declared.buffering ?? !streams),
    requestBuffering: !grpc && (declared.requestBuffering ?? false),
  };
}

/** Pages of other origins that may send requests. The setting of a route replaces that of its host. */
export const cors = z
  .union([
    mapping({
      origins: key(
        'request',
        s
          .list(origin, '[https://app.example.com]')
          .describe('The origins whose pages may send requests, or only "*" for all origins, without credentials.'),
      ),
      methods: optional(
        'request',
        s.list(z.enum(s.METHODS), '[GET, POST]'),
        'Methods that these pages may use. Default: the methods of the route’s rules.',
      ),
      headers: usually(
        'request',
        s.headerNames('[Authorization, Content-Type]'),
        ['Authorization', 'Content-Type'],
        'Request headers that these pages may set.',
      ),
      expose: orNone(
        'request',
        s.headerNames('[ETag]'),
        'Response headers that these pages may read, besides those that all pages may read. Default: none.',
      ),
      credentials: usually('request', flag, false, 'true: the browser sends cookies along.'),
      max_age: usually(
        'request',
        s.secondsWithin({ most: '86400s' }),
        '10m',
        'How long a browser remembers these permissions, at most 1d.',
      ),
    }),
    z.null(),
  ])
  .register(hints, { what: 'a mapping', write: '{ origins: [https://app.example.com] }, or null for none' })
  .describe('Pages of other origins that may send requests; null removes the host’s setting.');

type DeclaredCors = z.output<typeof cors>;
type Method = (typeof s.METHODS)[number];

/** Pages of other origins that may send requests, and which requests they may send (Fetch standard, section 3.2). */
export type Cors = NonNullable<DeclaredCors> & { readonly methods: readonly Method[] };

/** The methods that pages of other origins may use if the rules of a route name no methods. */
const USUAL: readonly Method[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** Returns the methods that these rules allow; the usual methods if a rule allows all. */
function allowed(rules: readonly { readonly methods?: readonly Method[] }[]): readonly Method[] {
  const named = rules.map(({ methods }) => methods);
  if (named.includes(undefined)) return USUAL;
  const all = new Set(named.flatMap((methods) => methods ?? []));
  return [...all].flatMap((method): Method[] => (method === 'GET' && !all.has('HEAD') ? ['GET', 'HEAD'] : [method]));
}

export const corsOf = (declared: DeclaredCors | undefined, rules: Parameters<typeof allowed>[0]): Cors | undefined =>
  declared == null ? undefined : { ...declared, methods: declared.methods ?? allowed(rules) };
