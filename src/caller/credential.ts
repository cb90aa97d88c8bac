import { TO_CHECK } from '../base/internal-headers.ts';
import { MISSING, ok, type Refusal, type Result, refuse } from '../base/reasons.ts';
import type { CredentialKind } from '../policy/checked/types.ts';
import type { Passing } from './service-credential.ts';

/* Decides which credential of a request counts. The check, whoami and the offline commands call {@link takeCredential}.
 * The inner listener, which accepts only services, calls {@link assertionOf}. */

/** nginx sends this value instead of `Authorization` if the URL contains a token (RFC 6750 section 2.3). */
export const IN_QUERY = 'query';

/** The headers of a request to the check, with the names of those that contain credentials. */
export interface Presented {
  readonly 'SSL-Client-Cert'?: string | undefined;
  /** The header of the policy's `credential_header`. */
  readonly [TO_CHECK.credential]?: string | undefined;
  readonly [other: string]: string | undefined;
}

/** The kinds of credentials that a place accepts. A place is a route, a host, or the inner listener. */
export interface Accepting {
  readonly bearers: boolean;
  readonly proofs: boolean;
  readonly certificates: boolean;
  readonly sessions: boolean;
  /** Says which `Authorization` headers belong to the service; absent: all of them are for the gateway. */
  readonly passing: Passing | undefined;
  /** The refusal of a token if the place accepts no tokens. */
  readonly noTokens: Refusal;
  /** The refusal of a request without a credential. */
  readonly missing: Refusal;
}

export type Scheme = 'Bearer' | 'DPoP';

/** One function for each kind of credential. The result for the credential that counts is returned. */
export interface Ways<R, P, T> {
  token(r: R, at: P, method: string, token: string, scheme: Scheme): T;
  /** @param certificate the certificate as nginx passes it on; nginx has verified it */
  certificate(r: R, at: P, method: string, certificate: string): T;
  /** @param line the value of the `Cookie` header */
  session(r: R, at: P, method: string, line: string): T;
  /** Called if the request has no credential that counts. */
  anonymous(r: R, at: P, method: string): T;
  refuse(r: R, at: P, method: string, refusal: Refusal): T;
}

const signIn = refuse('credential_unsupported', 'this route accepts no tokens: sign in with a browser');
const showCertificate = refuse('credential_unsupported', 'this route accepts no tokens: show a client certificate');
const noScheme = refuse('credential_unsupported');
const noForm = refuse(
  'credential_unsupported',
  'Authorization has no form that this route passes on, or it contains a token of a provider',
);
const urlsStay = 'the URL has an access_token, and logs keep URLs: send the token as Authorization: Bearer TOKEN';
const inQuery = refuse('credential_unsupported', urlsStay);
const twice = refuse('credential_duplicate', 'the header with the token for the gateway was sent twice: send it once');
const missing = refuse('credential_missing');
const missingSession = refuse('credential_missing', MISSING.session);
const missingCertificate = refuse('credential_missing', MISSING.certificate);

function missingToken(header: string | undefined): Refusal {
  if (header === undefined) return missing;
  const beside = `${header}: Bearer TOKEN if Authorization belongs to the service`;
  return refuse(
    'credential_missing',
    `send a token of an accepted provider as Authorization: Bearer TOKEN, or as ${beside}`,
  );
}

/** Returns which credentials a place accepts.
 * @param takesProofs whether the policy accepts DPoP proofs
 * @param header the header for the gateway's token, beside a credential that passes */
export function acceptingOf(
  accept: readonly CredentialKind[],
  takesProofs: boolean,
  passing?: Passing,
  header?: string,
): Accepting {
  const bearers = accept.includes('bearer');
  const sessions = accept.includes('session');
  return {
    bearers,
    proofs: bearers && takesProofs,
    certificates: accept.includes('certificate'),
    sessions,
    noTokens: sessions ? signIn : showCertificate,
    passing,
    missing: bearers ? missingToken(passing && header) : sessions ? missingSession : missingCertificate,
  };
}

const SPACE = 0x20;

