/** Parses nginx's configuration by the rules of nginx itself (ngx_conf_read_token). A part that the parser cannot read is
 * reported and skipped. */

/** A directive in an operator's configuration. */
export interface ConfNode {
  readonly name: string;
  readonly args: readonly string[];
  readonly block?: readonly ConfNode[];
  readonly file: string;
  /** The line of the directive's name, from 1. */
  readonly line: number;
}

export interface ReadFile {
  readonly text: string;
  readonly nodes: readonly ConfNode[];
  /** The line that could not be parsed. */
  readonly unreadable?: number;
}

/** The maximum nesting that is parsed. */
const MAX_DEPTH = 64;

const ESCAPES: Readonly<Record<string, string>> = { '"': '"', "'": "'", '\\': '\\', t: '\t', r: '\r', n: '\n' };

const unescaped = (raw: string): string =>
  raw.replace(/\\([\s\S])/g, (entire, next: string) => ESCAPES[next] ?? entire);

/** The characters between words. nginx knows no others: it reads a byte order mark as a part of a word. */
const SPACE = /[ \t\r\n]/;

/** The word at `at`, and the offset of its end; undefined if nginx would reject it. */
function word(text: string, at: number): { readonly text: string; readonly end: number } | undefined {
  const quote = text[at];
  if (quote === '"' || quote === "'") {
    let end = at + 1;
    while (end < text.length && text[end] !== quote) end += text[end] === '\\' ? 2 : 1;
    const closed = end < text.length && /^[ \t\r\n;{)]?$/.test(text[end + 1] ?? '');
    return closed ? { text: unescaped(text.slice(at + 1, end)), end: end + 1 } : undefined;
  }
  let end = at;
  while (end < text.length && !/[ \t\r\n;{]/.test(text[end] as string)) {
    if (text[end] === '\\') end += 2;
    // All braces directly after a dollar sign are part of the word.
    else if (text[end++] === '$') while (text[end] === '{') end++;
  }
  return { text: unescaped(text.slice(at, end)), end: Math.min(end, text.length) };
}

/** What begins a comment, a long comment, a long string or a string of Lua, and braces. */
const LUA = /--(?:\[(=*)\[)?|\[(=*)\[|["'{}]/g;

/** The rest of a string of Lua, by its quote. */
const LUA_STRINGS: Readonly<Record<string, RegExp>> = {
  '"': /(?:\\[\s\S]|[^"\\])*"/y,
  "'": /(?:\\[\s\S]|[^'\\])*'/y,
};

/** The offset behind a string or a comment of Lua, whose beginning was found; undefined if it does not end. */
function luaTextEnd(text: string, [token, comment, long]: RegExpExecArray, from: number): number | undefined {
  const level = comment ?? long;
  if (level !== undefined) {
    const closing = `]${level}]`;
    const end = text.indexOf(closing, from);
    return end < 0 ? undefined : end + closing.length;
  }
  if (token === '--') {
    const end = text.indexOf('\n', from);
    return end < 0 ? undefined : end;
  }
  const rest = LUA_STRINGS[token] as RegExp;
  rest.lastIndex = from;
  return rest.test(text) ? rest.lastIndex : undefined;
}

/** The offset of the brace that ends a block of Lua, which begins at `at`; undefined if there is none. */
function luaEnd(text: string, at: number): number | undefined {
  let depth = 1;
  LUA.lastIndex = at;
  for (let found = LUA.exec(text); found !== null; found = LUA.exec(text)) {
    if (found[0] === '{') depth++;
    else if (found[0] === '}') {
      if (--depth === 0) return found.index;
    } else {
      const end = luaTextEnd(text, found, LUA.lastIndex);
      if (end === undefined) return undefined;
      LUA.lastIndex = end;
    }
  }
  return undefined;
}

/** Parses the directives of one file. It never throws: if it cannot read something, it stops and returns the line. */
export function readConf(file: string, text: string): ReadFile {
  const top: ConfNode[] = [];
  const open: (Pick<ConfNode, 'name' | 'args' | 'line'> & { readonly nodes: ConfNode[] })[] = [];
  let nodes = top;
  let words: string[] = [];
  let from = 1;
  let line = 1;
  let at = 0;
  const close = () => {
    const { name, args, line, nodes: outer } = open.pop() as (typeof open)[number];
    outer.push({ name, args, block: nodes, file, line });
    nodes = outer;
  };
  const stopped = (): ReadFile => {
    while (open.length > 0) close();
    return { text, nodes: top, unreadable: line };
  };
  while (at < text.length) {
    const c = text[at] as string;
    if (c === '\n') line++;
    if (SPACE.test(c)) at++;
    else if (c === '#') {
      const end = text.indexOf('\n', at);
      at = end < 0 ? text.length : end;
    } else if (c === ';' || c === '{') {
      const [name, ...args] = words;
      if (name === undefined || open.length === MAX_DEPTH) return stopped();
      if (c === ';') nodes.push({ name, args, file, line: from });
      else {
        open.push({ nodes, name, args, line: from });
        nodes = [];
      }
      words = [];
      at++;
      if (c === '{' && name.endsWith('_by_lua_block')) {
        const end = luaEnd(text, at);
        if (end === undefined) return stopped();
        line += (text.slice(at, end).match(/\n/g) ?? []).length;
        at = end;
      }
    } else if (c === '}') {
      if (words.length > 0 || open.length === 0) return stopped();
      close();
      at++;
    } else {
      const one = word(text, at);
      if (one === undefined) return stopped();
      if (words.length === 0) from = line;
      words.push(one.text);
      line += (text.slice(at, one.end).match(/\n/g) ?? []).length;
      at = one.end;
    }
  }
  return words.length > 0 || open.length > 0 ? stopped() : { text, nodes: top };
}

/** The files of a dump by name, beginning with the main one. Empty if the text is not output of `nginx -T`. */
export function readDump(dump: string): ReadonlyMap<string, ReadFile> {
  const files = new Map<string, ReadFile>();
  const parts = dump.split(/^# configuration file (.+):\r?\n/m);
  for (let i = 1; i + 1 < parts.length; i += 2) {
    const name = parts[i] as string;
    // nginx adds a line feed to the end of each file.
    if (!files.has(name)) files.set(name, readConf(name, (parts[i + 1] as string).replace(/\n$/, '')));
  }
  return files;
}

/** A part of the configuration around the rendered files that makes them unsafe or breaks them. */
export interface Warning {
  readonly file: string;
  readonly line: number;
  /** What is wrong. */
  readonly text: string;
  /** What to write instead. */
  readonly instead: string;
}

/** Reads a file of the machine; undefined if it does not exist, or if the user may not read it. */
export type ReadText = (path: string) => string | undefined;

/** A warning with its place. */
export const warn = (
  { file, line }: Pick<ConfNode, 'file' | 'line'>,
  text: string,
  instead: string,
): readonly Warning[] => [{ file, line, text, instead }];

/** The same warning for several directives. */
export const warnAll = (
  nodes: readonly ConfNode[],
  text: (node: ConfNode) => string,
  instead: string,
): readonly Warning[] => nodes.flatMap((node) => warn(node, text(node), instead));

/** Whether a regular expression of nginx matches; undefined if JavaScript cannot read the expression. */
export function matches(source: string, text: string, flags = ''): boolean | undefined {
  try {
    return new RegExp(source, flags).test(text);
  } catch {
    return undefined;
  }
}
