import { isMappedRange, type Range, rangeText, readRange } from '../../base/cidr.ts';
import { secondsOf, truthOf } from '../text-forms.ts';
import type { Option } from './options.ts';

/* How oauth2-proxy 7.15 reads values (its sources: pkg/apis/options, pkg/validation). It does not start with a value that
 * it cannot read, and then no request passes. */

/** Where a setting is written. A later one wins over an earlier one. */
export const LEVELS = ['config', 'environment', 'alpha', 'flag'] as const;

export type Level = (typeof LEVELS)[number];

/** Reads a line of CSV, as flags have it. */
function elementsOf(text: string): readonly string[] | undefined {
  if (text === '') return [];
  const found: string[] = [];
  const element = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|$)/y;
  for (let end = ','; end === ','; ) {
    const match = element.exec(text);
    if (match === null) return undefined;
    found.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    end = match[3] ?? '';
  }
  return found;
}

const isScalar = (it: unknown): it is string | number | bigint =>
  typeof it === 'string' || typeof it === 'bigint' || (typeof it === 'number' && Number.isSafeInteger(it));

function listIn(level: Level, value: unknown): readonly string[] | undefined {
  if (Array.isArray(value)) {
    const isKnown = level === 'alpha' ? value.every((it) => typeof it === 'string') : value.every(isScalar);
    return isKnown ? value.map(String) : undefined;
  }
  if (typeof value !== 'string' || level === 'alpha') return undefined;
  if (level === 'flag') return elementsOf(value);
  return value === '' ? [] : value.split(',');
}

function boolIn(level: Level, value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (level === 'config' && typeof value !== 'string') return isScalar(value) ? Number(value) !== 0 : undefined;
  if (typeof value !== 'string' || level === 'alpha') return undefined;
  // Without a value, a text in a configuration file is false, and a flag is not accepted.
  return value === '' && level === 'config' ? false : truthOf(value);
}

function unitIn(level: Level, value: unknown, unit: 'duration' | 'number'): string | undefined {
  if (level === 'alpha' && (typeof value === 'string') !== (unit === 'duration')) return undefined;
  const text = isScalar(value) ? String(value) : '';
  if (unit === 'number') return /^-?\d{1,15}$/.test(text) ? text : undefined;
  // A number without a unit counts nanoseconds in a configuration file, and is not accepted elsewhere.
  if (text === '0' && level !== 'alpha') return '0s';
  return typeof value === 'string' && /[a-z]$/.test(text) && !text.endsWith('d') && secondsOf(text) !== undefined
    ? text
    : undefined;
}

/** Returns the values of an option as oauth2-proxy reads them.
 * @param value a text of a flag or a variable, or a value of TOML or YAML
 * @returns undefined if oauth2-proxy does not start with this value, or if it is not known how it reads the value */
export function valuesOf(level: Level, value: unknown, option: Option): readonly string[] | undefined {
  if (option.list) return listIn(level, value);
  if (option.bool) {
    const truth = boolIn(level, value);
    return truth === undefined ? undefined : [String(truth)];
  }
  if (option.duration || option.number) {
    const text = unitIn(level, value, option.duration ? 'duration' : 'number');
    return text === undefined ? undefined : [text];
  }
  if (typeof value === 'string') return [value];
  return level === 'config' && isScalar(value) ? [String(value)] : undefined;
}

/** A range of addresses, as oauth2-proxy reads it. It does not start with one that has bits after its prefix. */
export function networkOf(text: string): Range | undefined {
  const [address = '', bits] = text.split('/');
  const most = address.includes(':') ? 128 : 32;
  const range = readRange(bits === undefined ? `${address}/${most}` : text);
  const exact = readRange(`${address}/${most}`);
  if (range === undefined || exact === undefined || /^0\d/.test(bits ?? '')) return undefined;
  return range.bytes.every((byte, at) => byte === exact.bytes[at]) ? range : undefined;
}

/** The text of a range for a policy; undefined if a policy cannot have it. */
export const networkText = (range: Range): string | undefined =>
  range.length === 0 || isMappedRange(range) ? undefined : rangeText(range);

/** Forms that the expressions of Go have, and those of JavaScript have not. */
const ONLY_GO: readonly (readonly [RegExp, string])[] = [
  [/\\Q[\s\S]*?(?:\\E|$)/g, 'x'],
  [/\(\?[imsU-]+\)/g, ''],
  [/\(\?[imsU-]+:/g, '(?:'],
  [/\(\?P?<[A-Za-z_]\w*>/g, '('],
];

/** Whether Go compiles an expression: it has no assertions about what follows, and no references to groups. */
export function compiles(expression: string): boolean {
  const plain = ONLY_GO.reduce((text, [from, to]) => text.replace(from, to), expression);
  if (/\(\?(?!:)/.test(plain.replace(/\\[\s\S]/g, ''))) return false;
  const escapes = [...plain.matchAll(/\\([\s\S]?)([\s\S]?)/g)];
  if (escapes.some(([, char = '', next = '']) => !isEscape(char, next))) return false;
  if ([...plain.matchAll(/[{,](\d+)(?=[,}])/g)].some(([, count]) => Number(count) > 1000)) return false;
  try {
    return new RegExp(plain) !== undefined;
  } catch {
    return false;
  }
}

const isEscape = (char: string, next: string): boolean =>
  /^[aftnrvAbBdDsSwWzCpPx0]$/.test(char) ||
  /^[!-/:-@[-`{-~ ]$/.test(char) ||
  (/[1-7]/.test(char) && /[0-7]/.test(next));

const PROVIDERS = {
  signed: ['oidc', 'adfs', 'azure', 'cidaas', 'gitlab', 'keycloak-oidc', 'entra-id'],
  others: 'bitbucket digitalocean facebook github google keycloak linkedin login.gov nextcloud sourcehut'.split(' '),
};

/** Whether oauth2-proxy verifies the tokens of this kind of provider, and so accepts them as bearer tokens. */
export const isSigned = (type: string): boolean => PROVIDERS.signed.includes(type);

const ALGORITHM = /^(?:HS|RS|ES|PS)(?:256|384|512)$/;
const CLIENT_ADDRESS = /^(?:x-forwarded-for|x-real-ip|x-proxyuser-ip|x-envoy-external-address|cf-connecting-ip)$/i;
const SAME_SITE = /^(?:none|lax|strict)?$/;

/** The texts with which oauth2-proxy starts, by option. */
export const startsWith: Readonly<Record<string, (text: string) => boolean>> = {
  provider: (text) => isSigned(text) || PROVIDERS.others.includes(text),
  'trusted-ip': (text) => networkOf(text) !== undefined,
  'trusted-proxy-ip': (text) => networkOf(text) !== undefined,
  'skip-auth-regex': compiles,
  'skip-auth-route': (text) => compiles(text.slice(text.indexOf('=') + 1)),
  'api-route': compiles,
  'oidc-enabled-signing-alg': (text) => ALGORITHM.test(text),
  'cookie-samesite': (text) => SAME_SITE.test(text),
  'cookie-csrf-samesite': (text) => SAME_SITE.test(text),
  'session-store-type': (text) => text === 'cookie' || text === 'redis',
};

export const isClientAddress = (header: string): boolean => CLIENT_ADDRESS.test(header);
