import { describe, expect, test } from 'vitest';
import { formatError, parsePolicy } from '../../../src/policy/index.ts';

/** A broken section, and the place and text of its error; the section after it is still read. */
const cases: readonly (readonly [what: string, section: string, says: string])[] = [
  [
    'a brace',
    'roles:\n  a: { group: a\n  b: { group: b }\n',
    'm.yaml:2:6: not YAML: this { is left open; add the closing }',
  ],
  [
    'a bracket',
    'roles:\n  a: { any: [b, c }\n  b: 1\n',
    'm.yaml:2:13: not YAML: this [ is left open; add the closing ]',
  ],
  [
    'a quote',
    'roles:\n  a: "b\n  c: "d"\n',
    'm.yaml:2:6: not YAML: this quote is left open; add " where the text ends',
  ],
  ['a single quote', "roles:\n  a: 'b\n", "m.yaml:2:6: not YAML: this quote is left open; add ' where the text ends"],
  [
    'not by brackets in quotes or comments',
    'roles:\n  a: "{[" # {[\n b: 1\n',
    'm.yaml:3:1: not YAML: this line is indented dif',
  ],
  ['not by an escaped quote', 'roles:\n  a: "\\"{"\n b: 1\n', 'm.yaml:3:1: not YAML: this line is indented dif'],
  ['not by an apostrophe', "roles:\n  a: it's\n b: 1\n", 'm.yaml:3:1: not YAML: this line is indented dif'],
];

describe('the unclosed text is found', () => {
  test.each(cases)('%s', (_, section, says) => {
    const [broken, other, ...rest] = parsePolicy(`${section}gatway: { listen: 1 }\n`, 'm.yaml').errors.filter(
      ({ message }) => !message.startsWith('missing key'),
    );
    expect(broken && formatError(broken).slice(0, says.length)).toBe(says);
    expect(other?.message).toBe('unknown key "gatway"; did you mean "gateway"?');
    expect(rest).toEqual([]);
  });
});
