/** Removing parts of a policy file: the rest of the text stays as it is. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { PolicyParts, withoutCuts } from '../../../src/cli/tighten/edit.ts';
import { patchOf } from '../../../src/cli/tighten/patch.ts';

/** Removes what stands at each `^`, which is left out of the text: `^i` an item, `^k` an entry. */
function removed(marked: string): string | undefined {
  const marks: { kind: string; line: number; column: number }[] = [];
  const text = marked
    .split('\n')
    .map((line, index) => {
      let rest = line;
      for (let at = rest.search(/\^[ik]/); at >= 0; at = rest.search(/\^[ik]/)) {
        marks.push({ kind: rest[at + 1]!, line: index + 1, column: at + 1 });
        rest = rest.slice(0, at) + rest.slice(at + 2);
      }
      return rest;
    })
    .join('\n');
  const parts = new PolicyParts(text);
  for (const { kind, ...at } of marks) expect(kind === 'i' ? parts.item(at) : parts.entry(at)).toBe(true);
  const cuts = parts.cuts();
  if (cuts === undefined) return undefined;
  const after = withoutCuts(text, cuts);
  const folder = mkdtempSync(join(tmpdir(), 'meshgate-patch-'));
  writeFileSync(join(folder, 'p.yaml'), text);
  execFileSync('git', ['apply', '-'], {
    cwd: folder,
    input: patchOf('p.yaml', text, cuts),
    env: { ...process.env, GIT_CEILING_DIRECTORIES: tmpdir() },
  });
  expect(readFileSync(join(folder, 'p.yaml'), 'utf8')).toBe(after);
  return after;
}

describe('an item', () => {
  test.each([
    ['the first in brackets', 'a: [^ione, two, three]\n', 'a: [two, three]\n'],
    ['one in the middle', 'a: [one, ^itwo, three]\n', 'a: [one, three]\n'],
    ['the last', 'a: [one, two, ^ithree]\n', 'a: [one, two]\n'],
    ['two of three', 'a: [one, ^itwo, ^ithree]\n', 'a: [one]\n'],
    ['the first two', 'a: [^ione, ^itwo, three]\n', 'a: [three]\n'],
    ['mappings in brackets', 'a: [{ x: 1 }, ^i{ x: 2 }] # why\n', 'a: [{ x: 1 }] # why\n'],
    [
      'brackets on several lines',
      'a:\n  [\n    one,\n    ^itwo,\n    three,\n  ]\n',
      'a:\n  [\n    one,\n    three,\n  ]\n',
    ],
    ['a line with its comment', 'a:\n  - one # 1\n  - ^itwo # 2\n  - three # 3\n', 'a:\n  - one # 1\n  - three # 3\n'],
    ['several lines', 'a:\n  - ^ix: 1\n    y:\n      - z\n  - x: 2\nb: 1\n', 'a:\n  - x: 2\nb: 1\n'],
    ['the last of a file that has no line break at its end', 'a:\n  - one\n  - ^itwo', 'a:\n  - one\n'],
    ['in brackets in such a file', 'a: [one, ^itwo]', 'a: [one]'],
    ['the only one, with its key', 'a:\n  - ^ione\nb: 1\n', 'b: 1\n'],
  ])('%s', (_name, marked, expected) => {
    expect(removed(marked)).toBe(expected);
  });
});

describe('an entry', () => {
  test.each([
    ['on its line', 'a:\n  ^kx: 1 # why\n  y: 2\n', 'a:\n  y: 2\n'],
    ['with all lines of its value', 'a:\n  ^kx:\n    y: [1,\n      2]\n  z: 1\n', 'a:\n  z: 1\n'],
    ['in braces', 'a: { ^kx: 1, y: 2 }\n', 'a: { y: 2 }\n'],
    ['the last in braces', 'a: { x: 1, ^ky: { z: 1 } }\n', 'a: { x: 1 }\n'],
    ['with a block of text', 'a:\n  ^kx: |\n    text\n  y: 1\n', 'a:\n  y: 1\n'],
    ['the last one, with its section', 'a:\n  ^kx: 1\nb: 1\n', 'b: 1\n'],
    ['with its items', 'a:\n  ^kx:\n    - ^ione\n    - two\n  y: 1\n', 'a:\n  y: 1\n'],
    ['comments above stay', 'a:\n  # about x\n  ^kx: 1\n  y: 1\n', 'a:\n  # about x\n  y: 1\n'],
    ['far apart', `a:\n  ^kx: 1\n${'  # -\n'.repeat(9)}  y: 1\n  ^kz: 1\n`, `a:\n${'  # -\n'.repeat(9)}  y: 1\n`],
  ])('%s', (_name, marked, expected) => {
    expect(removed(marked)).toBe(expected);
  });
});

test('an entry on the line of its list item cannot be removed', () => {
  expect(removed('a:\n  - ^kx: 1\n    y: 2\n')).toBeUndefined();
});

test('texts of a list', () => {
  const text = 'allow:\n  - { role: a, methods: [GET, POST, PUT] }\n';
  const parts = new PolicyParts(text);
  expect(parts.words({ line: 2, column: 5 }, 'methods', ['GET', 'PUT'])).toBe(true);
  expect(withoutCuts(text, parts.cuts()!)).toBe('allow:\n  - { role: a, methods: [POST] }\n');
  expect(parts.words({ line: 2, column: 5 }, 'tools', ['GET'])).toBe(false);
  expect(parts.words({ line: 9, column: 5 }, 'methods', ['GET'])).toBe(false);
  expect(parts.item({ line: 9, column: 5 })).toBe(false);
});
