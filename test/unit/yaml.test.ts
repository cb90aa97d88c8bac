import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import { lineColumn, lineStarts, NotYaml, plainValue, readYaml, toYaml, type YamlNode } from '../../src/base/yaml.ts';
import { holds } from '../harness/property.ts';

const full = readFileSync(new URL('policy/fixtures/full.yaml', import.meta.url), 'utf8');

/** The text of every value, as its place says, in the order of the text. */
function parts(text: string): readonly string[] {
  const all: string[] = [];
  const visit = (node: YamlNode): void => {
    all.push(text.slice(node.at, node.end));
    if (node.kind === 'list') node.items.forEach(visit);
    if (node.kind === 'map') for (const { key, value } of node.entries) [key, value].forEach(visit);
  };
  readYaml(text).documents.forEach(visit);
  return all;
}

describe('a value has its place in the text', () => {
  test.each([
    ['plain text', 'a: b c # d\n', ['a: b c', 'a', 'b c']],
    [
      'text in quotes, with them',
      `a: "b \\" c"\n'd': 'e''f'\n`,
      [`a: "b \\" c"\n'd': 'e''f'`, 'a', '"b \\" c"', "'d'", "'e''f'"],
    ],
    [
      'a block of lines',
      'a: >- # b | c\n  d\n  e\nf: 1\n',
      ['a: >- # b | c\n  d\n  e\nf: 1', 'a', '>- # b | c\n  d\n  e\n', 'f', '1'],
    ],
    ['brackets and braces', '[ { a: [] }, {} ] # b', ['[ { a: [] }, {} ]', '{ a: [] }', 'a', '[]', '{}']],
    ['brackets with comments', '[a, # ]\n  b,\n  # ]\n]', ['[a, # ]\n  b,\n  # ]\n]', 'a', 'b']],
    ['a mapping without braces', '[a: 1]', ['[a: 1]', 'a: 1', 'a', '1']],
    ['a value behind an anchor and a tag', 'a: &b !!str 1\nc: *b\n', ['a: &b !!str 1\nc: *b', 'a', '1', 'c', '*b']],
    ['lists of lines', '- a\n-\n  - b\n', ['- a\n-\n  - b', 'a', '- b', 'b']],
    ['a missing value', 'a: # b\nc:\n', ['a: # b\nc:', 'a', '', 'c', '']],
    ['a missing item', '- # a\n- b\n', ['- # a\n- b', '', 'b']],
  ])('%s', (_, text, expected) => {
    expect(parts(text)).toEqual(expected);
  });

  test('a missing value is where it could be written', () => {
    const [root] = readYaml('a: # b\nc:\n').documents;
    expect(root?.kind === 'map' && root.entries.map(({ value }) => value.at)).toEqual([3, 9]);
  });
});

test('reads the same values as another library wherever both accept a text', { timeout: 60_000 }, () => {
  const pieces = [...'{}[]:,#&*!|>\'"%@`-\n ', '\n  ', ': ', '- ', '!!str ', '~', 'null', '0x1F', '1e3', '.5', '\r\n'];
  const edit = fc.tuple(fc.nat(full.length), fc.nat(12), fc.constantFrom(...pieces));
  let compared = 0;
  holds(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 2 }), (edits) => {
      const text = edits.reduce((all, [at, gone, put]) => all.slice(0, at) + put + all.slice(at + gone), full);
      const other = parseDocument(text, { stringKeys: true, uniqueKeys: false, logLevel: 'silent' });
      if (other.errors.length + other.warnings.length > 0) return;
      let own: unknown;
      try {
        const { documents } = readYaml(text);
        own = documents.map((it) => plainValue(it, false));
      } catch (error) {
        expect(error).toBeInstanceOf(NotYaml);
        return;
      }
      compared += 1;
      expect(own).toEqual([other.toJS()]);
    }),
    100,
  );
  expect(compared).toBeGreaterThan(30);
});

test.each([
  ['an alias', 'a: &b 1\nc: *b\n', 11, 'an alias'],
  ['a repeated key', 'a: 1\nb: 2\na: 3\n', 10, 'a key is repeated'],
])('strict reading refuses %s', (_, text, at, message) => {
  const [root] = readYaml(text).documents;
  const read = () => plainValue(root as YamlNode, true);
  expect(read).toThrow(NotYaml);
  expect(read).toThrow(expect.objectContaining({ at, message }));
  expect(() => plainValue(root as YamlNode, false)).not.toThrow();
});

test.each([
  ['an alias before its anchor', 'a: *b\nc: &b 1\n', 3],
  ['an alias inside its anchor', 'a: &b [*b]\n', 7],
  [
    'a short text that would become large',
    `a0: &a0 [1, 2]\n${Array.from({ length: 40 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]\n`).join('')}`,
    undefined,
  ],
])('refuses %s', (_, text, at) => {
  const [root] = readYaml(text).documents;
  const read = () => plainValue(root as YamlNode, false);
  expect(read).toThrow(NotYaml);
  if (at !== undefined) expect(read).toThrow(expect.objectContaining({ at }));
});

test('deep nesting ends in an error', () => {
  expect(() => readYaml('['.repeat(200_000))).toThrow(NotYaml);
  expect(() => readYaml('- '.repeat(200_000))).toThrow(NotYaml);
});

test('the line and column of an offset count from 1', () => {
  const starts = lineStarts('ab\n\ncd');
  expect([0, 2, 3, 4, 6].map((at) => lineColumn(starts, at))).toEqual([
    { line: 1, column: 1 },
    { line: 1, column: 3 },
    { line: 2, column: 1 },
    { line: 3, column: 1 },
    { line: 3, column: 3 },
  ]);
});

test('written text has quotes, so that no reader takes it for another value', () => {
  expect(toYaml({ a: 'on', b: [1, '1'], c: undefined })).toBe('a: "on"\nb:\n  - 1\n  - "1"\n');
});
