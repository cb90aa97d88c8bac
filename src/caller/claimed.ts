import { claimAt } from '../base/claim-at.ts';
import { isLike } from '../base/like.ts';
import { MAX_LOG_CLAIMS } from '../base/limits.ts';
import type { Claims } from '../token/types.ts';
import { asciiJson, shorten } from './encode.ts';

/* The claims that roles read, for the log: with them, anyone can evaluate the roles of a logged request anew. */

/** A claim that roles read. `values` and `likes` are the values and patterns that the policy compares it with. If they
 * are absent, the claim names no person, as scopes do not. */
export interface LoggedClaim {
  readonly path: string;
  readonly values?: readonly (string | number | boolean)[];
  readonly likes?: readonly string[];
}

/** Makes a pseudonym for a value that may name a person. */
export type Hide = (value: string) => string;

/** Hides the parts of a text for which the stars of the patterns stand. The rest is named by the policy. So the text still
 * matches the same patterns. If that is not possible, the whole text is hidden. */
function hideStars(text: string, likes: readonly string[], hide: Hide): string {
  const named = new Set<number>();
  for (const pattern of likes.filter((it) => isLike(text, it))) {
    const pieces = pattern.split('*');
    const last = pieces.length - 1;
    let end = 0;
    for (const [i, piece] of pieces.entries()) {
      const at = i > 0 && i === last ? text.length - piece.length : text.indexOf(piece, end);
      end = at + piece.length;
      for (let k = at; k < end; k++) named.add(k);
    }
  }
  const hash = hide(text);
  let shown = '';
  for (let i = 0; i < text.length; i++) shown += named.has(i) ? text[i] : i === 0 || named.has(i - 1) ? hash : '';
  return likes.every((it) => isLike(shown, it) === isLike(text, it)) ? shown : hash;
}

/** Returns a value in which every text that the policy does not name is hidden. So the roles stay the same. */
function hideIn(value: unknown, { values = [], likes = [] }: LoggedClaim, hide: Hide): unknown {
  if (Array.isArray(value)) return value.map((it) => hideIn(it, { path: '', values, likes }, hide));
  if (typeof value === 'boolean' || value === null) return value;
  if (values.includes(value as string)) return value;
  if (typeof value === 'string') return hideStars(value, likes, hide);
  return hide(JSON.stringify(value));
}

/** Returns the claims of a token that roles read: a JSON object in ASCII, whose names are whole paths. If it is too long,
 * it is cut.
 * @param hide absent: values stay as they are */
export function claimedBy(claims: Claims, logged: readonly LoggedClaim[], hide: Hide | undefined): string {
  const members = logged.flatMap((claim): [string, unknown][] => {
    const value = claimAt(claims, claim.path);
    if (value === undefined) return [];
    return [[claim.path, hide === undefined || claim.values === undefined ? value : hideIn(value, claim, hide)]];
  });
  return shorten(asciiJson(Object.fromEntries(members)), MAX_LOG_CLAIMS);
}
