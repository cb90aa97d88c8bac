import { PROXY_DEFAULTS } from '../../limits.ts';
import type { Proxying } from '../../policy/types.ts';
import { type Directive, line } from './directive.ts';

/** How requests are carried unless a route says otherwise. */
const USUAL: Proxying = {
  connectTimeout: PROXY_DEFAULTS.connectTimeout,
  sendTimeout: PROXY_DEFAULTS.silence,
  readTimeout: PROXY_DEFAULTS.silence,
  maxBody: PROXY_DEFAULTS.maxBody,
  buffering: true,
  requestBuffering: true,
};

const time = (seconds: number): string => `${seconds}s`;
const onOff = (on: boolean): string => (on ? 'on' : 'off');
const size = (bytes: number): string => (bytes % (1 << 20) === 0 ? `${bytes / (1 << 20)}m` : `${bytes / (1 << 10)}k`);

const LINES: { readonly [Key in keyof Proxying]: readonly [string, (value: Proxying[Key]) => string] } = {
  connectTimeout: ['proxy_connect_timeout', time],
  sendTimeout: ['proxy_send_timeout', time],
  readTimeout: ['proxy_read_timeout', time],
  maxBody: ['client_max_body_size', size],
  buffering: ['proxy_buffering', onOff],
  requestBuffering: ['proxy_request_buffering', onOff],
};

function said<Key extends keyof Proxying>(key: Key, proxy: Proxying): Directive {
  const [name, text] = LINES[key];
  return line(name, text(proxy[key]));
}

const KEYS = Object.keys(LINES) as (keyof Proxying)[];

/** What all routes of a host inherit, whatever nginx's own level around them says. */
export const usual: readonly Directive[] = KEYS.map((key) => said(key, USUAL));

/** What of it is another on one route. */
export function carried(proxy: Proxying = USUAL): readonly Directive[] {
  return KEYS.filter((key) => proxy[key] !== USUAL[key]).map((key) => said(key, proxy));
}
