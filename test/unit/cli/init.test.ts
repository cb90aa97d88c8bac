import { describe, expect, test } from 'vitest';
import type { Ask, Outgoing } from '../../../src/cli/machine/http.ts';
import { parsePolicy } from '../../../src/policy/index.ts';
import { meshgate } from './fake.ts';

const HOST = ['--host', 'wiki.example.com', '--to', 'https://wiki.internal:8443'];

const document = (issuer: string, more = {}) => ({
  issuer,
  response_types_supported: ['code'],
  code_challenge_methods_supported: ['S256'],
  backchannel_logout_supported: true,
  end_session_endpoint: `${issuer}/logout`,
  ...more,
});

async function init(issuer: string, answer: unknown, more: readonly string[] = HOST, status = 200) {
  const requested: Outgoing[] = [];
  const ask = async (request: Outgoing) => {
    requested.push(request);
    return { status, headers: {}, body: typeof answer === 'string' ? answer : JSON.stringify(answer) };
  };
  return { ...(await meshgate(['init', issuer, ...more], { ask, files: { 'ca.pem': 'THE CA' } })), requested };
}

describe('meshgate init', () => {
  test.each([
    ['https://example.okta.com/oauth2/default', 'okta', 'Okta, Applications'],
    ['https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0', 'entra', 'App registrations'],
    ['https://sso.example.com/realms/staff', 'keycloak', 'Keycloak, Clients'],
    ['https://id.example.com', 'sso', 'a confidential web client'],
  ])('%s: a valid policy, and what to register', async (issuer, name, step) => {
    const { code, out, err, requested } = await init(issuer, document(issuer));
    expect([code, requested[0]?.target]).toEqual([
      0,
      `${new URL(issuer).pathname.replace(/\/$/, '')}/.well-known/openid-configuration`,
    ]);
    const { policy, errors } = parsePolicy(out, 'meshgate.yaml');
    expect(errors).toEqual([]);
    expect(policy?.providers[name]?.issuer).toBe(issuer);
    expect(policy?.hosts[0]?.routes[0]?.accept).toEqual(['session']);
    expect(err).toContain(step);
    expect(err).toContain('  redirect URI              https://wiki.example.com/.meshgate/callback\n');
    expect(err).toContain(`  beside other providers    https://wiki.example.com/.meshgate/callback/${name}\n`);
    expect(err).toContain(`/run/secrets/${name}`);
    expect(out.split('\n').length).toBeLessThanOrEqual(12);
  });

  test('at Keycloak: the mappers without which no sign-in brings roles', async () => {
    const issuer = 'https://sso.example.com/realms/staff';
    const { err } = await init(issuer, document(issuer));
    expect(err).toMatch(
      /For roles: Client scopes > roles > Mappers > "realm roles" and "client roles": "Add to ID token"/,
    );
  });

  test('a port in URLs and a known client are in both', async () => {
    const issuer = 'https://id.example.com';
    const more = ['--host', 'wiki.example.com:8443', '--to', 'https://x.internal', '--client-id', 'meshgate'];
    const { out, err } = await init(issuer, document(issuer), more);
    expect(err).toContain('https://wiki.example.com:8443/.meshgate/callback');
    expect(err).not.toContain('THE-CLIENT-ID');
    expect(parsePolicy(out, 'x').policy).toMatchObject({
      gateway: { publicPort: 8443 },
      providers: { sso: { client: { id: 'meshgate' } } },
    });
  });

  test.each([
    ['/etc/ca/okta.pem', '/etc/ca/okta.pem'],
    ['ca.pem', '/home/ann/ca.pem'],
    ['./certs/ca.pem', '/home/ann/./certs/ca.pem'],
  ])('the policy names the CA file %s', async (given, written) => {
    const issuer = 'https://id.example.com';
    const ask: Ask = async () => ({ status: 200, headers: {}, body: JSON.stringify(document(issuer)) });
    const surroundings = { ask, files: { [given]: 'THE CA' } };
    const { out, err } = await meshgate(['init', issuer, ...HOST, '--ca-file', given], surroundings);
    expect(parsePolicy(out, 'x').policy?.providers).toMatchObject({ sso: { caFile: written } });
    expect(err).toContain(`put the provider's CA where the gateway reads it, ${written}, or change ca_file\n`);
  });

  test('names what the provider does not support', async () => {
    const issuer = 'https://id.example.com';
    const { code, err } = await init(issuer, { issuer, code_challenge_methods_supported: ['plain'] });
    expect(code).toBe(0);
    for (const text of ['PKCE with S256', 'no back-channel sign-out', 'no sign-out endpoint'])
      expect(err).toContain(text);
    expect(err).not.toContain('back-channel logout URI');
  });

  test('another issuer, a refusal and an invalid answer are reported', async () => {
    const issuer = 'https://id.example.com';
    const other = await init(issuer, document(`${issuer}/`));
    expect([other.code, other.out]).toEqual([1, '']);
    expect(other.err).toContain('write https://id.example.com/\n');
    expect((await init(issuer, {}, HOST, 404)).err).toBe(`${issuer}/.well-known/openid-configuration: status 404\n`);
    expect(await init(issuer, 'x')).toMatchObject({ code: 1, err: expect.stringContaining('not JSON') });
  });

  test('wrong use is reported before any call', async () => {
    const issuer = 'https://id.example.com';
    for (const [given, more] of [
      ['http://id.example.com', HOST],
      [issuer, ['--host', 'https://wiki', '--to', 'https://x']],
    ] as const) {
      expect(await init(given, document(given), more)).toMatchObject({ code: 2, out: '', requested: [] });
    }
    expect(await init(issuer, document(issuer), ['--host', 'w', '--to', 'ftp://x'])).toMatchObject({
      code: 2,
      out: '',
    });
    const { code, err } = await meshgate(['init', issuer, ...HOST]);
    expect([code, err]).toEqual([2, 'meshgate: init needs Node: run "npx meshgate init …"; njs has no network here\n']);
  });
});
