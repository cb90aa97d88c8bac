/** The check asks the JavaScript that may call providers as their client, over the unix socket of the check's server:
 * `POST` with the token as body. The answer is 200 with the provider's answer about an active token, as JSON. */
export const INTROSPECT_PATH = '/.meshgate/introspect';

/** The same with a person's object id as body: 200 with `{ "held": [ids] }`, the groups of the policy that the person
 * is in. */
export const GROUPS_PATH = '/.meshgate/groups';

/** The meaning of the other statuses. A status that is not listed counts as `away`. */
export const ANSWERED = {
  active: 200,
  inactive: 204,
  /** The provider's answer was not usable; the log says why. */
  broken: 502,
  /** The provider did not answer. */
  away: 503,
} as const;
