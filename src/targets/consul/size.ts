import type { Gap } from '../types.ts';
import type { ConsulEntry } from './entries.ts';
import type { ConsulPermission, Header } from './permissions.ts';

/** The size of a field of a Protocol Buffers message: its tag, its length and its content. */
function field(content: number): number {
  let bytes = 2 + content;
  for (let rest = content >> 7; rest > 0; rest >>= 7) bytes += 1;
  return bytes;
}

/** A list of conditions as Envoy's RBAC filter has it. A single condition stands for itself. */
const all = (parts: readonly number[]): number =>
  parts.length === 1 ? (parts[0] as number) : field(parts.reduce((sum, part) => sum + field(part), 0));

const plain = (text: string): number => field(text.length);
const regex = (text: string): number => field(field(text.length));

const header = ({ Name, Exact, Regex, Invert }: Header): number =>
  field(plain(Name) + field(Exact === undefined ? regex(Regex ?? '') : plain(Exact)) + (Invert ? 2 : 0));

/** The part that says which requests a permission is about. Every later permission repeats it. */
function matching({
  HTTP: { PathExact, PathPrefix, PathRegex, Methods, Header: headers = [] },
}: ConsulPermission): number {
  const text = PathExact ?? PathPrefix;
  const path = field(field(text === undefined ? regex(PathRegex ?? '') : plain(text)));
  const methods = Methods ? [field(plain(':method') + field(regex(Methods.join('|'))))] : [];
  return all([path, ...headers.map(header), ...methods]);
}

const FILTER = 'envoy.filters.http.jwt_authn';
const PAYLOAD = 'jwt_payload_meshgate';

const claim = (path: readonly string[], value: string): number =>
  field(
    plain(FILTER) + [PAYLOAD, ...path].reduce((sum, key) => sum + field(plain(key)), 0) + field(field(plain(value))),
  );

function asserted({ JWT }: ConsulPermission, issuer: string): readonly number[] {
  const ways = (JWT?.Providers ?? []).map(({ VerifyClaims }) =>
    all([claim(['iss'], issuer), all(VerifyClaims.map(({ Path, Value }) => claim(Path, Value)))]),
  );
  return ways.length < 2 ? ways : [field(ways.reduce((sum, way) => sum + field(way), 0))];
}

/** About how many bytes Envoy's RBAC filter has that Consul makes of these permissions. Consul writes every earlier
 * permission into each one that allows. */
export function filterBytes(permissions: readonly ConsulPermission[], issuer: string): number {
  let earlier = 0;
  let bytes = 0;
  for (const [index, permission] of permissions.entries()) {
    const own = matching(permission);
    if (permission.Action === 'allow') {
      const narrowed = index === 0 ? own : field(field(own) + earlier);
      bytes += field(all([narrowed, ...asserted(permission, issuer)]));
    }
    earlier += field(field(own));
  }
  return bytes;
}

const shown = (bytes: number): string =>
  bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} KB` : `${(bytes / 1e6).toFixed(1)} MB`;

/** Above this, Envoy needs more than a hundred megabytes and about a second to load a listener. */
const MUCH = 2e6;

/** How large the listeners are that Consul makes of these entries: a note about the largest, and gaps for those that are
 * too large. */
export function sizesOf(
  entries: readonly ConsulEntry[],
  issuer = '',
): { notes: readonly string[]; gaps: readonly Gap[] } {
  const sizes = entries.flatMap((entry) => {
    if (entry.Kind !== 'service-intentions') return [];
    const own = entry.Sources.map(({ Permissions = [] }) => Permissions);
    const bytes = own.reduce((sum, permissions) => sum + filterBytes(permissions, issuer), 0);
    return [{ name: entry.Name, bytes, count: own.flat().length }];
  });
  const [largest] = [...sizes].sort((a, b) => b.bytes - a.bytes);
  if (largest === undefined) return { notes: [], gaps: [] };
  const note = `the largest listener that Consul makes of these entries is that of ${largest.name}: about ${shown(largest.bytes)}`;
  const gaps = sizes.flatMap(({ name, bytes, count }): Gap[] => {
    if (bytes < MUCH) return [];
    const text = `Consul makes a listener of about ${shown(bytes)} of the ${count} permissions of ${name}, and Envoy needs about 65 times as much memory for it; use the same roles and methods on more routes, or split the service`;
    return [{ part: 'mesh', text }];
  });
  return { notes: [note], gaps };
}
