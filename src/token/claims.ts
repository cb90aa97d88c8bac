import { MAX_NUMERIC_DATE } from '../limits.ts';
import { type ProviderKind, providerKind } from '../providers/index.ts';
import { refuse } from '../reasons.ts';
import { claimAt } from './claim-at.ts';
import { listed, shown } from './detail.ts';
import type { JoseHeader } from './format.ts';
import type { Claims, TokenProvider } from './types.ts';

type Refused = ReturnType<typeof refuse> | undefined;

/*
 * Each new token passes here, so nothing is made that is not refused. The claims that are read by their names are no
 * members of Object.prototype: a plain read finds the token's own, or nothing, as JSON has no undefined.
 */

/** Claims of ID tokens and logout tokens (OpenID Connect Core section 2, Back-Channel Logout section 2.4). */
const otherTokens = ['nonce', 'at_hash', 'c_hash', 'events'];

/** Refuses what is not an access token (RFC 8725 section 3.11). */
function checkType(header: JoseHeader, claims: Claims, kind: ProviderKind): Refused {
  // RFC 9068 section 2.1; older ones say JWT.
  if (header.typ === 'at+jwt') return undefined;
  const typ = header.typ?.toLowerCase();
  if (typ === 'at+jwt' || typ === 'application/at+jwt') return undefined;
  if (typ !== undefined && typ !== 'jwt') {
    return refuse('type_refused', `the token has the type ${shown(header.typ)}, this route wants an access token`);
  }
  for (let i = 0; i < otherTokens.length; i++) {
    const name = otherTokens[i] as string;
    if (claims[name] === undefined) continue;
    const named = name === 'events' ? 'a logout token' : 'an ID token';
    return refuse('type_refused', `the token has "${name}", as ${named} has; this route wants an access token`);
  }
  const inner = claims.typ;
  if (typeof inner === 'string' && kind.refusedTypes.includes(inner.toLowerCase())) {
    return refuse('type_refused', `the token is of the type ${shown(inner)}, this route wants an access token`);
  }
  if (kind.tellsByClient && kind.client.every((path) => claimAt(claims, path) === undefined)) {
    const names = kind.client.join(' nor ');
    return refuse('type_refused', `the token has no ${names}, as an ID token; this route wants an access token`);
  }
  return undefined;
}

/** Whether a date is absent, or a date of ours (RFC 7519 section 2). */
function isDate(value: unknown): value is number | undefined {
  return (
    value === undefined || (typeof value === 'number' && value <= MAX_NUMERIC_DATE && value > Number.NEGATIVE_INFINITY)
  );
}

/** Whether a date is absent, or has come. */
const isPast = (value: unknown, latest: number): boolean =>
  value === undefined || (typeof value === 'number' && value <= latest && value > Number.NEGATIVE_INFINITY);

function noDate(name: string, value: unknown): Refused {
  const isNumber = typeof value === 'number' && Number.isFinite(value);
  return refuse('claim_absent', `"${name}" is not a ${isNumber ? 'date in seconds' : 'number'}`);
}

/**
 * `exp` is required, `nbf` and `iat` are checked where present (RFC 7519 sections 4.1.4 to 4.1.6).
 *
 * @returns why not: `claim_absent`, `token_expired`, `token_not_yet_valid`; or nothing, and `exp` is a number
 */
export function checkTimes(claims: Claims, now: number, skew: number): Refused {
  const { exp, nbf, iat } = claims;
  const latest = now + skew;
  // What holds for most takes three looks; what does not is looked at again, to say why.
  if (typeof exp === 'number' && exp > now - skew && exp <= MAX_NUMERIC_DATE && isPast(nbf, latest)) {
    if (isPast(iat, latest)) return undefined;
  }
  if (!isDate(exp)) return noDate('exp', exp);
  if (!isDate(nbf)) return noDate('nbf', nbf);
  if (!isDate(iat)) return noDate('iat', iat);
  if (exp === undefined) return refuse('claim_absent', 'the token has no "exp"');
  if (exp <= now - skew) return refuse('token_expired', `expired at ${exp}, it is ${Math.floor(now)}`);
  if (nbf !== undefined && nbf > latest)
    return refuse('token_not_yet_valid', `"nbf" is ${nbf}, it is ${Math.floor(now)}`);
  if (iat !== undefined && iat > latest)
    return refuse('token_not_yet_valid', `"iat" is ${iat}, it is ${Math.floor(now)}`);
  return undefined;
}

/** One of the provider's audiences must be in `aud`, a string or a list of strings (RFC 7519 section 4.1.3). */
function checkAudience(claims: Claims, provider: TokenProvider): Refused {
  if (provider.anyAudience) return undefined;
  const { aud } = claims;
  if (aud === undefined) return refuse('claim_absent', 'the token has no "aud"');
  if (typeof aud === 'string' && provider.audiences.includes(aud)) return undefined;
  const list: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (!list.every((value) => typeof value === 'string'))
    return refuse('claim_absent', '"aud" is not a string or a list of strings');
  if (list.some((value) => provider.audiences.includes(value))) return undefined;
  if (provider.audiences.length === 0)
    return refuse('audience_mismatch', 'of this provider no tokens are taken, people sign in through it');
  return refuse(
    'audience_mismatch',
    `the token is for ${listed(list)}, this route wants ${listed(provider.audiences)}`,
  );
}

/** The client that the token was issued to must be one of the provider's clients, where the policy names any. */
function checkClient(claims: Claims, provider: TokenProvider, kind: ProviderKind): Refused {
  if (provider.clients === undefined) return undefined;
  const name = kind.client.find((path) => claimAt(claims, path) !== undefined);
  const client = name === undefined ? undefined : claimAt(claims, name);
  if (typeof client !== 'string')
    return refuse('claim_absent', `the token names no client in ${kind.client.join(', ')}`);
  if (provider.clients.includes(client)) return undefined;
  return refuse(
    'audience_mismatch',
    `the token is for the client ${shown(client)}, this route wants ${listed(provider.clients)}`,
  );
}

function checkSubject(claims: Claims, provider: TokenProvider): Refused {
  const subject = claimAt(claims, provider.subject.claim);
  if (typeof subject === 'string' && subject !== '') return undefined;
  return refuse('claim_absent', `"${provider.subject.claim}" is not a non-empty string`);
}

/** Whom a token is for, to whom it was issued, and whose it is: `claim_absent`, `audience_mismatch`, or nothing. */
export function checkParties(claims: Claims, provider: TokenProvider, kind: ProviderKind): Refused {
  return checkAudience(claims, provider) ?? checkClient(claims, provider, kind) ?? checkSubject(claims, provider);
}

/**
 * Checks the claims of a token whose signature holds and whose `iss` is the provider's.
 *
 * @param now seconds since the epoch
 * @param skew seconds by which clocks may differ
 * @returns why not: `type_refused`, `claim_absent`, `token_expired`, `token_not_yet_valid`, `audience_mismatch`; or
 * nothing, and `exp` is a number
 */
export function checkClaims(
  header: JoseHeader,
  claims: Claims,
  provider: TokenProvider,
  now: number,
  skew: number,
): Refused {
  const kind = providerKind(provider.kind);
  if (kind === undefined) throw new Error(`no provider kind ${provider.kind}`);
  return (
    checkType(header, claims, kind) ??
    checkTimes(claims, now, skew) ??
    checkAudience(claims, provider) ??
    checkClient(claims, provider, kind) ??
    checkSubject(claims, provider)
  );
}
