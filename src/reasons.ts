/**
 * Every way a request can be refused: the stable code that clients, logs and policy tests see,
 * the HTTP status, how a bearer challenge names it (RFC 6750 section 3.1), and one sentence of help.
 * docs/reasons.md is held against this table by a test.
 */

export interface ReasonEntry {
  /** HTTP status the client receives. */
  readonly status: 400 | 401 | 403 | 404 | 421 | 429 | 503;
  /**
   * `error` of the `WWW-Authenticate: Bearer` challenge. An empty string is a challenge without an error
   * (RFC 6750 section 3: no authentication information was given); absent means no challenge.
   * `insufficient_user_authentication` is RFC 9470's.
   */
  readonly challenge?: '' | 'invalid_token' | 'insufficient_scope' | 'insufficient_user_authentication';
  /** One sentence that tells the caller, or their platform engineer, what to do. */
  readonly help: string;
}

export const reasons = {
  credential_missing: {
    status: 401,
    challenge: '',
    help: 'Send a token of an accepted provider as "Authorization: Bearer TOKEN".',
  },
  credential_unsupported: {
    status: 401,
    challenge: '',
    help: 'This route takes "Authorization: Bearer TOKEN" and no other scheme.',
  },
  path_not_canonical: {
    status: 400,
    help: 'Send the path in its one plain spelling: no "//", dot segments, ";", "\\", "#", and no percent-encoded letter, digit, slash, dot, semicolon, backslash or NUL.',
  },
  request_malformed: {
    status: 400,
    help: 'nginx could not read the request: a header that is too long, given twice or not allowed, or a broken request line.',
  },
  host_unknown: { status: 421, help: 'No host of the policy has this name; check the host in the URL.' },
  route_unknown: { status: 404, help: 'No route of the policy covers this path on this host.' },
  token_malformed: {
    status: 401,
    challenge: 'invalid_token',
    help: 'The token is not a signed JWT (a compact JWS with a JSON claims set), or is too long; ask the provider for a JWT access token: opaque ones are taken where the policy has the provider asked about them.',
  },
  algorithm_refused: {
    status: 401,
    challenge: 'invalid_token',
    help: 'The token is signed with an algorithm that the provider section does not allow; sign with an asymmetric one such as RS256 or ES256.',
  },
  issuer_unknown: {
    status: 401,
    challenge: 'invalid_token',
    help: 'The token\'s "iss" is not exactly the issuer of a provider that this host accepts.',
  },
  key_unknown: {
    status: 401,
    challenge: 'invalid_token',
    help: 'The provider publishes no key that fits the token\'s "kid" and algorithm; the key may have been withdrawn: fetch a new token.',
  },
  signature_invalid: {
    status: 401,
    challenge: 'invalid_token',
    help: 'The signature does not match the token; fetch a new one from the provider.',
  },
  token_inactive: {
    status: 401,
    challenge: 'invalid_token',
    help: 'The provider says that the token is not active: it has expired, was called back, or is none of its tokens; fetch a new one.',
  },
  token_expired: { status: 401, challenge: 'invalid_token', help: 'The token has expired; fetch a new one.' },
  token_not_yet_valid: {
    status: 401,
    challenge: 'invalid_token',
    help: 'The token is not valid yet ("nbf" or "iat" lies in the future); check the clocks of provider and gateway.',
  },
  audience_mismatch: {
    status: 401,
    challenge: 'invalid_token',
    help: 'The token was issued for another audience or client; ask the provider for one with an audience of this gateway.',
  },
  type_refused: {
    status: 401,
    challenge: 'invalid_token',
    help: 'This is not an access token (an ID token, a logout token, or another kind of JWT); send the access token.',
  },
  claim_absent: {
    status: 401,
    challenge: 'invalid_token',
    help: 'The token lacks a claim that the gateway requires, or has it in the wrong form; configure the provider to issue it.',
  },
  proof_missing: {
    status: 401,
    challenge: 'invalid_token',
    help: 'The token is bound to a key: send "Authorization: DPoP TOKEN" with a proof in "DPoP", or show the client certificate that it is bound to; on the inner listener a service shows its own.',
  },
  proof_invalid: {
    status: 401,
    challenge: 'invalid_token',
    help: 'The DPoP proof or the client certificate does not show that the credential is yours: make a new proof for each request; on the inner listener show the X.509-SVID of the workload, of the CA that the policy names.',
  },
  proof_replayed: {
    status: 401,
    challenge: 'invalid_token',
    help: 'The DPoP proof was used before; make a new one, with another "jti", for each request and each retry.',
  },
  proof_nonce_required: {
    status: 401,
    challenge: 'invalid_token',
    help: 'Make the DPoP proof with the "nonce" of the answer\'s DPoP-Nonce header, and send the request again.',
  },
  header_too_large: {
    status: 400,
    help: 'The header lines of the request are too long. In a browser, delete the cookies of this site and of its domain: another site of the domain may have set them.',
  },
  credential_duplicate: {
    status: 400,
    help: 'The request has two cookies of the gateway with one name; delete the cookies of this site and sign in again.',
  },
  session_expired: {
    status: 401,
    challenge: '',
    help: 'The session has ended; sign in again: a page is opened anew, a script sends its user to a page of this host.',
  },
  revoked: {
    status: 401,
    challenge: 'invalid_token',
    help: 'The credential was called back (a sign-out, or an administrator); sign in again or fetch a new token.',
  },
  attempt_unknown: {
    status: 400,
    help: 'This sign-in was not begun in this browser, is too old, or was finished already; open the page that you wanted anew.',
  },
  signin_failed: {
    status: 403,
    help: 'The provider did not sign you in, or its answer does not hold; try again, and if it stays so show the request id to whoever runs the gateway.',
  },
  origin_refused: {
    status: 403,
    help: 'A page of another origin sent this with your session, your certificate or your network; open the page of this host and try there.',
  },
  worker_refused: {
    status: 403,
    help: 'This is asked for as the script of a service worker, which would hear the sign-in of this host; the policy can allow workers on a route.',
  },
  step_up_required: {
    status: 401,
    challenge: 'insufficient_user_authentication',
    help: 'This needs a newer or stronger sign-in; open the page in a browser, or fetch a token with the acr or max_age that the role asks for.',
  },
  network_refused: {
    status: 403,
    help: 'You may do this, but not from this network; ask from one that the policy names, or ask the owner of the route.',
  },
  role_missing: {
    status: 403,
    help: 'You are signed in, but none of your roles may do this here; ask the owner of the route.',
  },
  scope_missing: {
    status: 403,
    challenge: 'insufficient_scope',
    help: 'The token lacks a scope that this takes; ask the provider for one with the scopes that the challenge names.',
  },
  actor_not_allowed: {
    status: 403,
    help: 'The agent or service that asks may not do this here: not for this person, not by itself, or not over so many hops; ask the owner of the route.',
  },
  limit_exceeded: {
    status: 429,
    help: 'You have asked as often as the limit here allows; wait as long as Retry-After says.',
  },
  tool_refused: {
    status: 403,
    help: 'No rule lets this agent call this tool, or send this method, here; ask the owner of the route.',
  },
  protocol_refused: {
    status: 400,
    help: 'Here the agent has to say what it calls: send MCP-Protocol-Version 2026-07-28, Mcp-Method, and for a call Mcp-Name, each once and as the message has it.',
  },
  provider_unavailable: {
    status: 503,
    help: 'The provider does not answer, and the gateway has no keys of it, or has to ask it about this token; try again shortly, and check that the gateway reaches the provider.',
  },
  assertion_unavailable: {
    status: 503,
    help: 'The gateway cannot sign what the service wants to see; its error log says what is wrong with the key file.',
  },
  check_unavailable: {
    status: 503,
    help: 'The gateway could not decide, so nothing passes; its error log says why.',
  },
} as const satisfies Record<string, ReasonEntry>;

