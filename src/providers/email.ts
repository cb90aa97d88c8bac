import { type Claims, claimAt } from '../claim-at.ts';
import type { ProviderKind } from './types.ts';

/** An address with one `@` between two parts, without spaces and control characters. Unicode's Cc is spelled out,
 * because a regular expression with the flag `u` costs ten times as much. */
const address = /^[^\s\x00-\x1f\x7f-\x9f@]+@[^\s\x00-\x1f\x7f-\x9f@]+$/;

/** The caller's e-mail address, if the provider says that it is verified, in the way of its kind. No subject, fact or
 * header uses an address that is not verified. */
export function emailOf(claims: Claims, kind: ProviderKind): string | undefined {
  if (kind.email === undefined || kind.emailVerified === undefined) return undefined;
  if (!kind.verifiedAs.includes(claimAt(claims, kind.emailVerified))) return undefined;
  const email = claimAt(claims, kind.email);
  return typeof email === 'string' && address.test(email) ? email : undefined;
}

/** Why the address in a token is not used; undefined if there is none, or if it is verified. */
export function emailRefusal(claims: Claims, kind: ProviderKind): string | undefined {
  const email = kind.email === undefined ? undefined : claimAt(claims, kind.email);
  if (email === undefined || emailOf(claims, kind) !== undefined) return undefined;
  if (typeof email !== 'string' || !address.test(email)) return 'what the token says is no address with one @';
  const verified = kind.emailVerified === undefined ? '' : ` (${JSON.stringify(kind.emailVerified)})`;
  return `the token has an address, and does not say that it is verified${verified}`;
}

/** The value of a claim; for the kind's e-mail claim, {@link emailOf}. */
export const identityAt = (claims: Claims, path: string, kind: ProviderKind): unknown =>
  path === kind.email ? emailOf(claims, kind) : claimAt(claims, path);
