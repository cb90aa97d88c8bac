import { TO_CHECK } from '../internal-headers.ts';
import type { CredentialKind } from '../policy/types.ts';
import { MISSING, ok, type Refusal, type Result, refuse } from '../reasons.ts';

/*
 * Which credential of a request counts. The check, whoami and the commands that run without a gateway ask
 * {@link takeCredential}; the inner listener, which knows services alone, asks {@link assertionOf}.
 */

/** The value that nginx sends to the check instead of `Authorization` if the URL contains a token (RFC 6750 section 2.3). */
export const IN_QUERY = 'query';

/** The credentials of a request, under the names that nginx passes them by. */
export interface Shown {
  readonly Authorization?: string | undefined;
  readonly 'SSL-Client-Cert'?: string | undefined;
  readonly Cookie?: string | undefined;
}

/** The credentials that count at a place: a route, a host, the inner listener. */
export interface Accepting {
  readonly bearers: boolean;
  /** Tokens may come with a DPoP proof. */
  readonly proofs: boolean;
  readonly certificates: boolean;
  readonly sessions: boolean;
  /** Why a token is refused if the place accepts none. */
  readonly noTokens: Refusal;
  /** Why a request without a credential is refused. */
  readonly missing: Refusal;
}

/** How a token is sent. */
export type Scheme = 'Bearer' | 'DPoP';

/** A function for each kind of credential. The one for the credential that counts is called, and its result returned. */
export interface Ways<R, P, T> {
  token(r: R, at: P, method: string, token: string, scheme: Scheme): T;
  /** @param certificate as nginx passes it, which has verified it */
  certificate(r: R, at: P, method: string, certificate: string): T;
  /** @param line the `Cookie` line */
  session(r: R, at: P, method: string, line: string): T;
  /** There is no credential that counts. */
  anonymous(r: R, at: P, method: string): T;
  refuse(r: R, at: P, method: string, refusal: Refusal): T;
}

const signIn = refuse('credential_unsupported', 'this route accepts no tokens: sign in with a browser');
const showCertificate = refuse('credential_unsupported', 'this route takes no tokens: show a client certificate');
const noScheme = refuse('credential_unsupported');
const inQuery = refuse(
  'credential_unsupported',
  'the URL has an access_token, and URLs stay in logs: send it as Authorization: Bearer TOKEN',
);
const missing = refuse('credential_missing');
const missingSession = refuse('credential_missing', MISSING.session);
const missingCertificate = refuse('credential_missing', MISSING.certificate);

/**
 * The credentials that a place accepts.
 *
 * @param takesProofs whether the policy takes DPoP proofs
 */
export function acceptingOf(accept: readonly CredentialKind[], takesProofs: boolean): Accepting {
  const [bearers, certificates, sessions] = (['bearer', 'certificate', 'session'] as const).map((it) =>
    accept.includes(it),
  ) as [boolean, boolean, boolean];
  return {
    bearers,
    proofs: bearers && takesProofs,
    certificates,
    sessions,
    noTokens: sessions ? signIn : showCertificate,
    missing: bearers ? missing : sessions ? missingSession : missingCertificate,
  };
}

const SPACE = 0x20;

/** The token of `Authorization: Bearer …` (RFC 6750 section 2.1; by RFC 9110 section 11.4 the scheme's case does not matter, and spaces may follow it). */
function bearer(authorization: string): string | undefined {
  const isBearer = authorization.length > 7 && authorization.slice(0, 7).toLowerCase() === 'bearer ';
  if (!isBearer) return undefined;
  return authorization[7] === ' ' ? authorization.slice(7).trimStart() : authorization.slice(7);
}

/** The token of `Authorization: DPoP …` (RFC 9449 section 7.1), read as {@link bearer} does. */
function dpop(authorization: string): string | undefined {
  const isDpop = authorization.length > 5 && authorization.slice(0, 5).toLowerCase() === 'dpop ';
  return isDpop ? authorization.slice(5).trimStart() : undefined;
}

/** Finds the credential of a request that counts: a token, else a client certificate, else a session. The first one
 * that is there decides: if it is bad, no other one is examined. */
export function takeCredential<R, P extends Accepting, T>(
  ways: Ways<R, P, T>,
  shown: Shown,
  r: R,
  at: P,
  method: string,
): T {
  const authorization = shown.Authorization;
  if (authorization !== undefined) {
    if (at.bearers) {
      // Each request with a known token runs this, and a call would cost more.
      const isUsual = authorization.startsWith('Bearer ') && authorization.charCodeAt(7) > SPACE;
      const token = isUsual ? authorization.slice(7) : bearer(authorization);
      if (token !== undefined) return ways.token(r, at, method, token, 'Bearer');
      const proved = at.proofs ? dpop(authorization) : undefined;
      if (proved !== undefined) return ways.token(r, at, method, proved, 'DPoP');
      return ways.refuse(r, at, method, authorization.startsWith(IN_QUERY) ? inQuery : noScheme);
    }
    // A service may have an access_token of its own in its URLs. If no token counts here, the rest decides.
    if (authorization !== IN_QUERY) return ways.refuse(r, at, method, at.noTokens);
  }
  const certificate = at.certificates ? shown['SSL-Client-Cert'] : undefined;
  if (certificate !== undefined) return ways.certificate(r, at, method, certificate);
  const line = at.sessions ? shown.Cookie : undefined;
  return line === undefined ? ways.anonymous(r, at, method) : ways.session(r, at, method, line);
}

/**
 * The assertion that a service shows at the inner listener, beside its certificate. Nothing else is a credential there.
 *
 * @param shown header lines of a request whose certificate is good
 */
export function assertionOf(shown: Readonly<Record<string, string | undefined>>): Result<string> {
  const { Authorization: authorization, [TO_CHECK.assertion]: assertion } = shown;
  if (authorization !== undefined) {
    return refuse('credential_unsupported', 'services ask here with X-Meshgate-Assertion, and without Authorization');
  }
  if (assertion !== undefined) return ok(assertion);
  return refuse('credential_missing', 'send X-Meshgate-Assertion as it came with the request that you serve');
}
