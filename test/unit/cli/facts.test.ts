import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Outgoing } from '../../../src/cli/machine/http.ts';
import { meshgate, token } from './fake.ts';

/** docs/certificates.md: its policy is valid, and its commands run. */

const NOW = 1_800_000_000;
const doc = readFileSync('docs/certificates.md', 'utf8');
const policy = /^```yaml meshgate\.yaml\n([\s\S]*?)^```/m.exec(doc)?.[1] ?? '';
const commands = [...doc.matchAll(/^\$ meshgate (.+)$/gm)].map(([, command = '']) => command);

const claims = {
  iss: 'https://example.okta.com/oauth2/default',
  aud: 'api://wiki',
  sub: 'ann',
  exp: NOW + 60,
  iat: NOW,
  cid: 'x',
};
const files = { './meshgate.yaml': policy, 'token.txt': token({ ...claims, groups: ['wiki-admins'] }) };
const run = (...args: string[]) => meshgate(args, { files, now: NOW });
const explain = (...args: string[]) => run('explain', ...args);

test('the policy of the document is valid, and its tests pass', async () => {
  expect(await run('validate')).toMatchObject({ code: 0, err: '' });
  expect((await run('test')).out).toContain('6 tests pass');
});

test.each(commands)('meshgate %s', async (command) => {
  const { out, err } = await run(...command.split(' '));
  expect(err).toBe('');
  expect(out).toMatch(/^(GET|POST) https:/);
});

describe('a missing address', () => {
  const outside = `version: 1
gateway: { insecure_http: true }
providers: { okta: { issuer: https://example.okta.com/oauth2/default, audiences: [api://wiki] } }
roles: { outsider: { none: [{ network: [10.0.0.0/8] }] } }
services: { wiki: { url: https://ingress.mesh:8443, ca_file: /run/ca.pem } }
hosts: { wiki.example.com: { /*: { service: wiki, allow: [outsider] } } }
tests:
  - { as: nobody, GET: https://wiki.example.com/x, expect: network_refused }
`;
  const ask = (text: string, ...args: string[]) => meshgate(args, { files: { './meshgate.yaml': text }, now: NOW });
  const explained = (...args: string[]) =>
    ask(outside.slice(0, outside.indexOf('tests:')), 'explain', ...args, 'GET', 'https://wiki.example.com/x');

  test('is requested by explain if most addresses would have other roles', async () => {
    expect((await explained()).out).toContain(
      'an anonymous caller; the result depends on the client’s address, which is not given: give --network',
    );
    expect(await explained('--network', '203.0.113.7')).toMatchObject({ code: 0 });
    expect((await explained('--network', '10.0.0.7')).out).not.toContain('depends on');
  });

  test('is not requested if the answer is the same for all addresses', async () => {
    const text = outside
      .slice(0, outside.indexOf('tests:'))
      .replace(
        'outsider: {',
        'staff: { group: staff }, inside: { all: [{ group: staff }, { network: [10.0.0.0/8] }] }, outsider: {',
      )
      .replace('allow: [outsider]', 'allow: [staff, inside, outsider]');
    const files = { './meshgate.yaml': text, t: token({ ...claims, uid: 'ann', groups: ['staff'] }) };
    const of = (path: string, ...more: string[]) =>
      meshgate(['explain', ...more, 'GET', `https://wiki.example.com${path}`], { files, now: NOW });
    expect(await of('/x', '--token', 't')).toMatchObject({ code: 0, out: expect.not.stringContaining('depends on') });
    expect((await of('/x')).out).toContain('depends on the client’s address');
  });

  test('fails a policy test', async () => {
    const { code, out } = await ask(outside, 'test');
    expect(code).toBe(1);
    expect(out).toContain('the result depends on the client’s address, which is not given: write network');
    const reported = outside.replace('as: nobody', 'as: { network: 10.0.0.7 }');
    expect(await ask(reported, 'test')).toMatchObject({ code: 0 });
  });
});

