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
  /** A line feed. No other argument has one. */
  | { readonly kind: 'newline' }
  /** A regular expression from this repository. Only this kind may contain a `$` that does not name a variable. */
  | { readonly kind: 'regex'; readonly source: string; readonly operator: '~' | '~*' | '' }
  /** Literals and variables that form one argument. */
  | { readonly kind: 'template'; readonly parts: readonly ValuePart[] }
  /** The left side of a map entry: a literal that nginx must not read as a keyword or a regular expression. */
  | { readonly kind: 'key'; readonly text: string };

export type ValuePart = Extract<Arg, { readonly kind: 'literal' | 'variable' | 'newline' }>;

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
type Given = string | Arg;

export function literal(text: string): Extract<Arg, { readonly kind: 'literal' }> {
  return { kind: 'literal', text };
}

/** @param name the name without the `$` */
export function variable(name: string): Extract<Arg, { readonly kind: 'variable' }> {
  return { kind: 'variable', name };
}

export const newline: ValuePart = { kind: 'newline' };

export const regex = (operator: '~' | '~*' | '', source: string): Arg => ({ kind: 'regex', source, operator });

/** The left side of a map entry. */
export const key = (text: string): Arg => ({ kind: 'key', text });

/** Makes a template. Strings are literals here. */
export const template = (...parts: readonly (string | ValuePart)[]): Arg => ({
  kind: 'template',
  parts: parts.map((part) => (typeof part === 'string' ? literal(part) : part)),
});

const arg = (given: Given): Arg => (typeof given === 'string' ? { kind: 'word', text: given } : given);

/** Makes a directive that ends with `;`. */
export const line = (name: string | Arg, ...args: readonly Given[]): Directive => ({ name, args: args.map(arg) });

/** Puts directives without blocks on one line. A comment after them says why they exist. */
export function row(directives: readonly Directive[], why?: string): readonly Directive[] {
  const last = directives.length - 1;
  return directives.map((one, i) => ({
    ...one,
    ...(i > 0 && { beside: true }),
    ...(i === last && why !== undefined && { note: why }),
  }));
}

/** A value in the text of {@link conf}. A string is a literal, wherever it stands. */
type Value = string | number | Arg;

/** A value; or nothing, several arguments or whole directives. */
type Inserted = Value | false | undefined | Directive | readonly (string | Arg | Directive)[];

/** Stands for the next value in the text. No text of this repository contains it. */
const HOLE = '\0';

