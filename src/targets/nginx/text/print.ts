import type { Arg, Directive, ValuePart } from './directive.ts';

/** The error for a value that nginx could read as more than one text: a mistake here, or a malicious policy. */
export class UnprintableError extends Error {
  override readonly name = 'UnprintableError';
}

/** Matches text that stays one argument without quotes. */
const PLAIN = /^[A-Za-z0-9_./:@=^~*+%,()-]+$/;
const WORD = /^[A-Za-z0-9_./:@=^~*+!,-]+$/;
const NAME = /^[a-z][a-z0-9_]*$/;
const VARIABLE = /^[a-z][a-z0-9_]*$/;
/** Matches control characters, including C1, and unpaired surrogates. */
const UNPRINTABLE =
  /[\u0000-\u001f\u007f-\u009f\u2028\u2029]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
/** The keywords on the left side of a map. */
const MAP_WORDS = ['default', 'hostnames', 'include', 'volatile'];

function fail(what: string, text: string): never {
  throw new UnprintableError(`nginx: ${what} cannot be printed: ${JSON.stringify(text)}`);
}

/** Rejects a literal with a `$`, because nginx has no escape for it. */
function checkLiteral(text: string): string {
  if (UNPRINTABLE.test(text)) fail('a control character', text);
  if (text.includes('$')) fail('a "$" that begins no known variable', text);
  return text;
}

/** Escapes a text for nginx's tokenizer. It reads `\"`, `\'`, `\\`, `\t`, `\r` and `\n` as escapes, and leaves any other
 * backslash unchanged. */
function escaped(text: string, quote: '"' | "'"): string {
  let out = '';
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string;
    const next = text[i + 1];
    const ambiguous = c === '\\' && (next === undefined || '"\'\\trn\n'.includes(next));
    if (c === '\n') out += '\\n';
    else out += c === quote || ambiguous ? `\\${c}` : c;
  }
  return out;
}

function quoted(text: string): string {
  const quote = text.includes('"') && !text.includes("'") ? "'" : '"';
  return quote + escaped(text, quote) + quote;
}

function parts(parts: readonly ValuePart[]): string {
  let text = '';
  for (const [i, part] of parts.entries()) {
    if (part.kind !== 'variable') {
      text += part.kind === 'newline' ? '\n' : checkLiteral(part.text);
      continue;
    }
    if (!VARIABLE.test(part.name)) fail('a variable', part.name);
    const next = parts.slice(i + 1).find((other) => other.kind !== 'literal' || other.text !== '');
    const joins = next?.kind === 'literal' && /^[A-Za-z0-9_]/.test(next.text);
    text += joins ? `\${${part.name}}` : `$${part.name}`;
  }
  const plain = parts.every((part) => part.kind === 'variable' || (part.kind === 'literal' && PLAIN.test(part.text)));
  return plain && text !== '' && !text.includes('{') ? text : quoted(text);
}

function printArg(arg: Arg): string {
  switch (arg.kind) {
    case 'word':
      return WORD.test(arg.text) ? arg.text : fail('a word', arg.text);
    case 'literal': {
      const text = checkLiteral(arg.text);
      return PLAIN.test(text) ? text : quoted(text);
    }
    case 'variable':
    case 'newline':
      return parts([arg]);
    case 'template':
      return parts(arg.parts);
    case 'regex':
      return UNPRINTABLE.test(arg.source)
        ? fail('a regular expression', arg.source)
        : quoted(arg.operator + arg.source);
    case 'key': {
      const text = checkLiteral(arg.text);
      return quoted(/^[~\\]/.test(text) || MAP_WORDS.includes(text) ? `\\${text}` : text);
    }
  }
}

function printName(name: string | Arg): string {
  if (typeof name !== 'string') return printArg(name);
  return NAME.test(name) ? name : fail('a directive', name);
}

const printComment = (text: string, indent: string) =>
  text === '' ? `${indent}#` : `${indent}# ${checkLiteral(text)}`;

/** The maximum length of a block that is printed on one line. */
const WIDE = 160;

/** Whether a block is readable on one line: maps, and blocks that do one thing on a condition or at a path. */
function fits({ name, block = [] }: Directive): boolean {
  const few = name === 'map' || ((name === 'if' || name === 'location') && block.length < 3);
  return few && block.length > 0 && block.every(({ block, comment, note }) => (block ?? comment ?? note) === undefined);
}

function printDirective(directive: Directive, indent: string): string {
  const name = printName(directive.name);
  const args = directive.args.map((arg) => printArg(arg));
  const comment = (directive.comment ?? []).map((text) => `${printComment(text, indent)}\n`).join('');
  const short = [name, ...args].join(' ');
  const rest = directive.args.findIndex(({ kind }) => kind !== 'word');
  const head =
    args.length > 2 && short.length > WIDE
      ? [[name, ...args.slice(0, rest)].join(' '), ...args.slice(rest)].join(`\n${indent}    `)
      : short;
  if (directive.block === undefined) {
    const note = directive.note === undefined ? '' : printComment(directive.note, ' ');
    return `${comment}${indent}${head};${note}\n`;
  }
  if (fits(directive)) {
    const inner = directive.block.map((one) => printDirective(one, '').trimEnd()).join(' ');
    const one = `${indent}${head} { ${inner} }`;
    if (one.length <= WIDE && !one.includes('\n')) return `${comment}${one}\n`;
  }
  return `${comment}${indent}${head} {\n${printAll(directive.block, `${indent}    `)}${indent}}\n`;
}

function printAll(directives: readonly Directive[], indent: string): string {
  let out = '';
  for (const [i, directive] of directives.entries()) {
    const text = printDirective(directive, indent);
    if (directive.beside) out = `${out.slice(0, -1)} ${text.trimStart()}`;
    else out += (i > 0 && directive.comment !== undefined ? '\n' : '') + text;
  }
  return out;
}

/** The text of a configuration file, with comments at its top. It throws an {@link UnprintableError}. */
export function printConf(directives: readonly Directive[], head: readonly string[] = []): string {
  const top = head.map((text) => `${printComment(text, '')}\n`).join('');
  const isApart = top !== '' && directives[0]?.comment !== undefined;
  return top + (isApart ? '\n' : '') + printAll(directives, '');
}