export type ReasonCode = keyof typeof reasons;

/** What is said with `credential_missing` on routes that take no tokens. */
export const MISSING = {
  session: 'open a page of this host in a browser, and sign in there',
  certificate: 'show a client certificate of the CA that the policy names',
} as const;

/** Why something was refused. `detail` is safe to show the client: it never holds token text or a secret. */
export interface Refusal {
  readonly reason: ReasonCode;
  /** What was expected and what came, in one short phrase; set only where the signature was valid or nothing secret is in it. */
  readonly detail?: string;
  /** Of whom a token speaks that holds, and that is refused all the same: for the log. */
  readonly about?: About;
}

/** Whom a line of the log names. */
export interface About {
  readonly subject: string;
  readonly provider: string;
  /** Name of the agent that asks for them. */
  readonly agent?: string;
  /** Who acts, the one that asks first. */
  readonly actors?: readonly string[];
}

/** What the client reads of a refusal: what was wrong, or else what to do. */
export function detailOf({ reason, detail }: Refusal): string {
  return detail ?? reasons[reason].help;
}

/** The outcome of one step: a value, or the reason why there is none. */
export type Result<T> = { readonly ok: true; readonly value: T } | ({ readonly ok: false } & Refusal);

/** Wraps the value of a step that succeeded. */
export function ok<T>(value: T): Result<T> {
  return { ok: true, value };
}

/** Wraps the reason of a step that refused. */
export function refuse(reason: ReasonCode, detail?: string): { readonly ok: false } & Refusal {
  return detail === undefined ? { ok: false, reason } : { ok: false, reason, detail };
}

/** Why something is refused; undefined: it is not. */
export type Refused = ReturnType<typeof refuse> | undefined;
