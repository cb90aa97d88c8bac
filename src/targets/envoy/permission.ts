import type { Path } from '../../rules/types.ts';
import { nonCanonicalPatterns } from '../kit/non-canonical-paths.ts';

/** Envoy's `StringMatcher`, in the forms that meshgate renders. */
export type StringMatch =
  | { readonly exact: string }
  | { readonly prefix: string }
  | { readonly safe_regex: { readonly regex: string } };

/** Envoy's RBAC `Permission`, in the forms that meshgate renders. */
export type EnvoyPermission =
  | { readonly header: { readonly name: string; readonly string_match: StringMatch } }
  | { readonly url_path: { readonly path: StringMatch } }
  | { readonly and_rules: { readonly rules: readonly EnvoyPermission[] } }
  | { readonly or_rules: { readonly rules: readonly EnvoyPermission[] } }
  | { readonly not_rule: EnvoyPermission };

/** A permission that matches a header with one of these values. */
export const headerIn = (name: string, values: readonly string[]): EnvoyPermission =>
  anyOf(values.map((exact) => ({ header: { name, string_match: { exact } } })));

export const anyOf = (rules: readonly EnvoyPermission[]): EnvoyPermission =>
  rules.length === 1 ? (rules[0] as EnvoyPermission) : { or_rules: { rules } };

export const allOf = (rules: readonly EnvoyPermission[]): EnvoyPermission => ({ and_rules: { rules } });

const urlPath = (path: StringMatch): EnvoyPermission => ({ url_path: { path } });

/** Matches a path without regard to its exceptions. A prefix matches whole segments. */
function plain(path: Path): EnvoyPermission {
  if ('exact' in path) return urlPath({ exact: path.exact });
  const below = urlPath({ prefix: `${path.prefix}/` });
  return path.prefix === '' ? below : anyOf([urlPath({ exact: path.prefix }), below]);
}

/** Permissions that together match the path of a rule, and none of its exceptions. */
export function pathPermissions(path: Path): readonly EnvoyPermission[] {
  if ('exact' in path || path.except.length === 0) return [plain(path)];
  return [plain(path), { not_rule: anyOf(path.except.map(plain)) }];
}

/** Permissions that match paths which are not canonical; see {@link nonCanonicalPatterns}. */
export function nonCanonicalPermissions(characters: readonly string[]): readonly EnvoyPermission[] {
  return nonCanonicalPatterns(characters).map((regex) => ({
    header: { name: ':path', string_match: { safe_regex: { regex } } },
  }));
}
