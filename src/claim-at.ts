/** A JWT claims set as parsed. */
export type Claims = Readonly<Record<string, unknown>>;

/** The value at a claim path, or `undefined`. The whole path is tried as a claim's name first. Then the longest leading
 * part is used that names an object which contains the rest. So `https://x.example/roles` finds the claim of that name,
 * and `realm_access.roles` the nested one. Only own members count, never `__proto__` and the like.
 *
 * @param path a claim's name, or names joined by dots
 */
export function claimAt(claims: Claims, path: string): unknown {
  const value = claims[path];
  // A plain read costs half of hasOwn. JSON has no functions, and inherited members are functions or `__proto__`.
  if (value !== undefined && typeof value !== 'function' && path !== '__proto__') return value;
  return ownAt(claims, path);
}

function ownAt(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  for (let dot = path.lastIndexOf('.'); dot > 0; dot = path.lastIndexOf('.', dot - 1)) {
    const name = path.slice(0, dot);
    const inner = Object.hasOwn(claims, name) ? claims[name] : undefined;
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) continue;
    const value = claimAt(inner as Claims, path.slice(dot + 1));
    if (value !== undefined) return value;
  }
  return undefined;
}
