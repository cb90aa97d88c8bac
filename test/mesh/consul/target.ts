/** How Envoy reads the target of a request over HTTP/1.1, with the settings that Consul gives to proxies. */

/** The methods that Envoy's parser knows. */
const KNOWN = [
  ...['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'PROPPATCH', 'MKCOL', 'COPY'],
  ...['MOVE', 'LOCK', 'UNLOCK', 'REPORT', 'SEARCH', 'PURGE'],
];

/** Letters, digits, `-`, `.`, `_` and `~`, percent-encoded. */
const UNRESERVED = /%(2[DE]|3[0-9]|4[1-9A-F]|5[0-9AF]|6[1-9A-F]|7[0-9AE])/gi;

/** Characters that normalising encodes. */
const ENCODED = /[^!$&'()*+,./:;=@\\[\]~%\w-]/g;

const encoded = (text: string): string =>
  text.replace(ENCODED, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);

/** A path without dot segments, with `/` for `\`. Slashes are not merged. */
function normalised(path: string): string {
  const plain = path
    .replaceAll('\\', '/')
    .replace(UNRESERVED, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  const segments = plain.split('/').slice(1);
  const out: string[] = [];
  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1;
    if (segment === '..' || segment === '..;') out.pop();
    else if (segment !== '.') out.push(segment);
    if ((segment === '..' || segment === '.') && isLast) out.push('');
  }
  return encoded(`/${out.join('/')}`);
}

/** The path that permissions are compared with, without query; undefined if Envoy answers 400. */
export function readPath(method: string, target: string, normalizes: boolean): string | undefined {
  if (!KNOWN.includes(method) || /[^\x21-\x7e]|#/.test(target)) return undefined;
  const path = target.replace(/^https?:\/\/[^/?]*(?=[/?]|$)/i, '').replace(/\?.*$/s, '');
  if (!path.startsWith('/')) return undefined;
  if (!normalizes) return path;
  return path.includes('%00') ? undefined : normalised(path);
}
