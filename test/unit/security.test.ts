/** docs/contributing/threats.md and docs/advisories.md name existing tests, and state nothing that has become untrue. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { missingTests, namedTests } from './named-tests.ts';

const THREATS = 'docs/contributing/threats.md';

/** Most words of a lesson and its attack together: a reader compares rows. */
const MOST_WORDS = 58;

const rowsOf = (text: string): readonly (readonly string[])[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (lesson|finding|---)/.test(line))
    .map((line) => line.slice(2, -2).split(' | '));

/** The mistake in the last cell of a row; undefined if there is none. */
const problemOf = (cell: string): string | undefined =>
  /^\[[\w-]+\]\((?:\.\.\/)+test\/\S+\)/.test(cell) ? undefined : `it names no test: ${cell}`;

describe('threats', () => {
  const text = readFileSync(THREATS, 'utf8');
  const [closed = '', open = ''] = text.split('\n### Not closed yet\n');

  test('each row has a test', () => {
    const rows = rowsOf(closed);
    expect(rows.length).toBeGreaterThan(90);
    expect(rows.flatMap((row) => problemOf(row.slice(2).join(' | ')) ?? [])).toEqual([]);
  });

  test('the lesson and the attack of each row are one sentence each, and short', () => {
    const long = rowsOf(closed).filter(([lesson = '', attack = '']) => {
      const texts = [lesson, attack].map((text) => text.replace(/`[^`]*`/g, 'code'));
      return texts.some((text) => /[.?!] [A-Z]/.test(text)) || texts.join(' ').split(' ').length > MOST_WORDS;
    });
    expect(long.map(([lesson]) => lesson)).toEqual([]);
  });

  test('no attack on this gateway is listed twice', () => {
    const own = rowsOf(text.slice(text.indexOf('## Found in meshgate itself'))).map(([lesson]) => lesson);
    expect(own.filter((lesson, index) => own.indexOf(lesson) !== index)).toEqual([]);
  });

  test('a row that gives a reason in place of a test is rejected', () => {
    expect(problemOf('not applicable yet: the gateway sets no cookie')).toMatch('it names no test');
    expect(problemOf('[teams](../test/unit/policy/teams.test.ts) "x"')).toBeUndefined();
  });

  test('an attack that is not closed has no test yet', () => {
    expect(rowsOf(open).filter((row) => row.length !== 2)).toEqual([]);
  });

  test('each file that is named has the tests that are named', () => {
    const named = namedTests(THREATS, text);
    expect(named.length).toBeGreaterThan(200);
    expect(missingTests(named)).toEqual([]);
  });

  test('docs/SECURITY.md has no table of its own', () => {
    expect(rowsOf(readFileSync('docs/SECURITY.md', 'utf8'))).toEqual([]);
  });
});

test('each severe finding before 0.1.0 has one row, the most severe first, with tests that exist', () => {
  const file = 'docs/advisories.md';
  const text = readFileSync(file, 'utf8');
  const rows = rowsOf(text);
  expect(rows.length).toBeGreaterThanOrEqual(40);
  expect(new Set(rows.map(([number]) => number)).size).toBe(rows.length);
  expect(rows.flatMap((row) => problemOf(row.slice(3).join(' | ')) ?? [])).toEqual([]);
  const severities = rows.map(([, severity]) => severity);
  expect(severities).toEqual([...severities].sort());
  expect([...new Set(severities)]).toEqual(['critical', 'high']);
  expect(missingTests(namedTests(file, text))).toEqual([]);
});
