import { describe, expect, test } from 'vitest';
import { OPS, PAY, PLATFORM } from '../policy/team-policy.ts';
import { meshgate } from './fake.ts';

const files = { 'gw/m.yaml': PLATFORM, 'gw/teams/pay.yaml': PAY, 'gw/teams/ops.yaml': OPS };
const validate = (args: string, changed: Record<string, string> = {}) =>
  meshgate(['validate', ...args.split(' ')], { files: { ...files, ...changed } });

describe('validate --team', () => {
  test('checks the file of one team, and counts and tests only what is in it', async () => {
    const { code, out } = await validate('--team pay gw/m.yaml');
    expect(out).toBe('gw/m.yaml for team pay: valid: 1 host, 1 route, 2 rules, 1 role, 1 service; 1 test passes\n');
    expect(code).toBe(0);
  });

  test('does not depend on the file of another team', async () => {
    const { 'gw/teams/ops.yaml': _, ...without } = files;
    expect((await meshgate(['validate', '--team', 'pay', 'gw/m.yaml'], { files: without })).code).toBe(0);
    expect((await validate('--team pay gw/m.yaml', { 'gw/teams/ops.yaml': 'hosts: [' })).code).toBe(0);
    expect((await validate('gw/m.yaml', { 'gw/teams/ops.yaml': 'hosts: [' })).code).toBe(1);
  });

  test('fails if a test in the file fails, or if the file or the policy has errors', async () => {
    const failing = await validate('--team pay gw/m.yaml', {
      'gw/teams/pay.yaml': PAY.replace('expect: allowed', 'expect: role_missing'),
    });
    expect(failing).toMatchObject({ code: 1, out: expect.stringContaining('gw/teams/pay.yaml:10:5 tests[0]') });
    const wrong = await validate('--team pay gw/m.yaml', {
      'gw/teams/pay.yaml': PAY.replace('namespace: pay', 'namespace: wiki'),
    });
    expect(wrong).toMatchObject({
      code: 1,
      out: expect.stringMatching(/^gw\/teams\/pay\.yaml:4:\d+ team pay services/),
    });
    const broken = await validate('--team pay gw/m.yaml', {
      'gw/m.yaml': PLATFORM.replace('kind: istio', 'kind: istoi'),
    });
    expect(broken).toMatchObject({ code: 1, out: expect.stringMatching(/^gw\/m\.yaml:\d+:\d+ mesh\.kind: /) });
  });

  test('says which teams there are', async () => {
    const { code, out } = await validate('--team pya gw/m.yaml');
    expect([code, out]).toEqual([1, expect.stringContaining('no team "pya"; write one of pay, ops')]);
    const none = await validate('--team pay gw/m.yaml', { 'gw/m.yaml': 'version: 1\n' });
    expect(none.code).toBe(1);
  });

  test('is not for a policy without teams', async () => {
    const alone = PLATFORM.replace(/^teams:\n(?: .*\n)+/m, '')
      .replace(/^ {2}search: .*\n/m, '')
      .replace(/^ {2}deployer: .*\n/m, '');
    const { code, out } = await validate('--team pay gw/m.yaml', { 'gw/m.yaml': alone });
    expect([code, out]).toEqual([1, expect.stringContaining('the policy has no teams')]);
  });

  test('says one thing about the file of a team in place of the policy', async () => {
    const { out } = await validate('--team pay gw/m.yaml', { 'gw/m.yaml': 'hosts: {}\n' });
    expect(out.split('\n')[0]).toMatch(
      /teams: the policy has no teams; .* name the policy that has its grant instead$/,
    );
    expect(out).toMatch(/invalid: 1 error$/m);
  });

  test.each(['--nginx dump.txt', '--online'])('excludes %s', async (flag) => {
    const { code, err } = await validate(`--team pay ${flag} gw/m.yaml`);
    expect([code, err]).toEqual([2, expect.stringContaining('--team checks only the file of a team')]);
  });

  test('names the team in its JSON', async () => {
    expect(JSON.parse((await validate('--team pay --json gw/m.yaml')).out)).toMatchObject({ team: 'pay', valid: true });
    const { out } = await validate('--json gw/m.yaml', {
      'gw/teams/pay.yaml': PAY.replace('namespace: pay', 'namespace: wiki'),
    });
    expect(JSON.parse(out).errors).toMatchObject([
      { team: 'pay', path: 'services."pay-web".namespace', at: { file: 'gw/teams/pay.yaml', line: 4 } },
    ]);
  });
});

test('the files of teams are beside the policy, in whichever folder the command runs', async () => {
  const elsewhere = { '/etc/gw/m.yaml': PLATFORM, '/etc/gw/teams/pay.yaml': PAY, '/etc/gw/teams/ops.yaml': OPS };
  expect((await meshgate(['validate', '/etc/gw/m.yaml'], { files: elsewhere })).code).toBe(0);
  const { out } = await meshgate(['validate', '-'], {
    files: { '-': PLATFORM, 'teams/pay.yaml': PAY, 'teams/ops.yaml': OPS },
  });
  expect(out).toMatch(/^stdin: valid/m);
});

