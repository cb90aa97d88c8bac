import { readFileSync } from 'node:fs';
import { checkSync } from 'recheck';
import { describe, expect, test } from 'vitest';
import { parseAst } from 'vitest/node';
import { isLike } from '../../src/base/like.ts';
import { isCanonical, NON_CANONICAL_PATH } from '../../src/base/raw-path.ts';
import { encodeList, encodeValue } from '../../src/caller/encode.ts';
import { match } from '../../src/rules/decide/match.ts';
import { parseTarget } from '../../src/rules/decide/target.ts';
import { cookieNames, cookieValue, ownSession } from '../../src/session/cookie.ts';
import { attemptValue, endedAttempts, oldestAttempt } from '../../src/session/flow/attempt-cookies.ts';
import { readCallback } from '../../src/session/flow/callback.ts';
import { safeReturn } from '../../src/session/flow/signin-request.ts';
import { withoutOwn } from '../../src/session/own-cookies.ts';
import { escapeHtml } from '../../src/session/pages/escape.ts';
import { languageFor } from '../../src/session/pages/language.ts';
import { readTemplate } from '../../src/session/pages/template.ts';
import { growth, spentOnce } from '../harness/growth.ts';

/*
 * The text of a token, header or file is read in time that grows with its length, and not with its square. A library
 * counts the steps of every regular expression in nginx and of the command.
 */

const BUNDLES = ['meshgate', 'hop', 'signin', 'client', 'health', 'cli'];

/** Expressions of libraries that never read foreign text, or that are slower by a constant factor at most, at any
 * length. */
const SPARED = new Map([
  ['/\\[[^\\]]{1,255}\\]|[\\s\\S]/g', 'looks 255 characters ahead, and no further, for each that it takes'],
  ['/^-+|-+$/g', 'zod: makes slugs, which no schema here asks for'],
  ['/000000\\d*$/', 'yaml: writes times of YAML 1.1'],
  ['/\\n+(?!\\n|$)/g', 'yaml: for engines without lookbehind'],
  ['/[ \\t]+$/', 'yaml: for engines without lookbehind'],
  ['/^[ \\t]+|[ \\t]+$/g', 'yaml: for engines without lookbehind'],
  ['/[\\n\\r]+$/', 'yaml: writes comments'],
  ['/(?:^|\\n)([\\t ].*)(?:([\\n\\t ]*)\\n(?![\\n\\t ]))?/g', 'yaml: writes folded text'],
]);

