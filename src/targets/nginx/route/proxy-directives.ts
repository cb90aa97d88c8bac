import type { Proxying } from '../../../policy/checked/types.ts';
import { PROXY_DEFAULTS } from '../../../policy/forms/bounds.ts';
import { type Directive, line, row } from '../text/directive.ts';
import type { Module } from './module.ts';

/** The default proxy settings. */
const USUAL: Proxying = {
  connectTimeout: PROXY_DEFAULTS.connectTimeout,
  sendTimeout: PROXY_DEFAULTS.silence,
  readTimeout: PROXY_DEFAULTS.silence,
  maxBody: PROXY_DEFAULTS.maxBody,
  buffering: true,
  requestBuffering: false,
};

const time = (seconds: number): string => `${seconds}s`;
const onOff = (on: boolean): string => (on ? 'on' : 'off');
const size = (bytes: number): string =>
  bytes === 0 ? '0' : bytes % (1 << 20) === 0 ? `${bytes / (1 << 20)}m` : `${bytes / (1 << 10)}k`;

/** How much of a body that passes through nginx holds for a request. Over HTTP/2, a client sends this much in each round
 * trip. */
const UPLOAD_WINDOW_BYTES = 128 * 1024;

const LINES: { readonly [Key in keyof Proxying]: readonly [string, (value: Proxying[Key]) => string] } = {
  connectTimeout: ['_connect_timeout', time],
  sendTimeout: ['_send_timeout', time],
  readTimeout: ['_read_timeout', time],
  maxBody: ['client_max_body_size', size],
  buffering: ['_buffering', onOff],
  requestBuffering: ['_request_buffering', onOff],
};

function declared<Key extends keyof Proxying>(key: Key, proxy: Proxying, module: Module): Directive {
  const [name, text] = LINES[key];
  return line(name.startsWith('_') ? module + name : name, text(proxy[key]));
}

const KEYS = Object.keys(LINES) as (keyof Proxying)[];

/** The proxy settings that all routes of a host inherit. They override those of the http level. */
export const usual: readonly Directive[] = row(
  [...KEYS.map((key) => declared(key, USUAL, 'proxy')), line('client_body_buffer_size', size(UPLOAD_WINDOW_BYTES))],
  'a route may have other values',
);

/** The time-outs for clients: a client may pause in a request body for as long as the service may. */
const patience = ({ requestBuffering, readTimeout }: Proxying): readonly Directive[] =>
  requestBuffering || readTimeout <= USUAL.readTimeout ? [] : [line('client_body_timeout', time(readTimeout))];

/** The settings in which a route differs from the defaults. For gRPC, which nginx never buffers, all settings. */
export function proxySettings(proxy: Proxying = USUAL, module: Module = 'proxy'): readonly Directive[] {
  const keys =
    module === 'grpc'
      ? KEYS.filter((key) => !key.toLowerCase().endsWith('buffering'))
      : KEYS.filter((key) => proxy[key] !== USUAL[key]);
  return row([...keys.map((key) => declared(key, proxy, module)), ...patience(proxy)]);
}
