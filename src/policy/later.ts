/** Keys of the whole language that this version does not have yet; an error can then say so. */
const KEYS = new Set([
  ...['teams', 'profiles', 'audit', 'amr'],
  ...['namespaces', 'tools'],
  ...['insecure_raw_paths', 'waypoint', 'ambient'],
]);

/** Likewise for values: credentials, header sources, kinds of meshes and providers. */
const VALUES = new Set([...['auth0', 'google', 'cognito', 'github-actions', 'kubernetes', 'spiffe']]);

/** True for a key that a later version will know. */
export function isLaterKey(key: string): boolean {
  return KEYS.has(key);
}

/** True for a value that a later version will know. */
export function isLaterValue(value: string): boolean {
  return VALUES.has(value);
}
