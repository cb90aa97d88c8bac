import { MAX_NUMERIC_DATE } from '../limits.ts';
import { claimAt } from '../token/claim-at.ts';
import { asObject } from '../token/json.ts';
import type { Claims } from '../token/types.ts';
import type { KeptClaims, SessionClaims } from './types.ts';

/** Of the form below; another one is not read. */
const VERSION = 1;

/** The members in their order after the version; a session without a provider's own has 0 for it. */
type Listed = readonly [
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
];

/** What a session cookie says as compact JSON: a list, since each byte travels with each request. */
export function claimsText(session: SessionClaims): string {
  const { sid, provider, psid, selection, gen, since, authTime, sealed, fresh, end, claims } = session;
  const times = [since, authTime, sealed, fresh, end] as const;
  const listed: Listed = [VERSION, sid, provider, psid ?? 0, selection, gen, ...times, claims];
  return JSON.stringify(listed);
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

const isCount = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_NUMERIC_DATE;

/** Reads {@link claimsText}; `undefined` for any other text. */
export function readClaims(text: string): SessionClaims | undefined {
  let listed: unknown;
  try {
    listed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(listed) || listed.length !== 12 || listed[0] !== VERSION) return undefined;
  for (let i = 5; i < 11; i++) if (!isCount(listed[i])) return undefined;
  const sid: unknown = listed[1];
  const provider: unknown = listed[2];
  const psid: unknown = listed[3];
  const selection: unknown = listed[4];
  const claims = asObject(listed[11]);
  if (!isText(sid) || !isText(provider) || !isText(selection) || claims === undefined) return undefined;
  if (psid !== 0 && !isText(psid)) return undefined;
  const session: { -readonly [K in keyof SessionClaims]: SessionClaims[K] } = {
    sid,
    provider,
    selection,
    gen: listed[5],
    since: listed[6],
    authTime: listed[7],
    sealed: listed[8],
    fresh: listed[9],
    end: listed[10],
    claims,
  };
  if (psid !== 0) session.psid = psid;
  return session;
}

/**
 * Of a list, the elements that the policy names, and those that are no texts: they say that the list has another form.
 * What is no list is kept as it is: a single text may be a list of words.
 */
function elementsOf(value: unknown, wanted: readonly string[]): unknown {
  if (!Array.isArray(value)) return value;
  return value.filter((element) => typeof element !== 'string' || wanted.includes(element));
}

/**
 * What a session keeps of a provider's claims. Each is kept under its whole path, where {@link claimAt} finds it first.
 * So facts, headers and subjects come out as they do for all claims.
 */
export function keep(claims: Claims, kept: KeptClaims, provider: string): Claims {
  const members: [string, unknown][] = [];
  const paths = Object.hasOwn(kept.paths, provider) ? (kept.paths[provider] as readonly string[]) : [];
  for (const path of paths) {
    const value = claimAt(claims, path);
    if (value !== undefined) members.push([path, value]);
  }
  const elements = Object.hasOwn(kept.elements, provider) ? kept.elements[provider] : undefined;
  for (const [path, wanted] of Object.entries(elements ?? {})) {
    const value = paths.includes(path) ? undefined : claimAt(claims, path);
    if (value !== undefined) members.push([path, elementsOf(value, wanted)]);
  }
  return Object.fromEntries(members);
}
