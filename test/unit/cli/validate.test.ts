import { describe, expect, test } from 'vitest';
import { meshgate, POLICY } from './fake.ts';

const file = { './meshgate.yaml': POLICY };
const withTests = (...tests: string[]) => ({
  './meshgate.yaml': `${POLICY}tests:\n${tests.map((it) => `  - ${it}\n`).join('')}`,
});

describe('a valid policy', () => {
  test('is the one that MESHGATE_POLICY names, unless the command line names another or the value is empty', async () => {
    const files = { '/etc/meshgate/m.yaml': POLICY, './meshgate.yaml': 'version: 1', 'other.yaml': 'version: 2' };
    const validate = async (MESHGATE_POLICY: string, ...args: string[]) =>
      (await meshgate(['validate', ...args], { files, env: { MESHGATE_POLICY } })).out.split('\n').at(-2);
    expect(await validate('/etc/meshgate/m.yaml')).toContain('/etc/meshgate/m.yaml: valid: ');
    expect(await validate('/etc/meshgate/m.yaml', 'other.yaml')).toContain('other.yaml: invalid: ');
    expect(await validate('/etc/meshgate/m.yaml', '--policy', 'other.yaml')).toContain('other.yaml: invalid: ');
    expect(await validate('')).toMatch(/^meshgate\.yaml: /);
    expect((await meshgate(['test'], { files, env: { MESHGATE_POLICY: '/nowhere' } })).err).toContain('/nowhere');
  });

  test('has the stage that MESHGATE_OVERLAY and MESHGATE_ENV name, unless the command line names a policy or a stage', async () => {
    const files = {
      '/etc/meshgate/m.yaml': POLICY,
      'a.yaml': 'gateway:\n  listen: ${PORT}',
      'b.yaml': 'gateway: { ip_versions: [4, 6] }',
      'other.yaml': POLICY,
    };
    const env = {
      ...{ MESHGATE_POLICY: '/etc/meshgate/m.yaml', MESHGATE_OVERLAY: ' a.yaml  b.yaml', MESHGATE_ENV: 'PORT HOST' },
      PORT: '9443',
    };
    const validate = async (...args: string[]) =>
      (await meshgate(['validate', ...args], { files, env })).out.split('\n').at(-2);
    expect(await validate()).toContain('/etc/meshgate/m.yaml with a.yaml with b.yaml: valid: ');
    expect(await validate('--overlay', 'b.yaml')).toContain('/etc/meshgate/m.yaml with b.yaml: valid: ');
    expect(await validate('other.yaml')).toMatch(/^other\.yaml: valid: /);
    expect(await validate('--policy', 'other.yaml')).toMatch(/^other\.yaml: valid: /);
  });

  test('prints one line and what is insecure, with exit code 0', async () => {
    expect(await meshgate(['validate'], { files: file })).toEqual({
      code: 0,
      out:
        'insecure: gateway.insecure_http: the gateway serves plain HTTP, so tokens are not encrypted\n' +
        'meshgate.yaml: valid: 1 host, 3 routes, 5 rules, 4 roles, 2 providers, 1 service; no tests\n',
      err: '',
      written: {},
    });
  });

  test('is read from standard input, or from --policy', async () => {
    const { out } = await meshgate(['validate', '-'], { files: { '-': POLICY } });
    expect(out).toContain('stdin: valid: ');
    expect((await meshgate(['validate', '--policy', 'x.yaml'], { files: { 'x.yaml': POLICY } })).code).toBe(0);
  });

  test('as JSON', async () => {
    const { code, out } = await meshgate(['validate', '--format', 'json'], {
      files: withTests('{ as: nobody, GET: https://wiki.example.com/status, expect: allowed }'),
    });
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({
      file: 'meshgate.yaml',
      valid: true,
      digest: expect.stringMatching(/^[0-9a-f]{32}$/),
      errors: [],
      insecure: ['insecure: gateway.insecure_http: the gateway serves plain HTTP, so tokens are not encrypted'],
      advice: [],
      tests: [
        {
          at: { file: 'meshgate.yaml', line: 40, column: 5 },
          as: 'an anonymous caller',
          method: 'GET',
          url: 'https://wiki.example.com/status',
          expect: 'allowed',
          got: 'allowed',
          passed: true,
          rule: 'wiki.example.com/status#1',
          ruleAt: { file: 'meshgate.yaml', line: 38, column: 39 },
        },
      ],
    });
  });
});

