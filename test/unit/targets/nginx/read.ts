/** A tokenizer of nginx configuration that shares nothing with the printer: it reads as ngx_conf_read_token() does. */

export interface Parsed {
  /** The words of the directive; the first is its name. */
  readonly words: readonly string[];
  readonly block?: readonly Parsed[];
}

const ESCAPES: Readonly<Record<string, string>> = { '"': '"', "'": "'", '\\': '\\', t: '\t', r: '\r', n: '\n' };

function unescaped(raw: string): string {
  return raw.replace(/\\([\s\S])/g, (entire, next: string) => ESCAPES[next] ?? entire);
}

/** Parses a whole configuration file; throws where nginx would. */
export function readConf(text: string): readonly Parsed[] {
  let at = 0;

  function quoted(quote: string): string {
    const start = ++at;
    while (text[at] !== quote) {
      if (at >= text.length) throw new Error('unexpected end of file');
      at += text[at] === '\\' ? 2 : 1;
    }
    const raw = text.slice(start, at++);
    if (at < text.length && !/[\s;{)]/.test(text[at] as string))
      throw new Error(`unexpected "${text[at]}" after a quote`);
    return unescaped(raw);
  }

  function bare(): string {
    const start = at;
    while (at < text.length && !/[\s;{]/.test(text[at] as string)) {
      if (text.startsWith('${', at)) at += 2;
      else at += text[at] === '\\' ? 2 : 1;
    }
    return unescaped(text.slice(start, at));
  }

  function body(nested: boolean): readonly Parsed[] {
    const out: Parsed[] = [];
    let words: string[] = [];
    for (;;) {
      while (/\s/.test(text[at] ?? '')) at++;
      const c = text[at];
      if (c === undefined) {
        if (nested || words.length > 0) throw new Error('unexpected end of file');
        return out;
      }
      if (c === '#') {
        while (at < text.length && text[at] !== '\n') at++;
      } else if (c === ';') {
        if (words.length === 0) throw new Error('unexpected ";"');
        out.push({ words });
        words = [];
        at++;
      } else if (c === '{') {
        if (words.length === 0) throw new Error('unexpected "{"');
        at++;
        out.push({ words, block: body(true) });
        words = [];
      } else if (c === '}') {
        if (!nested || words.length > 0) throw new Error('unexpected "}"');
        at++;
        return out;
      } else words.push(c === '"' || c === "'" ? quoted(c) : bare());
    }
  }

  return body(false);
}

/** A tree with the rendered files that it includes in their places. */
export function included(tree: readonly Parsed[], files: Readonly<Record<string, string>>): readonly Parsed[] {
  return tree.flatMap((one): readonly Parsed[] => {
    if (one.block !== undefined) return [{ ...one, block: included(one.block, files) }];
    // The longest one: requests/wiki/hosts/a.conf ends as hosts/a.conf does.
    const [path] =
      one.words[0] === 'include'
        ? Object.keys(files)
            .filter((it) => one.words[1]?.endsWith(`/${it}`))
            .sort((a, b) => b.length - a.length)
        : [];
    return path === undefined ? [one] : included(readConf(files[path] as string), files);
  });
}

/** A rendered file as nginx reads it: with the files that it includes. */
export const treeOf = (files: Readonly<Record<string, string>>, path: string): readonly Parsed[] =>
  included(readConf(files[path] ?? ''), files);

/** Every directive of that name at any depth. */
export function all(tree: readonly Parsed[], name: string): readonly Parsed[] {
  return tree.flatMap((one) => [...(one.words[0] === name ? [one] : []), ...all(one.block ?? [], name)]);
}

/** Arguments of the directives of that name directly in a block. */
export function args(block: readonly Parsed[], name: string): readonly string[] {
  return block.filter((one) => one.words[0] === name).map((one) => one.words.slice(1).join(' '));
}
