import { withoutSlashes } from '../base/slashes.ts';
import { pathMistake } from '../policy/check/routes/hosts.ts';

/** Paths that a policy can name. `exact`: the path alone. `prefix`: the path and all paths below it, as `/x/*`. `below`:
 * only the paths below it. */
export interface Paths {
  readonly kind: 'exact' | 'prefix' | 'below';
  /** Without the slash at its end; empty for all paths. */
  readonly path: string;
}

export interface Converted {
  readonly paths: readonly Paths[];
  /** Set if the expression matches other paths, too. */
  readonly narrower?: true;
  /** Set if the expression matches a part of a path anywhere. */
  readonly unanchored?: true;
}

/** In an expanded expression: any characters, at least one character, the end, and the beginning. */
const [ANY, SOME, END, START] = ['\u0001', '\u0002', '\u0003', '\u0004'];

/** An expression may expand to this many texts. */
const MOST = 64;

/** Expands a regular expression to the texts that it matches. Only literal characters, groups of alternatives, `?` and
 * `.*` are understood.
 * @throws Error for anything else */
class Expander {
  #at = 0;
  narrower = false;
  readonly #text: string;
  readonly #isExact: boolean;

  /** @param isExact whether a point that stands for any character is an error */
  constructor(text: string, isExact = false) {
    this.#text = text;
    this.#isExact = isExact;
  }

  entire(): readonly string[] {
    const all = this.#alternatives();
    if (this.#at < this.#text.length) throw new Error('an unmatched parenthesis');
    return all;
  }

  #alternatives(): readonly string[] {
    let all = this.#sequence();
    while (this.#text[this.#at] === '|') {
      this.#at++;
      all = [...all, ...this.#sequence()];
      if (all.length > MOST) throw new Error('too many alternatives');
    }
    return all;
  }

  #sequence(): readonly string[] {
    let all: readonly string[] = [''];
    while (this.#at < this.#text.length && !/[|)]/.test(this.#text[this.#at] as string)) {
      const next = this.#optional(this.#element());
      all = all.flatMap((before) => next.map((it) => before + it));
      if (all.length > MOST) throw new Error('too many alternatives');
    }
    return all;
  }

  #optional(element: readonly string[]): readonly string[] {
    const char = this.#text[this.#at];
    if (char === '?') {
      if (element.some((it) => it === END || it === START)) throw new Error('a repetition');
      this.#at++;
      return ['', ...element];
    }
    if (char !== undefined && /[*+{]/.test(char)) throw new Error('a repetition');
    return element;
  }

  #element(): readonly string[] {
    const char = this.#text[this.#at++] as string;
    if (char === '(') return this.#group();
    if (char === '$') return [END];
    if (char === '^') return [START];
    if (char === '\\') return [this.#escaped()];
    if (char === '.') return [this.#dot()];
    if (char === '[') throw new Error('a class of characters');
    if (/[*+?{}\]]/.test(char)) throw new Error('a special character');
    return [char];
  }

