/** All reasons for a refusal. Each has a stable code, which clients, logs and policy tests use; the HTTP status; its
 * name in a bearer challenge (RFC 6750 section 3.1); and a short help text. A test compares docs/reasons.md with this
 * table. */

export interface ReasonEntry {
  readonly status: 400 | 401 | 403 | 404 | 421 | 429 | 503;
  /** `error` of the challenge `WWW-Authenticate: Bearer`. If it is an empty string, the challenge contains no error
   * (RFC 6750 section 3: the request had no credential). If it is absent, there is no challenge.
   * `insufficient_user_authentication` comes from RFC 9470. */
  readonly challenge?: '' | 'invalid_token' | 'insufficient_scope' | 'insufficient_user_authentication';
  /** Tells the caller, or their platform engineer, what was wrong and what to do. */
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
    help: 'This route accepts only "Authorization: Bearer TOKEN".',
  },
  path_not_canonical: {
    status: 400,
    help: 'Send the path in canonical form: no "//", dot segments, ";", "\\" or "#", and no percent-encoded letter, digit, slash, dot, semicolon, backslash or NUL.',
  },
  request_malformed: {
    status: 400,
    help: 'nginx could not read the request: a header is too long, given twice or not allowed, or the request line is broken.',
  },
  host_unknown: { status: 421, help: 'No host of the policy has this name. Check the host in the URL.' },
  route_unknown: { status: 404, help: 'This host has no route for this path.' },
  token_malformed: {
    status: 401,
    challenge: 'invalid_token',
    help: 'The token is not a signed JWT (a compact JWS with JSON claims), or is too long. Get a JWT access token; an opaque token needs a provider with introspection.',
  },
  algorithm_refused: {
    status: 401,
    challenge: 'invalid_token',
    help: "The policy does not allow the algorithm of the token's signature. Sign with an asymmetric algorithm, such as RS256 or ES256.",
  },
  issuer_unknown: {
    status: 401,
    challenge: 'invalid_token',
    help: 'The token\'s "iss" does not exactly match a provider that this host accepts.',
  },
  key_unknown: {
    status: 401,
    challenge: 'invalid_token',
    help: 'The provider publishes no key for the token\'s "kid" and algorithm; it may have retired the key. Get a new token.',
  },
  signature_invalid: {
    status: 401,
    challenge: 'invalid_token',
    help: "The token's signature is not valid. Get a new token from the provider.",
  },
  token_inactive: {
    status: 401,
    challenge: 'invalid_token',
    help: 'The provider says that the token is not active: it is expired, revoked or unknown. Get a new token.',
  },
  token_expired: { status: 401, challenge: 'invalid_token', help: 'The token has expired. Get a new token.' },
  token_not_yet_valid: {
    status: 401,
    challenge: 'invalid_token',
    help: 'The token is not valid yet ("nbf" or "iat" is in the future). Check the clocks of provider and gateway.',
  },
  audience_mismatch: {
    status: 401,
    challenge: 'invalid_token',
    help: 'The token is for another audience or client. Get a token from the provider with an audience of this gateway.',
  },
  type_refused: {
    status: 401,
    challenge: 'invalid_token',
    help: 'This is an ID token, a logout token or another kind of JWT. Send the access token.',
  },
  claim_absent: {
    status: 401,
    challenge: 'invalid_token',
    help: 'The token lacks a claim that the gateway requires, or the claim has the wrong form. Configure the provider to send this claim.',
  },
  proof_missing: {
    status: 401,
    challenge: 'invalid_token',
    help: 'The token is bound to a key. Send "Authorization: DPoP TOKEN" with a proof in "DPoP", or show the client certificate of the token. At the inner listener, show your own certificate.',
  },
  proof_invalid: {
    status: 401,
    challenge: 'invalid_token',
    help: 'The DPoP proof or the client certificate does not match the credential. Make a new proof for each request. At the inner listener, show the X.509-SVID of the workload, issued by the CA in the policy.',
  },
  proof_replayed: {
    status: 401,
    challenge: 'invalid_token',
    help: 'The DPoP proof was used before. Make a new proof with another "jti" for each request and each retry.',
  },
  proof_nonce_required: {
    status: 401,
    challenge: 'invalid_token',
    help: 'Make a DPoP proof with the "nonce" from the header DPoP-Nonce, and send the request again.',
  },
  header_too_large: {
    status: 400,
    help: 'The header lines of the request are too long. In a browser, delete the cookies of this site and of its domain. Another site of the domain may have set them.',
  },
  credential_duplicate: {
    status: 400,
    help: 'The request has two gateway cookies with the same name, or two headers with the token for the gateway. In a browser, delete the cookies of this site and sign in again. A program sends the header once.',
  },
  session_expired: {
    status: 401,
    challenge: '',
    help: 'The session has ended. Reload the page to sign in again. A script sends its user to a page of this host.',
  },
  revoked: {
    status: 401,
    challenge: 'invalid_token',
    help: 'A sign-out or an operator has revoked the credential. Sign in again or get a new token.',
  },
  attempt_unknown: {
    status: 400,
    help: 'This sign-in began in another browser, is too old, or is already finished. Open the page that you wanted again.',
  },
  signin_failed: {
    status: 403,
    help: "The provider did not sign you in, or its response is not valid. Try again. If it fails again, send the request id to the gateway's operator.",
  },
  origin_refused: {
    status: 403,
    help: 'A page of another origin sent this request with your session, certificate or network. Open the page of this host and try again.',
  },
  worker_refused: {
    status: 403,
    help: 'A service worker may not load its script here, because it could read the sign-in of this host. The policy can allow it on a route.',
  },
  step_up_required: {
    status: 401,
    challenge: 'insufficient_user_authentication',
    help: 'This request needs a newer or stronger sign-in. Open the page in a browser, or get a token with the acr or max_age that the role requires.',
  },
  network_refused: {
    status: 403,
    help: "You may do this, but not from this network. Use a network that the policy names, or ask the route's owner.",
  },
  role_missing: {
    status: 403,
    help: 'You are signed in, but none of your roles may do this here. Ask the owner of the route.',
  },
  scope_missing: {
    status: 403,
    challenge: 'insufficient_scope',
    help: 'The token lacks a scope. Get a token from the provider with the scopes that the challenge names.',
  },
  actor_not_allowed: {
    status: 403,
    help: 'This agent or service may not do this here: not for this person, not by itself, or not over so many hops. Ask the owner of the route.',
  },
  limit_exceeded: { status: 429, help: 'You have used up the limit for requests. Wait as long as Retry-After says.' },
  tool_refused: {
    status: 403,
    help: 'No rule allows this agent to call this tool or send this method. Ask the owner of the route.',
  },
  protocol_refused: {
    status: 400,
    help: 'The agent must say which tool or method it calls. Send MCP-Protocol-Version 2026-07-28, Mcp-Method and, for a call, Mcp-Name. Send each header once, with the value from the message.',
  },
  provider_unavailable: {
    status: 503,
    help: 'The provider does not answer, and the gateway needs its keys or must ask it about this token. Try again soon, and check that the gateway can reach the provider.',
  },
  assertion_unavailable: {
    status: 503,
    help: 'The gateway cannot sign the assertion for the service. Its error log says what is wrong with the key file.',
  },
  check_unavailable: { status: 503, help: 'The gateway could not decide, so it refused. Its error log says why.' },
} as const satisfies Record<string, ReasonEntry>;

