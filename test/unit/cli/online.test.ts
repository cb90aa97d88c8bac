import { exportJWK, generateKeyPair } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import type { InDns } from '../../../src/cli/machine/dns.ts';
import type { Ask } from '../../../src/cli/machine/http.ts';
import { meshgate } from './fake.ts';

const ISSUER = 'https://login.example.com';
const JWKS = 'https://keys.example.com/jwks';

const policy = (provider = '', gateway = '') => `version: 1
gateway:
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }
  session: { keys_file: /run/secrets/session.jwks }${gateway}
providers:
  okta:
    issuer: ${ISSUER}
    audiences: [wiki]
    algorithms: [RS256, ES256]
    client: { id: wiki, secret_file: /run/secrets/okta }${provider}
services: { wiki: { url: https://wiki.internal:8443 } }
hosts: { wiki.example.com: { /*: { service: wiki, allow: [authenticated] } } }
`;

/** A provider that offers all that the policy above needs. */
const good = {
  issuer: ISSUER,
  jwks_uri: JWKS,
  authorization_endpoint: `${ISSUER}/authorize`,
  token_endpoint: `${ISSUER}/token`,
  grant_types_supported: ['authorization_code', 'refresh_token'],
  code_challenge_methods_supported: ['S256'],
  scopes_supported: ['openid', 'profile', 'email', 'groups', 'offline_access'],
};

let jwk: object;
beforeAll(async () => {
  const { publicKey } = await generateKeyPair('RS256');
  jwk = { ...(await exportJWK(publicKey)), kid: 'k1' };
});

interface Given {
  readonly members?: object | string;
  readonly keys?: () => readonly object[];
  readonly text?: string;
  readonly args?: readonly string[];
  readonly inDns?: InDns;
}

async function online({ members = {}, keys = () => [jwk], text = policy(), args = [], inDns }: Given = {}) {
  const ask: Ask = async ({ name }) => {
    if (name === 'keys.example.com') return { status: 200, headers: {}, body: JSON.stringify({ keys: keys() }) };
    if (name !== 'login.example.com') return { error: 'ENOTFOUND' };
    if (typeof members === 'string') return { error: members };
    return { status: 200, headers: {}, body: JSON.stringify({ ...good, ...members }) };
  };
  return meshgate(['validate', '--online', ...args], {
    files: { './meshgate.yaml': text },
    ask,
    ...(inDns && { inDns }),
  });
}

