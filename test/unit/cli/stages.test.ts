import { describe, expect, test } from 'vitest';
import { overlayJsonSchemaText } from '../../../src/policy/index.ts';
import { meshgate, POLICY, token } from './fake.ts';

const OVERLAY = 'hosts: { wiki.example.com: { /prod/*: { service: wiki, allow: [anyone] } } }\n';
const VARIED = POLICY.replace('{ group: readers,', '{ group: "${READERS}",');
const files = {
  './meshgate.yaml': POLICY,
  'prod.yaml': OVERLAY,
  'varied.yaml': VARIED,
  't.txt': token({
    iss: 'https://login.example.com',
    aud: 'api://wiki',
    exp: 1_900_000_000,
    sub: 'ann',
    groups: ['readers'],
  }),
};
const TARGET = 'https://wiki.example.com/prod/x';

describe('every command that reads a policy reads its stage', () => {
  const cases: readonly (readonly [command: readonly string[], overlaid: string])[] = [
    [['validate'], '4 routes'],
    [['render', '--target', 'envoy'], '/prod'],
    [['render', '--target', 'nginx'], '/prod'],
    [['explain', 'GET', TARGET], 'wiki.example.com/prod/*'],
    [['token', 't.txt', 'GET', TARGET], 'wiki.example.com/prod/*'],
  ];
  test.each(cases)('%j', async (command, overlaid) => {
    expect((await meshgate(command, { files })).out).not.toContain(overlaid);
    const { out, err } = await meshgate([...command, '--overlay', 'prod.yaml'], { files });
    expect(out, err).toContain(overlaid);
  });

  test('test', async () => {
    const stage = `tests: [{ as: nobody, GET: ${TARGET}, expect: allowed }]\n`;
    const { out, code } = await meshgate(['test', '--overlay', 'prod.yaml', '--overlay', 'tests.yaml'], {
      files: { ...files, 'tests.yaml': stage },
    });
    expect(code).toBe(0);
    expect(out).toContain('meshgate.yaml with prod.yaml with tests.yaml');
  });

  test('diff and prove, for each side', async () => {
    const same = ['--overlay', 'prod.yaml', './meshgate.yaml', './meshgate.yaml'];
    const newer = ['--new-overlay', 'prod.yaml', './meshgate.yaml', './meshgate.yaml'];
    const older = ['--old-overlay', 'prod.yaml', './meshgate.yaml', './meshgate.yaml'];
    for (const command of ['diff', 'prove']) expect((await meshgate([command, ...same], { files })).code).toBe(0);
    expect((await meshgate(['diff', ...newer], { files })).out).toContain('+ anyone may now use');
    expect((await meshgate(['diff', ...older], { files })).out).toContain('may no longer');
    const proof = await meshgate(['prove', ...newer], { files });
    expect(proof).toMatchObject({
      code: 1,
      out: expect.stringContaining('meshgate.yaml and meshgate.yaml with prod.yaml'),
    });
  });

  test('diff compares values of variables', async () => {
    const ran = await meshgate(
      ['diff', '--old-env', 'READERS=a', '--new-env', 'READERS', 'varied.yaml', 'varied.yaml'],
      { files, env: { READERS: 'b' } },
    );
    expect(ran.out).toContain('group "a" of okta → group "b" of okta');
  });

  test('prove with a mesh: the policy is the merged one', async () => {
    const mesh = (await meshgate(['render', '--target', 'envoy', '--overlay', 'prod.yaml'], { files })).out;
    const all = { ...files, 'envoy.yaml': mesh };
    const prove = ['prove', '--target', 'envoy', './meshgate.yaml', 'envoy.yaml'];
    expect((await meshgate([...prove, '--overlay', 'prod.yaml'], { files: all })).code).toBe(0);
    expect((await meshgate(prove, { files: all })).code).toBe(1);
    expect(await meshgate([...prove, '--new-env', 'A'], { files: all })).toMatchObject({
      code: 2,
      err: 'meshgate: --new-env has no effect with --target: write --overlay or --env\n',
    });
  });
});

