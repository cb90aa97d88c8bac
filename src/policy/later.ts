/** Keys that a later version will have, so that an error can say so. */
const KEYS = new Set([
  ...['teams', 'profiles', 'audit', 'amr'],
  'namespaces',
  ...['insecure_raw_paths', 'waypoint', 'ambient'],
]);

/** True for a key that a later version will know. */
export function isLaterKey(key: string): boolean {
  return KEYS.has(key);
}
