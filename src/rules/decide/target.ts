/** The target of a request, split in the same way as in nginx. */
export interface Target {
  /** The host of an absolute-form target, which precedes the Host header (RFC 9112 section 3.2.2). */
  readonly host?: string;
  /** The value of `$request_uri`: path and query, as the client sent them. */
  readonly raw: string;
  /** The decoded path that nginx compares with locations; each character stands for one byte. */
  readonly path: string;
}

/** The beginning of an absolute-form target. nginx allows no user name, and fewer characters than in a Host header. */
const absolute = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/((?:[A-Za-z0-9.-]+|\[[^\]]*\])(?::[0-9]*)?)(?=[/?]|$)/;

/** Decodes the percent-encoding of a path. As in nginx, encoded slashes and dots become slashes and dots. */
const decoded = (path: string): string =>
  path.replace(/%([0-9A-Fa-f]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));

/** Whether the dot segments of a path lead above the root at any point. */
function climbsOut(path: string): boolean {
  let depth = 0;
  for (const segment of path.split('/')) {
    if (segment === '..') depth -= 1;
    else if (segment !== '' && segment !== '.') depth += 1;
    if (depth < 0) return true;
  }
  return false;
}

/** Reads the target of a request line like nginx. Undefined if nginx answers 400: for a control character or space, a
 * broken escape, an encoded NUL, a path above the root, or a form that is neither `/path` nor `scheme://host/path`. */
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
