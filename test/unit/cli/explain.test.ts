import { describe, expect, test } from 'vitest';
import { meshgate, POLICY, token } from './fake.ts';

const NOW = 1_800_000_000;
const WIKI = 'https://wiki.example.com';

const claims = { iss: 'https://login.example.com', aud: 'api://wiki', sub: 'ann', exp: NOW + 60, iat: NOW };

const explain = (args: readonly string[], files: Readonly<Record<string, string>> = {}) =>
  meshgate(['explain', ...args], { files: { './meshgate.yaml': POLICY, ...files }, now: NOW });

const withToken = (text: string, ...args: string[]) =>
  explain(['--token', 'token.txt', ...args], { 'token.txt': text });

describe('with roles', () => {
  test('allowed: rule, identity, route, service, and each rule with what decided', async () => {
    const { code, out, err } = await explain(['--as', 'editor', 'POST', `${WIKI}/x`]);
    expect(out).toBe(`POST https://wiki.example.com/x
allowed by wiki.example.com/*#2  meshgate.yaml:35:11
identity  wiki-editor (spiffe://example.org/wiki-editor)
route     wiki.example.com/*  meshgate.yaml:31:5
service   wiki, through the mesh ingress (wiki.mesh)
caller    editor (as given)
rules
  no  wiki.example.com/*#1: role reader, GET HEAD, as default  meshgate.yaml:34:11
      no  role "reader": not given  meshgate.yaml:7:3
      no  method POST in GET HEAD  meshgate.yaml:34:11
  yes wiki.example.com/*#2: role editor, as wiki-editor  meshgate.yaml:35:11
      yes role "editor": given  meshgate.yaml:8:3
  no  wiki.example.com/*#3: role builder, POST, as wiki-editor  meshgate.yaml:36:11
      no  role "builder": not given  meshgate.yaml:14:3
      yes method POST in POST  meshgate.yaml:36:11
`);
    expect({ code, err }).toEqual({ code: 0, err: '' });
  });

  test('denied: reason, status, help, the nearest rule and the role that would pass', async () => {
    const { code, out } = await explain(['--as', 'reader', 'DELETE', `${WIKI}/x`]);
    expect(code).toBe(1);
    expect(out).toContain('denied: role_missing (403)\n  You are signed in, but none of your roles may do this here');
    expect(out.trimEnd().split('\n').slice(-2)).toEqual([
      'nearest rule  wiki.example.com/*#1: role reader, GET HEAD, as default  meshgate.yaml:34:11',
      'role editor would pass, by wiki.example.com/*#2',
    ]);
  });

  test('the anonymous caller is the default', async () => {
    const { code, out } = await explain(['GET', `${WIKI}/x`]);
    expect(code).toBe(1);
    expect(out).toContain('denied: credential_missing (401)');
    expect(out).toContain('caller    an anonymous caller');
    expect(await explain(['--as', 'nobody', 'GET', `${WIKI}/x`])).toMatchObject({ out });
    expect((await explain(['GET', `${WIKI}/status`])).code).toBe(0);
  });

  test('as JSON', async () => {
    const { out } = await explain(['--as', 'reader', '--format', 'json', 'POST', `${WIKI}/status/x`]);
    expect(JSON.parse(out)).toMatchObject({
      method: 'POST',
      allowed: false,
      reason: 'role_missing',
      status: 403,
      nearest: { id: 'wiki.example.com/*#1', at: { line: 34 } },
      wouldPass: { who: 'editor', rule: 'wiki.example.com/*#2' },
      host: 'wiki.example.com',
      route: { name: 'wiki.example.com/*', at: { line: 31 } },
      service: { name: 'wiki', authority: 'wiki.mesh', direct: false },
      caller: { kind: 'roles', roles: ['reader'] },
      rules: [
        {
          id: 'wiki.example.com/*#1',
          passed: false,
          conditions: [
            { text: 'role "reader": given', held: true, at: { line: 7 } },
            { text: 'method POST in GET HEAD', held: false },
          ],
        },
        { passed: false },
        { passed: false },
      ],
    });
  });

  test('as JSON, allowed: the identity', async () => {
    const { out } = await explain(['--as', 'reader', '--format', 'json', 'GET', `${WIKI}/x`]);
    expect(JSON.parse(out)).toMatchObject({
      allowed: true,
      identity: 'spiffe://example.org/gateway',
      rule: { id: 'wiki.example.com/*#1', as: 'default' },
    });
  });
});

describe('before any rule', () => {
  test.each([
    ['https://other.test/', 'host_unknown (421)'],
    [`${WIKI}//x`, 'path_not_canonical (400)'],
    [`${WIKI}/%zz`, 'request_malformed (400)'],
    [`${WIKI}/.meshgate/x`, 'route_unknown (404)'],
  ])('%s → %s', async (url, reason) => {
    const { code, out } = await explain(['GET', url]);
    expect({ code, line: out.split('\n')[1] }).toEqual({ code: 1, line: `denied: ${reason}` });
  });

  test('methods that nginx refuses itself', async () => {
    expect((await explain(['TRACE', `${WIKI}/status`])).out).toContain('nginx itself refuses TRACE (405)');
  });
});

