/** The configuration of nginx as a tree. Every argument has a kind, and the printer (print.ts) rejects text that this
 * kind does not allow. Text from a policy is always a `literal`: it stays one argument, and nginx finds no variable in
 * it. */

/** One argument of a directive. */
export type Arg =
  /** A word of nginx's own language, written in this repository: `off`, `valid=10s`, `^~`. */
  | { readonly kind: 'word'; readonly text: string }
  /** A text that must reach nginx unchanged. */
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'variable'; readonly name: string }
  /** A regular expression from this repository. Only this kind may contain a `$` that does not name a variable. */
  | { readonly kind: 'regex'; readonly source: string; readonly operator: '~' | '~*' | '' }
  /** Literals and variables that form one argument. */
  | { readonly kind: 'template'; readonly parts: readonly Part[] }
  /** The left side of a map entry: a literal that nginx must not read as a keyword or a regular expression. */
  | { readonly kind: 'key'; readonly text: string };

export type Part = Extract<Arg, { readonly kind: 'literal' | 'variable' }>;

/** A directive. In a `map` block, `name` is the left side of an entry. */
export interface Directive {
  readonly name: string | Arg;
  readonly args: readonly Arg[];
  readonly block?: readonly Directive[];
  /** Comments that are printed above the directive, one per line. */
  readonly comment?: readonly string[];
  /** Set if the directive is printed on the same line as the one before it. */
  readonly beside?: true;
  /** A comment that is printed after the directive. */
  readonly note?: string;
}

/** An argument; a plain string is a word. */
export type Given = string | Arg;

export function literal(text: string): Extract<Arg, { readonly kind: 'literal' }> {
  return { kind: 'literal', text };
}

/** @param name the name without the `$` */
export function variable(name: string): Extract<Arg, { readonly kind: 'variable' }> {
  return { kind: 'variable', name };
}

export function regex(operator: '~' | '~*' | '', source: string): Arg {
  return { kind: 'regex', source, operator };
}

/** The left side of a map entry. */
export function key(text: string): Arg {
  return { kind: 'key', text };
}

/** Makes a template. Strings are literals here. */
export function template(...parts: readonly (string | Part)[]): Arg {
  return { kind: 'template', parts: parts.map((part) => (typeof part === 'string' ? literal(part) : part)) };
}

function arg(given: Given): Arg {
  return typeof given === 'string' ? { kind: 'word', text: given } : given;
}

/** Makes a directive that ends with `;`. */
export function line(name: string | Arg, ...args: readonly Given[]): Directive {
  return { name, args: args.map(arg) };
}

/** Makes a directive with a block. */
export function block(name: string, args: readonly Given[], body: readonly Directive[]): Directive {
  return { name, args: args.map(arg), block: body };
}

/** Adds lines of comment above a directive. */
export function commented(comment: string | readonly string[], directive: Directive): Directive {
  return { ...directive, comment: typeof comment === 'string' ? [comment] : comment };
}

/** Parses directives in nginx's own form, for text from this repository: each argument is a word, a variable or `""`.
 * It must never get text from a policy, because nginx would read a space or a `;` in it as its own syntax. */
export function fixed(text: string): readonly Directive[] {
  return text.split(/; ?/).map((one) => {
    const [name = '', ...args] = one.split(' ');
    return line(
      name,
      ...args.map((word) => (word === '""' ? literal('') : word.startsWith('$') ? variable(word.slice(1)) : word)),
    );
  });
}

/** Puts directives without blocks on one line. A comment after them says why they exist. */
export function row(given: string | readonly Directive[], why?: string): readonly Directive[] {
  const directives = typeof given === 'string' ? fixed(given) : given;
  const last = directives.length - 1;
  return directives.map((one, i) => ({
    ...one,
    ...(i > 0 && { beside: true }),
    ...(i === last && why !== undefined && { note: why }),
  }));
}

/** Makes `map SOURCE $NAME { … }`. The entries are pairs of key and value. */
export function map(source: Arg, name: string, entries: readonly (readonly [Arg | 'default', Given])[]): Directive {
  return block(
    'map',
    [source, variable(name)],
    entries.map(([left, right]) => line(left, right)),
  );
}
