import type { Raw } from './schema.ts';
import type { HeaderSource, Headers } from './types.ts';

type RawHeaders = NonNullable<Raw['headers']>;
type RawSource = RawHeaders[string];

/** The headers that services receive if the policy has no `headers`. */
export const DEFAULT_HEADERS: RawHeaders = {
  'X-Forwarded-User': 'subject',
  'X-Forwarded-Email': 'email',
  'X-Forwarded-Roles': 'roles',
};

function source(raw: Exclude<RawSource, null>): HeaderSource {
  if (typeof raw === 'string') return raw;
  if (raw.claim !== undefined) return { claim: raw.claim };
  const firstRole = Object.entries(raw.first_role ?? {});
  return raw.else === undefined ? { firstRole } : { firstRole, else: raw.else };
}

/** Merges headers from the outside in. Names are compared in any case, the inner one counts, and null removes. */
export function mergeHeaders(...layers: readonly (RawHeaders | undefined)[]): Headers {
  const merged = new Map<string, readonly [string, HeaderSource]>();
  for (const layer of layers) {
    for (const [name, raw] of Object.entries(layer ?? {})) {
      const key = name.toLowerCase();
      if (raw === null) merged.delete(key);
      else merged.set(key, [merged.get(key)?.[0] ?? name, source(raw)]);
    }
  }
  return Object.fromEntries(merged.values());
}
