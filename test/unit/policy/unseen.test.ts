/** Characters that are not seen change no policy: a reader sees what the gateway reads. */
import { describe, expect, test } from 'vitest';
import { formatError, parsePolicy } from '../../../src/policy/index.ts';

const policyWith = (role: string, comment = '') => `version: 1
providers:
  okta: { issuer: https://example.okta.com/oauth2/default, audiences: [api://wiki] }
roles:
  staff: ${role} # ${comment}
services:
  wiki: { url: https://ingress.mesh:8443, ca_file: /run/mesh/ca.pem }
hosts:
  wiki.example.com:
    /*: { service: wiki, allow: [staff] }
`;

const errorsOf = (text: string) => parsePolicy(text, 'm.yaml').errors.map(formatError);

/** Unicode's Bidi_Control, breaks of lines, and characters without a width. */
const EMBEDDINGS = ['202A', '202B', '202C', '202D', '202E', '2066', '2067', '2068', '2069'];
const OTHERS = [
  '061C',
  '200B',
  '200E',
  '200F',
  '2060',
  '2064',
  'FEFF',
  '2028',
  '2029',
  '00AD',
  '180E',
  '3164',
  'FE0F',
  '115F',
  '17B5',
  'FFF8',
  'FFFA',
];
const PAIRS = ['1BCA0', '1D173', '13430', 'E0041', 'E0FFF'];
/** Some programs show them as the end of a line; a terminal obeys others. */
const CONTROLS = ['000D', '000B', '000C', '0085', '2028', '2029', '001B', '0008', '007F'];
const character = (code: string) => String.fromCodePoint(Number.parseInt(code, 16));

describe('a character that is not seen', () => {
  test.each(EMBEDDINGS)('U+%s is an error at its place, also in a comment', (code) => {
    const says = `the invisible character U+${code} changes the order in which people see this line; remove it`;
    expect(errorsOf(policyWith(`{ group: "a${character(code)}b" }`))).toEqual([`m.yaml:5:21: ${says}`]);
    expect(errorsOf(policyWith('{ group: a }', `x${character(code)}`))).toEqual([`m.yaml:5:26: ${says}`]);
  });

  test.each([...EMBEDDINGS, ...OTHERS])('U+%s is in no name, also as an escape', (code) => {
    const errors = errorsOf(policyWith(`{ group: "a\\u${code.toLowerCase()}b" }`));
    expect(errors).toEqual([
      expect.stringMatching(
        /^m\.yaml:5:\d+ roles\.staff\.group: "a\\u[0-9a-f]{4}b" is not a text of 1 to 256 printable characters/,
      ),
    ]);
  });

  test.each(PAIRS)('U+%s, which is two units of UTF-16, is in no name', (code) => {
    const errors = errorsOf(policyWith(`{ group: "a${character(code)}b" }`));
    expect(errors).toEqual([expect.stringContaining('is not a text of 1 to 256 printable characters')]);
  });

  test.each(CONTROLS)('U+%s does not make the rest of a comment look like a rule', (code) => {
    expect(errorsOf(policyWith('{ group: a }', `x${character(code)}  boss: { group: b }`))).toEqual([
      `m.yaml:5:26: the invisible character U+${code} makes people see other lines than YAML reads; remove it`,
    ]);
  });

  test('the line breaks of Windows are no mistake', () => {
    expect(errorsOf(policyWith('{ group: a }').replaceAll('\n', '\r\n'))).toEqual([]);
  });

  test.each(['ad\u200cmin', 'admin\u200d', '\u200dadmin', '\u0645\u06cc\u200c', '\u0645\u06cc\u200c\u200c\u062e'])(
    'a joiner is in no name where it joins nothing: %j',
    (name) => {
      expect(errorsOf(policyWith(`{ group: "${name}" }`))).toEqual([
        expect.stringMatching(/: "[^"]*\\u200[cd][^"]*" is not a text of 1 to 256 printable characters/),
      ]);
    },
  );

  test('joiners, right-to-left letters and letters of every script are in names', () => {
    for (const name of [
      '\u0645\u06cc\u200c\u062e',
      '\u05e6\u05d5\u05d5\u05ea',
      '\u0915\u094d\u200d\u0937',
      '日本',
      '👩\u200d💻',
    ]) {
      expect(errorsOf(policyWith(`{ group: "${name}" }`))).toEqual([]);
    }
  });
});