describe('with a token', () => {
  test('that is bound to a key if no proof is accepted', async () => {
    for (const [name, detail] of [
      ['jkt', 'the policy accepts no proofs: add gateway.proof'],
      ['x5t#S256', 'no host has a CA for clients'],
    ] as const) {
      const cnf = { [name]: Buffer.alloc(32, 1).toString('base64url') };
      const { code, out } = await withToken(token({ ...claims, groups: ['editors'], cnf }), 'POST', `${WIKI}/x`);
      expect(code).toBe(1);
      expect(out).toContain('denied: proof_missing (401)');
      expect(out).toContain(detail);
    }
  });

  test('roles and the facts that gave them, each with its place', async () => {
    const { code, out } = await withToken(token({ ...claims, groups: ['editors'] }), 'POST', `${WIKI}/x`);
    expect(code).toBe(0);
    expect(out).toContain('caller    "okta-ann" of okta; roles: editor\n          the signature is not checked');
    expect(out).toContain(`
  yes wiki.example.com/*#2: role editor, as wiki-editor  meshgate.yaml:35:11
      yes role "editor"  meshgate.yaml:8:3
        yes any  meshgate.yaml:8:3
          yes group "editors" of okta  meshgate.yaml:10:9
`);
    expect(out).toContain('roles that no rule of the route names\n  ');
  });

  test('the missing facts: all alternatives that failed', async () => {
    const { code, out } = await withToken(token({ ...claims, groups: ['guests'], dept: 'wiki' }), 'POST', `${WIKI}/x`);
    expect(code).toBe(1);
    expect(out).toContain(`
      no  role "editor"  meshgate.yaml:8:3
        no  any  meshgate.yaml:8:3
          no  group "editors" of okta  meshgate.yaml:10:9
          no  all  meshgate.yaml:11:9
            no  none  meshgate.yaml:13:13
              yes group "guests" of okta  meshgate.yaml:13:20
`);
  });

  test('a claim that is absent is unknown', async () => {
    const { out } = await withToken(token({ ...claims, groups: ['editors'] }), 'GET', `${WIKI}/admin/x`);
    expect(out).toContain('?   claim "level" is 3 of okta: the token does not say  meshgate.yaml:15:');
  });

  test.each([
    ['another issuer', { iss: 'https://evil.test' }, {}, 'issuer_unknown'],
    ['another audience', { aud: 'x' }, {}, 'audience_mismatch'],
    ['expired', { exp: NOW - 31 }, {}, 'token_expired'],
    ['not yet valid', { nbf: NOW + 31 }, {}, 'token_not_yet_valid'],
    ['another algorithm', {}, { alg: 'HS256' }, 'algorithm_refused'],
    ['an ID token', { nonce: 'x' }, { typ: 'JWT' }, 'type_refused'],
    ['no subject', { sub: '' }, {}, 'claim_absent'],
  ])('%s', async (_, changed, header, reason) => {
    const { code, out } = await withToken(token({ ...claims, ...changed }, header), 'GET', `${WIKI}/x`);
    expect({ code, line: out.split('\n')[1] }).toEqual({
      code: 1,
      line: expect.stringContaining(`denied: ${reason} `),
    });
    expect(out).toContain('the signature is not checked');
  });

  test('the expected value, which the gateway would not show', async () => {
    const slash = token({ ...claims, iss: `${claims.iss}/` });
    expect((await withToken(slash, 'GET', `${WIKI}/x`)).out).toContain(
      `"iss" is "${claims.iss}/", but this host accepts "`,
    );
    const symmetric = token(claims, { alg: 'HS256' });
    expect((await withToken(symmetric, 'GET', `${WIKI}/x`)).out).toContain(
      '"alg" is "HS256", provider okta allows RS256',
    );
  });

  test('at another time', async () => {
    const old = token({ ...claims, groups: ['readers'], exp: 1_000_000_060, iat: 1_000_000_000 });
    expect((await withToken(old, 'GET', `${WIKI}/x`)).code).toBe(1);
    expect((await withToken(old, '--now', '1000000000', 'GET', `${WIKI}/x`)).code).toBe(0);
    expect((await withToken(old, '--now', '2001-09-09T01:46:40Z', 'GET', `${WIKI}/x`)).code).toBe(0);
    expect((await withToken(old, '--now', '2001-09-09T02:46:40Z', 'GET', `${WIKI}/x`)).code).toBe(1);
  });

  test('from standard input, with a scheme and a line end', async () => {
    const text = token({ ...claims, groups: ['readers'] });
    const { code } = await explain(['--token', '-', 'GET', `${WIKI}/x`], { '-': `Authorization: Bearer ${text}\n` });
    expect(code).toBe(0);
  });

  test('as JSON: signature not checked, and all roles; an unknown role is neither held nor not held', async () => {
    const { out } = await withToken(token({ ...claims, groups: ['readers'] }), '--format', 'json', 'GET', `${WIKI}/x`);
    expect(JSON.parse(out)).toMatchObject({
      allowed: true,
      signature: 'not checked',
      caller: { kind: 'token', provider: 'okta', subject: 'okta-ann', roles: ['reader'] },
      roles: [
        { text: 'role "reader"', held: true },
        { text: 'role "editor"' },
        { text: 'role "builder"', held: false },
        { text: 'role "admin"' },
      ],
    });
  });

  test.each([
    ['a good one', token({ ...claims, groups: ['editors'], secret: 'hunter2' })],
    ['an expired one', token({ ...claims, exp: 1, secret: 'hunter2' })],
    ['no token at all', 'hunter2.hunter2'],
    ['a broken one', `${token({ ...claims, secret: 'hunter2' })}=`],
  ])('its text is never printed: %s', async (_, text) => {
    for (const format of ['text', 'json']) {
      const { out, err } = await withToken(text, '--format', format, 'GET', `${WIKI}/x`);
      for (const part of [...text.split('.').filter((it) => it.length > 6), 'hunter2']) {
        expect(out + err).not.toContain(part);
      }
    }
  });
});

