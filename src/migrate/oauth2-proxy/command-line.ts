import { type Option, optionsByFlag, optionsByKey } from './options.ts';
import { mistakes, UNREAD, type Written } from './settings.ts';
import { type Level, valuesOf } from './values.ts';

/** A variable in a value that no file sets. */
const VARIABLE = /\$\$|\$\(([A-Za-z_]\w*)\)|\$\{([A-Za-z_]\w*)(?::?-([^}$]*))?\}|\$([A-Za-z_]\w*)/g;

/** Replaces the variables in a value of a command line, a container or a compose file. `$$` stands for `$`. */
export function expand(
  text: string,
  variables: ReadonlyMap<string, string>,
): { readonly text: string; readonly missing?: string | undefined } {
  let missing: string | undefined;
  const filled = text.replace(VARIABLE, (entire, one?: string, two?: string, usual?: string, three?: string) => {
    if (entire === '$$') return '$';
    const name = one ?? two ?? three ?? '';
    const value = variables.get(name) ?? usual;
    if (value === undefined) missing = `the variable ${name}`;
    return value ?? entire;
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

/** Returns a setting whose value is a text: of a flag or a variable.
 * @param variables the variables that the value may name; absent: it cannot name any */
function settingOf(
  level: 'flag' | 'environment',
  label: string,
  option: Option,
  value: string,
  variables?: ReadonlyMap<string, string>,
): Written {
  const { text, missing } = variables === undefined ? { text: value } : expand(value, variables);
  if (missing !== undefined) return { level, name: option.name, label, values: [], elsewhere: missing };
  return readSetting(level, label, option, text);
}

/** Returns a setting as oauth2-proxy reads its value. */
export function readSetting(level: Level, label: string, option: Option, value: unknown): Written {
  const values = valuesOf(level, value, option);
  const mistake = values === undefined ? { mistake: mistakes.value } : {};
  return { level, name: option.name, label, values: values ?? [], ...mistake };
}

/** The name of the program, or of its image with a tag, at the end of a path. A word has no spaces. */
export const PROGRAM = /oauth2[-_]proxy(?=:.|$)/;

/** Returns the words behind the program; all, if none is the program. */
function argumentsIn(args: readonly string[]): readonly string[] {
  const isProgram = (it: string) => !it.startsWith('-') && PROGRAM.test(it);
  const found = args.flatMap((it, at) => (isProgram(it) ? at : []));
  // The value of a flag may have the name of the program, too.
  const at = found.filter((it) => !(args[it - 1] ?? '').startsWith('-')).at(-1) ?? found[0] ?? -1;
  return args.slice(at + 1);
}

/** The name of the variable that a word consists of; another word may be a secret. */
const declared = (word: string): string => (/^\$[({]?\w{1,60}[)}]?$/.test(word) ? word : 'one of the words');

/** Reads flags. Other words are left out, and nothing behind `--` is a flag. A word that is only known where oauth2-proxy
 * starts may be one. */
export function readFlags(args: readonly string[], variables: ReadonlyMap<string, string>): readonly Written[] {
  const found: Written[] = [];
  const rest = [...argumentsIn(args)];
  for (let i = 0; i < rest.length; i++) {
    const word = rest[i] as string;
    if (word === '--') break;
    if (/^[$`]/.test(word)) {
      const { text } = expand(word, variables);
      const isKnown = text !== '' && !/^[$`]/.test(text);
      if (isKnown) rest.splice(i--, 1, text);
      else
        found.push({
          level: 'flag',
          name: UNREAD,
          label: '-',
          values: [],
          elsewhere: `what ${declared(word)} stands for`,
        });
      continue;
    }
    if (!word.startsWith('-') || word === '-') continue;
    const [, label = '-', name = '', value] = /^(--?([^=]*))(?:=([\s\S]*))?$/.exec(word) ?? [];
    const option = word.startsWith('--') ? optionsByFlag.get(name) : undefined;
    if (option === undefined) {
      // A word that is no name may be a secret.
      const known = /^--?[a-z][\w-]{0,60}$/i.test(label) ? label : '-';
      found.push({ level: 'flag', name: '', label: known, values: [], mistake: mistakes.option });
      continue;
    }
    const takesNext = value === undefined && (!option.bool || option.word);
    const next = takesNext ? rest[++i] : (value ?? 'true');
    if (next === undefined)
      found.push({ level: 'flag', name: option.name, label, values: [], mistake: mistakes.value });
    else found.push(settingOf('flag', label, option, next, variables));
  }
  return found;
}

const PREFIX = 'OAUTH2_PROXY_';

/** The option of a variable. The names of variables have no small letters. */
export const optionOfVariable = (name: string): Option | undefined =>
  name === name.toUpperCase() ? optionsByKey.get(name.slice(PREFIX.length).toLowerCase()) : undefined;

/** Reads variables of the environment. Those of other programs are left out, and an empty one has no effect. */
export function readVariables(
  entries: Iterable<readonly [string, string]>,
  variables?: ReadonlyMap<string, string>,
): readonly Written[] {
  return [...entries]
    .filter(([name, value]) => name.startsWith(PREFIX) && value !== '')
    .map(([name, value]) => {
      const option = optionOfVariable(name);
      if (option !== undefined) return settingOf('environment', name, option, value, variables);
      const ignored = 'oauth2-proxy reads no such variable: its name is that of the key in the configuration file';
      return { level: 'environment', name: '', label: name, values: [], ignored };
    });
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