describe('meshgate validate --online', () => {
  test('a provider that offers all that the policy needs', async () => {
    const { code, out, err } = await online();
    expect([code, err]).toEqual([0, '']);
    expect(out.split('\n').slice(1)).toEqual([
      expect.stringMatching(/^sessions: room for 4000 people: /),
      'yes okta: discovery: https://login.example.com/.well-known/openid-configuration',
      'yes okta: keys: 1 published, for RS256',
      'yes okta: sign-in: authorization and token endpoint',
      'yes okta: sign-in: PKCE with S256',
      'yes okta: sign-in: the client authenticates with client_secret_basic at the token endpoint',
      '    files: not checked, because this machine has none of the files that the policy names',
      '',
    ]);
  });

  test.each<[string, Given, string]>([
    [
      'does not answer',
      { members: 'ECONNREFUSED' },
      'discovery: https://login.example.com/.well-known/openid-configuration: no answer: ECONNREFUSED',
    ],
    [
      'is another issuer',
      { members: { issuer: `${ISSUER}/` } },
      'the policy says "https://login.example.com"; write https://login.example.com/',
    ],
    [
      'sends for keys elsewhere',
      { members: { jwks_uri: 'https://127.0.0.1/jwks' } },
      'keys: "jwks_uri" points to the address "127.0.0.1"',
    ],
    ['has no keys', { keys: () => [] }, 'keys: the key set has no usable key'],
    [
      'has keys of other algorithms',
      { text: policy().replace('[RS256, ES256]', '[ES256]') },
      'keys: 1 published, none for ES256',
    ],
    [
      'has no token endpoint',
      { members: { token_endpoint: undefined } },
      'sign-in: the discovery document has no "token_endpoint"',
    ],
    [
      'has no code grant',
      { members: { grant_types_supported: ['client_credentials'] } },
      'sign-in: no authorization code grant',
    ],
    ['has no PKCE', { members: { code_challenge_methods_supported: ['plain'] } }, 'sign-in: no PKCE with S256'],
    [
      'takes other clients',
      { members: { token_endpoint_auth_methods_supported: ['private_key_jwt'] } },
      'sign-in: no client_secret_basic at the token endpoint',
    ],
    [
      'takes no HS256 of a secret',
      {
        members: {
          token_endpoint_auth_methods_supported: ['client_secret_jwt'],
          token_endpoint_auth_signing_alg_values_supported: ['HS512', 'RS256'],
        },
        text: policy('').replace(/secret_file: [^ ,}]+/, '$&, auth: secret_jwt'),
      },
      'sign-in: no client_secret_jwt with HS256 at the token endpoint',
    ],
    [
      'gives no refresh tokens',
      {
        members: { grant_types_supported: ['authorization_code'] },
        text: policy('\n    signin: { scopes: [openid, offline_access] }'),
      },
      'sign-in: no refresh tokens',
    ],
    [
      'takes no pushed requests',
      { text: policy('\n    signin: { par: true }') },
      'sign-in: no "pushed_authorization_request_endpoint"',
    ],
    [
      'takes pushed requests alone',
      {
        members: {
          require_pushed_authorization_requests: true,
          pushed_authorization_request_endpoint: `${ISSUER}/par`,
        },
        text: policy('\n    signin: { par: false }'),
      },
      'sign-in: the provider accepts only pushed requests',
    ],
    [
      'is not to be asked about tokens',
      { text: policy('\n    introspection: {}') },
      'introspection: no "introspection_endpoint"',
    ],
    [
      'lets such clients not ask',
      {
        members: {
          introspection_endpoint: `${ISSUER}/introspect`,
          introspection_endpoint_auth_methods_supported: ['private_key_jwt'],
        },
        text: policy('\n    introspection: {}'),
      },
      'introspection: no client_secret_basic at the introspection endpoint',
    ],
    [
      'takes other proofs',
      {
        members: { dpop_signing_alg_values_supported: ['EdDSA'] },
        text: policy('', '\n  proof: { rate: 10/s }'),
      },
      'DPoP: it supports only proofs with EdDSA',
    ],
  ])('a provider that %s is reported, and fails', async (_, given, words) => {
    const { code, out, err } = await online(given);
    expect([code, err]).toEqual([1, '']);
    expect(out.split('\n').filter((line) => line.startsWith('no '))).toEqual([expect.stringContaining(words)]);
    const json = JSON.parse((await online({ ...given, args: ['--format', 'json'] })).out);
    expect(json.providers[0].findings.filter(({ ok }: { ok?: boolean }) => ok === false)).toHaveLength(1);
  });

  test('information that a provider does not publish is not an error', async () => {
    const members = { code_challenge_methods_supported: undefined, grant_types_supported: undefined };
    const { code, out } = await online({ members });
    expect([code, out]).toEqual([
      0,
      expect.stringContaining('    okta: sign-in: PKCE with S256: its discovery document has no'),
    ]);
  });

  test('no discovery document is needed if the policy has the addresses', async () => {
    const text = policy(`\n    jwks_uri: ${JWKS}`)
      .replace(/\n {4}client: .*/, '')
      .replace(/\n {2}session: .*/, '');
    const { code, out } = await online({ members: 'ENOTFOUND', text });
    expect([code, out]).toEqual([0, expect.stringContaining('yes okta: keys: 1 published, for RS256')]);
    expect(out).not.toMatch(/^no /m);
  });

  test('a key that is left out is reported', async () => {
    const { code, out } = await online({ keys: () => [jwk, { kty: 'oct', k: 'AAAA', kid: 'secret' }] });
    expect(code).toBe(0);
    expect(out).toContain('    okta: keys: key 2 (kid "secret") is not used: a published key set must not');
    expect(out).not.toContain('AAAA');
  });

  test('a policy with a mistake causes no call, and njs has no network', async () => {
    const requested = await online({ text: policy().replace('audiences', 'audience') });
    expect([requested.code, requested.out]).toEqual([1, expect.stringContaining('did you mean "audiences"?')]);
    const { code, err } = await meshgate(['validate', '--online'], { files: { './meshgate.yaml': policy() } });
    expect([code, err]).toEqual([2, expect.stringContaining('npx meshgate validate')]);
  });

  test('roles from claims that a sign-in at Keycloak lacks unless its mappers are changed', async () => {
    const roles = (claim: string) =>
      policy('\n    kind: keycloak')
        .replace('services:', `roles: { reader: { claim: ${claim}, has: reader } }\nservices:`)
        .replace('[authenticated]', '[reader]');
    const { code, out } = await online({ text: roles('resource_access.wiki.roles') });
    expect(code).toBe(0);
    expect(out).toMatch(
      /^ {4}okta: sign-in: roles depend on "resource_access\.wiki\.roles"; at Keycloak: .*"Add to ID token"/m,
    );
    expect((await online({ text: roles('department') })).out).not.toContain('roles rest on');
    const bearers = roles('resource_access.wiki.roles')
      .replace(/\n {4}client: .*/, '')
      .replace(/\n {2}session: .*/, '');
    expect((await online({ text: bearers })).out).not.toContain('roles rest on');
  });
});

describe('an issuer that only /etc/hosts knows', () => {
  const names: (readonly [string, readonly string[]])[] = [];
  const answering =
    (answer: boolean | undefined): InDns =>
    async (name, servers) => {
      names.push([name, servers]);
      return answer;
    };

  test('is a fault, although this machine reaches it', async () => {
    const { code, out } = await online({ inDns: answering(false) });
    expect(code).toBe(1);
    expect(out).toContain(
      'no  okta: name: no DNS server knows login.example.com, and nginx reads neither /etc/hosts nor a search list; add it to DNS, or write the DNS servers that know it as gateway.resolver\n',
    );
    expect(out).toContain('yes okta: discovery');
  });

  test('is looked up at the DNS servers of the policy', async () => {
    names.length = 0;
    await online({ inDns: answering(true), text: policy('', '\n  resolver: [10.0.0.10]') });
    expect(names).toEqual([['login.example.com', ['10.0.0.10']]]);
  });

  test.each([true, undefined])('is no fault if DNS says %s', async (answer) => {
    const { code, out } = await online({ inDns: answering(answer) });
    expect([code, out.includes('name:')]).toEqual([0, false]);
  });
});
