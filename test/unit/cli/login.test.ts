import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Incoming, Outgoing } from '../../../src/cli/machine/http.ts';
import { systemAsk } from '../../../src/cli/machine/http.ts';
import { createCa } from '../../harness/pki.ts';
import { meshgate, token } from './fake.ts';

const NOW = 1_800_000_000;
const ISSUER = 'https://login.example.com';

const policy = (more = '') => `version: 1
gateway: { session: { keys_file: /run/session.jwks } }
providers:
  okta: { kind: generic, issuer: ${ISSUER}, audiences: [api://wiki], client: { id: wiki }${more} }
roles: { reader: { group: readers } }
services: { wiki: { url: https://wiki.internal } }
hosts: { wiki.example.com: { /*: { service: wiki, allow: [reader] } } }
`;

const good = token({ iss: ISSUER, aud: 'api://wiki', sub: 'ann', exp: NOW + 60, iat: NOW, groups: ['readers'] });
const json = (body: unknown, status = 200): Incoming => ({ status, headers: {}, body: JSON.stringify(body) });
const discovery = json({
  issuer: ISSUER,
  device_authorization_endpoint: `${ISSUER}/device`,
  token_endpoint: `${ISSUER}/token`,
});
const begun = {
  device_code: 'secret-code',
  user_code: 'ABCD-EFGH',
  verification_uri: `${ISSUER}/confirm`,
  expires_in: 60,
};

async function login(answers: readonly Incoming[], args: readonly string[] = [], text = policy()) {
  const requested: Outgoing[] = [];
  const slept: number[] = [];
  const ask = async (request: Outgoing) => {
    requested.push(request);
    return answers[requested.length - 1] ?? { error: 'asked too often' };
  };
  const sleep = async (seconds: number) => void slept.push(seconds);
  const ran = await meshgate(['login', ...args], { files: { './meshgate.yaml': text }, now: NOW, ask, sleep });
  return { ...ran, requested, slept };
}

describe('meshgate login', () => {
  test('shows a code, waits as the provider says, and prints only the token', async () => {
    const pending = json({ error: 'authorization_pending' }, 400);
    const ran = await login([
      discovery,
      json({ ...begun, interval: 2, verification_uri_complete: `${ISSUER}/confirm?code=ABCD-EFGH` }),
      pending,
      json({ error: 'slow_down' }, 400),
      { error: 'ECONNRESET' },
      json({ access_token: good, token_type: 'Bearer' }),
    ]);
    expect([ran.code, ran.out]).toEqual([0, `${good}\n`]);
    expect(ran.err).toBe(`open ${ISSUER}/confirm?code=ABCD-EFGH\nand confirm the code ABCD-EFGH\nann; roles: reader\n`);
    expect(ran.slept).toEqual([2, 2, 7, 14]);
    expect(ran.requested.map(({ method, target }) => `${method} ${target}`)).toEqual([
      'GET /.well-known/openid-configuration',
      'POST /device',
      ...Array(4).fill('POST /token'),
    ]);
    expect(ran.requested[1]?.body).toBe('client_id=wiki&resource=api%3A%2F%2Fwiki&scope=openid');
    expect(ran.requested[2]?.body).toBe(
      'grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code=secret-code&client_id=wiki&resource=api%3A%2F%2Fwiki',
    );
    expect(ran.err).not.toContain('secret-code');
  });

  test('polls at most once a second, whatever the provider says', async () => {
    const pending = Array<Incoming>(600).fill(json({ error: 'authorization_pending' }, 400));
    const ran = await login([discovery, json({ ...begun, interval: 0.1 }), ...pending]);
    expect(ran.err).toContain('has expired');
    expect([ran.requested.length, Math.min(...ran.slept)]).toEqual([2 + 60, 1]);
  });

  test.each([
    ['audience_mismatch', { aud: 'api://other' }],
    ['token_expired', { exp: NOW - 60 }],
    ['issuer_unknown', { iss: 'https://other.example.com' }],
  ])('a token that the gateway would refuse (%s) is not printed', async (reason, claims) => {
    const bad = token({ iss: ISSUER, aud: 'api://wiki', sub: 'ann', exp: NOW + 60, iat: NOW, ...claims });
    const ran = await login([discovery, json(begun), json({ access_token: bad })]);
    expect([ran.code, ran.out]).toEqual([1, '']);
    expect(ran.err).toContain(`the gateway would reject this token: ${reason}: `);
    expect(ran.err).not.toContain(bad);
  });

  test.each<[string, readonly Incoming[]]>([
    ['no answer: ENOTFOUND', [{ error: 'ENOTFOUND' }]],
    ['has no device flow', [json({ issuer: ISSUER, token_endpoint: 'x' })]],
    [
      'refuses to begin (401): invalid_client: no\\u001b[2J',
      [discovery, json({ error: 'invalid_client', error_description: 'no\u001b[2J' }, 401)],
    ],
    ['no code to confirm', [discovery, json({ ...begun, user_code: '\u001b[2J' })]],
    ['issues no token (400): access_denied', [discovery, json(begun), json({ error: 'access_denied' }, 400)]],
    ['has expired', [discovery, json(begun), json({ error: 'expired_token' }, 400)]],
    ['has expired', [discovery, json({ ...begun, interval: 61 })]],
    ['would reject this token: token_malformed', [discovery, json(begun), json({ access_token: 'opaque' })]],
    ['without an access token', [discovery, json(begun), json({ access_token: 'a b' })]],
  ])('prints %j', async (text, answers) => {
    const ran = await login(answers);
    expect([ran.code, ran.out, ran.requested.length]).toEqual([1, '', answers.length]);
    expect(ran.err).toContain(text);
  });

  test('uses the provider that is given', async () => {
    const two = policy().replace(
      'roles:',
      `  ci: { issuer: https://ci.example.com, audiences: [wiki], client: { id: ci } }\nroles:`,
    );
    const several = two
      .replace('{ group: readers }', '{ group: readers, provider: okta }')
      .replace('{ /*', '{ providers: [okta], /*')
      .replace(
        'allow: [reader] } }',
        'allow: [reader] } }, ci.example.com: { providers: [ci], /*: { service: wiki, allow: [authenticated] } }',
      );
    expect(await login([], [], several)).toMatchObject({ code: 2, err: 'meshgate: give --provider NAME: okta, ci\n' });
    expect((await login([discovery], ['--provider', 'okta'], several)).requested[0]?.authority).toBe(
      'login.example.com',
    );
    expect(await login([], ['--provider', 'otka'], several)).toMatchObject({
      code: 2,
      err: expect.stringContaining('"okta"'),
    });
  });

  test('requests the audience from Entra by its scope', async () => {
    const issuer = 'https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0';
    const text = policy().replace('kind: generic, ', '').replace(ISSUER, issuer);
    const found = json({
      issuer,
      device_authorization_endpoint: `${ISSUER}/device`,
      token_endpoint: `${ISSUER}/token`,
    });
    const { requested } = await login([found, { error: 'x' }], ['--client-id', 'cli'], text);
    expect(requested[1]?.body).toBe('client_id=cli&scope=api%3A%2F%2Fwiki%2F.default');
  });

  test('without a network it says where one is needed', async () => {
    expect(await meshgate(['login'])).toMatchObject({ code: 2, err: expect.stringContaining('npx meshgate login') });
  });
});