export type ReasonCode = keyof typeof reasons;

/** The texts for `credential_missing`, for routes that accept no tokens. */
export const MISSING = {
  session: 'open a page of this host in a browser, and sign in there',
  certificate: 'show a client certificate of the CA that the policy names',
} as const;

/** A refusal. `detail` is safe to show to the client: it never contains a token or a secret. */
export interface Refusal {
  readonly reason: ReasonCode;
  /** The expected and the received value in a short phrase. It is set only if the signature was valid, or if the values
   * are not secret. */
  readonly detail?: string;
  /** The caller, for the log, if a valid token is refused. */
  readonly about?: About;
}

export interface About {
  readonly subject: string;
  readonly provider: string;
  /** Name of the agent that acts for the caller. */
  readonly agent?: string;
  readonly actors?: readonly string[];
}

/** Returns the text of a refusal for the client: what was wrong, or else what to do. */
export function detailOf({ reason, detail }: Refusal): string {
  return detail ?? reasons[reason].help;
}

/** The result of one step: a value, or the reason for the refusal. */
export type Result<T> = { readonly ok: true; readonly value: T } | ({ readonly ok: false } & Refusal);

/** Returns the result of a step that succeeded. */
export function ok<T>(value: T): Result<T> {
  return { ok: true, value };
}

/** Returns the result of a step that refused the request. */
export function refuse(reason: ReasonCode, detail?: string): { readonly ok: false } & Refusal {
  return detail === undefined ? { ok: false, reason } : { ok: false, reason, detail };
}

export type Refused = ReturnType<typeof refuse> | undefined;