describe('explain', () => {
  test('an anonymous caller from a network', async () => {
    const { code, out } = await explain('--network', '192.0.2.7', 'GET', 'https://wiki.example.com/healthz');
    expect(code).toBe(0);
    expect(out).toContain('caller    an anonymous caller, from 192.0.2.7; roles: probe');
    expect(out).toContain('yes network 192.0.2.0/24');
  });

  test('an anonymous caller from elsewhere', async () => {
    const { code, out } = await explain('--network', '203.0.113.7', 'GET', 'https://wiki.example.com/healthz');
    expect(code).toBe(1);
    expect(out).toContain('denied: network_refused (403)');
    expect(out).toContain('no  network 192.0.2.0/24');
  });

  test('a token in a network of IPv6, and outside it', async () => {
    const ask = (address: string) =>
      explain('--token', 'token.txt', '--network', address, 'GET', 'https://wiki.example.com/admin/x');
    expect((await ask('2001:db8:9::7')).code).toBe(0);
    const { code, out } = await ask('2001:db8:a::7');
    expect(code).toBe(1);
    expect(out).toContain('network_refused');
    expect(out).toContain('roles: none; from 2001:db8:a::7');
  });

  test('a certificate, as the credential and where it is not accepted', async () => {
    const name = 'spiffe://example.org/ns/ci/sa/deployer';
    const { code, out } = await explain('--certificate', name, 'POST', 'https://wiki.example.com/deploy/x');
    expect(code).toBe(0);
    expect(out).toContain(`caller    "${name}" by certificate, with the certificate of ${name}; roles: deployer`);
    const elsewhere = await explain('--certificate', name, 'POST', 'https://wiki.example.com/x');
    expect(elsewhere.out).toContain('credential_missing');
    expect(
      (await explain('--certificate', 'a.b.runners.example.com', 'GET', 'https://wiki.example.com/deploy/x')).out,
    ).toContain('role_missing');
  });

  test('rejects invalid options with a reason', async () => {
    expect((await explain('--network', '10.9', 'GET', 'https://wiki.example.com/x')).code).toBe(2);
    expect((await explain('--certificate', 'a b', 'GET', 'https://wiki.example.com/x')).code).toBe(2);
    const { code, err } = await explain('--as', 'admin', '--network', '192.0.2.7', 'GET', 'https://wiki.example.com/x');
    expect(code).toBe(2);
    expect(err).toContain('the roles are given');
  });

  test('as JSON', async () => {
    const { out } = await explain(
      '--format',
      'json',
      '--network',
      '192.0.2.7',
      'GET',
      'https://wiki.example.com/healthz',
    );
    expect(JSON.parse(out)).toMatchObject({ allowed: true, caller: { kind: 'nobody', roles: ['probe'] } });
  });
});

test('prove finds requests that only anonymous callers in a network may send', async () => {
  const other = policy.replace(
    '/healthz: { service: wiki, allow: [probe] }',
    '/healthz: { service: wiki, allow: [probe, authenticated] }',
  );
  const fewer = other
    .replace('allow: [probe, authenticated]', 'allow: [authenticated]')
    .replace('allow: [staff, admin]', 'allow: [staff, admin, probe]');
  const more = other.replace('allow: [staff, admin]', 'allow: [staff, admin, probe]');
  const { code, out } = await meshgate(['prove', 'a', 'b'], {
    files: { a: more, b: fewer.replace(/^tests:[\s\S]*/m, '') },
  });
  expect(code).toBe(1);
  expect(out).toContain('caller  an anonymous caller, from 192.0.2.0; the request gives probe');
  expect((await meshgate(['prove', 'a', 'a'], { files: { a: more } })).code).toBe(0);
});

describe('at a running gateway', () => {
  const more = { ...files, 'runner.pem': 'RUNNER', 'admin.txt': files['token.txt'] };
  async function ask(...args: string[]) {
    const requested: Outgoing[] = [];
    const answer = async (request: Outgoing) => {
      requested.push(request);
      return { status: 200, headers: {}, body: '' };
    };
    const { out } = await meshgate(['test', '--gateway', 'https://localhost:8443', ...args], {
      files: more,
      now: NOW,
      ask: answer,
    });
    return { out, requested };
  }

  test('a test that cannot be sent from here is reported', async () => {
    const { out, requested } = await ask();
    expect(requested).toHaveLength(1);
    expect(out).toContain('give --forwarded if the gateway trusts this machine as a proxy');
    expect(out).toContain('add --client a.runners.example.com=FILE');
  });

  test('addresses and certificates are sent', async () => {
    const { requested } = await ask(
      '--forwarded',
      '--client',
      'a.runners.example.com=runner.pem',
      '--token',
      'tests[2]=admin.txt',
    );
    expect(requested.map(({ headers }) => headers['X-Forwarded-For'])).toEqual([
      '192.0.2.7',
      undefined,
      '198.51.100.7',
      undefined,
      undefined,
    ]);
    expect(requested.map(({ client }) => client?.cert)).toEqual([undefined, undefined, undefined, 'RUNNER', 'RUNNER']);
  });
});
