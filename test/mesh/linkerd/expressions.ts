/** Regular expressions of Rust's `regex`, which Linkerd uses, as far as JavaScript's can stand for them. */

/** What Rust's syntax has no word for, and JavaScript's has. */
const UNKNOWN_TO_RUST = /(^|[^\\])(\\\\)*(\(\?(<?[=!])|\\[1-9])/;

/** Translates an expression. It is not anchored.
 * @throws SyntaxError if Rust would not compile it */
export function expressionOf(text: string): RegExp {
  if (UNKNOWN_TO_RUST.test(text)) throw new SyntaxError('look-around and references are not supported');
  const [, flags = '', rest = text] = /^\(\?([a-z]+)\)(.*)$/s.exec(text) ?? [];
  const plain = rest
    .replace(/\[:alpha:\]/g, 'a-zA-Z')
    // Rust reads `a*+` as `(?:a*)+`.
    .replace(/(\\.|[^\\])\*\+/g, '(?:$1*)+');
  return new RegExp(plain, `u${flags}`);
}

const compiled = new Map<string, RegExp>();

/** Whether the leftmost-first match of an expression is the whole text: `/a|/a/b` does not match `/a/b`. */
export function matchesEntire(expression: string, text: string): boolean {
  let known = compiled.get(expression);
  if (known === undefined) {
    known = expressionOf(expression);
    compiled.set(expression, known);
  }
  return known.exec(text)?.[0] === text;
}
