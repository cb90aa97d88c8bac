import { optionsByName } from './options.ts';
import type { Level, Written } from './settings.ts';

/** A variable in a value that no file sets. */
const VARIABLE = /\$\$|\$\(([A-Za-z_]\w*)\)|\$\{([A-Za-z_]\w*)(?::?-([^}$]*))?\}|\$([A-Za-z_]\w*)/g;

/** Replaces the variables in a value of a command line, a container or a compose file. `$$` stands for `$`. */
export function expand(
  text: string,
  variables: ReadonlyMap<string, string>,
): { readonly text: string; readonly missing?: string | undefined } {
  let missing: string | undefined;
  const filled = text.replace(VARIABLE, (whole, one?: string, two?: string, usual?: string, three?: string) => {
    if (whole === '$$') return '$';
    const name = one ?? two ?? three ?? '';
    const value = variables.get(name) ?? usual;
    if (value === undefined) missing = `the variable ${name}`;
    return value ?? whole;
  });
  return missing === undefined ? { text: filled } : { text: '', missing };
}

/** Splits a command line into words, as a shell does. Quotes and backslashes have their usual meaning. */
export function words(text: string): readonly string[] {
  const found: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let i = 0; i < text.length; i++) {
    const char = text[i] as string;
    if (quote !== '') {
      if (char === quote) quote = '';
      else if (char === '\\' && quote === '"' && /["\\$`]/.test(text[i + 1] ?? '')) word += text[++i] as string;
      else word += char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= '';
    } else if (char === '\\') {
      const next = text[++i];
      if (next === '\r') i++;
      else if (next !== undefined && next !== '\n') word = (word ?? '') + next;
    } else if (char === '#' && word === undefined) {
      while (i + 1 < text.length && text[i + 1] !== '\n') i++;
    } else if (/\s/.test(char)) {
      if (word !== undefined) found.push(word);
      word = undefined;
    } else word = (word ?? '') + char;
  }
  if (word !== undefined) found.push(word);
  return found;
}

/** Splits a value that may have several elements: a line of CSV, as the flags read it. */
export function elements(text: string): readonly string[] {
  return [...text.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) =>
    quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'),
  );
}

/** Returns a setting whose value is a text: of a flag, a variable, or a text in a configuration file.
 * @param variables the variables that the value may name; absent: it cannot name any */
export function settingOf(
  level: Level,
  label: string,
  name: string,
  value: string,
  variables?: ReadonlyMap<string, string>,
): Written {
  const plain = name.replaceAll('_', '-').toLowerCase();
  const { text, missing } = variables === undefined ? { text: value } : expand(value, variables);
  if (missing !== undefined) return { level, name: plain, label, values: [], elsewhere: missing };
  return { level, name: plain, label, values: optionsByName.get(plain)?.list ? elements(text) : [text] };
}

/** Reads flags. Words before the first flag are the program, and others that are no flag are left out. */
export function readFlags(args: readonly string[], variables: ReadonlyMap<string, string>): readonly Written[] {
  const found: Written[] = [];
  for (let i = 0; i < args.length; i++) {
    const [, name = '', value] = /^--?([A-Za-z][\w-]*)(?:=([\s\S]*))?$/.exec(args[i] as string) ?? [];
    if (name === '') continue;
    const option = optionsByName.get(name.replaceAll('_', '-'));
    const takesNext = value === undefined && option !== undefined && !option.bool;
    found.push(settingOf('flag', `--${name}`, name, value ?? (takesNext ? (args[++i] ?? '') : ''), variables));
  }
  return found;
}

const PREFIX = 'OAUTH2_PROXY_';

/** Reads variables of the environment. Those of other programs are left out. */
export function readVariables(
  entries: Iterable<readonly [string, string]>,
  variables?: ReadonlyMap<string, string>,
): readonly Written[] {
  return [...entries]
    .filter(([name]) => name.startsWith(PREFIX))
    .map(([name, value]) => settingOf('environment', name, name.slice(PREFIX.length), value, variables));
}

/** Reads a file of variables, as `docker run --env-file` and compose do. */
export function readEnvFile(text: string): ReadonlyMap<string, string> {
  const lines = text.split('\n').map((line) => /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*[=:](.*)$/.exec(line));
  return new Map(
    lines.flatMap((found) => {
      const [, name = '', value = ''] = found ?? [];
      const plain = value.trim().replace(/^(["'])([\s\S]*)\1$/, '$2');
      return name === '' ? [] : [[name, plain] as const];
    }),
  );
}
