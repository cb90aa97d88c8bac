/** Whether a host of the policy is all names below one. */
export const isWildcard = (host: string): boolean => host.startsWith('*.');

/** A name below a wildcard has no other characters: the client chooses it, and it stands in URLs of the gateway. */
const plainName = /^[a-z0-9.-]+$/;

/** The host of the policy that takes a name: the one of that name, else the longest wildcard. */
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
