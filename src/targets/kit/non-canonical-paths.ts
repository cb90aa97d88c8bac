import { NON_CANONICAL_PATH } from '../../base/raw-path.ts';
import type { Path, Rule } from '../../rules/types.ts';

/** Returns the characters in paths of a policy that a client could percent-encode, except those that {@link NON_CANONICAL_PATH}
 * covers. */
function encodable(paths: readonly Path[]): readonly string[] {
  const texts = paths.map((path) => ('exact' in path ? path.exact : path.prefix));
  return [...new Set(texts.join('').replace(/[A-Za-z0-9/._-]/g, ''))].sort();
}

/** The characters in the paths of these rules that a client must not percent-encode. */
export const encodableOf = (rules: readonly Rule[]): readonly string[] =>
  encodable(rules.flatMap(({ path }): Path[] => [path, ...('except' in path ? path.except : [])]));

/** Regular expressions for whole raw paths that are not canonical. A mesh could match such a path with a wrong rule. */
export function nonCanonicalPatterns(characters: readonly string[]): readonly string[] {
  const codes = characters.map((char) => {
    const hex = char.charCodeAt(0).toString(16);
    return hex.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
  });
  return [`${NON_CANONICAL_PATH}.*`, ...(codes.length === 0 ? [] : [`^[^?]*%(${codes.join('|')}).*`])];
}

/** The expressions of {@link nonCanonicalPatterns} as one expression. */
export function nonCanonicalPattern(characters: readonly string[]): string {
  const patterns = nonCanonicalPatterns(characters);
  return patterns.length === 1 ? (patterns[0] as string) : `(${patterns.join('|')})`;
}