describe('variables', () => {
  const run = (flags: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    meshgate(['validate', ...flags, 'varied.yaml'], { files, env });

  test('come from the environment or from the flag', async () => {
    expect(await run(['--env', 'READERS'], { READERS: 'r' })).toMatchObject({ code: 0 });
    expect(await run(['--env', 'READERS=r'])).toMatchObject({ code: 0 });
    expect(await run(['--env', 'READERS=a=b'])).toMatchObject({ code: 0 });
  });

  test('are not taken from the environment unless the command allows it', async () => {
    expect((await run([], { READERS: 'r' })).out).toContain('allow it with --env READERS');
    expect((await run(['--env', 'OTHER'], { READERS: 'r' })).out).toContain('allow it with --env READERS');
    expect((await run(['--env', 'READERS'])).out).toContain('the variable READERS is not set');
  });

  test.each(['1A=hunter2', 'A-B=hunter2', '=hunter2', 'hunter2!', ''])(
    '--env %j is wrong use, and is not repeated',
    async (text) => {
      expect(await run(['--env', text])).toMatchObject({
        code: 2,
        out: '',
        err: 'meshgate: --env: write NAME or NAME=VALUE; a name has letters, digits and _\n',
      });
    },
  );

  test.each(['constructor', '__proto__', 'toString'])('%s is not a member of every object', async (name) => {
    const text = VARIED.replace('${READERS}', `\${${name}}`);
    const { out } = await meshgate(['validate', '--env', name, 'v.yaml'], { files: { 'v.yaml': text } });
    expect(out).toContain(`the variable ${name} is not set`);
  });
});

describe('wrong use', () => {
  test.each([
    [['validate', '--overlay', 'no.yaml'], 'cannot read the overlay no.yaml: there is no such file'],
    [['validate', '--overlay', '-', '-'], 'only one file can come from standard input'],
    [['validate', '--overlay', '-', '--overlay', '-'], 'only one file can come from standard input'],
    [['validate', '--overlay', '-', '--nginx', '-'], 'only one file can come from standard input'],
    [['token', '-', '--overlay', '-'], 'only one file can come from standard input'],
    [['explain', '--token', '-', '--overlay', '-', 'GET', TARGET], 'only one file can come from standard input'],
    [['diff', '--new-overlay', '-', '-', './meshgate.yaml'], 'only one file can come from standard input'],
    [['prove', '--overlay', '-', './meshgate.yaml', './meshgate.yaml'], 'only one file can come from standard input'],
  ])('%j', async (args, says) => {
    expect(await meshgate(args, { files: { ...files, '-': '' } })).toMatchObject({
      code: 2,
      err: expect.stringContaining(says),
    });
  });

  test('an overlay that is not UTF-8 is an error with its name', async () => {
    const ran = await meshgate(['validate', '--overlay', 'x.yaml'], {
      files: { ...files, 'x.yaml': Uint8Array.of(0xff) },
    });
    expect(ran).toMatchObject({ code: 1, out: expect.stringContaining('x.yaml:1:1: the file is not UTF-8') });
  });
});

describe('the schema of an overlay', () => {
  interface Node {
    readonly required?: readonly string[];
    readonly properties?: Readonly<Record<string, Node>>;
    readonly additionalProperties?: Node | boolean;
    readonly anyOf?: readonly Node[];
    readonly items?: Node;
    readonly type?: string;
  }
  const schema = JSON.parse(overlayJsonSchemaText()) as Node;
  /** The part of a schema that is not `null`. */
  const reported = (node: Node | undefined): Node => node?.anyOf?.find(({ type }) => type !== 'null') ?? node ?? {};
  const below = (node: Node | undefined, key: string) => node?.properties?.[key];

  test('is what the command prints', async () => {
    expect((await meshgate(['schema', '--overlay'])).out).toBe(overlayJsonSchemaText());
  });

  test('requires no key, and allows null for each', () => {
    expect(schema.required).toBeUndefined();
    const providers = reported(below(schema, 'providers'));
    const provider = reported(providers.additionalProperties as Node);
    expect(provider.required).toBeUndefined();
    for (const node of [below(schema, 'roles'), providers.additionalProperties as Node, below(provider, 'issuer')])
      expect(node?.anyOf).toContainEqual({ type: 'null' });
    expect(schema.additionalProperties).toBe(false);
    expect(provider.additionalProperties).toBe(false);
  });

  test('requires the keys of an element, because a list replaces the whole list', () => {
    expect(reported(below(schema, 'tests')).items?.required).toContain('as');
  });
});