  #group(): readonly string[] {
    if (this.#text.startsWith('?:', this.#at)) this.#at += 2;
    else if (this.#text[this.#at] === '?') throw new Error('a special group');
    const all = this.#alternatives();
    if (this.#text[this.#at++] !== ')') throw new Error('an unmatched parenthesis');
    return all;
  }

  #escaped(): string {
    const char = this.#text[this.#at++] ?? '';
    if (char === '' || /[A-Za-z0-9]/.test(char)) throw new Error('an escape');
    return char;
  }

  /** A point: any characters with a star, and otherwise most probably the character itself. */
  #dot(): string {
    const next = this.#text[this.#at];
    if (next === '*' || next === '+') {
      this.#at++;
      if (this.#text[this.#at] === '?') this.#at++;
      return next === '*' ? ANY : SOME;
    }
    if (this.#isExact) throw new Error('any character');
    this.narrower = true;
    return '.';
  }
}

interface Part extends Converted {
  readonly isAll?: true;
}

/** Returns the paths of one expanded text. They are never more than those that it matches. */
function pathsOf(expanded: string): Part {
  const isAnchored = expanded.startsWith(START);
  const text = isAnchored ? expanded.slice(1) : expanded;
  if (['', ANY, SOME, ANY + END, SOME + END].includes(text))
    return { paths: [{ kind: 'prefix', path: '' }], isAll: true };
  const part = anchored(text);
  return isAnchored ? part : { ...part, narrower: true, unanchored: true };
}

/** The characters of an expanded text before the first special one, and all others. */
function partsOf(text: string): readonly [literal: string, rest: string] {
  const [, literal = '', rest = ''] = /^([^\u0001-\u0004]*)([\s\S]*)$/.exec(text) ?? [];
  // Behind the end, only nothing can follow.
  return [literal, rest.replace(/^\u0003[\u0001\u0003]*$/, END)];
}

function anchored(text: string): Part {
  const none = { paths: [], narrower: true } as const;
  const [literal, rest] = partsOf(text);
  if (!['', ANY, SOME, END, ANY + END, SOME + END].includes(rest) || !literal.startsWith('/')) return none;
  const path = literal.replace(/\/$/, '');
  if (pathMistake(path === '' ? '/' : path) !== undefined) return none;
  const isFolder = literal.endsWith('/');
  if (rest === END) {
    if (literal === '/') return { paths: [{ kind: 'exact', path: '/' }] };
    return isFolder ? none : { paths: [{ kind: 'exact', path }] };
  }
  if (!isFolder) return { paths: [{ kind: rest.startsWith(SOME) ? 'below' : 'prefix', path }], narrower: true };
  // A pattern such as `^/x/.+` does not match `/x/` itself, and a policy cannot leave only that path out.
  if (rest.startsWith(SOME)) return none;
  return { paths: [{ kind: literal === '/' ? 'prefix' : 'below', path }] };
}

/** Returns the paths that a regular expression matches, as far as a policy can name them; undefined if it can name
 * none. The result never has a path that the expression does not match. */
export function pathsOfExpression(expression: string): Converted | undefined {
  const expander = new Expander(expression);
  let parts: readonly Part[];
  try {
    parts = expander.entire().map(pathsOf);
  } catch {
    return undefined;
  }
  const paths = merged(parts.flatMap((it) => it.paths));
  if (paths.length === 0) return undefined;
  if (parts.some(({ isAll }) => isAll)) return { paths: [{ kind: 'prefix', path: '' }] };
  const narrower = expander.narrower || parts.some((it) => it.narrower);
  const unanchored = parts.some((it) => it.unanchored);
  return { paths, ...(narrower && { narrower }), ...(unanchored && { unanchored }) };
}

/** Paths of which an expression may match some. */
export interface Cover {
  readonly paths: readonly Paths[];
  /** Set if the expression also matches paths that continue the last word of one of these, such as `/administrator`. */
  readonly continues?: true;
  /** Set if the paths are more than those that the expression matches. */
  readonly folder?: true;
}

/** The folder in which all paths that an expression matches must be. The expression begins at the beginning of a path. */
export function folderOf(expression: string): Paths {
  const literal = /^(?:[A-Za-z0-9_~/-](?![*?{]))*/.exec(expression)?.[0] ?? '';
  const folder = withoutSlashes(literal.slice(0, Math.max(0, literal.lastIndexOf('/'))));
  return { kind: 'prefix', path: pathMistake(folder === '' ? '/' : folder) === undefined ? folder : '' };
}

/** Returns paths of which each path is one that an expression matches, or that the expression covers with a longer last
 * word. Letters are compared with case.
 * @param expression an expression that begins at the beginning of a path, without `^` */
export function coverOf(expression: string): Cover {
  // Only the first alternative of a whole expression begins at the beginning of a path.
  if (mayHaveAlternatives(expression)) return { paths: [EVERYTHING], folder: true };
  try {
    const parts = new Expander(expression, true).entire().map((it) => coverOfText(it, expression));
    const [continues, folder] = [parts.some((it) => it.continues), parts.some((it) => it.folder)];
    return {
      paths: merged(parts.flatMap((it) => it.paths)),
      ...(continues && { continues }),
      ...(folder && { folder }),
    };
  } catch {
    return { paths: [folderOf(expression)], folder: true };
  }
}

/** Quotes, comments, and classes that have a bracket: a parenthesis in them is none. */
const QUOTING = /\\Q|\(\?#|\(\?[a-zA-Z^-]*x|\[\^?\]|\[[:.=]/;

/** Whether a whole expression has alternatives, or is too special to say. */
function mayHaveAlternatives(expression: string): boolean {
  if (QUOTING.test(expression)) return true;
  let depth = 0;
  let isClass = false;
  for (const it of expression.replace(/\\[\s\S]/g, '')) {
    if (isClass) isClass = it !== ']';
    else if (it === '[') isClass = true;
    else if (it === '|' && depth <= 0) return true;
    else depth += it === '(' ? 1 : it === ')' ? -1 : 0;
  }
  return isClass;
}

const EVERYTHING: Paths = { kind: 'prefix', path: '' };

function coverOfText(text: string, expression: string): Cover {
  const [literal, rest] = partsOf(text.replace(/^\u0004+/, ''));
  const path = literal.replace(/\/$/, '');
  if (!literal.startsWith('/') || pathMistake(path === '' ? '/' : path) !== undefined)
    return { paths: [literal.startsWith('/') ? folderOf(expression) : EVERYTHING], folder: true };
  if (literal === '/') return rest === END ? { paths: [{ kind: 'exact', path: '/' }] } : { paths: [EVERYTHING] };
  if (literal.endsWith('/')) return { paths: [{ kind: 'below', path }] };
  if (rest.startsWith(END)) return { paths: [{ kind: 'exact', path }] };
  return { paths: [{ kind: 'prefix', path }], continues: true };
}

/** Joins a path and the paths below it to a prefix, and leaves out what is there twice. */
function merged(all: readonly Paths[]): readonly Paths[] {
  const has = (kind: Paths['kind'], path: string) => all.some((it) => it.kind === kind && it.path === path);
  const joined = all.map((it): Paths => {
    const isComplete = (it.kind === 'below' && has('exact', it.path)) || (it.kind === 'exact' && has('below', it.path));
    return isComplete ? { kind: 'prefix', path: it.path } : it;
  });
  const seen = new Set<string>();
  return joined.filter(({ kind, path }) => {
    const key = `${kind} ${path}`;
    if (seen.has(key) || (kind !== 'prefix' && has('prefix', path))) return false;
    return seen.add(key);
  });
}