describe('wrong use', () => {
  test.each([
    [['GET'], 'write METHOD and URL'],
    [['get', `${WIKI}/`], '"get" is not a method; write it in upper case'],
    [['GET', '/x'], '"/x" names no host; write https://HOST/PATH'],
    [['--as', 'raeder', 'GET', `${WIKI}/`], 'the policy has no role "raeder"; did you mean "reader"?'],
    [
      ['--as', 'anonymous', 'GET', `${WIKI}/`],
      'the policy has no role "anonymous"; write one of reader, editor, builder, admin, nobody',
    ],
    [['--as', 'nobody,reader', 'GET', `${WIKI}/`], '--as nobody cannot be combined with roles'],
    [['--as', 'reader', '--token', 'x', 'GET', `${WIKI}/`], 'give --as or --token, not both'],
    [['--token', 'none', 'GET', `${WIKI}/`], 'cannot read the token none: there is no such file'],
    [['--token', '-', '--policy', '-', 'GET', `${WIKI}/`], 'only one file can come from standard input'],
    [['--now', 'soon', '--token', 'x', 'GET', `${WIKI}/`], 'write seconds since the epoch'],
    [['--policy', 'none.yaml', 'GET', `${WIKI}/`], 'cannot read the policy none.yaml'],
  ])('%j', async (args, message) => {
    const { code, out, err } = await explain(args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(message);
  });

  test('a policy with mistakes prints them to standard error', async () => {
    const { code, out, err } = await explain(['GET', `${WIKI}/`, '--policy', 'bad'], { bad: 'version: 2\n' });
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain('bad:1:');
  });
});

describe('a rule with a service of its own', () => {
  const canary = POLICY.replace(
    '- { role: editor, as: wiki-editor }',
    '- { role: editor, service: beta, as: wiki-editor }',
  ).replace('services:\n', 'services:\n  beta: { authority: beta.mesh }\n');
  const requested = (...args: string[]) => explain(args, { './meshgate.yaml': canary });

  test('is marked among the rules, and its service receives the request', async () => {
    const { out } = await requested('--as', 'editor', 'POST', `${WIKI}/x`);
    expect(out).toContain('service   beta, through the mesh ingress (beta.mesh)');
    expect(out).toContain('yes wiki.example.com/*#2: role editor, to beta, as wiki-editor');
    expect(out).toContain('no  wiki.example.com/*#1: role reader, GET HEAD, as default');
    expect((await requested('--as', 'reader', 'POST', `${WIKI}/x`)).out).toContain('service   wiki,');
  });

  test('as JSON', async () => {
    const { out } = await requested('--as', 'editor', '--format', 'json', 'POST', `${WIKI}/x`);
    expect(JSON.parse(out)).toMatchObject({
      rule: { service: 'beta' },
      service: { name: 'beta', authority: 'beta.mesh' },
    });
  });
});

describe('limits', () => {
  const limited = POLICY.replace('    /*:\n', '    limit: { rate: 60/m, burst: 20 }\n    /*:\n');
  const ask = (...args: string[]) =>
    meshgate(['explain', ...args], { files: { './meshgate.yaml': limited }, now: NOW });

  test('are printed for every caller, even if the request is refused', async () => {
    expect(limited).not.toBe(POLICY);
    const line = 'limit     60/m, burst 20 for each caller of wiki.example.com\n';
    expect((await ask('--as', 'editor', 'POST', `${WIKI}/x`)).out).toContain(`caller    editor (as given)\n${line}`);
    expect((await ask('--as', 'reader', 'DELETE', `${WIKI}/x`)).out).toContain(line);
    expect((await ask('GET', `${WIKI}/x`)).out).not.toContain('limit ');
  });

  test('as JSON', async () => {
    const { out } = await ask('--format', 'json', '--as', 'editor', 'POST', `${WIKI}/x`);
    expect(JSON.parse(out)).toMatchObject({ limits: ['60/m, burst 20 for each caller of wiki.example.com'] });
  });
});