const TOKEN = /\n|(?:#|\/\/ )[^\n]*|[;{}]|"[^"]*"|'[^']*'|[^\s;{}"']+/g;

/** The only values in names of directives. */
const MODULE = /^(?:proxy|grpc)(?:_set_header)?$/;

const WORD = /^[A-Za-z0-9_./:@=^~*+!,-]+$/;

const isDirective = (value: unknown): value is Directive =>
  typeof value === 'object' && value !== null && 'args' in value;

const isDirectives = (value: Inserted): value is false | undefined | Directive | readonly Directive[] =>
  value === undefined || value === false || isDirective(value) || (Array.isArray(value) && value.every(isDirective));

/** An expression with values is made by {@link regex}, so that only text of this repository becomes an expression. */
function expression(operator: '~' | '~*' | '', source: string): Arg {
  if (source.includes(HOLE)) throw new Error('nginx: a value in a regular expression');
  return regex(operator, source);
}

function partsOf(arg: Arg): readonly ValuePart[] {
  if (arg.kind === 'template') return arg.parts;
  if (arg.kind !== 'literal' && arg.kind !== 'variable' && arg.kind !== 'newline')
    throw new Error(`nginx: a ${arg.kind} inside of an argument`);
  return [arg];
}

/** Reads the tokens of one text from the first to the last. */
class Reader {
  readonly #tokens: readonly string[];
  readonly #values: Inserted[];
  #at = 0;
  #line = 0;

  constructor(text: string, values: readonly Inserted[]) {
    this.#tokens = text.match(TOKEN) ?? [];
    this.#values = [...values];
  }

  /** The directives up to the end of the block that begins here, or of the text. */
  body(opened = -1): readonly Directive[] {
    const made: Directive[] = [];
    let comment: string[] = [];
    let ended = -1;
    let token = this.#next();
    for (; token !== undefined && token !== '}'; token = this.#next()) {
      if (token.startsWith('// ') && token.includes(HOLE)) throw new Error('nginx: a value in a line that is left out');
      if (token === '\n' || token.startsWith('// ')) continue;
      if (token.startsWith('#')) {
        const text = this.#filled(token.slice(2));
        if (ended !== this.#line) comment.push(text);
        else if (made.length > 0) made.push({ ...(made.pop() as Directive), note: text });
        continue;
      }
      const [first, ...more] = this.#directives(token);
      if (first !== undefined) {
        const beside = ended === this.#line && opened !== this.#line && made.length > 0;
        made.push({ ...first, ...(beside && { beside }), ...(comment.length > 0 && { comment }) }, ...more);
      }
      comment = [];
      ended = this.#line;
    }
    if ((token === undefined) !== opened < 0) throw new Error('nginx: a block has no end, or no beginning');
    return made;
  }

  #next(): string | undefined {
    const token = this.#tokens[this.#at++];
    if (token === '\n') this.#line++;
    return token;
  }

  #directives(token: string): readonly Directive[] {
    if (token === HOLE && isDirectives(this.#values[0])) {
      const all = [this.#values.shift()].flat() as readonly (Directive | false | undefined)[];
      return all.filter((it) => it !== undefined && it !== false);
    }
    const name = this.#name(token);
    const args: Arg[] = [];
    for (let token = this.#next(); token !== ';'; token = this.#next()) {
      if (token === undefined || token === '}') throw new Error('nginx: a directive has no end');
      if (token === '{') return [{ name, args, block: this.body(this.#line) }];
      if (token !== '\n') args.push(...this.#args(token));
    }
    return [{ name, args }];
  }

  /** A text in quotes on the left side of a map is a key. If it begins with `~`, it is a regular expression. */
  #name(token: string): string | Arg {
    const [value] = this.#values;
    if (token === HOLE && typeof value === 'object') return this.#values.shift() as Arg;
    if (!/^["']/.test(token)) {
      if (token.includes(HOLE) && !MODULE.test(String(value)))
        throw new Error('nginx: a value in the name of a directive');
      return this.#filled(token);
    }
    const [, operator, source] = /^(~\*?)([\s\S]*)$/.exec(token.slice(1, -1)) ?? [];
    if (operator !== undefined && source !== undefined) return expression(operator as '~' | '~*', source);
    return key(this.#filled(token.slice(1, -1)));
  }

  #filled(text: string): string {
    return text.replaceAll(HOLE, () => String(this.#values.shift()));
  }

  #args(token: string): readonly Arg[] {
    if (token === HOLE) {
      const given = [this.#values.shift()].flat() as readonly (Value | false | undefined)[];
      return given.flatMap((it): readonly Arg[] => {
        if (it === undefined || it === false) return [];
        return [
          typeof it === 'object' ? it : typeof it === 'string' ? literal(it) : { kind: 'word', text: String(it) },
        ];
      });
    }
    if (/^\^(?!~$)/.test(token)) return [expression('', token)];
    const isQuoted = /^["']/.test(token);
    let isOurs = !isQuoted;
    const parts = (isQuoted ? token.slice(1, -1) : token)
      .split(/(\0|\$[a-z][a-z0-9_]*)/)
      .flatMap((text): readonly ValuePart[] => {
        if (text.startsWith('$')) return [variable(text.slice(1))];
        if (text !== HOLE) return text === '' ? [] : [literal(text)];
        const value = this.#values.shift() as Value;
        if (typeof value === 'object') return partsOf(value);
        isOurs &&= typeof value === 'number';
        return [literal(String(value))];
      });
    const text = parts.map((part) => (part.kind === 'literal' ? part.text : undefined));
    if (text.includes(undefined)) return [parts.length === 1 ? (parts[0] as ValuePart) : { kind: 'template', parts }];
    const entire = text.join('');
    return [isOurs && WORD.test(entire) ? { kind: 'word', text: entire } : literal(entire)];
  }
}

/** Directives, written as nginx reads them. The text is from this repository: a word is a word of nginx, `$name` is a
 * variable, and a word after `^` is a regular expression. A value between `${` and `}` never becomes part of this
 * language: a string stays a literal, so it may be text of a policy. A value may also be directives, and `undefined` or
 * `false` inserts nothing. The rendered file has the same lines as the text. A comment above a directive is left out
 * together with it. A comment on the same line says why the directive exists. A line after `//` is not rendered. */
export const conf = ({ raw }: TemplateStringsArray, ...values: readonly Inserted[]): readonly Directive[] =>
  new Reader(raw.join(HOLE), values).body();
