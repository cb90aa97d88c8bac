/** Routes that pass credentials of their service on, in the commands. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Outgoing } from '../../../src/cli/machine/http.ts';
import { meshgate, token } from './fake.ts';

const NOW = 1_800_000_000;

const POLICY = `version: 1
gateway:
  insecure_http: true
  listen: 8080
  credential_header: X-Gateway-Authorization
  session: { keys_file: /s }
providers:
  okta: { kind: okta, issuer: https://example.okta.com/oauth2/default, audiences: [api://wiki], client: { id: x, secret_file: /run/s } }
roles: { staff: { group: staff } }
services:
  wiki: { insecure_url: "http://wiki.internal" }
  canary: { insecure_url: "http://canary.internal" }
hosts:
  wiki.example.com:
    /*: { service: wiki, allow: [staff] }
    /rest/*: { service: wiki, service_credential: { schemes: [basic], bearer: [glsa_] }, allow: [{ role: staff, service: canary, methods: [GET] }, staff, { who: anyone, methods: [POST] }] }
    /pages/*: { service: wiki, accept: [session], service_credential: { schemes: [basic] }, allow: [staff] }
    /open/*: { service: wiki, service_credential: { bearer: opaque }, allow: [anyone] }
`;

const claims = {
  iss: 'https://example.okta.com/oauth2/default',
  aud: 'api://wiki',
  sub: 'ann',
  exp: NOW + 60,
  iat: NOW,
  cid: 'x',
  groups: ['staff'],
};
const REST = 'https://wiki.example.com/rest/x';
const files = {
  './meshgate.yaml': POLICY,
  't.txt': token(claims),
  'pat.txt': 'Bearer glsa_HOruNAb7SOiCdshU8algkrq7FD',
};

const explain = (...args: readonly string[]) => meshgate(['explain', ...args], { files, now: NOW });

describe('a page of another origin', () => {
  const evil = ['--origin', 'https://evil.example'];

  test.each([
    [[...evil, '--service-credential', 'Basic'], 'denied: origin_refused (403)'],
    [[...evil, '--service-credential', 'Bearer glsa_'], 'allowed'],
    [['--origin', 'https://wiki.example.com', '--service-credential', 'Basic'], 'allowed'],
  ])('that sends %j: %s', async (flags, verdict) => {
    expect((await explain(...flags, 'POST', REST)).out).toContain(verdict);
  });

  test('is requested where Basic decides, as browsers add it by themselves', async () => {
    const line = 'assumes   a program sends it, or a page of this host: give --origin\n';
    expect((await explain('--service-credential', 'Basic', 'POST', REST)).out).toContain(line);
    expect((await explain('--service-credential', 'Bearer glsa_', 'POST', REST)).out).not.toContain(line);
  });
});

describe('explain', () => {
  test('says which credentials a route passes on', async () => {
    const { code, out } = await explain('POST', REST);
    expect([code, out]).toEqual([
      0,
      expect.stringContaining('passes on Authorization of basic, Bearer glsa_…, to wiki\n'),
    ]);
    expect((await explain('POST', 'https://wiki.example.com/x')).out).not.toContain('Authorization of');
    expect((await explain('GET', 'https://wiki.example.com/open/x')).out).toContain('of opaque Bearer tokens, to wiki');
  });

  test('an anonymous caller decides, and the credential passes on', async () => {
    const { code, out } = await explain('--service-credential', 'Basic', 'POST', REST);
    expect(code).toBe(0);
    expect(out).toContain(
      'caller    an anonymous caller\npassed on Authorization of basic, to wiki; it identifies no caller\n',
    );
  });

  test('without a credential of the gateway, other rules deny', async () => {
    const { code, out } = await explain('--service-credential', 'Bearer glsa_', 'GET', REST);
    expect(code).toBe(1);
    expect(out).toContain('denied: credential_missing (401)');
    expect(out).toContain('not used  Authorization of bearer: it belongs to wiki, and identifies no caller\n');
  });

  test('a token beside it decides', async () => {
    const { code, out } = await explain('--service-credential', 'Basic', '--token', 't.txt', 'POST', REST);
    expect(code).toBe(0);
    expect(out).toMatch(
      /caller {4}"ann" of okta; roles: staff\n {10}by the token in X-Gateway-Authorization\npassed on Authorization of basic, to wiki/,
    );
  });

  test('a rule that leads to another service erases it', async () => {
    const { code, out } = await explain('--service-credential', 'Basic', '--as', 'staff', 'GET', REST);
    expect(code).toBe(0);
    expect(out).toContain(
      'erased    Authorization of basic: the rule leads to canary, and the header belongs to wiki\n',
    );
  });

  test('a missing credential of the gateway: says in which header it can be', async () => {
    const help =
      'Send a token of an accepted provider as Authorization: Bearer TOKEN, or as X-Gateway-Authorization: Bearer TOKEN if Authorization belongs to the service.';
    expect((await explain('--service-credential', 'Basic', 'GET', REST)).out).toContain(`  ${help}\n`);
    expect(JSON.parse((await explain('--json', 'GET', REST)).out)).toMatchObject({ help });
    expect((await explain('GET', 'https://wiki.example.com/x')).out).not.toContain('X-Gateway-Authorization');
  });

  test('a file with a token of the service has an anonymous caller', async () => {
    const { code, out } = await explain('--token', 'pat.txt', 'POST', REST);
    expect(code).toBe(0);
    expect(out).toContain('an anonymous caller\npassed on Authorization of bearer, to wiki');
    expect(out).not.toContain('glsa_HO');
  });

  test('token explains such a request in the same way, and does not accept the token', async () => {
    const { code, out } = await meshgate(['token', 'pat.txt', 'POST', REST], { files, now: NOW });
    expect(code).toBe(1);
    expect(out).toContain('an anonymous caller\npassed on Authorization of bearer, to wiki');
    expect(out).not.toContain('glsa_HO');
  });

  test('a form that the route does not name is refused', async () => {
    for (const [form, reason] of [
      ['Digest', 'credential_unsupported'],
      ['Bearer abcd', 'token_malformed'],
    ] as const) {
      expect((await explain('--service-credential', form, 'POST', REST)).out).toContain(`denied: ${reason} (401)`);
      expect((await explain('--service-credential', form, '--as', 'staff', 'POST', REST)).out).toContain(reason);
    }
    const { out } = await explain('--service-credential', 'Basic', 'POST', 'https://wiki.example.com/x');
    expect(out).toContain('denied: credential_unsupported (401)');
  });

  test('as JSON', async () => {
    const json = async (...args: string[]) => JSON.parse((await explain('--format', 'json', ...args)).out);
    expect(await json('--service-credential', 'Basic', 'POST', REST)).toMatchObject({
      allowed: true,
      caller: { kind: 'nobody' },
      serviceCredential: { scheme: 'basic', to: 'wiki' },
      route: { serviceCredential: { schemes: ['basic'], bearer: ['glsa_'], services: ['wiki'] } },
    });
    expect((await json('--service-credential', 'Basic', '--as', 'staff', 'GET', REST)).serviceCredential).toEqual({
      scheme: 'basic',
      without: 'canary',
    });
  });

  test('never a whole token as a flag, and the error does not repeat it', async () => {
    for (const form of [
      'Bearer glsa_HOruNAb7SOiCdshU8algkrq7FD',
      'Basic YW5uOmh1bnRlcjI=',
      'glsa_HOruNAb7 SOiCdshU8 x',
    ]) {
      const { code, err } = await explain('--service-credential', form, 'POST', REST);
      expect(code).toBe(2);
      expect(err).toContain('never a whole token');
      for (const part of form.split(' ').slice(1)) expect(err).not.toContain(part.slice(0, 8));
    }
  });
});

describe('policy tests', () => {
  const results = async (tests: readonly string[], policy = POLICY) => {
    const text = `${policy}tests:\n${tests.map((it) => `  - { ${it} }\n`).join('')}`;
    return meshgate(['validate'], { files: { './meshgate.yaml': text }, now: NOW });
  };

  test.each([
    `as: nobody, service_credential: Basic, POST: ${REST}, expect: allowed`,
    `as: nobody, service_credential: Bearer glsa_, POST: ${REST}, expect: allowed`,
    `as: nobody, service_credential: Bearer, POST: ${REST}, expect: token_malformed`,
    `as: nobody, service_credential: Digest, POST: ${REST}, expect: credential_unsupported`,
    `as: nobody, service_credential: Basic, GET: ${REST}, expect: credential_missing`,
    'as: nobody, service_credential: Bearer, GET: https://wiki.example.com/open/x, expect: allowed',
    'as: nobody, service_credential: Basic, GET: https://wiki.example.com/x, expect: credential_unsupported',
    `as: { roles: [staff] }, service_credential: Basic, POST: ${REST}, expect: allowed`,
    `as: { roles: [staff] }, service_credential: Digest, POST: ${REST}, expect: credential_unsupported`,
    `as: { claims: { groups: [staff] } }, service_credential: Basic, PUT: ${REST}, expect: allowed`,
    `as: { claims: { groups: [staff], exp: 1 } }, service_credential: Basic, POST: ${REST}, expect: token_expired`,
    'as: { claims: { groups: [staff] } }, service_credential: Basic, GET: https://wiki.example.com/pages/x, expect: allowed',
  ])('%s', async (it) => {
    expect(await results([it])).toMatchObject({ code: 0 });
  });

  test('fail if the service does not receive the credential', async () => {
    const { code, err, out } = await results([
      `as: { roles: [staff] }, service_credential: Basic, GET: ${REST}, expect: allowed`,
    ]);
    expect(code).toBe(1);
    expect(err + out).toContain(
      'with a service’s Basic: expected allowed, but the credential of the service is erased: rule wiki.example.com/rest/*#1 leads to canary, which service_credential.services does not list',
    );
  });

  test('need a header for the gateway’s token, or a session', async () => {
    const bare = POLICY.replace('  credential_header: X-Gateway-Authorization\n', '');
    const tokens = bare
      .replace(/^ {2}session.*\n/m, '')
      .replace(', client: { id: x, secret_file: /run/s }', '')
      .replace(/^ {4}\/pages.*\n/m, '');
    const staff = `as: { roles: [staff] }, service_credential: Basic, POST: ${REST}`;
    expect((await results([`${staff}, expect: allowed`], bare)).code).toBe(0);
    expect((await results([`${staff}, expect: credential_missing`], tokens)).code).toBe(0);
    const claimed = `as: { claims: { groups: [staff] } }, service_credential: Basic, POST: ${REST}`;
    expect((await results([`${claimed}, expect: allowed`], bare)).code).toBe(0);
    expect((await results([`${claimed}, expect: credential_missing`], tokens)).code).toBe(0);
  });

  test('of the page pass', async () => {
    const page = readFileSync('docs/service-credentials.md', 'utf8');
    const [, text = ''] = /```yaml\n(version[\s\S]*?)```/.exec(page) ?? [];
    const { code, out, err } = await meshgate(['validate'], { files: { './meshgate.yaml': text }, now: NOW });
    expect([code, err + out]).toEqual([0, expect.stringContaining('5 tests pass')]);
  });
});

test('at the gateway, the credential of the service is sent beside the token', async () => {
  const text = `${POLICY}tests:
  - { as: nobody, service_credential: Basic, POST: ${REST}, expect: allowed }
  - { as: { roles: [staff] }, service_credential: Bearer glsa_, POST: ${REST}, expect: allowed }
`;
  const requested: Outgoing[] = [];
  const ask = async (request: Outgoing) => {
    requested.push(request);
    return { status: 200, headers: {}, body: 'hello' };
  };
  const args = ['test', '--gateway', 'https://localhost:8443', '--ca-file', 'ca.pem', '--token', 'staff=t.txt'];
  const all = { ...files, './meshgate.yaml': text, 'ca.pem': 'CA' };
  expect(await meshgate(args, { files: all, now: NOW, ask })).toMatchObject({ code: 0 });
  expect(requested.map(({ headers }) => headers)).toEqual([
    { Authorization: 'Basic x' },
    { Authorization: 'Bearer glsa_', 'X-Gateway-Authorization': `Bearer ${token(claims)}` },
  ]);
});

test('at the gateway without such a header, a token is not sent beside it', async () => {
  const text = `${POLICY.replace('  credential_header: X-Gateway-Authorization\n', '')}tests:
  - { as: { roles: [staff] }, service_credential: Basic, POST: ${REST}, expect: allowed }
`;
  const args = ['test', '--gateway', 'https://localhost:8443', '--ca-file', 'ca.pem', '--token', 'staff=t.txt'];
  const all = { ...files, './meshgate.yaml': text, 'ca.pem': 'CA' };
  const { out } = await meshgate(args, { files: all, now: NOW, ask: async () => ({ error: 'never asked' }) });
  expect(out).toContain('not asked at the gateway: only a session can be beside the credential of the service');
});

describe('comparisons', () => {
  const without = POLICY.replace('{ schemes: [basic], bearer: [glsa_] }', '{ schemes: [basic] }');
  const both = { files: { 'a.yaml': without, 'b.yaml': POLICY } };

  test('prove: another form is a difference', async () => {
    const { code, out } = await meshgate(['prove', 'a.yaml', 'b.yaml'], both);
    expect(code).toBe(1);
    expect(out).toContain('service_credential');
    expect((await meshgate(['prove', 'a.yaml', 'a.yaml'], both)).code).toBe(0);
  });

  test('prove: the header for the gateway’s token is a difference', async () => {
    const other = POLICY.replace('X-Gateway-Authorization', 'X-Other');
    const { code, out } = await meshgate(['prove', 'a.yaml', 'b.yaml'], {
      files: { 'a.yaml': other, 'b.yaml': POLICY },
    });
    expect([code, out]).toEqual([1, expect.stringContaining('credential_header')]);
  });

  test('diff shows it, also on a new route', async () => {
    const { out } = await meshgate(['diff', 'a.yaml', 'b.yaml'], both);
    expect(out).toMatch(/service_credential.*glsa_/);
    const fewer = POLICY.replace(/^ {4}\/open.*\n/m, '');
    const added = await meshgate(['diff', 'a.yaml', 'b.yaml'], { files: { 'a.yaml': fewer, 'b.yaml': POLICY } });
    expect(added.out).toMatch(/service_credential.*opaque/);
  });
});
