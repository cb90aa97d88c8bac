/** A request target as nginx takes it apart. */
export interface Target {
  /** Host and port of an absolute-form target (RFC 9112 section 3.2.2), which stands before the Host header. */
  readonly host?: string;
  /** What `$request_uri` holds: path and query as they came. */
  readonly raw: string;
  /** The path that locations are matched with: decoded, one character a byte. */
  readonly path: string;
}

/** nginx takes no user name in it, and of hosts fewer than in a Host header. */
const absolute = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/((?:[A-Za-z0-9.-]+|\[[^\]]*\])(?::[0-9]*)?)(?=[/?]|$)/;

/** Percent-decodes, and reads encoded slashes and dots as nginx does: as slashes and dots. */
function decoded(path: string): string {
  return path.replace(/%([0-9A-Fa-f]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Whether dot segments climb above the root at some point. */
function climbsOut(path: string): boolean {
  let depth = 0;
  for (const segment of path.split('/')) {
    if (segment === '..') depth -= 1;
    else if (segment !== '' && segment !== '.') depth += 1;
    if (depth < 0) return true;
  }
  return false;
}

/**
 * Reads the target of a request line as nginx does.
 *
 * @returns `undefined` where nginx answers 400 by itself: a control character or space, a broken escape, an encoded NUL,
 * a path above the root, or a form that is neither `/path` nor `scheme://host/path`
 */
export function parseTarget(text: string): Target | undefined {
  const target = text.replace(/^ +|(?<! ) +$/g, '');
  if (/[\x00-\x20\x7f]/.test(target)) return undefined;
  const [prefix, host] = absolute.exec(target) ?? ['', undefined];
  const raw = target.slice(prefix.length);
  if (host === undefined && !raw.startsWith('/')) return undefined;
  const encoded = /^[^?#]*/.exec(raw)?.[0] ?? '';
  if (/%(?![0-9A-Fa-f]{2})|%00/.test(encoded)) return undefined;
  const path = decoded(encoded);
  if (climbsOut(path)) return undefined;
  return { ...(host !== undefined && { host }), raw, path: path === '' ? '/' : path };
}
