/** Keys and values of the whole language that this version does not have yet; an error can then say so. */
const LATER = new Set([
  ...['agents', 'teams', 'profiles', 'assertion', 'session', 'store', 'audit', 'client', 'introspection', 'acr', 'amr'],
  ...['max_age', 'network', 'like', 'agent', 'actor', 'namespace', 'namespaces', 'labels', 'service_account', 'proxy'],
  ...['owner', 'ask', 'insecure_raw_paths', 'limit', 'bound', 'hops', 'acts_for', 'certificate', 'istio', 'linkerd'],
  ...['consul', 'okta', 'entra', 'keycloak', 'auth0', 'google', 'cognito', 'github-actions', 'kubernetes', 'spiffe'],
]);

/** True for a word that a later version will know. */
export function isLater(word: string): boolean {
  return LATER.has(word);
}
