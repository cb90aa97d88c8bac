import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { VERSION } from '../../../src/cli/app.ts';
import { meshgate, POLICY } from './fake.ts';

test('the version is that of the package', async () => {
  expect(JSON.parse(readFileSync('package.json', 'utf8')).version).toBe(VERSION);
  expect((await meshgate(['--version'])).out).toBe(`${VERSION}\n`);
});

const COMMANDS = ['validate', 'render', 'explain', 'test', 'diff', 'prove', 'schema', 'status', 'trace'];

test.each(COMMANDS)('%s --help has examples', async (command) => {
  const { code, out, err } = await meshgate([command, '--help']);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(new RegExp(`EXAMPLES\n +meshgate ${command}`));
});

test('help of the command itself names all commands', async () => {
  const { code, out } = await meshgate(['--help']);
  expect(code).toBe(0);
  for (const command of COMMANDS) expect(out).toContain(`meshgate ${command}`);
});

test.each([
  ['validate', ['validate']],
  ['explain', ['explain', 'GET', 'https://wiki.example.com/x']],
  ['diff', ['diff', './meshgate.yaml', './meshgate.yaml']],
  ['prove', ['prove', './meshgate.yaml', './meshgate.yaml']],
  ['render', ['render', '--target', 'envoy']],
])('%s --json prints what --format json prints', async (_, args) => {
  const files = { './meshgate.yaml': POLICY };
  const plain = await meshgate([...args, '--format', 'json'], { files });
  expect(JSON.parse(plain.out)).toBeTypeOf('object');
  expect(await meshgate([...args, '--json'], { files })).toEqual(plain);
});

test('a command without --format has no --json', async () => {
  expect(await meshgate(['schema', '--json'])).toMatchObject({ code: 2, out: '' });
});

test('schema prints the JSON Schema of a policy', async () => {
  const { code, out } = await meshgate(['schema']);
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ title: 'meshgate policy', type: 'object' });
});
