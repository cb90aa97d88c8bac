/** The commands' output about roles if the request, or the token, leaves something open. */
import { describe, expect, test } from 'vitest';
import { meshgate, token } from './fake.ts';

const NOW = 1_800_000_000;

const policy = (roles: string, allow: string, more = '') => `version: 1
gateway: { insecure_http: true }
providers: { okta: { kind: okta, issuer: https://example.okta.com/oauth2/default, audiences: [api://wiki] } }
roles: { ${roles} }
services: { wiki: { insecure_url: http://wiki.internal } }
hosts: { wiki.example.com: { /*: { service: wiki, allow: [${allow}] } } }
${more}`;

const ask = (text: string, args: readonly string[], files: Readonly<Record<string, string>> = {}) =>
  meshgate(args, { files: { './meshgate.yaml': text, ...files }, now: NOW });
const explain = (text: string, ...args: readonly string[]) =>
  ask(text, ['explain', ...args, 'GET', 'http://wiki.example.com/x']);

/** True of each address of IPv4, and of none of IPv6. */
const ALL_IPV4 = 'v4: { any: [{ network: [0.0.0.0/1] }, { network: [128.0.0.0/1] }] }';

describe('a role of anonymous callers, without an address', () => {
  test.each([
    ['by network', 'net: { network: [10.0.0.0/8] }', 'net'],
    ['by another role', 'a: { network: [10.0.0.0/8] }, net: { any: [{ group: x }, a] }', 'net'],
    ['outside of a network', 'net: { none: [{ network: [10.0.0.0/8] }] }', 'net'],
    ['in all of IPv4', ALL_IPV4, 'v4'],
  ])('%s: explain requires the address', async (_, roles, name) => {
    const { out } = await explain(policy(roles, name));
    expect(out).toContain(`?   role "${name}": the address is not given; add --network`);
    expect(out).not.toContain('the token does not say');
    const { rules } = JSON.parse((await explain(policy(roles, name), '--format', 'json')).out);
    expect(rules[0].conditions[0]).toMatchObject({ unsaid: 'the address is not given; add --network' });
    expect(rules[0].conditions[0]).not.toHaveProperty('held');
  });

  test.each([
    ['by a group', 'staff: { group: staff }'],
    ['by a group in a network', 'staff: { all: [{ group: staff }, { network: [10.0.0.0/8] }] }'],
  ])('%s: no address gives it', async (_, roles) => {
    expect((await explain(policy(roles, 'staff'))).out).toContain(
      'no  role "staff": no caller has it without a credential',
    );
  });

  test('in all of IPv4: the answer depends on the address, for explain and for a policy test', async () => {
    const text = policy(
      ALL_IPV4,
      'v4',
      'tests:\n  - { as: nobody, GET: http://wiki.example.com/x, expect: network_refused }\n',
    );
    expect((await explain(text.slice(0, text.indexOf('tests:')))).out).toContain('depends on the client’s address');
    expect((await explain(text.slice(0, text.indexOf('tests:')), '--network', '198.51.100.7')).code).toBe(0);
    const { code, out } = await ask(text, ['test']);
    expect(code).toBe(1);
    expect(out).toContain(
      'expected network_refused, but the result depends on the client’s address, which is not given: write network',
    );
  });

  test('from an address: a group is unknown, because there is no token', async () => {
    const text = policy('staff: { any: [{ group: staff }, { network: [10.0.0.0/8] }] }', 'staff');
    expect((await explain(text, '--network', '192.0.2.7')).out).toContain('?   group "staff": there is no token');
  });
});

describe('validate', () => {
  const advice = async (text: string) =>
    (await ask(text, ['validate'])).out.split('\n').filter((it) => it.startsWith('advice'));

  test.each([
    ['off: { none: [{ network: [10.0.0.0/8] }] }', 'off'],
    ['a: { none: [{ network: [10.0.0.0/8] }] }, off: { any: [{ group: x }, a] }', 'off'],
    [ALL_IPV4.replaceAll('v4', 'off'), 'off'],
  ])('advises if most anonymous callers have a role that a rule allows: %s', async (roles, name) => {
    expect(await advice(policy(roles, name))).toEqual([
      expect.stringMatching(
        /^advice: .*roles\.off: anonymous callers have this role from most addresses, and wiki\.example\.com\/\*#1 allows them; /,
      ),
    ]);
    const { advice: reported } = JSON.parse((await ask(policy(roles, name), ['validate', '--format', 'json'])).out);
    expect(reported).toEqual([expect.objectContaining({ path: 'roles.off' })]);
  });

  test.each([
    ['net: { network: [10.0.0.0/8] }', 'net'],
    ['off: { all: [{ group: staff }, { none: [{ network: [10.0.0.0/8] }] }] }', 'off'],
  ])('has no advice for %s', async (roles, name) => {
    expect(await advice(policy(roles, name))).toEqual([]);
  });
});

describe('an e-mail address that is present and does not count', () => {
  const claims = {
    iss: 'https://example.okta.com/oauth2/default',
    aud: 'api://wiki',
    sub: 'ann',
    uid: 'ann',
    cid: 'x',
    exp: NOW + 60,
    iat: NOW,
  };
  const reported = async (own: object) =>
    (
      await ask(
        policy('staff: { claim: email, like: "*@example.com" }', 'staff'),
        ['explain', '--token', 't', 'GET', 'http://wiki.example.com/x'],
        { t: token({ ...claims, ...own }) },
      )
    ).out;

  test.each([
    [
      { email: 'ann@example.com' },
      'the token has an address, but does not say that this address is verified ("email_verified")',
    ],
    [
      { email: 'ann@example.com', email_verified: false },
      'the token has an address, but does not say that this address is verified ("email_verified")',
    ],
    [{ email: 'x@evil.example@example.com', email_verified: true }, 'the value is not an address with exactly one @'],
    [{}, 'the token does not say'],
  ])('%j: %s', async (own, why) => {
    expect(await reported(own)).toContain(`?   claim "email" like "*@example.com": ${why}`);
  });
});

test('a route that accepts only sessions asks for a sign-in, and not for a token', async () => {
  const text = policy('staff: { group: staff }', 'staff')
    .replace(
      'gateway: { insecure_http: true }',
      'gateway: { tls: { cert_file: /c, key_file: /k }, session: { keys_file: /s } }',
    )
    .replace(', audiences: [api://wiki]', ', client: { id: x, secret_file: /run/s }');
  const { out } = await ask(text, ['explain', 'GET', 'https://wiki.example.com/x']);
  expect(out).toContain('  Open a page of this host in a browser, and sign in there.\n');
  expect(out).not.toContain('Send a token');
});
