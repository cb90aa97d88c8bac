/** docs/threats.md and docs/advisories name existing tests, and state nothing that has become untrue. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { missingTests, namedTests } from './named-tests.ts';

const THREATS = 'docs/threats.md';
const ADVISORIES = 'docs/advisories';

const rowsOf = (text: string): readonly (readonly string[])[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (lesson|advisory|---)/.test(line))
    .map((line) => line.slice(2, -2).split(' | '));

/** The mistake in the last cell of a row; undefined if there is none. */
const problemOf = (cell: string): string | undefined =>
  /^\[[\w-]+\]\(\.\.\/test\/\S+\)/.test(cell) ? undefined : `it names no test: ${cell}`;

describe('threats', () => {
  const text = readFileSync(THREATS, 'utf8');
  const [closed = '', open = ''] = text.split('\n### Not closed yet\n');

  test('each row has a test', () => {
    const rows = rowsOf(closed);
    expect(rows.length).toBeGreaterThan(90);
    expect(rows.flatMap((row) => problemOf(row.slice(2).join(' | ')) ?? [])).toEqual([]);
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

describe('advisories', () => {
  const files = readdirSync(ADVISORIES).filter((name) => name !== 'index.md');
  const index = rowsOf(readFileSync(`${ADVISORIES}/index.md`, 'utf8'));
  const versions = [...readFileSync('CHANGELOG.md', 'utf8').matchAll(/^## (\d+\.\d+\.\d+)/gm)].map(([, it]) => it);

  test('each is in the index, with its severity, its title and the version that fixes it', () => {
    const listed = files.map((name) => {
      const text = readFileSync(`${ADVISORIES}/${name}`, 'utf8');
      const [, number, title] = /^# (\d+): (.+)$/m.exec(text) ?? [];
      const [, severity] = /^\| severity \| (.+) \|$/m.exec(text) ?? [];
      const [, version] = /^\| fixed in \| (\S+) /m.exec(text) ?? [];
      return [`[${number}](${name})`, severity, title, version];
    });
    const withSeverity = (wanted: string) => listed.filter(([, severity]) => severity === wanted);
    expect(index).toEqual([...withSeverity('critical'), ...withSeverity('high')]);
    expect(index.length).toBe(files.length);
    for (const [, , , version] of index) expect(versions).toContain(version);
  });

  test.each(files)('%s says what was affected, how to notice, and what to do, and names a test', (name) => {
    const file = `${ADVISORIES}/${name}`;
    const text = readFileSync(file, 'utf8');
    expect([...text.matchAll(/^## (.+)$/gm)].map(([, it]) => it)).toEqual([
      'What was affected',
      'How to notice',
      'What to do',
    ]);
    for (const section of text.split('\n## ').slice(1)) expect(section.length).toBeGreaterThan(60);
    const named = namedTests(file, text);
    expect(named.length).toBeGreaterThan(0);
    expect(missingTests(named)).toEqual([]);
  });
});