describe('mistakes', () => {
  const bad = POLICY.replace('role: reader', 'role: raeder').replace('clients: [robot]', 'clinets: [robot]');

  test('are printed in one run, each with its place; exit code 1', async () => {
    const { code, out, err } = await meshgate(['validate'], { files: { './meshgate.yaml': bad } });
    expect(code).toBe(1);
    expect(err).toBe('');
    const lines = out.trimEnd().split('\n');
    expect(lines).toContain(
      'meshgate.yaml:34:19 hosts."wiki.example.com"."/*".allow[0].role: no role "raeder"; did you mean "reader"?',
    );
    expect(lines.some((line) => line.startsWith('meshgate.yaml:5:') && line.includes('"clients"'))).toBe(true);
    expect(lines.at(-1)).toMatch(/^meshgate\.yaml: invalid: \d+ errors$/);
  });

  test('as JSON', async () => {
    const { code, out } = await meshgate(['validate', '--format', 'json'], { files: { './meshgate.yaml': bad } });
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      valid: false,
      errors: expect.arrayContaining([
        {
          at: { file: 'meshgate.yaml', line: 34, column: 19 },
          path: 'hosts."wiki.example.com"."/*".allow[0].role',
          message: 'no role "raeder"; did you mean "reader"?',
        },
      ]),
    });
  });

  test('a file that is not UTF-8', async () => {
    const { code, out } = await meshgate(['validate', 'x'], { files: { x: new Uint8Array([0x61, 0xff]) } });
    expect(code).toBe(1);
    expect(out).toBe('x:1:1: the file is not UTF-8\nx: invalid: 1 error\n');
  });
});

describe('tests of the policy', () => {
  const failures = async (...tests: string[]) => {
    const { code, out } = await meshgate(['validate'], { files: withTests(...tests) });
    return { code, lines: out.split('\n').filter((line) => line.includes('tests[')) };
  };

  test('that pass', async () => {
    const run = await meshgate(['validate'], {
      files: withTests(
        '{ as: nobody, GET: https://wiki.example.com/, expect: credential_missing }',
        '{ as: { roles: [reader] }, GET: https://wiki.example.com/x, expect: allowed }',
        '{ as: { roles: [reader] }, GET: https://wiki.example.com/admin/x, expect: role_missing }',
        '{ as: { roles: [reader] }, GET: https://wiki.example.com//x, expect: path_not_canonical }',
        '{ as: { roles: [] }, GET: https://other.example.com/, expect: host_unknown }',
        '{ as: { provider: okta, claims: { dept: wiki, groups: [] } }, POST: https://wiki.example.com/x, expect: allowed }',
        '{ as: { provider: okta, claims: { dept: wiki, groups: [guests] } }, POST: https://wiki.example.com/x, expect: role_missing }',
        '{ as: { provider: ci, claims: { scope: "build x" } }, POST: https://wiki.example.com/x, expect: allowed }',
        '{ as: { provider: ci, claims: { azp: other } }, POST: https://wiki.example.com/x, expect: audience_mismatch }',
        '{ as: { provider: okta, claims: { exp: 5 } }, POST: https://wiki.example.com/x, expect: token_expired }',
        '{ as: { provider: okta, claims: { iss: "https://evil.test" } }, GET: https://wiki.example.com/x, expect: issuer_unknown }',
      ),
    });
    expect(run.out).toContain('; 11 tests pass\n');
    expect(run.code).toBe(0);
  });

  test('that were refused unexpectedly: the nearest rule', async () => {
    expect(await failures('{ as: { roles: [reader] }, POST: https://wiki.example.com/x, expect: allowed }')).toEqual({
      code: 1,
      lines: [
        'meshgate.yaml:40:5 tests[0]: POST https://wiki.example.com/x as reader: expected allowed, got role_missing; nearest rule wiki.example.com/*#1 at meshgate.yaml:34:11: role reader, GET HEAD, as default',
      ],
    });
  });

  test('that were allowed unexpectedly: the rule that allowed', async () => {
    expect(
      await failures('{ as: { roles: [editor] }, PUT: https://wiki.example.com/x, expect: role_missing }'),
    ).toEqual({
      code: 1,
      lines: [
        'meshgate.yaml:40:5 tests[0]: PUT https://wiki.example.com/x as editor: expected role_missing, got allowed; by wiki.example.com/*#2 at meshgate.yaml:35:11: role editor, as wiki-editor',
      ],
    });
  });

  test('with another reason: the expected and the actual one', async () => {
    expect(
      await failures(
        '{ as: { provider: okta, claims: { aud: x } }, GET: https://wiki.example.com/x, expect: allowed }',
      ),
    ).toEqual({
      code: 1,
      lines: [
        'meshgate.yaml:40:5 tests[0]: GET https://wiki.example.com/x as a caller of okta: expected allowed, got audience_mismatch (the token is for "x", this route requires "api://wiki")',
      ],
    });
  });

  test('of a host that does not accept the provider', async () => {
    const files = withTests(
      '{ as: { provider: ci, claims: {} }, GET: https://small.example.com/, expect: issuer_unknown }',
    );
    const small = '  small.example.com: { providers: [okta], /*: { service: wiki, allow: [{ role: reader }] } }\n';
    files['./meshgate.yaml'] = files['./meshgate.yaml'].replace('tests:\n', `${small}tests:\n`);
    expect((await meshgate(['validate'], { files })).out).toContain('1 test passes');
  });
});

