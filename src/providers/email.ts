import { type Claims, claimAt } from '../claim-at.ts';
import type { ProviderKind } from './types.ts';

/**
 * An address with one `@` that stands between two parts, without space or control character (Unicode's Cc, spelled out:
 * a regular expression with the flag `u` costs ten times as much).
 */
const address = /^[^\s\x00-\x1f\x7f-\x9f@]+@[^\s\x00-\x1f\x7f-\x9f@]+$/;

/**
 * The address of a token's person, if the provider says, in the way that its kind does, that it is verified. Any other
 * address is nobody's identity: no subject, no fact and no header has it.
 */
export function emailOf(claims: Claims, kind: ProviderKind): string | undefined {
  if (kind.email === undefined || kind.emailVerified === undefined) return undefined;
  if (!kind.verifiedAs.includes(claimAt(claims, kind.emailVerified))) return undefined;
  const email = claimAt(claims, kind.email);
  return typeof email === 'string' && address.test(email) ? email : undefined;
}

/** Why a token's address, which is there, is nobody's identity; undefined where it is not there, or is somebody's. */
export function emailRefusal(claims: Claims, kind: ProviderKind): string | undefined {
  const email = kind.email === undefined ? undefined : claimAt(claims, kind.email);
  if (email === undefined || emailOf(claims, kind) !== undefined) return undefined;
  if (typeof email !== 'string' || !address.test(email)) return 'what the token says is no address with one @';
  const verified = kind.emailVerified === undefined ? '' : ` (${JSON.stringify(kind.emailVerified)})`;
  return `the token has an address, and does not say that it is verified${verified}`;
}

/** The value of a claim; of the kind's e-mail claim, {@link emailOf}. */
export const identityAt = (claims: Claims, path: string, kind: ProviderKind): unknown =>
  path === kind.email ? emailOf(claims, kind) : claimAt(claims, path);
