/* What the error of a token endpoint says about a session: that it is over, that there is an outage, or neither. */

/** Errors that only the person or the grant can cause (RFC 6749 section 5.2, OpenID Connect Core section 3.1.2.6). */
const OF_GRANT: readonly unknown[] = [
  ...['invalid_grant', 'access_denied', 'interaction_required', 'login_required', 'consent_required'],
  ...['account_selection_required', 'mfa_required', 'bad_refresh_token', 'expired_token'],
];

/** Error codes about the client, the request or the provider (RFC 6749 section 5.2, RFC 8707, RFC 9449). */
const NOT_OF_PERSON: readonly string[] = [
  ...['invalid_client', 'unauthorized_client', 'invalid_client_metadata', 'unapproved_software_statement'],
  ...['invalid_request', 'unsupported_grant_type', 'unsupported_response_type', 'invalid_scope', 'invalid_target'],
  ...['invalid_dpop_proof', 'use_dpop_nonce', 'server_error', 'temporarily_unavailable', 'service_unavailable'],
  ...['slow_down', 'too_many_requests', 'request_timeout'],
];

/** Statuses with which providers refuse. Some answer 200 with an error. Others can come from a server in between. */
const REFUSING: readonly number[] = [200, 400, 401, 403];

/** Whether an error names the grant, so that it means the same with any status but 429: RFC 6749 section 5.2 gives it 400,
 * and RFC 6585 section 4 says that a 429 is about the number of requests. So a 429 suspends a session and ends none. */
export const isOfGrant = (error: unknown): boolean => OF_GRANT.includes(error);

/** Whether an error of the token endpoint concerns the person or the grant, so that the session is over:
 * `invalid_grant`, `access_denied` (Okta, Auth0), `interaction_required` (Entra), `bad_refresh_token` (GitHub, with
 * status 200), and any other error that does not concern the client, the request or an outage. */
export const isOfPerson = (error: string, status: number): boolean =>
  isOfGrant(error) || (REFUSING.includes(status) && !NOT_OF_PERSON.includes(error));

/** Errors that the provider returns for every session: it does not know the client, or it has an outage. */
const OF_ALL: readonly string[] = ['invalid_client', 'server_error', 'temporarily_unavailable', 'service_unavailable'];

/** Whether the next session would get the same error. An error about one person must not stop other renewals. */
export const isOfAll = (error: string): boolean => OF_ALL.includes(error);
