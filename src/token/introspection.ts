import { MAX_ANSWER_LENGTH } from '../base/limits.ts';
import { type Refused, refuse } from '../base/reasons.ts';
import { type ProviderKind, providerKind } from '../providers/index.ts';
import { withBinding } from './binding.ts';
import { checkClient, checkParties, noKind } from './claims.ts';
import { CLIENT_CLAIMS } from './client-id.ts';
import { quoted } from './detail.ts';
import { parseClaims, parseHeader } from './format.ts';
import { isIssuer } from './issuer.ts';
import { objectIn } from './json.ts';
import { checkTimes } from './times.ts';
import type { Claims, TokenProvider, Verified } from './types.ts';

/** Stands for the thumbprint of a key if the provider itself confirmed the token. */
export const INTROSPECTED = 'introspected';

/** Matches the characters of a bearer token (RFC 6750 section 2.1). Other texts are never sent to a provider. */
const b64token = /^[\w\-.~+/]+=*$/;

/** Whether the text of a credential can be a token. */
export const isTokenText = (text: string): boolean => b64token.test(text);

/** Returns the claims of a text in the form of a JWS, whose signature is not verified; undefined for any other text. */
export function claimsOfJws(text: string): Claims | undefined {
  const parts = text.split('.', 4);
  if (parts.length !== 3) return undefined;
  const header = parseHeader(parts[0] as string);
  const isHeader = header.ok || objectIn(Buffer.from(parts[0] as string, 'base64url').toString()) !== undefined;
  return isHeader ? (parseClaims(Buffer.from(parts[1] as string, 'base64url')) ?? {}) : undefined;
}

/** Returns the provider that must be asked about a token before the token is accepted. For a JWS, this is its issuer,
 * if that provider publishes no keys. For another text, it is the host's provider of opaque tokens. */
export function providerToIntrospect(text: string, providers: readonly TokenProvider[]): TokenProvider | undefined {
  const queried = providers.find(({ introspection }) => introspection !== undefined);
  if (queried === undefined || !isTokenText(text)) return undefined;
  const claims = claimsOfJws(text);
  if (claims === undefined) return queried;
  return providers.find((provider) => provider.keyless && isIssuer(provider, claims.iss));
}

/** The answer of a provider about a token (RFC 7662 section 2.2). */
type Introspected =
  | { readonly kind: 'active'; readonly claims: Claims }
  | { readonly kind: 'inactive' }
  /** The answer cannot be used. `error` is a sentence for the log. */
  | { readonly kind: 'broken'; readonly error: string };

/** Reads the answer of an introspection endpoint. An error text contains nothing of the answer. */
export function readIntrospection(status: number, text: string): Introspected {
  if (status !== 200) {
    const why = status === 401 || status === 403 ? ': it does not allow this client to ask' : '';
    return { kind: 'broken', error: `the introspection endpoint answered ${status}${why}` };
  }
  if (text.length > MAX_ANSWER_LENGTH) return { kind: 'broken', error: 'the introspection answer is too long' };
  const claims = objectIn(text);
  if (claims === undefined) {
    return { kind: 'broken', error: 'the introspection endpoint did not answer with a JSON object' };
  }
  if (claims.active === true) return { kind: 'active', claims };
  if (claims.active === false) return { kind: 'inactive' };
  return { kind: 'broken', error: 'the introspection endpoint answered without "active"' };
}

const accessTypes = ['bearer', 'dpop'];
const accessUses = ['access', 'access_token'];

/** Checks the type of a token. The provider must say it, because refresh tokens are active too (RFC 7662 section 4). */
function checkType(claims: Claims, { introspection }: TokenProvider, kind: ProviderKind): Refused {
  const { token_type: type, token_use: use, typ, cnf } = claims;
  if (typeof typ === 'string' && kind.refusedTypes.includes(typ.toLowerCase())) {
    return refuse('type_refused', `the token is of the type ${quoted(typ)}, this route requires an access token`);
  }
  if (use !== undefined && !(typeof use === 'string' && accessUses.includes(use))) {
    return refuse('type_refused', `the provider calls the token ${quoted(use)}, this route requires an access token`);
  }
  if (type === undefined && introspection?.anyType) return undefined;
  if (typeof type === 'string' && type.toLowerCase() === 'dpop' && cnf === undefined) {
    return refuse('proof_invalid', 'the provider says that the token is bound by DPoP, but not to which key');
  }
  if (typeof type === 'string' && accessTypes.includes(type.toLowerCase())) return undefined;
  const reported = `the token is of the type ${quoted(type)}, this route requires an access token`;
  const unsaid = 'the provider sends no "token_type" for the token; this route requires an access token';
  return refuse('type_refused', type === undefined ? unsaid : reported);
}

/** Checks the issuer. A provider may omit the issuer of its own token, but another issuer is rejected. */
function checkIssuer({ iss }: Claims, provider: TokenProvider): Refused {
  if (iss === undefined || isIssuer(provider, iss)) return undefined;
  return refuse('issuer_unknown', `the token is from the issuer ${quoted(iss)}`);
}

interface AnswerTimes {
  readonly now: number;
  readonly skew: number;
  /** When the provider must be asked again. */
  readonly until: number;
}

/** Checks a provider's answer about an active token in the same way as the claims of a JWT: type, issuer, times,
 * audience, client, subject. A token without `exp` is valid as long as the answer may be used. */
export function checkIntrospected(claims: Claims, provider: TokenProvider, { now, skew, until }: AnswerTimes) {
  const kind = providerKind(provider.kind) ?? noKind(provider);
  const dated = claims.exp === undefined ? { ...claims, exp: until } : claims;
  const refused =
    checkType(claims, provider, kind) ??
    checkIssuer(claims, provider) ??
    checkTimes(dated, now, skew) ??
    checkParties(claims, provider, kind);
  if (refused !== undefined) return refused;
  return withBinding({ provider: provider.name, claims, expires: dated.exp as number, key: INTROSPECTED, until });
}

/** Claims about the actor of a token, and about the key to which it is bound. */
const partyClaims = ['act', 'may_act', 'cnf'];

/** Adds the claims about the actor that only the answer has. Without them, an agent would count as the person. */
function added(own: Claims, reported: Claims): Claims {
  const more: Record<string, unknown> = {};
  for (const name of partyClaims)
    if (own[name] === undefined && reported[name] !== undefined) more[name] = reported[name];
  if (CLIENT_CLAIMS.every((name) => own[name] === undefined)) {
    for (const name of CLIENT_CLAIMS) if (reported[name] !== undefined) more[name] = reported[name];
  }
  return Object.keys(more).length === 0 ? own : { ...own, ...more };
}

/** Joins a JWT with a valid signature and the provider's answer that the token is active. The answer adds the client,
 * the actor and the bound key if the JWT lacks them.
 * @param until when the provider must be asked again */
export function confirmedToken(verified: Verified, claims: Claims, provider: TokenProvider, until: number) {
  const all = added(verified.claims, claims);
  const kind = providerKind(provider.kind) ?? noKind(provider);
  const refused = checkIssuer(claims, provider) ?? checkClient(all, provider, kind);
  if (refused !== undefined) return refused;
  const { exp } = claims;
  const expires = typeof exp === 'number' ? Math.min(exp, verified.expires) : verified.expires;
  return withBinding({ ...verified, claims: all, expires, until });
}
