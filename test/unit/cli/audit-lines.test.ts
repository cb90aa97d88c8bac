/** `meshgate audit lines`: the lines in a sealed log, for commands that read the log. */
import { expect, test } from 'vitest';
import { filesOf, sealedLog, textOf } from '../audit/sealed-log.ts';
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
