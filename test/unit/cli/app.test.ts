import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { commandDefinitions, VERSION } from '../../../src/cli/app.ts';
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

test('the definitions name each command with its options and arguments, as the help does', async () => {
  const names = commandDefinitions().map(({ name }) => name);
  for (const command of COMMANDS) expect(names).toContain(command);
  expect(names).toContain('audit verify');
  for (const { name, options, arguments: args } of commandDefinitions()) {
    const { code, out } = await meshgate([...name.split(' '), '--help']);
    expect(code).toBe(0);
    const [, flags = '', rest = ''] = out.split(/^FLAGS$|^ARGUMENTS$/m);
    const shown = [...flags.matchAll(/^ .{0,5}(--[a-z0-9-]+)/gm)].map(([, flag]) => flag);
    expect(shown.filter((flag) => flag !== '--help' && !flag?.startsWith('--no-'))).toEqual(
      options.map((it) => it.name),
    );
    for (const it of args) expect(rest).toContain(it.name);
  }
});

test('a definition has the value, the default and the description of an option', () => {
  const revoke = commandDefinitions().find(({ name }) => name === 'revoke');
  expect(revoke?.options).toContainEqual({
    name: '--pid-file',
    value: 'FILE',
    default: '/run/meshgate/nginx.pid',
    required: false,
    repeats: false,
    description: 'The pid of the nginx that --cut reloads',
  });
  expect(revoke?.exits).toEqual({
    0: 'yes',
    1: 'the gateway refused the revocation, or it is not in force yet',
    2: 'wrong use',
  });
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
