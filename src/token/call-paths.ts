/** Path for questions about tokens. The check sends them over the unix socket of its server to the JavaScript that may
 * call providers as an OAuth client: `POST` with the token as body. With status 200, the body is the provider's answer
 * about an active token, as JSON. */
export const INTROSPECT_PATH = '/.meshgate/introspect';

/** Path for questions about groups. The body is a person's object id. With status 200, the answer is
 * `{ "held": [ids] }`: those of the policy's groups that the person is in. */
export const GROUPS_PATH = '/.meshgate/groups';

/** The meanings of the other statuses. A status that is not listed has the meaning of `away`. */
export const ANSWERED = {
  active: 200,
  inactive: 204,
  /** The provider's answer was not usable; the log says why. */
  broken: 502,
  /** The provider did not answer. */
  away: 503,
} as const;
