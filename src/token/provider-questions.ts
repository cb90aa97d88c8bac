/**
 * What the check asks of whoever may call providers as their client, over the unix socket of the check's server: `POST`
 * with the token as body. The answer is 200 with what the provider said of an active token, as JSON.
 */
export const INTROSPECT_PATH = '/.meshgate/introspect';

/** Likewise with somebody's object id as body: 200 with `{ "held": [ids] }`, the groups that they have of the policy's. */
export const GROUPS_PATH = '/.meshgate/groups';

/** What other answers mean, by their status; any that is not here is taken as `away`. */
export const ANSWERED = {
  active: 200,
  inactive: 204,
  /** The provider answered with nothing of use; the log says why. */
  broken: 502,
  /** It did not answer. */
  away: 503,
} as const;
