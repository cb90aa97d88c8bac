import { claimAt } from '../base/claim-at.ts';
import { ownOf } from '../base/own.ts';
import { type Refused, refuse } from '../base/reasons.ts';
import { isOfTrustDomain } from '../policy/forms/spiffe-id.ts';
import { claimHelp, type ProviderKind, providerKind } from '../providers/index.ts';
import { clientOf, malformedClient } from './client-id.ts';
import { quoted, quotedList } from './detail.ts';
import type { JoseHeader } from './format.ts';
import { checkTimes } from './times.ts';
import type { Claims, TokenProvider } from './types.ts';

/* These checks run for each new token, so they make objects only for refusals. Plain reads of claims are safe without
 * Object.hasOwn: Object.prototype has no members with these names, and a claim from JSON is never undefined. */

/** Claims of ID tokens and logout tokens (OpenID Connect Core section 2, Back-Channel Logout section 2.4). */
const otherTokens = ['nonce', 'at_hash', 'c_hash', 'events'];

/** Types of JWTs that callers send by mistake, with an explanation of each. */
const otherTypes: Readonly<Record<string, string>> = Object.freeze({
  'oauth-id-jag+jwt': 'a grant: exchange it at its authorization server for an access token',
  'dpop+jwt': 'a proof, for the header DPoP',
  'logout+jwt': 'a logout token',
  'meshgate+jwt': 'the gateway’s own assertion',
  'token-introspection+jwt': 'an answer about a token',
  'application/okta-internal-at+jwt': 'only for Okta, from its organisation server: ask an authorization server',
});

/** Says what a route requires, in the words of the provider's kind. */
const wanted = ({ wants }: ProviderKind): string => `this route requires ${wants ?? 'an access token'}`;

function refuseType(typ: string, kind: ProviderKind): Refused {
  const name = typ.toLowerCase();
  const other = ownOf(otherTypes, name);
  const what = other === undefined ? '' : ` (${other})`;
  return refuse('type_refused', `the token has the type ${quoted(typ)}${what}, ${wanted(kind)}`);
}

/** Rejects a token for another service of its provider. Its header has a nonce, which only that service can verify.
 * @returns reason `type_refused`, or undefined */
export function checkNonce(header: JoseHeader, provider: TokenProvider): Refused {
  const kind = providerKind(provider.kind) ?? noKind(provider);
  const { nonceInHeader: other } = kind;
  if (header.nonce === undefined || other === undefined) return undefined;
  return refuse('type_refused', `the header shows that the token is for ${other}; ${claimHelp(kind, 'aud')}`);
}

/** Rejects a token that is not an access token (RFC 8725 section 3.11). */
function checkType(header: JoseHeader, claims: Claims, provider: TokenProvider, kind: ProviderKind): Refused {
  if (kind.says !== undefined && claims[kind.says.claim] !== kind.says.is) return refuseOther(claims, kind, kind.says);
  if (header.nonce !== undefined) {
    const refused = checkNonce(header, provider);
    if (refused !== undefined) return refused;
  }
  // This is the type of RFC 9068 section 2.1. Older access tokens have the type JWT.
  if (header.typ === 'at+jwt') return undefined;
  const typ = header.typ?.toLowerCase();
  if (typ === 'at+jwt' || typ === 'application/at+jwt') return undefined;
  if (typ !== undefined && typ !== 'jwt' && typ !== kind.type) return refuseType(header.typ as string, kind);
  for (let i = 0; i < otherTokens.length; i++) {
    const name = otherTokens[i] as string;
    if (claims[name] === undefined) continue;
    const named = name === 'events' ? 'a logout token' : 'an ID token';
    return refuse('type_refused', `the token has "${name}", so it is ${named}; ${wanted(kind)}`);
  }
  const inner = claims.typ;
  if (typeof inner === 'string' && kind.refusedTypes.includes(inner.toLowerCase())) {
    return refuse('type_refused', `the token is of the type ${quoted(inner)}, ${wanted(kind)}`);
  }
  if (kind.tellsByClient && kind.client.every((path) => claimAt(claims, path) === undefined)) {
    const names = kind.client.join(' nor ');
    return refuse('type_refused', `the token has no ${names}, so it is an ID token; ${wanted(kind)}`);
  }
  return undefined;
}

function refuseOther(claims: Claims, kind: ProviderKind, { claim, is }: { claim: string; is: string }): Refused {
  const value = claims[claim];
  const found = value === undefined ? `no "${claim}"` : `"${claim}" ${quoted(value)}`;
  return refuse('type_refused', `the token has ${found} instead of ${quoted(is)}; ${wanted(kind)}`);
}