describe('wrong use', () => {
  test.each([
    [['validate', 'none.yaml'], 'meshgate: cannot read the policy none.yaml: there is no such file\n'],
    [['validate', 'a', '--policy', 'b'], 'meshgate: two policies, a and b: give only one\n'],
    [['validate', '--format', 'xml'], 'Expected "xml" to be one of (text|json)'],
    [['validate', 'a', 'b'], 'Too many arguments'],
    [['valdate'], 'No command registered for `valdate`, did you mean `validate`?'],
  ])('%j', async (args, message) => {
    const { code, out, err } = await meshgate(args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(message);
  });
});

describe('colour', () => {
  const verdict = async (given: object) =>
    (await meshgate(['validate'], { files: file, ...given })).out.includes('\x1b[32m');

  test('is used on a terminal only, and not with NO_COLOR', async () => {
    expect(await verdict({ terminal: true, env: { TERM: 'xterm' } })).toBe(true);
    expect(await verdict({ terminal: false, env: { TERM: 'xterm' } })).toBe(false);
    expect(await verdict({ terminal: true, env: { TERM: 'xterm', NO_COLOR: '1' } })).toBe(false);
    expect(await verdict({ terminal: true, env: { TERM: 'dumb' } })).toBe(false);
  });
});

describe('--nginx', () => {
  const read = async () => {
    const { written } = await meshgate(['render', '--target', 'nginx', '--out', '/etc/nginx/meshgate'], {
      files: {
        ...file,
        '/opt/meshgate/meshgate.js': '',
        '/opt/meshgate/hop.js': '',
        '/opt/meshgate/signin.js': '',
        '/opt/meshgate/client.js': '',
        '/opt/meshgate/health.js': '',
        '/opt/meshgate/cookies.js': '',
        '/opt/meshgate/counts.js': '',
      },
    });
    return written;
  };
  const dump = (written: Readonly<Record<string, string>>, line = '') =>
    Object.entries({
      '/etc/nginx/nginx.conf': `http { include meshgate/http.conf;\n${line}\nserver { server_name wiki.example.com; include meshgate/hosts/*; } }`,
      ...written,
    })
      .filter(([name]) => name.endsWith('.conf') && !name.endsWith('servers.conf'))
      .map(([name, content]) => `# configuration file ${name}:\n${content}\n`)
      .join('');

  test('clean: one more line, exit code 0', async () => {
    const written = await read();
    const ran = await meshgate(['validate', '--nginx', '-'], { files: { ...file, ...written, '-': dump(written) } });
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.out).toMatch(/^meshgate\.yaml: valid: .*\nnginx: clean\n$/m);
  });

  test('a warning: place, what is wrong, what to write instead; exit code 1', async () => {
    const written = await read();
    const reported = dump(written, 'js_fetch_keepalive 8;');
    const files = { ...file, ...written, 'nginx.txt': reported };
    const { code, out } = await meshgate(['validate', '--nginx', 'nginx.txt'], { files });
    expect(code).toBe(1);
    expect(out).toMatch(/^\/etc\/nginx\/nginx\.conf:2 js_fetch_keepalive .*; instead: .*\nnginx: 1 warning\n$/m);
    const json = await meshgate(['validate', '--nginx', 'nginx.txt', '--format', 'json'], { files });
    expect(json.code).toBe(1);
    expect(JSON.parse(json.out)).toMatchObject({
      valid: true,
      nginx: {
        warnings: [{ file: '/etc/nginx/nginx.conf', line: 2, text: expect.any(String), instead: expect.any(String) }],
      },
    });
  });

  test('a policy.js that cannot be read is reported on standard error', async () => {
    const written = await read();
    const { code, err } = await meshgate(['validate', '--nginx', '-'], { files: { ...file, '-': dump(written) } });
    expect(code).toBe(0);
    expect(err).toBe('not compared with the policy: /etc/nginx/meshgate/policy.js cannot be read here\n');
  });

  test('a folder is read as its dump is, and a copy of it with the prefix of nginx', async () => {
    const written = await read();
    const conf =
      'http { include /etc/nginx/meshgate/http.conf;\njs_fetch_keepalive 8;\nserver { server_name wiki.example.com; include meshgate/hosts/*; } }';
    const folder = { ...written, '/etc/nginx/nginx.conf': conf };
    const there = await meshgate(['validate', '--nginx', '/etc/nginx'], {
      files: { ...file, ...folder },
      folders: ['/etc/nginx'],
    });
    expect(there).toMatchObject({ code: 1, err: '' });
    expect(there.out).toMatch(/^\/etc\/nginx\/nginx\.conf:2 js_fetch_keepalive .*\nnginx: 1 warning\n$/m);
    const moved = Object.entries(folder).map(([name, text]) => [name.replace('/etc/nginx', '/home/ann/copy'), text]);
    const surroundings = { files: { ...file, ...Object.fromEntries(moved) }, folders: ['copy'] };
    const copy = await meshgate(['validate', '--nginx', 'copy', '--nginx-prefix', '/etc/nginx'], surroundings);
    expect(copy).toEqual({ ...there, written: {} });
    const without = await meshgate(['validate', '--nginx', 'copy'], surroundings);
    expect(without.code).toBe(2);
    expect(without.err).toMatch(/outside \/home\/ann\/copy: .* add --nginx-prefix \/etc\/nginx/);
  });

  test('wrong use: another text, no file, standard input for both', async () => {
    for (const [args, says] of [
      [['--nginx', 'meshgate.txt'], /meshgate\.txt is not output of nginx -T/],
      [['--nginx', 'none.txt'], /cannot read the output of nginx -T none\.txt: there is no such file/],
      [['--nginx', '/none'], /cannot read \/none\/nginx\.conf: there is no such file/],
      [['--nginx', '/none', '--nginx-prefix', 'etc'], /--nginx-prefix etc: write an absolute path/],
      [['--nginx', 'meshgate.txt', '--nginx-prefix', '/etc/nginx'], /needs a folder, and meshgate\.txt is a file/],
      [['--nginx-prefix', '/etc/nginx'], /--nginx-prefix needs --nginx/],
      [['--nginx', '-', '-'], /only one file can come from standard input/],
    ] as const) {
      const { code, err } = await meshgate(['validate', ...args], {
        files: { ...file, '-': POLICY, 'meshgate.txt': 'nginx: [emerg] no' },
        folders: ['/none'],
      });
      expect(code).toBe(2);
      expect(err).toMatch(says);
    }
  });
});

