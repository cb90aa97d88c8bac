/** A request target, split as nginx does it. */
export interface Target {
  /** Host and port of an absolute-form target (RFC 9112 section 3.2.2), which takes precedence over the Host header. */
  readonly host?: string;
  /** The value of `$request_uri`: path and query as received. */
  readonly raw: string;
  /** The path that nginx matches locations with: decoded, one character per byte. */
  readonly path: string;
}

/** nginx accepts no user name here, and fewer characters in the host than in a Host header. */
const absolute = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/((?:[A-Za-z0-9.-]+|\[[^\]]*\])(?::[0-9]*)?)(?=[/?]|$)/;

/** Percent-decodes. Encoded slashes and dots become slashes and dots, as in nginx. */
function decoded(path: string): string {
  return path.replace(/%([0-9A-Fa-f]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Whether dot segments leave the root at some point. */
function climbsOut(path: string): boolean {
  let depth = 0;
  for (const segment of path.split('/')) {
    if (segment === '..') depth -= 1;
    else if (segment !== '' && segment !== '.') depth += 1;
    if (depth < 0) return true;
  }
  return false;
}

/** Reads the target of a request line as nginx does.
 *
 * @returns `undefined` if nginx itself answers 400: a control character or space, a broken escape, an encoded NUL, a
 * path above the root, or a form that is neither `/path` nor `scheme://host/path`
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
