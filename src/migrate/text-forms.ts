import type * as z from 'zod';
import * as addresses from '../policy/forms/addresses.ts';
import * as scalars from '../policy/forms/scalars.ts';

/* Which texts of another product's files a policy accepts. */

const fits =
  (schema: z.ZodType) =>
  (text: string | undefined): text is string =>
    schema.safeParse(text).success;

export const isFile = fits(scalars.filePath);
export const isHeader = fits(scalars.headerName);
export const isGroup = (text: string): boolean => fits(scalars.groupName)(text);
export const isClaim = fits(scalars.claimPath);
export const isPlainText = fits(scalars.plainText);
export const isRange = fits(addresses.cidr);
export const isHttpUrl = fits(addresses.httpUrl);
export const isHttpsUrl = fits(addresses.httpsUrl);
export const isServerName = fits(addresses.serverName);
export const isAuthority = fits(addresses.authority);
export const isJwksUri = fits(addresses.jwksUri);
export const isOrigin = fits(addresses.origin);
export const isAcr = fits(scalars.acrValue);

export const isDomain = (text: string): boolean => addresses.DOMAIN.test(text);

/** A host of a policy, perhaps with a wildcard. */
export const isHostName = (text: string): boolean => addresses.HOST_NAME.test(text) && !/^\d+(?:\.\d+){3}$/.test(text);

/** One e-mail address. */
export const isAddress = (text: string): boolean => /^[^\s@"'<>,*]+@[^\s@"'<>,*]+$/.test(text) && text.length < 200;

/** Returns a range of addresses as policies write it; undefined if it is none, or the range of all addresses. */
export function rangeOf(text: string): string | undefined {
  const plain = text.trim();
  const entire = plain.includes('/') ? plain : `${plain}${plain.includes(':') ? '/128' : '/32'}`;
  return isRange(entire) ? entire : undefined;
}

const UNITS = { h: 3600, m: 60, s: 1, ms: 0.001, us: 1e-6, µs: 1e-6, ns: 1e-9, d: 86400 } as const;

/** Parses a duration of Go or of nginx, such as `1h30m`, `90s` or `90`. */
export function secondsOf(text: string): number | undefined {
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text);
  const parts = [...text.matchAll(/(?<![\d.])(\d+(?:\.\d+)?)(ms|us|µs|ns|d|h|m|s)/g)];
  if (parts.length === 0 || parts.map(([all]) => all).join('') !== text) return undefined;
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * UNITS[unit as keyof typeof UNITS], 0);
}

/** Writes a duration as policies do, in whole units. */
export function durationText(seconds: number): string {
  const entire = Math.max(1, Math.round(seconds));
  if (entire % 3600 === 0) return `${entire / 3600}h`;
  return entire % 60 === 0 ? `${entire / 60}m` : `${entire}s`;
}

/** What Go reads in a text that should be true or false. It compares exactly, also the space around it. */
export function truthOf(text: string | undefined): boolean | undefined {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text ?? '')) return true;
  return ['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text ?? '') ? false : undefined;
}