describe('advice', () => {
  test('gives advice on the headers of a service, with its place; the policy is valid', async () => {
    const advised = POLICY.replace(/\nhosts:/, '\nheaders: { X-Team-User: subject }\nhosts:');
    const { code, out } = await meshgate(['validate'], { files: { './meshgate.yaml': advised } });
    expect(out).toMatch(/^advice: meshgate\.yaml:\d+:\d+ services\.\w+: it may read X-Team-Username, /m);
    expect(code).toBe(0);
    const json = JSON.parse(
      (await meshgate(['validate', '--format', 'json'], { files: { './meshgate.yaml': advised } })).out,
    );
    expect(json.advice).toEqual([
      {
        at: expect.objectContaining({ file: 'meshgate.yaml' }),
        path: expect.stringMatching(/^services\./),
        text: expect.any(String),
      },
    ]);
  });
});

describe('a folder of pages', () => {
  const text = `version: 1
gateway:
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }
  session: { keys_file: /run/session.jwks }
  signin: { pages_dir: /etc/meshgate/pages }
providers: { okta: { issuer: https://login.example.com, client: { id: wiki } } }
services: { wiki: { url: https://wiki.internal } }
hosts: { wiki.example.com: { /*: { service: wiki, allow: [authenticated] } } }
`;
  const dir = '/etc/meshgate/pages';
  const page = '<html lang="{{lang}}"><title>{{title}}</title>{{main}}';

  test('is read with all its mistakes in one run', async () => {
    const files = {
      './meshgate.yaml': text,
      [`${dir}/page.html`]: `${page}\n{{mian}}`,
      [`${dir}/de.json`]: '{"nothing":"x"}',
      [`${dir}/logo.svg`]: new Uint8Array([255]),
    };
    const { code, out } = await meshgate(['validate'], { files });
    expect(code).toBe(1);
    expect(out).toContain(`${dir}/page.html:2:1`);
    expect(out).toContain('no slot "mian"; there are {{lang}} {{title}} {{main}} {{host}} {{stylesheet}}');
    expect(out).toContain(`${dir}/de.json:1:1`);
    expect(out).toContain('meshgate.yaml: invalid: 2 errors');
    const good = await meshgate(['validate'], { files: { './meshgate.yaml': text, [`${dir}/page.html`]: page } });
    expect([good.code, good.err]).toEqual([0, '']);
    expect(good.out).toContain('sessions: room for 4000 people: 32 MB for records, 6 MB for revocations');
    const many = text.replace('session.jwks }', 'session.jwks, people: 100000 }');
    const { out: more } = await meshgate(['validate'], {
      files: { './meshgate.yaml': many, [`${dir}/page.html`]: page },
    });
    expect(more).toContain('sessions: room for 100000 people: 782 MB for records, 149 MB for revocations');
  });

  test('and sessions that a restart may lose are reported as insecure', async () => {
    const forgetful = text.replace('session.jwks }', 'session.jwks, insecure_forget_revocations: true }');
    const { code, out } = await meshgate(['validate'], { files: { './meshgate.yaml': forgetful } });
    expect([code, out.split('\n')[0]]).toEqual([
      0,
      'insecure: gateway.session.insecure_forget_revocations: a restart may erase revocations',
    ]);
    const store = forgetful.replace('providers:', '  store: { etcd: [https://etcd-0:2379] }\nproviders:');
    const shared = await meshgate(['validate'], { files: { './meshgate.yaml': store } });
    expect([shared.code, shared.out]).toEqual([
      1,
      expect.stringContaining('the store keeps revocations over a restart'),
    ]);
  });

  test('on another machine is reported', async () => {
    const { code, err } = await meshgate(['validate'], { files: { './meshgate.yaml': text } });
    expect([code, err]).toEqual([0, `not checked: ${dir} is not on this machine\n`]);
  });
});
