import { claimAt } from '../base/claim-at.ts';
import { MAX_NUMERIC_DATE } from '../base/limits.ts';
import { ownOf } from '../base/own.ts';
import { asObject, isText } from '../token/json.ts';
import type { Claims } from '../token/types.ts';
import type { KeptClaims, SessionClaims } from './types.ts';

/** Version of the list below. A list of another version is rejected. */
const VERSION = 2;

/** The version, then the members of {@link SessionClaims} in order. A missing session id of the provider is 0. The last
 * element, the cut-off, is left out if there is no cut-off. */
export type Listed = readonly [
  version: number,
  sid: string,
  provider: string,
  psid: string | 0,
  selection: string,
  gen: number,
  since: number,
  authTime: number,
  sealed: number,
  fresh: number,
  end: number,
  claims: Claims,
  issuer: string,
  cut?: number,
];

/** Indexes of {@link Listed}, for code that reads the list without making an object. */
export const SID = 1;
export const PROVIDER = 2;
export const SELECTION = 4;
export const SINCE = 6;
export const AUTH_TIME = 7;
export const SEALED = 8;
export const FRESH = 9;
export const END = 10;
export const CLAIMS = 11;
const ISSUER = 12;
const CUT = 13;

const LENGTH = 13;
const FIRST_COUNT = 5;

/** The beginning of nearly every issuer. The list has only its slashes, with which no issuer begins. */
const HTTPS = /^https:\/\//;

/** Writes a session as compact JSON. It is a list, because the browser sends each byte with each request. */
export function claimsText(session: SessionClaims): string {
  const { sid, provider, issuer, psid, selection, gen, since, authTime, sealed, fresh, end, claims, cut } = session;
  const times = [since, authTime, sealed, fresh, end] as const;
  const listed: Listed = [
    VERSION,
    sid,
    provider,
    psid ?? 0,
    selection,
    gen,
    ...times,
    claims,
    issuer.replace(HTTPS, '//'),
  ];
  return JSON.stringify(cut === undefined ? listed : [...listed, cut]);
}

const isCount = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_NUMERIC_DATE;

/** Reads the result of {@link claimsText} as a list; `undefined` for any other text. This runs for each new session. In
 * njs, an object with a dozen members would take as long to make as the rest of this function takes. */
export function readListed(text: string): Listed | undefined {
  let listed: unknown;
  try {
    listed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(listed) || listed[0] !== VERSION) return undefined;
  if (listed.length !== LENGTH && !(listed.length === LENGTH + 1 && isCount(listed[CUT]))) return undefined;
  for (let i = FIRST_COUNT; i < CLAIMS; i++) if (!isCount(listed[i])) return undefined;
  for (const i of [SID, PROVIDER, SELECTION, ISSUER]) if (!isText(listed[i])) return undefined;
  if ((listed[3] !== 0 && !isText(listed[3])) || asObject(listed[CLAIMS]) === undefined) return undefined;
  return listed as unknown as Listed;
}

export function claimsOf(listed: Listed): SessionClaims {
  const [, sid, provider, psid, selection, gen, since, authTime, sealed, fresh, end, claims, short, cut] = listed;
  const issuer = short.startsWith('//') ? `https:${short}` : short;
  const reported: SessionClaims = {
    ...{ sid, provider, issuer, selection, gen, since, authTime, sealed, fresh, end, claims },
    ...(cut !== undefined && { cut }),
  };
  return psid === 0 ? reported : { ...reported, psid };
}

/** Returns the last line of a sealed cookie's text, which is {@link claimsText}. That text has no line break. */
export const lastLine = (text: string): string => text.slice(text.lastIndexOf('\n') + 1);

/** Reads {@link claimsText} at the end of a text that has several lines; `undefined` for any other text. */
export function readClaims(text: string): SessionClaims | undefined {
  const listed = readListed(lastLine(text));
  return listed && claimsOf(listed);
}

/** Returns the elements of a list that the policy names. Elements that are not texts stay, because they show that the
 * list has another form. A value that is not a list is not changed; a text can be a list of words. */
function elementsOf(value: unknown, wanted: readonly string[]): unknown {
  if (!Array.isArray(value)) return value;
  return value.filter((element) => typeof element !== 'string' || wanted.includes(element));
}

/** Returns the claims that a session keeps, with their whole paths as names. {@link claimAt} tries whole paths first,
 * so facts, headers and subjects read the same values as from all claims. */
export function keep(claims: Claims, kept: KeptClaims, provider: string): Claims {
  const members: [string, unknown][] = [];
  const paths = ownOf(kept.paths, provider) ?? [];
  for (const path of paths) {
    const value = claimAt(claims, path);
    if (value !== undefined) members.push([path, value]);
  }
  for (const [path, wanted] of Object.entries(ownOf(kept.elements, provider) ?? {})) {
    const value = paths.includes(path) ? undefined : claimAt(claims, path);
    if (value !== undefined) members.push([path, elementsOf(value, wanted)]);
  }
  return Object.fromEntries(members);
}
