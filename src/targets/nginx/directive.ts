/** nginx configuration as a tree. Every argument has a kind, and the printer (print.ts) rejects text that is not
 * allowed in that kind. Text of a policy is always a `literal`, which stays one argument and names no variable. */

/** One argument of a directive. */
export type Arg =
  /** nginx's own vocabulary, written in this repository: `off`, `valid=10s`, `^~`. */
  | { readonly kind: 'word'; readonly text: string }
  /** Any text that must arrive unchanged. */
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'variable'; readonly name: string }
  /** A regular expression of this repository; the only kind that may contain a `$` of its own. */
  | { readonly kind: 'regex'; readonly source: string; readonly operator: '~' | '~*' | '' }
  /** Literals and variables that form one argument. */
  | { readonly kind: 'template'; readonly parts: readonly Part[] }
  /** The left side of a map: a literal that is not a keyword or a regular expression there. */
  | { readonly kind: 'key'; readonly text: string };

export type Part = Extract<Arg, { readonly kind: 'literal' | 'variable' }>;

/** A directive; in a `map` block the key replaces the name. */
export interface Directive {
  readonly name: string | Arg;
  readonly args: readonly Arg[];
  readonly block?: readonly Directive[];
  /** Printed above it, one line each. */
  readonly comment?: readonly string[];
  /** Whether it is printed on the line of the directive before it. */
  readonly beside?: true;
  /** Comment that is printed after it. */
  readonly note?: string;
}

/** A plain string is a word. */
export type Given = string | Arg;

export function literal(text: string): Extract<Arg, { readonly kind: 'literal' }> {
  return { kind: 'literal', text };
}

/** @param name without the `$` */
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

/** Strings are literals here. */
export function template(...parts: readonly (string | Part)[]): Arg {
  return { kind: 'template', parts: parts.map((part) => (typeof part === 'string' ? literal(part) : part)) };
}

function arg(given: Given): Arg {
  return typeof given === 'string' ? { kind: 'word', text: given } : given;
}

/** A directive that ends with `;`. */
export function line(name: string | Arg, ...args: readonly Given[]): Directive {
  return { name, args: args.map(arg) };
}

/** A directive with a block. */
export function block(name: string, args: readonly Given[], body: readonly Directive[]): Directive {
  return { name, args: args.map(arg), block: body };
}

/** The directive with lines of comment above it. */
export function commented(comment: string | readonly string[], directive: Directive): Directive {
  return { ...directive, comment: typeof comment === 'string' ? [comment] : comment };
}

/**
 * Directives as nginx writes them, for what stands in this repository: each argument is a word, a variable or `""`. Text
 * of a policy never comes in here, for a blank or a `;` in it would be nginx's.
 */
export function fixed(text: string): readonly Directive[] {
  return text.split(/; ?/).map((one) => {
    const [name = '', ...args] = one.split(' ');
    return line(
      name,
      ...args.map((word) => (word === '""' ? literal('') : word.startsWith('$') ? variable(word.slice(1)) : word)),
    );
  });
}

/** Directives without blocks on one line, with a comment behind them that says why they are there. */
export function row(given: string | readonly Directive[], why?: string): readonly Directive[] {
  const directives = typeof given === 'string' ? fixed(given) : given;
  const last = directives.length - 1;
  return directives.map((one, i) => ({
    ...one,
    ...(i > 0 && { beside: true }),
    ...(i === last && why !== undefined && { note: why }),
  }));
}

/** `map SOURCE $NAME { … }`: entries as pairs of key and value. */
export function map(source: Arg, name: string, entries: readonly (readonly [Arg | 'default', Given])[]): Directive {
  return block(
    'map',
    [source, variable(name)],
    entries.map(([left, right]) => line(left, right)),
  );
}
