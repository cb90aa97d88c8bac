import { ODD_PATH } from '../../rules/canonical.ts';
import type { Path } from '../../rules/types.ts';

/** Envoy's `StringMatcher`, the forms that are used here. */
export type StringMatch =
  | { readonly exact: string }
  | { readonly prefix: string }
  | { readonly safe_regex: { readonly regex: string } };

/** Envoy's RBAC `Permission`, the forms that are used here. */
export type Permission =
  | { readonly header: { readonly name: string; readonly string_match: StringMatch } }
  | { readonly url_path: { readonly path: StringMatch } }
  | { readonly and_rules: { readonly rules: readonly Permission[] } }
  | { readonly or_rules: { readonly rules: readonly Permission[] } }
  | { readonly not_rule: Permission };

/** A header that has one of these values. */
export function headerIn(name: string, values: readonly string[]): Permission {
  return anyOf(values.map((exact) => ({ header: { name, string_match: { exact } } })));
}

function anyOf(rules: readonly Permission[]): Permission {
  return rules.length === 1 ? (rules[0] as Permission) : { or_rules: { rules } };
}

const urlPath = (path: StringMatch): Permission => ({ url_path: { path } });

/** The paths without what is carved out: a prefix is one on a segment. */
function plain(path: Path): Permission {
  if ('exact' in path) return urlPath({ exact: path.exact });
  const below = urlPath({ prefix: `${path.prefix}/` });
  return path.prefix === '' ? below : anyOf([urlPath({ exact: path.prefix }), below]);
}

/** What a rule says of the path: its own, and none of its exceptions. */
export function pathPermissions(path: Path): readonly Permission[] {
  if ('exact' in path || path.except.length === 0) return [plain(path)];
  return [plain(path), { not_rule: anyOf(path.except.map(plain)) }];
}

/** Characters that paths of a policy may hold and that clients may percent-encode, besides those of {@link ODD_PATH}. */
export function encodable(paths: readonly Path[]): readonly string[] {
  const texts = paths.map((path) => ('exact' in path ? path.exact : path.prefix));
  return [...new Set(texts.join('').replace(/[A-Za-z0-9/._-]/g, ''))].sort();
}

/**
 * Raw paths that Envoy, which matches without decoding, would take for another rule's than nginx or the service does.
 * Envoy wants the whole value to match.
 *
 * @param characters what {@link encodable} says of the policy
 */
export function oddPaths(characters: readonly string[]): readonly Permission[] {
  const path = (regex: string): Permission => ({ header: { name: ':path', string_match: { safe_regex: { regex } } } });
  const codes = characters.map((char) => {
    const hex = char.charCodeAt(0).toString(16);
    return hex.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
  });
  return [path(`${ODD_PATH}.*`), ...(codes.length === 0 ? [] : [path(`^[^?]*%(${codes.join('|')}).*`)])];
}
