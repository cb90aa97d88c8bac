/** Words that the project no longer uses: docs/contributing/words.md says what to write instead. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const WORDS = 'docs/contributing/words.md';

const cellsOf = (line: string) => line.split('|').map((cell) => cell.trim());

/** Rows of the table below a heading of the page. */
function rows(heading: string): string[][] {
  const [, section = ''] = readFileSync(WORDS, 'utf8').split(`## ${heading}\n`);
  const [, , ...lines] = (section.split(/^## /m)[0] ?? '').split('\n').filter((line) => line.startsWith('| '));
  return lines.map((line) => cellsOf(line).slice(1, -1));
}

const table = rows('Words that we no longer use');
const retired = table.flatMap(([words = '']) => words.split(', '));
const names = rows('Words in the code').flatMap(([found = '']) => found.split(', '));
const quoted = rows('Texts that we quote').map(([file = '', text = '']) => ({ file, text }));

/** One expression for all words, so that each text is read once. A line break counts as a space. */
const retiredWord = new RegExp(`(?<![\\w-])(?:${retired.join('|')})(?![\\w-])`, 'gi');

/** Comments and quoted texts of a source; quotes in a comment and comments in a quote stay where they are. */
const PARTS = /\/\*[\s\S]*?\*\/|(?<![:\w])\/\/[^\n]*|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g;
const isComment = (part: string) => /^\/[/*]/.test(part);

/** The name in `test('…'`, `describe(`…`` and in the second call of `test.each([…])('…'`. */
const beforeName = /(?:^|\s)(?:test|it|describe)(?:\.\w+)*\($|\]\)\($|\)\($/;

/** Code in backquotes, and names that a comment links to. */
const CODE_OF_COMMENT = /`[^`\n]+`|\{@link [^}]+\}/g;

/** The prose of a file: for a source its comments and its texts with a space, for a test its comments and names. */
function proseOf(file: string, text: string): string {
  if (file.endsWith('.md')) return text.replace(/^```[\s\S]*?^```|`[^`\n]+`/gm, '`');
  const isTest = file.startsWith('test');
  return [...text.matchAll(PARTS)]
    .filter(({ 0: part, index }) => {
      if (isComment(part)) return true;
      return part.includes(' ') && (!isTest || beforeName.test(text.slice(Math.max(0, index - 40), index)));
    })
    .map(([part]) => part.replace(isComment(part) ? CODE_OF_COMMENT : /\$\{[^{}]*\}/g, '`'))
    .join('\n');
}

function found(file: string, text: string): string[] {
  const own = quoted
    .filter((quote) => quote.file === file)
    .reduce((left, { text: quote }) => left.replaceAll(quote, ''), text);
  const prose = proseOf(file, own).replace(/\s*\n\s*(?:\*(?!\/)|\/\/)? ?/g, ' ');
  return [...prose.matchAll(retiredWord)].map(
    ({ 0: word, index }) =>
      `${file}: "${word}" in "…${prose.slice(Math.max(0, index - 40), index + word.length + 30)}…"`,
  );
}

const files = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  ...['src', 'test', 'docs'].flatMap((folder) =>
    readdirSync(folder, { recursive: true })
      .map((name) => join(folder, String(name)))
      .filter((name) => /\.(ts|mjs|js|sh|md)$/.test(name) && !/golden|node_modules/.test(name)),
  ),
].filter((file) => file !== WORDS && existsSync(file));

test('finds a retired word in a comment, a text and a test name, but not in code', () => {
  const [word = ''] = retired;
  expect(word).not.toBe('');
  expect(found('docs/a.md', `A ${word}.`)).toHaveLength(1);
  expect(found('docs/a.md', `A \`${word}\`.`)).toEqual([]);
  expect(found('src/a.ts', `/** A\n * ${word}. */`)).toHaveLength(1);
  expect(found('src/a.ts', `// A ${word}`)).toHaveLength(1);
  expect(found('src/a.ts', `const a = 'a ${word}';`)).toHaveLength(1);
  expect(found('src/a.ts', `const a = ${word};`)).toEqual([]);
  expect(found('src/a.ts', `const a = \`b \${${word}}\`;`)).toEqual([]);
  expect(found('src/a.ts', `/** A {@link ${word}}. */`)).toEqual([]);
  expect(found('test/a.ts', `test.each([1])('a ${word}', () => {});`)).toHaveLength(1);
  expect(found('test/a.ts', `const a = 'a ${word}';`)).toEqual([]);
});

test('every retired word has another to write instead', () => {
  expect(table.filter((row) => row.length !== 2 || row.includes(''))).toEqual([]);
});

test('each text that we quote is in its file', () => {
  expect(quoted.filter(({ file, text }) => !existsSync(file) || !readFileSync(file, 'utf8').includes(text))).toEqual(
    [],
  );
});

test('no text uses a word that the project no longer uses', () => {
  expect(files.flatMap((file) => found(file, readFileSync(file, 'utf8')))).toEqual([]);
});

/** The retired names of a source, outside of its comments and texts. */
const namesIn = (text: string): readonly string[] =>
  [...text.replace(PARTS, "''").matchAll(/(?<![\w$])#?[A-Za-z_$][\w$]*/g)]
    .map(([name]) => name.replace('#', ''))
    .filter((name) => names.includes(name));

test('finds a retired name in code, but not in a comment or a text', () => {
  expect(names).toContain('scene');
  expect(namesIn('const { scene } = it; // the scene')).toEqual(['scene']);
  expect(namesIn("it.#met('whole');")).toEqual(['met']);
});

test('no source uses a name that the project no longer uses', () => {
  const sources = files.filter((file) => file.endsWith('.ts') && /^(src|test)\//.test(file));
  expect(sources.flatMap((file) => namesIn(readFileSync(file, 'utf8')).map((name) => `${file}: ${name}`))).toEqual([]);
});
