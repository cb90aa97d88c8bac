/** Matches an absolute URL: scheme, host with its port, and the rest. */
const parts = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#@\\]+)([^?#]*)/;

const unreserved = /[A-Za-z0-9._~-]/;

/** Decodes characters that need no encoding, and writes other encodings in upper case (RFC 3986 section 6.2.2). */
const plainPath = (path: string): string =>
  path.replace(/%([0-9A-Fa-f]{2})/g, (octet, hex: string) => {
    const char = String.fromCharCode(Number.parseInt(hex, 16));
    return unreserved.test(char) ? char : octet.toUpperCase();
  });

const usualPorts: Readonly<Record<string, string>> = { https: ':443', http: ':80' };

/** Returns the URL in its normal form, without query and fragment; `undefined` if it is not absolute. */
function normal(url: string): string | undefined {
  const [, scheme, authority, path] = parts.exec(url) ?? [];
  if (scheme === undefined || authority === undefined || path === undefined) return undefined;
  const lower = scheme.toLowerCase();
  const port = usualPorts[lower];
  const host = authority.toLowerCase();
  const named = port !== undefined && host.endsWith(port) ? host.slice(0, -port.length) : host;
  return `${lower}://${named}${path === '' ? '/' : plainPath(path)}`;
}

/** Whether the URL in a proof is that of the request, its origin and raw path. Query and fragment are ignored, and
 * spellings with the same meaning by RFC 3986 section 6.2 are equal (RFC 9449 section 4.3). Dot segments are not
 * resolved, because the gateway rejects paths that contain them. */
export function isSameUrl(htu: string, url: string): boolean {
  if (htu === url) return true;
  const one = normal(htu);
  return one !== undefined && one === normal(url);
}
