import { type Refused, type Result, refuse } from '../../base/reasons.ts';
import type { JoseHeader } from '../../token/format.ts';
import { checkTimes } from '../../token/times.ts';
import type { Claims } from '../../token/types.ts';
import {
  checkAudience,
  checkIssuer,
  checkTypes,
  type ProviderTokenContext,
  verifyProviderToken,
} from '../provider-token.ts';

/** The media type of a signed or encrypted answer (OpenID Connect Core section 5.3.2). */
const JWT = 'application/jwt';

/** Whether a `Content-Type` is that of a signed or encrypted answer. */
export const isJwt = (type: string): boolean => type.split(';')[0]?.trim().toLowerCase() === JWT;

const KIND = { name: 'UserInfo', types: ['jwt', JWT], own: 'userinfo' };

/** Claims that tokens of the same provider have for the same client, and UserInfo does not (RFC 8725 section 3.12). */
const OTHERS: Readonly<Record<string, readonly string[]>> = {
  'an ID token': ['nonce', 'at_hash', 'c_hash', 's_hash'],
  'a logout token': ['events'],
  'an access token': ['scope', 'scp'],
};

function checkKind(header: JoseHeader, claims: Claims): Refused {
  for (const [kind, names] of Object.entries(OTHERS)) {
    const name = names.find((one) => claims[one] !== undefined);
    if (name !== undefined) return refuse('type_refused', `it has "${name}", so it is ${kind}`);
  }
  return checkTypes(header, claims, KIND);
}

/** Verifies a signed answer of the UserInfo endpoint (OpenID Connect Core section 5.3.2): its signature by a key of the
 * provider, and that it is from the provider, for this client, and no other kind of token. `exp` is not required.
 * @returns the claims, or the first reason that applies; `provider_unavailable` if there are no keys */
export async function verifySignedUserinfo(
  text: string,
  context: ProviderTokenContext,
  now: number,
): Promise<Result<Claims>> {
  if (text.split('.').length === 5) {
    return refuse(
      'token_malformed',
      'it is encrypted, which the gateway cannot read; register the client without userinfo_encrypted_response_alg',
    );
  }
  return verifyProviderToken(
    text,
    context,
    (claims, header) =>
      checkKind(header, claims) ??
      checkIssuer(claims, context) ??
      checkAudience(claims, context) ??
      checkTimes({ exp: now + 1, ...claims }, now, context.skew),
  );
}