/** Returns the token of `Authorization: Bearer …` (RFC 6750 section 2.1). The case of the scheme does not matter, and
 * several spaces may follow it (RFC 9110 section 11.4). */
function bearer(authorization: string): string | undefined {
  const isBearer = authorization.length > 7 && authorization.slice(0, 7).toLowerCase() === 'bearer ';
  if (!isBearer) return undefined;
  return authorization[7] === ' ' ? authorization.slice(7).trimStart() : authorization.slice(7);
}

/** Returns the token of `Authorization: DPoP …` (RFC 9449 section 7.1), with the same syntax as {@link bearer}. */
function dpop(authorization: string): string | undefined {
  const isDpop = authorization.length > 5 && authorization.slice(0, 5).toLowerCase() === 'dpop ';
  return isDpop ? authorization.slice(5).trimStart() : undefined;
}

/** Takes the gateway's token from the header of its own, beside an `Authorization` that belongs to the service. */
function takeBeside<R, P extends Accepting, T>(ways: Ways<R, P, T>, text: string, r: R, at: P, method: string): T {
  // nginx joins two headers of this name by a comma, which is in no token.
  if (text.includes(',')) return ways.refuse(r, at, method, twice);
  if (!at.bearers) return ways.refuse(r, at, method, at.noTokens);
  const token = bearer(text);
  if (token !== undefined) return ways.token(r, at, method, token, 'Bearer');
  const proved = at.proofs ? dpop(text) : undefined;
  return proved === undefined ? ways.refuse(r, at, method, noScheme) : ways.token(r, at, method, proved, 'DPoP');
}

/** Finds the credential of a request that counts: a token, else a client certificate, else a session. The first of them
 * that is present counts, even if it is not valid. An `Authorization` that belongs to the service does not count; the
 * token can then be in a header of its own.
 * @param authorization the value of the `Authorization` header
 * @param cookies the value of the `Cookie` header */
export function takeCredential<R, P extends Accepting, T>(
  ways: Ways<R, P, T>,
  shown: Presented,
  r: R,
  at: P,
  method: string,
  authorization: string | undefined,
  cookies: string | undefined,
): T {
  if (authorization !== undefined && at.passing?.schemeOf(authorization) === undefined) {
    if (at.bearers) {
      // Each request with a known token runs this code, and a function call would cost more.
      const isUsual = authorization.startsWith('Bearer ') && authorization.charCodeAt(7) > SPACE;
      const token = isUsual ? authorization.slice(7) : bearer(authorization);
      if (token !== undefined) return ways.token(r, at, method, token, 'Bearer');
      const proved = at.proofs ? dpop(authorization) : undefined;
      if (proved !== undefined) return ways.token(r, at, method, proved, 'DPoP');
      if (authorization.startsWith(IN_QUERY)) return ways.refuse(r, at, method, inQuery);
      return ways.refuse(r, at, method, at.passing === undefined ? noScheme : noForm);
    }
    // A service may use a parameter access_token in its URLs. If the place accepts no tokens, the other credentials
    // decide.
    if (authorization !== IN_QUERY) return ways.refuse(r, at, method, at.noTokens);
  }
  const beside = at.passing && shown[TO_CHECK.credential];
  if (beside !== undefined) return takeBeside(ways, beside, r, at, method);
  const certificate = at.certificates ? shown['SSL-Client-Cert'] : undefined;
  if (certificate !== undefined) return ways.certificate(r, at, method, certificate);
  const line = at.sessions ? cookies : undefined;
  return line === undefined ? ways.anonymous(r, at, method) : ways.session(r, at, method, line);
}

/** Returns the assertion that a service presents at the inner listener in addition to its certificate, which is valid.
 * No other credential is accepted there. */
export function assertionOf(shown: Readonly<Record<string, string | undefined>>): Result<string> {
  const { Authorization: authorization, [TO_CHECK.assertion]: assertion } = shown;
  if (authorization !== undefined) {
    return refuse('credential_unsupported', 'services send X-Meshgate-Assertion here, without Authorization');
  }
  if (assertion !== undefined) return ok(assertion);
  return refuse('credential_missing', 'send the X-Meshgate-Assertion of the request that you serve');
}
