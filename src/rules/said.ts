import type { Limit } from '../policy/types.ts';
import { limitText } from './budgets.ts';

/* Values of a checked policy as policies write them, and whether two are equal. */

/** Keys with other spellings than the usual change from `caFile` to `ca_file`. */
const WRITTEN: Readonly<Record<string, string>> = {
  anyAudience: 'insecure_any_audience',
  anyType: 'insecure_any_type',
  endpoints: 'etcd',
  forgetful: 'insecure_forget_revocations',
  passWhenFull: 'insecure_pass_when_full',
  privateAddresses: 'insecure_private_addresses',
  proxiedNetworks: 'insecure_proxied_networks',
  subdomains: 'include_subdomains',
};

/** Keys with times in seconds. */
const SECONDS: ReadonlySet<string> = new Set([
  ...['absolute', 'age', 'cache', 'clockSkew', 'connectTimeout', 'coolDown', 'fresh', 'idle', 'lifetime', 'maxAge'],
  ...['negative', 'readTimeout', 'refresh', 'rotation', 'sendTimeout', 'stale', 'timeout', 'tokenCache'],
]);

/** `caFile` as policies write it. */
export const writtenKey = (key: string): string =>
  WRITTEN[key] ?? key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Whether a value is a place in a file, which does not count in a comparison. */
const isPlace = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'file' in value && 'line' in value && 'column' in value;

/** A value without places, with sorted keys. */
function bare(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bare);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, own]) => !isPlace(own));
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, own]) => [key, bare(own)]));
}

/** Whether two values are equal, wherever they stand in the file. */
export const isSameValue = (a: unknown, b: unknown): boolean => JSON.stringify(bare(a)) === JSON.stringify(bare(b));

const seconds = (key: string, value: unknown): value is number => typeof value === 'number' && SECONDS.has(key);

/** The keys of labels are the policy's own and keep their spelling. */
function written(key: string, value: unknown): unknown {
  if (seconds(key, value)) return `${value}s`;
  if (Array.isArray(value)) return value.map((part) => written('', part));
  if (typeof value !== 'object' || value === null || key === 'labels') return value;
  const entries = Object.entries(value).filter(([, own]) => !isPlace(own));
  return Object.fromEntries(entries.map(([own, part]) => [writtenKey(own), written(own, part)]));
}

/** The value of a key as JSON, with the keys and times of policies; undefined if it is absent. */
export function said(key: string, value: unknown): string | undefined {
  return seconds(key, value) ? `${value}s` : JSON.stringify(written(key, value));
}

/** A limit in words; null if the policy removes it. */
export const saidLimit = (limit: Limit | null | undefined): string | null | undefined =>
  limit ? limitText(limit) : limit;