/** Expressions of src/policy/read/secrets.ts, which reads 2,000 characters of a text and no more. */
const SHORT = [
  /eyJ[\w-]{8,}\.[\w.-]*/g,
  /(?<=:\/\/)(?:[^/?#@\s:]*:(?!\d{1,5}(?:[/?#]|$))\S+|[^/?#@\s]+)(?=@)/g,
  /(?<=:\/\/[^/?#@\s:]*:)(?!\d{1,5}(?:[/?#]|$))\S+(?=@)/g,
  /(?<=(?:^|[\s"'[,])(?!mailto:|acct:|sip:)[\w.%+-]+:)(?!\/\/)[^\s@]+(?=@)/g,
  /(?<=[?&;][\w.-]*(?:secret|passw|pwd|passphrase|token|api_?key|private_?key|signature|assertion)[\w-]*=|[?&;]sig=)[^&;#{}\s"']+/gi,
  /(?<=\b(?:[Bb]asic|[Bb]earer|[Dd][Pp]o[Pp]|[Tt]oken|[Dd]igest) +)(?=\S*(?:\d|=|[a-z][A-Z]))[\w.~+/-]{8,}=*/g,
  /(?<![\w/.:-])(?=\S*[a-z])(?=\S*[A-Z])(?=\S*\d)[A-Za-z0-9+/=_~.-]{24,}(?![\w/.:-])/g,
].map(String);

interface Expression {
  readonly type: string;
  readonly regex?: { readonly pattern: string; readonly flags: string };
}

/** Every regular expression in a program. */
function patternsIn(program: string): readonly RegExp[] {
  const found: RegExp[] = [];
  const waiting: unknown[] = [parseAst(program.replace(/^#!.*/, ''))];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (typeof node !== 'object' || node === null) continue;
    const { type, regex } = node as Expression;
    if (type === 'Literal' && regex !== undefined) found.push(new RegExp(regex.pattern, regex.flags));
    else waiting.push(...Object.values(node));
  }
  return found;
}

/** Patterns that the program builds when it runs: those of policies are in their schema. */
function patternsOf(schema: unknown): readonly RegExp[] {
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([key, value]) =>
    key === 'pattern' && typeof value === 'string' ? [new RegExp(value)] : patternsOf(value),
  );
}

/** No part of the analysis ends by a clock, so a slow machine finds what a fast one finds. */
const UNHURRIED = { timeout: null, attackTimeout: null, incubationTimeout: null, seedingTimeout: null, randomSeed: 1 };

/** Whether a pattern takes more steps than the length of its inputs allows. An analysis that gives up counts as slow. */
const isSlow = ({ source, flags }: RegExp): boolean => checkSync(source, flags, UNHURRIED).status !== 'safe';

/** Milliseconds of CPU: an input that takes less is not measured. */
const SUSPICIOUS = 15;

/** Each text is also read when it is this many times shorter. */
const SHORTER = 16;

/** Sixteen times the length is sixteen times the work, or 256 times; a slow machine changes neither enough. */
const LINEAR = 64;

describe('the analysis', () => {
  test.each([/ +$/, /x+y/, /^\s*(.*?)\s*$/m, /\[[^\]]*\]/, /^(a+)+$/, /a*a*b/, /^x*[^y]*z$/, /^x(?:a|a)*$/])(
    'finds %s slow',
    (pattern) => {
      expect(isSlow(pattern)).toBe(true);
    },
  );

  test.each([/(?<! ) +$/, /^ +/, /a ?b|xy/, /^\w+(?:\.\w+)*$/, /^[^?]*%2f/, /^a{1,8}b/])('finds %s fast', (pattern) => {
    expect(isSlow(pattern)).toBe(false);
  });
});

test.each(BUNDLES)(
  'no regular expression of %s.js is slow',
  (name) => {
    const program = readFileSync(new URL(`../../dist/${name}.js`, import.meta.url), 'utf8');
    const patterns = new Map(patternsIn(program).map((pattern) => [String(pattern), pattern]));
    expect(patterns.size).toBeGreaterThan(5);
    const slow = [...patterns].filter(
      ([text, pattern]) => !SPARED.has(text) && !SHORT.includes(text) && isSlow(pattern),
    );
    expect(slow.map(([text]) => text)).toEqual([]);
  },
  600_000,
);

test('no regular expression of the schema of policies is slow', () => {
  const schema = readFileSync(new URL('../../docs/policy.schema.json', import.meta.url), 'utf8');
  const patterns = new Map(
    [...patternsOf(JSON.parse(schema)), new RegExp(NON_CANONICAL_PATH)].map((it) => [String(it), it]),
  );
  expect(patterns.size).toBeGreaterThan(20);
  expect([...patterns].filter(([, pattern]) => isSlow(pattern)).map(([text]) => text)).toEqual([]);
}, 600_000);

/** Texts of a length, each of one kind of characters; `#` is a different word each time. */
const PIECES = [
  ' ',
  'a',
  '%',
  '/',
  '.',
  ',',
  '; ',
  'a=1; ',
  '=',
  '&a=1',
  '-',
  '\u0001',
  '日',
  '\ud800',
  '/a',
  '%2f',
  '"',
  '{',
  '[',
  'a#=1; ',
  '__Host-Http-meshgate-a-0.#=1; ',
  '__Host-Http-meshgate-a-#=1; ',
  '__Host-Http-meshgate=#; ',
];

const textOf = (piece: string, length: number): string => {
  const word = (i: number) => i.toString(36).padStart(8, '0');
  const one = piece.replace('#', word(0));
  return Array.from({ length: Math.ceil(length / one.length) }, (_, i) => piece.replace('#', word(i))).join('');
};

const NO_HOSTS = [{ name: 'wiki.example.com', routes: [] }] as unknown as Parameters<typeof match>[0];

test.each<readonly [string, (text: string) => unknown]>([
  ['the value of a header', encodeValue],
  ['a list in a header', (text) => encodeList(text.split(','))],
  ['a claim that is to be like a pattern', (text) => isLike(text, '*a*%*b*')],
  ['a path', isCanonical],
  ['the target of a request', parseTarget],
  ['a Host header', (text) => match(NO_HOSTS, text, '/')],
  ['Accept-Language', (text) => languageFor(text)],
  ['the cookie of a sign-in', (text) => attemptValue(text, '0.00000000')],
  ['cookies of attempts that end', (text) => endedAttempts(text, [])],
  ['the oldest attempt of a browser', oldestAttempt],
  ['cookies of a session', ownSession],
  ['cookies that a service sets', (text) => withoutOwn([text])],
  ['a cookie', (text) => cookieValue(text, 'a')],
  ['names of cookies', (text) => cookieNames(text, 'a')],
  ['the query of a callback', readCallback],
  ['where a sign-in leads back to', safeReturn],
  ['text on a page', escapeHtml],
  ['the template of a page', readTemplate],
])('%s is read in linear time', (_, read) => {
  for (const piece of PIECES) {
    const texts = new Map([16_000 / SHORTER, 16_000].map((length) => [length, `x; ${textOf(piece, length)}x`]));
    const run = (length: number) => read(texts.get(length) as string);
    // An expression that is fast enough for the longest input is not measured.
    if (spentOnce(() => run(16_000)) < SUSPICIOUS) continue;
    expect(growth(run, 16_000 / SHORTER, 16_000)).toBeLessThan(LINEAR);
  }
});