/** Adds to a detail what to change at the provider about the claim. */
function helped(detail: string, kind: ProviderKind, claim: string): string {
  const help = claimHelp(kind, claim);
  return help === undefined ? detail : `${detail}; ${help}`;
}

/** Rejects a token whose `aud` (a string or a list, RFC 7519 section 4.1.3) contains no audience of the provider. */
function checkAudience(claims: Claims, provider: TokenProvider, kind: ProviderKind): Refused {
  if (provider.anyAudience) return undefined;
  let { aud } = claims;
  if (aud === undefined && kind.audienceElse !== undefined) aud = claimAt(claims, kind.audienceElse);
  if (aud === undefined) return refuse('claim_absent', helped('the token has no "aud"', kind, 'aud'));
  if (typeof aud === 'string' && provider.audiences.includes(aud)) return undefined;
  const list: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (!list.every((value) => typeof value === 'string'))
    return refuse('claim_absent', '"aud" is not a string or a list of strings');
  if (list.some((value) => provider.audiences.includes(value))) return undefined;
  if (provider.audiences.length === 0)
    return refuse('audience_mismatch', 'only sessions from this provider are accepted here, no tokens');
  const detail = `the token is for ${quotedList(list)}, this route requires ${quotedList(provider.audiences)}`;
  return refuse('audience_mismatch', helped(detail, kind, 'aud'));
}

/** Rejects a token for a client that the policy does not name, or with a malformed claim about its client. */
export function checkClient(claims: Claims, provider: TokenProvider, kind: ProviderKind): Refused {
  const malformed = malformedClient(claims, kind);
  if (malformed !== undefined) return refuse('claim_absent', `"${malformed}" is not a non-empty string`);
  if (provider.clients === undefined) return undefined;
  const client = clientOf(claims, kind);
  if (client === undefined) return refuse('claim_absent', `the token names no client in ${kind.client.join(', ')}`);
  if (provider.clients.includes(client)) return undefined;
  const detail = `the token is for the client ${quoted(client)}, this route requires ${quotedList(provider.clients)}`;
  return refuse('audience_mismatch', detail);
}

function checkSubject(claims: Claims, provider: TokenProvider, kind: ProviderKind): Refused {
  const { subject, trustDomain } = provider;
  if (trustDomain !== undefined && !isOfTrustDomain(claims.sub, trustDomain))
    return refuse('issuer_unknown', `"sub" is not a SPIFFE id of the trust domain ${trustDomain}`);
  const value = claimAt(claims, subject.claim);
  if (typeof value === 'string' && value !== '') return undefined;
  const detail = `"${subject.claim}" is not a non-empty string`;
  return refuse('claim_absent', value === undefined ? helped(detail, kind, subject.claim) : detail);
}

export function noKind({ kind }: TokenProvider): never {
  throw new Error(`no provider kind ${kind}`);
}

/** Adds to the result of {@link checkTimes} what to change at the provider, if its tokens never expire. */
function helpedTimes(refused: NonNullable<Refused>, claims: Claims, kind: ProviderKind): Refused {
  return claims.exp === undefined ? refuse(refused.reason, helped(refused.detail ?? '', kind, 'exp')) : refused;
}

/** Checks audience, client and subject of a token. Returns `claim_absent`, `audience_mismatch`, or undefined. */
export function checkParties(claims: Claims, provider: TokenProvider, kind: ProviderKind): Refused {
  return (
    checkAudience(claims, provider, kind) ?? checkClient(claims, provider, kind) ?? checkSubject(claims, provider, kind)
  );
}

/** Checks the claims of a token whose signature is valid and whose `iss` is that of the provider.
 * @param now seconds since the epoch
 * @param skew seconds by which clocks can differ
 * @returns `type_refused`, a reason of {@link checkTimes}, `claim_absent`, `audience_mismatch`, for a JWT-SVID
 * `issuer_unknown`; undefined if the claims are valid, and then `exp` is a number */
export function checkClaims(header: JoseHeader, claims: Claims, provider: TokenProvider, now: number, skew: number) {
  const kind = providerKind(provider.kind) ?? noKind(provider);
  const refused = checkType(header, claims, provider, kind);
  if (refused !== undefined) return refused;
  const untimely = checkTimes(claims, now, skew);
  if (untimely !== undefined) return helpedTimes(untimely, claims, kind);
  return (
    checkAudience(claims, provider, kind) ?? checkClient(claims, provider, kind) ?? checkSubject(claims, provider, kind)
  );
}
