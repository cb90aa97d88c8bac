/** `meshgate audit lines`: the lines in a sealed log, for commands that read the log. */
import { expect, test } from 'vitest';
import { filesOf, noteKey, seal, sealedLog, textOf } from '../audit/sealed-log.ts';
import { meshgate } from './fake.ts';

const log = sealedLog('lines', 700, { changes: [300, 500] });
const sealed = log.lines.slice(0, 698);
const files = filesOf(log.folder);
const now = Date.parse('2026-03-04T10:26:39Z') / 1000;
const lines = (...args: readonly string[]) =>
  meshgate(['audit', 'lines', '--log-folder', '/audit', ...args], { files, now });

test('prints each sealed line as it was written, in the order of the log, and no entry of the sealer', async () => {
  expect(await lines()).toMatchObject({ code: 0, out: textOf(sealed), err: '' });
});

test('prints the lines since a time', async () => {
  expect((await lines('--since', '9s')).out).toBe(textOf(sealed.slice(-10)));
  expect((await lines('--since', '2026-03-04T10:26:38Z')).out).toBe(textOf(sealed.slice(-2)));
});

test('trace finds a request in them', async () => {
  const { out } = await lines();
  const [, id = ''] = /"request_id":"(\w+)"/.exec(sealed[41]!) ?? [];
  const found = await meshgate(['trace', id, '--nginx', '-', '--json'], { files: { '-': out } });
  expect([found.code, found.out]).toEqual([0, expect.stringContaining(id)]);
});

test.each([
  ['no log', {}, 'meshgate: /audit has no file checkpoint: '],
  ['a bundle that was cut', { '/audit/tile/entries/000': 'x' }, 'meshgate: this is no valid transparency log: '],
])('says that a folder has %s', async (_, changed, words) => {
  const given = Object.keys(changed).length === 0 ? {} : { ...files, ...changed };
  const { code, out, err } = await meshgate(['audit', 'lines', '--log-folder', '/audit'], { files: given });
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toContain(words);
});

test('names lines that nginx did not write, prints the others, and exits with 1', async () => {
  const strange = [
    '{"meshgate.leaf":"foreign","line":"{\\"meshgate.leaf\\":1}"}',
    `{"meshgate.leaf":"long","sha256":"${'ab'.repeat(32)}","bytes":70000000}`,
  ];
  const [first = '', second = ''] = log.lines;
  // The entry 0 is an event.
  const { folder } = seal([first, ...strange, second, ...Array(25).fill(strange[0])], [noteKey()]);
  const found = await meshgate(['audit', 'lines', '--log-folder', '/audit'], { files: filesOf(folder), now });
  expect(found).toMatchObject({ code: 1, out: textOf([first, second]) });
  const reported = found.err.split('\n');
  expect(reported.slice(0, 2)).toEqual([
    'meshgate: /audit:2: nginx did not write this line: it begins like an entry of the sealer (foreign)',
    `meshgate: /audit:3: nginx did not write this line of 70000000 bytes, and only its SHA-256 is sealed (long): ${'ab'.repeat(32)}`,
  ]);
  expect(reported.slice(19)).toEqual([
    'meshgate: /audit:22: nginx did not write this line: it begins like an entry of the sealer (foreign)',
    'meshgate: and 7 more lines that nginx did not write',
    '',
  ]);
});

test('skips no line without a time silently: it belongs to the line before it', async () => {
  const [old = '', fresh = ''] = [log.lines[0], log.lines[600]];
  const { folder } = seal([old, 'not JSON, long ago', fresh, 'not JSON'], [noteKey()]);
  const args = ['audit', 'lines', '--log-folder', '/audit', '--since', '5m'];
  expect(await meshgate(args, { files: filesOf(folder), now })).toMatchObject({
    code: 0,
    out: textOf([fresh, 'not JSON']),
  });
});

test('refuses an entry with a line break, which would be two lines in the output', async () => {
  const { folder } = seal([`${log.lines[0]}\n${log.lines[1]}`], [noteKey()]);
  const { code, err } = await meshgate(['audit', 'lines', '--log-folder', '/audit'], { files: filesOf(folder), now });
  expect(code).toBe(2);
  expect(err).toContain('an entry contains a line break');
});
