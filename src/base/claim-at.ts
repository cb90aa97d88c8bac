/** The claims of a JWT after parsing. */
export type Claims = Readonly<Record<string, unknown>>;

/** Returns the value at a claim path; `undefined` if there is none. First, the whole path is tried as the name of a
 * claim. If there is no such claim, the path is split at a dot, so that the first part names an object that contains
 * the rest. The longest such part counts. So `https://x.example/roles` finds the claim of that name, and
 * `realm_access.roles` finds a nested claim. Only own members count, and never inherited ones such as `__proto__`.
 * @param path name of a claim, or several names joined by dots
 */
export function claimAt(claims: Claims, path: string): unknown {
  const value = claims[path];
  // A plain read takes half the time of hasOwn. It is safe: JSON contains no functions, and inherited members are
  // functions or `__proto__`.
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
