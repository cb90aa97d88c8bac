/** `meshgate tighten`: finds what no request used, and touches nothing else. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { lineText, refused } from '../audit/logged.ts';
import { OPS, PAY, PLATFORM } from '../policy/team-policy.ts';
import { meshgate } from './fake.ts';
import { planted } from './tighten-planted.ts';

/** Applies the output of the command to a file, as `git apply` does. */
function applied(file: string, output: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'meshgate-tighten-'));
  writeFileSync(join(folder, 'meshgate.yaml'), file);
  execFileSync('git', ['apply', '--unsafe-paths', '-'], {
    cwd: folder,
    input: output,
    env: { ...process.env, GIT_CEILING_DIRECTORIES: tmpdir() },
  });
  return readFileSync(join(folder, 'meshgate.yaml'), 'utf8');
}

type Rule = string | { role?: string; agent?: string; methods?: string[] };
const ruleName = (rule: Rule): string =>
  typeof rule === 'string'
    ? rule
    : `${rule.agent === undefined ? rule.role : `agent ${rule.agent}`} ${[...(rule.methods ?? [])].sort().join(' ')}`.trim();

/** The rules of each route of a policy. */
const rulesIn = (text: string) =>
  Object.fromEntries(
    Object.entries(parse(text).hosts as Record<string, Record<string, { allow: Rule[] }>>).map(([host, routes]) => [
      host,
      Object.fromEntries(Object.entries(routes).map(([path, { allow }]) => [path, allow.map(ruleName)])),
    ]),
  );

describe.each([1, 2, 3, 4, 5, 6, 7, 8])('twenty planted grants, seed %i', (seed) => {
  const { file, lines, tight, planted: count, comments } = planted(seed);
  const files = { 'meshgate.yaml': file, 'a.log': `${lines.join('\n')}\n` };

  test('all are found, and no used grant is touched', async () => {
    const { code, out, err } = await meshgate(['tighten', '--policy', 'meshgate.yaml', 'a.log'], { files });
    expect(err).toBe('');
    expect(code).toBe(1);
    expect(out).toContain(`${count} grants to remove; a replay of the log with the patch changes nothing\n`);
    const after = applied(file, out);
    expect(rulesIn(after)).toEqual(tight);
    for (const comment of ['# The policy of the wiki.', '# they act for people', ...comments])
      expect(after).toContain(comment);
    const again = { 'meshgate.yaml': after, 'old.yaml': file, 'a.log': files['a.log'] };
    expect((await meshgate(['replay', '--policy', 'meshgate.yaml', 'a.log'], { files: again })).code).toBe(0);
    const second = await meshgate(['tighten', '--policy', 'meshgate.yaml', 'a.log'], { files: again });
    expect([second.code, second.out]).toEqual([0, expect.stringContaining('nothing to remove')]);
  });
});

const POLICY = `version: 1
gateway: { insecure_http: true }
providers: { okta: { issuer: https://login.example.com, audiences: [wiki] } }
roles:
  reader: { group: readers } # everyone
  editor: { group: editors }
  admin: { group: admins }
  breakglass: { group: breakglass }
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
  wiki.example.com:
    /*:
      service: wiki
      allow:
        - { role: reader, methods: [GET] }
        - { role: editor, methods: [POST, PUT] }
    /admin/*: { service: wiki, allow: [admin, breakglass] }
    /status: { service: wiki, allow: [reader] }
tests:
  - { as: { roles: [editor] }, PUT: https://wiki.example.com/x, expect: allowed }
`;

const line = (changed: Readonly<Record<string, unknown>>) => lineText({ 'meshgate.identity': '', ...changed });
const post = { 'http.request.method': 'POST', 'user.roles': 'editor', 'meshgate.rule': 'wiki.example.com/*#2' };
const admin = {
  'url.path': '/admin/x',
  'http.route': 'wiki.example.com/admin/*',
  'user.roles': 'admin',
  'meshgate.rule': 'wiki.example.com/admin/*#1',
};
const LOG = [line({}), line(post), line(admin)];
const run = (args: readonly string[], lines: readonly string[] = LOG, policy = POLICY) =>
  meshgate(['tighten', ...args, 'a.log'], {
    files: { './meshgate.yaml': policy, 'meshgate.yaml': policy, 'a.log': `${lines.join('\n')}\n` },
  });

