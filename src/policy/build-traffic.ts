import { CORS_MAX_AGE, PROXY_DEFAULTS } from '../limits.ts';
import type { ROUTES } from './path.ts';
import type { Raw } from './schema.ts';
import type { Cors, Proxying } from './types.ts';
import { bytes, seconds } from './units.ts';

type RawHost = Raw['hosts'][string];
type RawRoute = RawHost[typeof ROUTES][string];

/** The methods that other origins may use on a route whose rules name none. */
const USUAL = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** The proxy settings of a route: its own, else the host's, else the defaults.
 *
 * @param grpc calls may last, and send, as long as they need
 */
export function buildProxying(host: RawHost, route: RawRoute, grpc: boolean): { readonly proxy?: Proxying } {
  if (host.proxy === undefined && route.proxy === undefined && !grpc) return {};
  const said = { ...host.proxy, ...route.proxy };
  const streams = grpc || (said.stream ?? false);
  const time = (text: string | undefined, otherwise: number) => (text === undefined ? otherwise : seconds(text));
  const silence = streams ? PROXY_DEFAULTS.streamSilence : PROXY_DEFAULTS.silence;
  const proxy = {
    connectTimeout: time(said.connect_timeout, PROXY_DEFAULTS.connectTimeout),
    sendTimeout: time(said.send_timeout, silence),
    readTimeout: time(said.read_timeout, silence),
    maxBody: said.max_body === undefined ? (grpc ? 0 : PROXY_DEFAULTS.maxBody) : bytes(said.max_body),
    buffering: !grpc && (said.buffering ?? !streams),
    requestBuffering: !grpc && (said.request_buffering ?? !streams),
  };
  return { proxy };
}

/** Methods that a rule of a route allows; the usual ones if a rule allows all. */
function allowed({ allow }: RawRoute): readonly string[] {
  const named = allow.map((rule) => (typeof rule === 'string' ? undefined : rule.methods));
  if (named.includes(undefined)) return USUAL;
  const all = new Set(named.flatMap((methods) => methods ?? []));
  return [...all].flatMap((method): string[] => (method === 'GET' && !all.has('HEAD') ? ['GET', 'HEAD'] : [method]));
}

/** The CORS settings of a route: its own, else the host's. */
export function buildCors(host: RawHost, route: RawRoute): { readonly cors?: Cors } {
  const cors = route.cors === undefined ? host.cors : route.cors;
  if (cors == null) return {};
  return {
    cors: {
      origins: cors.origins,
      methods: cors.methods ?? allowed(route),
      headers: cors.headers ?? ['Authorization', 'Content-Type'],
      expose: cors.expose ?? [],
      credentials: cors.credentials ?? false,
      maxAge: cors.max_age === undefined ? CORS_MAX_AGE : seconds(cors.max_age),
    },
  };
}