test('a change in the file of a team changes the digest of the policy', async () => {
  const digest = async (pay: string) =>
    JSON.parse((await validate('--json gw/m.yaml', { 'gw/teams/pay.yaml': pay })).out).digest;
  expect(await digest(`# a comment\n${PAY}`)).toBe(await digest(PAY));
  expect(await digest(PAY.replace('[staff, pay.clerk]', '[pay.clerk]'))).not.toBe(await digest(PAY));
});

describe('diff', () => {
  const platform = PLATFORM.replace('  staff: { group: staff', '  staff: { group: employees').replace(
    'namespaces: [pay]\n',
    'namespaces: [pay]\n    may: [proxy]\n',
  );
  const pay = PAY.replace('[staff, pay.clerk]', '[pay.clerk]').replace('{ group: clerks,', '{ group: cashiers,');
  const changed = { 'new/m.yaml': platform, 'new/teams/pay.yaml': pay, 'new/teams/ops.yaml': OPS };
  const diff = (args: string, more: Record<string, string> = {}) =>
    meshgate(['diff', ...args.split(' ')], { files: { ...files, ...changed, ...more } });

  test('groups the changes by team', async () => {
    const { code, out } = await diff('gw/m.yaml new/m.yaml');
    expect(out.split('\n')).toEqual([
      'the policy',
      expect.stringMatching(/^ {2}\* role staff means something else: /),
      '  * team pay: may [] → ["proxy"]',
      'team pay',
      expect.stringMatching(/^ {2}- staff may no longer use any method on https:\/\/pay\.example\.com\/\*/),
      expect.stringMatching(/^ {2}\* role pay\.clerk /),
      '',
    ]);
    expect(code).toBe(1);
  });

  test('names the team of each change in its JSON', async () => {
    const { out } = await diff('--json gw/m.yaml new/m.yaml');
    const { changes, definitions } = JSON.parse(out);
    expect(changes).toMatchObject([{ kind: 'lost', team: 'pay', host: 'pay.example.com' }]);
    const named = definitions.map((it: Record<string, string>) => [it.section, it.name, it.team]);
    expect(named).toEqual([
      ['role', 'staff', undefined],
      ['role', 'pay.clerk', 'pay'],
      ['team', 'pay', undefined],
    ]);
  });

  test('says that a host moved to another file, because other services then learn of its roles', async () => {
    const moved = {
      'new/m.yaml': PLATFORM.replace('[pay.example.com, ', '[').replace(
        'hosts:\n  wiki.example.com:',
        'hosts:\n  pay.example.com:\n    providers: [okta]\n    /*: { service: search, allow: [staff] }\n  wiki.example.com:',
      ),
      'new/teams/pay.yaml': 'version: 1\n',
    };
    const { out } = await diff('gw/m.yaml new/m.yaml', moved);
    expect(out).toContain('* host pay.example.com: team "pay" → nothing');
  });

  test('says nothing if nothing changed, and has no headings without teams', async () => {
    expect((await diff('gw/m.yaml gw/m.yaml')).out).toBe('nothing changed\n');
  });
});

test('explain names the team, its file and its line', async () => {
  const run = (args: string) => meshgate(['explain', ...args.split(' ')], { files });
  const requested = '--policy gw/m.yaml --as pay.clerk GET https://pay.example.com/x';
  const { out } = await run(requested);
  expect(out).toContain('allowed by pay.example.com/*#2  gw/teams/pay.yaml:8:44');
  expect(out).toMatch(/^team {6}pay$/m);
  expect(JSON.parse((await run(`--json ${requested}`)).out)).toMatchObject({ team: 'pay' });
  const other = await run('--policy gw/m.yaml --as staff GET https://wiki.example.com/x');
  expect(other.out).not.toMatch(/^team/m);
});

test('an overlay changes grants and names other files, and never the inside of a file', async () => {
  const overlay = 'teams: { pay: { file: teams/pay.prod.yaml, hosts: [pay.prod.example.com] } }';
  const prod = PAY.replaceAll('pay.example.com', 'pay.prod.example.com');
  const given = { 'prod.yaml': overlay, 'gw/teams/pay.prod.yaml': prod };
  expect((await validate('--overlay prod.yaml gw/m.yaml', given)).code).toBe(0);
  const inside = { 'prod.yaml': 'hosts: { pay.example.com: { /*: { allow: [staff] } } }' };
  const { code, out } = await validate('--overlay prod.yaml gw/m.yaml', inside);
  expect([code, out]).toEqual([1, expect.stringContaining('this policy itself defines the host "pay.example.com"')]);
});