test('prints the evidence, and a patch', async () => {
  const { code, out } = await run([]);
  expect(code).toBe(1);
  expect(out).toBe(`3 requests from 2026-03-04 to 2026-03-04
remove meshgate.yaml:17:11 PUT of rule wiki.example.com/*#2: role editor, POST PUT: never used
remove meshgate.yaml:18:47 rule wiki.example.com/admin/*#2: role breakglass: never used
remove roles.breakglass: nothing uses it then
leave meshgate.yaml:19:5 route wiki.example.com/status with role reader: never used, but its paths would then belong to wiki.example.com/*
this test of the policy then fails: meshgate.yaml:20:5 tests[0]: PUT https://wiki.example.com/x
2 grants to remove; a replay of the log with the patch changes nothing

--- a/meshgate.yaml
+++ b/meshgate.yaml
@@ -5,7 +5,6 @@
   reader: { group: readers } # everyone
   editor: { group: editors }
   admin: { group: admins }
-  breakglass: { group: breakglass }
 services:
   wiki: { insecure_url: "http://wiki:8080" }
 hosts:
@@ -14,8 +13,8 @@
       service: wiki
       allow:
         - { role: reader, methods: [GET] }
-        - { role: editor, methods: [POST, PUT] }
-    /admin/*: { service: wiki, allow: [admin, breakglass] }
+        - { role: editor, methods: [POST] }
+    /admin/*: { service: wiki, allow: [admin] }
     /status: { service: wiki, allow: [reader] }
 tests:
   - { as: { roles: [editor] }, PUT: https://wiki.example.com/x, expect: allowed }
`);
});

test('the same as JSON', async () => {
  const { out } = await run(['--json']);
  expect(JSON.parse(out)).toMatchObject({
    requests: 3,
    remove: [
      { kind: 'methods', methods: ['PUT'], at: { line: 17 } },
      { kind: 'rule', at: { line: 18, column: 47 } },
    ],
    definitions: ['roles.breakglass'],
    leave: [{ kind: 'route', why: 'its paths would then belong to wiki.example.com/*' }],
  });
});

describe('a rule that is rare by nature stays', () => {
  test('with --keep', async () => {
    const { out } = await run(['--keep', 'breakglass']);
    expect(out).not.toContain('remove meshgate.yaml:18');
    expect(out).not.toContain('roles.breakglass');
  });

  test.each([
    ['on its line', POLICY.replace('breakglass] }', 'breakglass] } # meshgate:keep')],
    ['above it', POLICY.replace('    /admin/*:', '    # meshgate:keep: for emergencies\n    /admin/*:')],
  ])('with a comment %s', async (_name, policy) => {
    expect((await run([], LOG, policy)).out).not.toContain('breakglass: never used');
  });

  test('and a name that no rule has is an error', async () => {
    const { code, err } = await run(['--keep', 'breakglas']);
    expect(code).toBe(2);
    expect(err).toContain('--keep breakglas: no rule has this role or agent');
  });
});

test('with --days, an older use does not count, and the evidence names it', async () => {
  const old = line({ ...admin, time: '2025-11-01T08:00:00+00:00' });
  const [first, second] = LOG as [string, string];
  expect((await run([], [old, first, second])).out).not.toContain('admin/*#1');
  const { out } = await run(['--days', '30'], [old, first, second]);
  expect(out).toContain('3 requests from 2025-11-01 to 2026-03-04, of which the last 30 days count\n');
  expect(out).toContain(
    'route wiki.example.com/admin/* with role admin; role breakglass: last used 2025-11-01, but its paths would then belong to',
  );
});

