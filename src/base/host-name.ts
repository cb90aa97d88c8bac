export const isWildcard = (host: string): boolean => host.startsWith('*.');

/** Matches the names that a wildcard host accepts. The client chooses the name, and the gateway writes it into URLs, so
 * no other characters are allowed. */
const plainName = /^[a-z0-9.-]+$/;

/** Returns the host of the policy for a name: the host of this name, or else the longest wildcard host that matches. */
export function hostNamed<T extends { readonly name: string }>(hosts: Iterable<T>, name: string): T | undefined {
  const isPlain = plainName.test(name);
  let longest: T | undefined;
  for (const host of hosts) {
    if (!isWildcard(host.name)) {
      if (host.name === name) return host;
    } else if (isPlain && name.endsWith(host.name.slice(1))) {
      if (longest === undefined || host.name.length > longest.name.length) longest = host;
    }
  }
  return longest;
}
