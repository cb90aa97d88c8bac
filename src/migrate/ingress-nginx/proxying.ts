import { METHODS } from '../../policy/forms/scalars.ts';
import type { Findings } from '../findings.ts';
import type { Mapping } from '../new-policy.ts';
import { durationText, isHeader, isOrigin, secondsOf } from '../text-forms.ts';
import type { Annotations } from './settings.ts';
import { integerOf } from './values.ts';

/** Reads a value of an annotation, or else of the ConfigMap of the controller. */
type Read = (name: string) => string | undefined;

function durationOf(read: Read, name: string, most: number): string | undefined {
  const seconds = secondsOf(read(name) ?? '');
  return seconds === undefined || seconds < 1 ? undefined : durationText(Math.min(seconds, most));
}

const SIZE_UNITS = { k: 1, m: 1024, g: 1024 * 1024 } as const;

/** Writes a size of nginx as policies do; 0 means no limit, and a policy has a largest one. */
function sizeOf(text: string | undefined): string | undefined {
  const [, digits = '', unit = ''] = /^(\d{1,12})([kmg]?)$/i.exec(text?.trim() ?? '') ?? [];
  if (digits === '') return undefined;
  if (Number(digits) === 0) return '100g';
  const kilo = unit === '' ? Math.ceil(Number(digits) / 1024) : Number(digits) * SIZE_UNITS[unit.toLowerCase() as 'k'];
  if (kilo >= 100 * SIZE_UNITS.g) return '100g';
  if (kilo % SIZE_UNITS.g === 0) return `${kilo / SIZE_UNITS.g}g`;
  return kilo % SIZE_UNITS.m === 0
    ? `${kilo / SIZE_UNITS.m}m`
    : kilo <= 999_999
      ? `${kilo}k`
      : `${Math.ceil(kilo / SIZE_UNITS.m)}m`;
}

const isGrpc = (annotations: Annotations): boolean =>
  annotations.text('backend-protocol')?.toUpperCase().startsWith('GRPC') === true;

/** Header names without those that differ in case only. */
const headersIn = (names: readonly string[]): readonly string[] => [
  ...new Map(names.filter((it) => isHeader(it)).map((it) => [it.toLowerCase(), it] as const)).values(),
];

/** The key `proxy` of routes. */
export function proxyOf(annotations: Annotations, controller: ReadonlyMap<string, string>): Mapping {
  const read: Read = (name) => annotations.text(name) ?? controller.get(name);
  // nginx never buffers gRPC.
  const isOff = (name: string) => annotations.text(name)?.toLowerCase() === 'off' && !isGrpc(annotations);
  const of = {
    connect_timeout: durationOf(read, 'proxy-connect-timeout', 75),
    send_timeout: durationOf(read, 'proxy-send-timeout', 86_400),
    read_timeout: durationOf(read, 'proxy-read-timeout', 86_400),
    max_body: sizeOf(read('proxy-body-size')),
    buffering: isOff('proxy-buffering') ? false : undefined,
    request_buffering: isOff('proxy-request-buffering') ? false : undefined,
  };
  const declared = Object.entries(of).filter((it): it is [string, string | boolean] => it[1] !== undefined);
  return Object.fromEntries(declared);
}

/** The key `limit` of routes; undefined if there is none. */
export function limitOf(annotations: Annotations, findings: Findings): Mapping | undefined {
  const multiplier = Math.max(1, integerOf(annotations.raw('limit-burst-multiplier')) ?? 5);
  const of = (name: string, unit: 's' | 'm') => {
    const number = integerOf(annotations.raw(name)) ?? 0;
    if (number < 1) return undefined;
    const most = unit === 's' ? 1000 : 60_000;
    if (number > most) {
      findings.lose(
        annotations.label(name),
        `a budget of more than ${most}/${unit} is no limit that the gateway counts`,
        true,
      );
      return undefined;
    }
    return { rate: `${number}/${unit}`, burst: Math.min(1_000_000, Math.ceil(number * multiplier)) };
  };
  const [perSecond, perMinute] = [of('limit-rps', 's'), of('limit-rpm', 'm')];
  if (perSecond !== undefined && perMinute !== undefined) {
    findings.lose(annotations.label('limit-rps'), 'a route has one budget: that of limit-rpm is in the policy', true);
  }
  const limit = perMinute ?? perSecond;
  if (limit !== undefined) {
    const label = annotations.label(perMinute === undefined ? 'limit-rps' : 'limit-rpm');
    findings.differ(
      label,
      'ingress-nginx counts the requests of each address, also refused ones, and answers 503; the gateway counts those of each caller that a rule allows, and answers 429',
    );
  }
  return limit;
}

const CORS_METHODS = ['GET', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS'];
const CORS_HEADERS = [
  ...['DNT', 'Keep-Alive', 'User-Agent', 'X-Requested-With', 'If-Modified-Since', 'Cache-Control', 'Content-Type'],
  ...['Range', 'Authorization'],
];

/** The key `cors` of routes; undefined if there is none. */
export function corsOf(annotations: Annotations, findings: Findings): Mapping | undefined {
  if (!annotations.is('enable-cors')) return undefined;
  const label = annotations.label('cors-allow-origin');
  const declared = annotations.has('cors-allow-origin') ? annotations.list('cors-allow-origin') : ['*'];
  const origins = [...new Set(declared.map((it) => it.toLowerCase().replace(/^(https:.*):443$/, '$1')))].filter((it) =>
    isOrigin(it),
  );
  if (origins.length < declared.length) {
    findings.lose(label, 'an origin with a star or with plain http is left out: list each origin, with https');
  }
  const isAll = origins.includes('*');
  const wantsCookies = annotations.is('cors-allow-credentials');
  if (isAll && wantsCookies) {
    findings.differ(
      label,
      'pages of every origin may send requests, but not with cookies: list the origins that may use credentials',
    );
  }
  if (origins.length === 0) return undefined;
  const methods = annotations.has('cors-allow-methods') ? annotations.list('cors-allow-methods') : CORS_METHODS;
  const headers = annotations.has('cors-allow-headers') ? annotations.list('cors-allow-headers') : CORS_HEADERS;
  const known = [...new Set(methods.map((it) => it.toUpperCase()))].filter((it) =>
    (METHODS as readonly string[]).includes(it),
  );
  const named = headersIn(headers);
  const expose = headersIn(annotations.list('cors-expose-headers'));
  const age = Number(annotations.text('cors-max-age') ?? 1_728_000);
  findings.differ(
    label,
    'ingress-nginx answers each preflight, and the gateway those of a listed origin; others need a credential',
  );
  return {
    origins: isAll ? ['*'] : origins,
    ...(known.length > 0 && { methods: known }),
    ...(named.length > 0 && { headers: named }),
    ...(expose.length > 0 && { expose }),
    ...(!isAll && wantsCookies && { credentials: true }),
    ...(age >= 1 && { max_age: durationText(Math.min(age, 86_400)) }),
  };
}