test.each([
  ['a refused request', line({ ...refused('role_missing', 'admin', 'wiki.example.com/*#1') }), true],
  ['a request of another role', line({ 'user.roles': 'reader,breakglass' }), true],
  [
    'a request that used up its budget',
    line({ ...admin, ...refused('limit_exceeded', 'breakglass', 'wiki.example.com/admin/*#2') }),
    false,
  ],
  ['an allowed request whose path was cut', line({ ...admin, 'url.path': '/admin/\ufffd' }), false],
  ['an allowed request whose roles were cut', line({ ...admin, 'user.roles': 'admin,\ufffd' }), false],
  [
    'an allowed request of another policy whose path was cut, and for which the policy now has a route of its own',
    line({
      ...admin,
      'url.path': '/admin/\ufffd',
      'http.route': 'wiki.example.com/*',
      'meshgate.rule': 'wiki.example.com/*#1',
      'meshgate.policy': 'ffff',
    }),
    false,
  ],
  [
    'an allowed request of another policy whose path was cut where a narrower route can begin',
    line({ 'url.path': '/adm\ufffd', 'user.roles': 'breakglass', 'meshgate.policy': 'ffff' }),
    false,
  ],
  [
    'an allowed request of another policy whose path was cut elsewhere',
    line({ 'url.path': '/administration\ufffd', 'user.roles': 'breakglass', 'meshgate.policy': 'ffff' }),
    true,
  ],
  [
    'an allowed request of another policy whose path was cut within an escape',
    line({ 'url.path': '/%61dmin/%\ufffd', 'user.roles': 'breakglass', 'meshgate.policy': 'ffff' }),
    false,
  ],
  [
    'an allowed request of another policy whose host was cut',
    line({ ...admin, 'server.address': 'wiki.exam\ufffd', 'meshgate.policy': 'ffff' }),
    false,
  ],
  [
    'an allowed request of another policy with a role that this one does not define',
    line({ ...admin, 'user.roles': 'emergency', 'meshgate.policy': 'ffff' }),
    false,
  ],
  [
    'an allowed request of another policy that needs no role which this one does not define',
    line({ ...admin, 'user.roles': 'emergency,admin', 'meshgate.policy': 'ffff' }),
    true,
  ],
  [
    'an allowed request of another policy',
    line({ ...admin, 'user.roles': 'breakglass', 'meshgate.policy': 'ffff' }),
    false,
  ],
])('%s', async (_name, text, isRemoved) => {
  expect((await run([], [...LOG, text])).out.includes('breakglass: never used')).toBe(isRemoved);
});

test('HEAD is a use of GET', async () => {
  const policy = POLICY.replace('methods: [POST, PUT]', 'methods: [POST, GET]')
    .replace('PUT: https', 'POST: https')
    .replace('roles: [reader]', 'roles: [editor]');
  const head = line({ ...post, 'http.request.method': 'HEAD' });
  expect((await run([], [...LOG, head], policy)).out).not.toContain('GET of rule');
  expect((await run([], LOG, policy)).out).toContain('GET of rule wiki.example.com/*#2');
});

test('a log without a used host proposes nothing', async () => {
  const { code, out } = await run([], [line(refused('role_missing', '', 'wiki.example.com/*#1'))]);
  expect(code).toBe(0);
  expect(out).toContain('but no request used any host of the policy\n');
});

test('a host stays if a wildcard host would get its requests', async () => {
  const policy = POLICY.replace(
    'tests:',
    '  docs.example.com: { /*: { service: wiki, allow: [admin] } }\n  "*.example.com": { /*: { service: wiki, allow: [reader] } }\ntests:',
  );
  const other = line({
    'server.address': 'x.example.com',
    'http.route': '*.example.com/*',
    'meshgate.rule': '*.example.com/*#1',
  });
  expect((await run([], [...LOG, other], policy)).out).toContain(
    'but its requests would then belong to *.example.com\n',
  );
});

test('a rule that two routes share by an alias stays if one of them uses it, and the other route goes', async () => {
  const policy = POLICY.replace(
    '/admin/*: { service: wiki, allow: [admin, breakglass] }',
    '/admin/*: { service: wiki, allow: &who [admin, breakglass] }',
  ).replace(
    'tests:',
    '  docs.example.com:\n    /a: { service: wiki, allow: *who }\n    /b: { service: wiki, allow: *who }\ntests:',
  );
  const docs = line({
    ...admin,
    'server.address': 'docs.example.com',
    'url.path': '/a',
    'http.route': 'docs.example.com/a',
    'user.roles': 'breakglass',
    'meshgate.rule': 'docs.example.com/a#2',
  });
  const { out } = await run([], [...LOG, docs], policy);
  expect(out).toContain('route docs.example.com/b with role admin; role breakglass: never used\n');
  expect(out).not.toMatch(/remove .*rule .*breakglass/);
  expect(rulesIn(applied(policy, out))['docs.example.com']).toEqual({ '/a': ['admin', 'breakglass'] });
});

