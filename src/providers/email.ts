import { type Claims, claimAt } from '../base/claim-at.ts';
import type { ProviderKind } from './types.ts';

/** The form of an e-mail address: one `@` between two parts, without spaces and control characters. Unicode's class Cc
 * is written in full, because a regular expression with the flag `u` takes ten times as long. */
const address = /^[^\s\x00-\x1f\x7f-\x9f@]+@[^\s\x00-\x1f\x7f-\x9f@]+$/;

/** The caller's e-mail address, if the provider says that it is verified. The gateway uses no other address. */
export function emailOf(claims: Claims, kind: ProviderKind): string | undefined {
  if (kind.email === undefined || kind.emailVerified === undefined) return undefined;
  if (!kind.verifiedAs.includes(claimAt(claims, kind.emailVerified))) return undefined;
  const email = claimAt(claims, kind.email);
  return typeof email === 'string' && address.test(email) ? email : undefined;
}

/** Returns why the gateway does not use the address in a token; undefined if it is absent or verified. */
export function emailRefusal(claims: Claims, kind: ProviderKind): string | undefined {
  const email = kind.email === undefined ? undefined : claimAt(claims, kind.email);
  if (email === undefined || emailOf(claims, kind) !== undefined) return undefined;
  if (typeof email !== 'string' || !address.test(email)) return 'the value is not an address with exactly one @';
  const verified = kind.emailVerified === undefined ? '' : ` (${JSON.stringify(kind.emailVerified)})`;
  return `the token has an address, but does not say that this address is verified${verified}`;
}

/** Returns the value of a claim. For the e-mail claim of the kind, this is the result of {@link emailOf}. */
export const identityAt = (claims: Claims, path: string, kind: ProviderKind): unknown =>
  path === kind.email ? emailOf(claims, kind) : claimAt(claims, path);