describe('against a real provider', () => {
  let provider: Provider;
  let issuer: string;
  let ca: string;
  let server: ReturnType<typeof createServer>;

  beforeAll(async () => {
    const authority = await createCa('login');
    const { cert, key } = await authority.server('localhost');
    ca = authority.cert;
    server = createServer({ cert, key }, (request, response) => provider.callback()(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    issuer = `https://localhost:${(server.address() as AddressInfo).port}`;
    provider = new Provider(issuer, {
      clients: [
        {
          client_id: 'cli',
          token_endpoint_auth_method: 'none',
          grant_types: ['urn:ietf:params:oauth:grant-type:device_code'],
          redirect_uris: [],
          response_types: [],
        },
      ],
      features: {
        deviceFlow: { enabled: true },
        devInteractions: { enabled: false },
        resourceIndicators: {
          enabled: true,
          getResourceServerInfo: () => ({ scope: '', audience: 'api://wiki', accessTokenFormat: 'jwt' }),
        },
      },
      findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
      extraTokenClaims: () => ({ groups: ['readers'] }),
    });
  });

  afterAll(() => void server?.close());

  /** The person opens the address and agrees. */
  async function confirm(userCode: string): Promise<void> {
    const code = (await provider.DeviceCode.findByUserCode(userCode.replace(/[^A-Z0-9]/g, ''))) as unknown as {
      params: Record<string, unknown>;
      save(): Promise<string>;
    };
    const grant = new provider.Grant({ accountId: 'ada', clientId: 'cli' });
    grant.addOIDCScope('openid');
    grant.addResourceScope('api://wiki', '');
    Object.assign(code, {
      accountId: 'ada',
      grantId: await grant.save(),
      scope: 'openid',
      resource: 'api://wiki',
      authTime: 1,
      claims: {},
    });
    await code.save();
  }

  test('a token for curl', async () => {
    const text = policy().replace(ISSUER, issuer).replace('{ id: wiki }', '{ id: cli }');
    const requested: Outgoing[] = [];
    let slept = 0;
    const ask = async (request: Outgoing) => {
      requested.push(request);
      const answer = await systemAsk()!(request);
      if ('body' in answer && request.target === '/device/auth') userCode = JSON.parse(answer.body).user_code;
      return answer;
    };
    let userCode = '';
    const sleep = async () => {
      slept += 1;
      if (slept === 2) await confirm(userCode);
    };
    const files = { './meshgate.yaml': text, 'ca.pem': ca };
    const now = Date.now() / 1000;
    const ran = await meshgate(['login', '--ca-file', 'ca.pem'], { files, ask, sleep, now });
    expect(ran.err).toContain('ada; roles: reader\n');
    expect([ran.code, ran.out.split('.').length, slept]).toEqual([0, 3, 2]);
  });

  test('init knows it', async () => {
    const args = ['init', issuer, '--host', 'wiki.example.com', '--to', 'https://x.internal', '--ca-file', 'ca.pem'];
    const ran = await meshgate(args, { files: { 'ca.pem': ca }, ask: systemAsk()! });
    expect(ran).toMatchObject({ code: 0, out: expect.stringContaining(issuer) });
    const untrusted = await meshgate(args.slice(0, -2), { ask: systemAsk()! });
    expect(untrusted).toMatchObject({ code: 1, err: expect.stringContaining('no answer: ') });
  });
});