test('a route stays if another one uses its rules by an alias', async () => {
  const policy = POLICY.replace(
    'tests:',
    '  docs.example.com:\n    /a: { service: wiki, allow: &who [admin] }\n    /b: { service: wiki, allow: *who }\ntests:',
  );
  const docs = line({
    ...admin,
    'server.address': 'docs.example.com',
    'url.path': '/b',
    'http.route': 'docs.example.com/b',
    'meshgate.rule': 'docs.example.com/b#1',
  });
  const { out } = await run([], [...LOG, docs], policy);
  expect(out).toMatch(/^leave .* route docs\.example\.com\/a with role admin: never used, but .*anchor/m);
  expect(out).toContain('2 grants to remove');
});

test('grants of a profile are named, and stay', async () => {
  const policy = readFileSync('docs/examples/confluence.yaml', 'utf8');
  const text = line({
    'meshgate.rule': 'wiki.example.com/*#1',
    'user.roles': 'confluence-users',
    'url.path': '/display/HOME',
  });
  const { code, out } = await run([], [text], policy);
  expect(code).toBe(0);
  expect(out).toMatch(
    /^leave meshgate\.yaml:\d+:\d+ \(.*confluence\.yaml:\d+:\d+\) .*: never used, but it comes from a profile$/m,
  );
  expect(out).toContain('nothing to remove\n');
});

test('a route stays if its paths would then belong to a wider one that cannot be removed', async () => {
  const used = line(admin);
  const policy = POLICY.replace(
    '    /*:\n      service: wiki\n      allow:\n',
    '    /open: { service: wiki, allow: [reader] }\n    /*:\n      service: wiki\n      allow: &wide\n',
  )
    .replace('    /admin/*:', '    /pages/*: { service: wiki, allow: [admin] }\n    /admin/*:')
    .replace('tests:', '  docs.example.com:\n    /a: { service: wiki, allow: *wide }\ntests:');
  const docs = line({
    'server.address': 'docs.example.com',
    'url.path': '/a',
    'http.route': 'docs.example.com/a',
    'meshgate.rule': 'docs.example.com/a#1',
  });
  const { out } = await run([], [used, docs], policy);
  expect(out).toMatch(/^leave .* route wiki\.example\.com\/\* with /m);
  expect(out).toMatch(
    /^leave .* route wiki\.example\.com\/pages\/\* with .*: never used, but its paths would then belong to wiki\.example\.com\/\*$/m,
  );
});

test('a host stays if its requests would then belong to a wider one that cannot be removed', async () => {
  const policy = POLICY.replace(
    'tests:',
    '  "*.wide.example.com":\n    /*: { service: wiki, allow: &wide [reader] }\n  narrow.wide.example.com:\n    /*: { service: wiki, allow: [admin] }\n  docs.example.com:\n    /a: { service: wiki, allow: *wide }\ntests:',
  );
  const docs = line({
    'server.address': 'docs.example.com',
    'url.path': '/a',
    'http.route': 'docs.example.com/a',
    'meshgate.rule': 'docs.example.com/a#1',
  });
  const { out } = await run([], [...LOG, docs], policy);
  expect(out).toMatch(/^leave .* host \*\.wide\.example\.com with /m);
  expect(out).toMatch(
    /^leave .* host narrow\.wide\.example\.com with .*: never used, but its requests would then belong to \*\.wide\.example\.com$/m,
  );
});

test('a grant in the file of a team is removed there, and a section that becomes empty goes, too', async () => {
  const files = { 'gw/m.yaml': PLATFORM, 'gw/teams/pay.yaml': PAY, 'gw/teams/ops.yaml': OPS };
  const used = line({
    'server.address': 'pay.example.com',
    'http.route': 'pay.example.com/*',
    'meshgate.rule': 'pay.example.com/*#1',
    'user.roles': 'staff',
  });
  const { out } = await meshgate(['tighten', '--policy', 'gw/m.yaml', 'a.log'], {
    files: { ...files, 'a.log': `${used}\n` },
  });
  expect(out).toContain('remove gw/teams/pay.yaml:8:44 rule pay.example.com/*#2: role pay.clerk');
  expect(out).toContain('--- a/gw/teams/pay.yaml\n+++ b/gw/teams/pay.yaml\n');
  expect(out).toContain('+    /*: { service: pay-web, allow: [staff] }\n');
  expect(out).toContain('--- a/gw/teams/ops.yaml\n+++ b/gw/teams/ops.yaml\n@@ -1,16 +1,1 @@\n version: 1\n-roles:\n');
});

test('counts requests that another policy allowed and this one denies', async () => {
  const other = line({ 'user.roles': 'editor', 'meshgate.policy': 'ffff' });
  expect((await run([], [...LOG, other])).out).toContain('\n1 request of another policy that this policy denies\n');
});

test('a grant in an overlay is removed there', async () => {
  const overlay = 'hosts:\n  wiki.example.com:\n    /status: { service: wiki, allow: [reader, admin] }\n';
  const files = {
    'meshgate.yaml': POLICY.replace('tests:', '    /x: { service: wiki, allow: [admin] }\ntests:'),
    'prod.yaml': overlay,
    'a.log': `${LOG.join('\n')}\n${line({ 'url.path': '/status', 'http.route': 'wiki.example.com/status', 'meshgate.rule': 'wiki.example.com/status#1' })}\n`,
  };
  const { out } = await meshgate(['tighten', '--policy', 'meshgate.yaml', '--overlay', 'prod.yaml', 'a.log'], {
    files,
  });
  expect(out).toContain('--- a/prod.yaml\n+++ b/prod.yaml\n');
  expect(out).toContain('+    /status: { service: wiki, allow: [reader] }\n');
});

test.each([
  ['a line cannot be read', ['nonsense'], [], 3],
  ['the log is empty', [''], [], 3],
  ['the log is standard input', LOG, ['-'], 2],
  ['the days are no number', LOG, ['--days', 'x'], 2],
])('exits with an error if %s', async (_name, lines, args, code) => {
  expect((await run(args, lines)).code).toBe(code);
});

describe('the patch', () => {
  test('changes a file whose lines end with CR and LF', async () => {
    const policy = POLICY.replaceAll('\n', '\r\n');
    const { out, err } = await run([], LOG, policy);
    expect(err).toBe('');
    expect(applied(policy, out)).toBe(
      policy
        .replace('  breakglass: { group: breakglass }\r\n', '')
        .replace('[POST, PUT]', '[POST]')
        .replace('[admin, breakglass]', '[admin]'),
    );
  });

  test.each([
    ['/home/ann/gw/meshgate.yaml', 'gw/meshgate.yaml', false],
    ['/etc/meshgate/meshgate.yaml', 'etc/meshgate/meshgate.yaml', true],
  ])('of %s has the name %s', async (file, name, fromRoot) => {
    const files = { [file]: POLICY, 'a.log': `${LOG.join('\n')}\n` };
    const { out } = await meshgate(['tighten', '--policy', file, 'a.log'], { files });
    expect(out).toContain(`\n--- a/${name}\n+++ b/${name}\n`);
    expect(out.includes('\nto apply the patch, pass this output to: patch -p1 -d /\n')).toBe(fromRoot);
  });

  test('says that a control character in the policy is escaped, and is exact as JSON', async () => {
    const policy = POLICY.replace('# everyone', '# every\u200eone');
    const { err } = await run([], LOG, policy);
    expect(err).toBe(
      'the patch has escapes in place of control characters: to apply it, take "patch" of --format json\n',
    );
    const { out } = await run(['--format', 'json'], LOG, policy);
    expect(applied(policy, JSON.parse(out).patch)).toContain('# every\u200eone');
  });
});

test.each([
  ['has its name from it', '', true],
  ['has a name of its own', ', host: docs.example.com', false],
])('a host stays if the sealed log %s', async (_name, own, isKept) => {
  const policy = POLICY.replace(
    'insecure_http: true',
    `insecure_http: true, audit: { log: /var/log/a.log${own} }`,
  ).replace('hosts:\n', 'hosts:\n  docs.example.com: { /*: { service: wiki, allow: [admin] } }\n');
  const { out } = await run([], LOG, policy);
  expect(out.includes('leave meshgate.yaml:12:3 host docs.example.com')).toBe(isKept);
  expect(out.includes('to remove it, first write gateway.audit.host: docs.example.com\n')).toBe(isKept);
  expect(out.includes('remove meshgate.yaml:12:3 host docs.example.com')).toBe(!isKept);
});
