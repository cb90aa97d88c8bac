/**
 * Every kind of provider at a gateway: tokens of real shape pass, and each near miss stops where its table says
 * (../unit/providers/tables). Then tokens that oidc-provider itself issues, to people and to clients.
 */
import { decodeJwt } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { isAlone } from '../../src/caller/agent.ts';
import { providerKindNames, providerKinds } from '../../src/providers/index.ts';
import {
  expectCleanLog,
  gatewayCase,
  startEcho,
  startGateway,
  startIssuer,
  startProvider,
  testStage,
  until,
  valuesOf,
} from '../harness/index.ts';
import { hostOf, keysOf, kindCases, kindsPolicy } from '../unit/providers/build.ts';
import { jwks, makeToken, publicJwk } from '../unit/token/maker.ts';

const ca = { ca_file: '/run/provider/ca.pem' };
const tenant = '8f8b0b2e-4d7c-4b6d-9d60-0f3b8a1a6a55';

const stage = await testStage('profiles');
const [echo, issuers, provider] = await Promise.all([
  startEcho(stage, { alias: 'wiki' }),
  startIssuer(stage),
  startProvider(stage),
]);
const template = `${issuers.origin}/{tenantid}/v2.0`;
await issuers.put({
  ...Object.fromEntries(providerKindNames.map((kind) => [`/${kind}/jwks`, { body: keysOf(kind) }])),
  '/organizations/v2.0/.well-known/openid-configuration': {
    body: JSON.stringify({ issuer: template, jwks_uri: `${issuers.origin}/organizations/keys` }),
  },
  '/organizations/keys': { body: jwks(publicJwk('rsa', { issuer: template })) },
});

const kinds = JSON.parse(
  kindsPolicy((kind) => ({ jwks_uri: `${issuers.origin}/${kind}/jwks`, ...ca }), { insecure_http: true, listen: 8080 }),
);
const route = (role: string) => ({ '/*': { service: 'wiki', allow: [role] } });
const gateway = await startGateway(stage, {
  policy: JSON.stringify({
    ...kinds,
    providers: {
      ...kinds.providers,
      tenants: { kind: 'entra', issuer: template, tenants: [tenant], audiences: ['api'], ...ca },
      op: { issuer: provider.issuer, audiences: ['api://wiki'], ...ca },
    },
    roles: {
      ...kinds.roles,
      staff: { group: 'staff', provider: 'op' },
      indexer: {
        all: [{ provider: 'op' }, { claim: 'client_id', like: 'wiki-index*' }, { claim: 'sub', like: 'wiki-index*' }],
      },
    },
    hosts: {
      ...kinds.hosts,
      'tenants.test': { providers: ['tenants'], ...route('authenticated') },
      'op.test': { providers: ['op'], '/*': { service: 'wiki', allow: ['staff', 'indexer'] } },
    },
  }),
});
const setup = { gateway, echoes: [echo] };
const cases = kindCases(Date.now() / 1000);

/** Waits until a host has its provider's keys and its service's address: until then it answers 503 or 502. */
const keysFor = (host: string, token: string) =>
  until(async () => (await gateway.send(host, { token })).status < 500, {
    what: `keys and address for ${host}`,
  });

beforeAll(async () => {
  for (const kind of providerKindNames) {
    await keysFor(hostOf(kind), cases.find((one) => one.kind === kind)?.token ?? '');
  }
});

describe('at a gateway', () => {
  // If a scope is missing the reason says so; the tables know the result of a token, and not the needs of a route.
  const plain = (reason: string) => (reason === 'scope_missing' ? 'role_missing' : reason);

  test.each(providerKindNames)('each row of the table of %s has the result that it states, twice', async (kind) => {
    const host = hostOf(kind);
    const agent = gateway.keepAlive(host, 1);
    const wrong: string[] = [];
    let passed = 0;
    await echo.clear();
    for (const run of ['first', 'second']) {
      for (const { name, token, expected, says = '' } of cases.filter((one) => one.kind === kind)) {
        const answer = await gateway.send(host, { token, agent });
        const { reason, detail } = answer.status === 200 ? { reason: 'allowed', detail: '' } : answer.json();
        if (reason === 'allowed') passed++;
        if (plain(reason) !== expected || !detail.includes(says))
          wrong.push(`${run} run, ${name}: ${reason} (${detail})`);
      }
    }
    expect(wrong).toEqual([]);
    expect(passed).toBeGreaterThanOrEqual(2);
    expect((await echo.requests()).length, 'requests that reached the service').toBe(passed);
  });

  test('no row logs a problem', async () => {
    await expectCleanLog(gateway, 0);
  });
});

describe('several tenants by a template', () => {
  const claims = (id: string) => {
    const now = Math.floor(Date.now() / 1000);
    const iss = template.replace('{tenantid}', id);
    return { iss, tid: id, aud: 'api', sub: 'ann', azp: 'app', iat: now, exp: now + 600 };
  };
  const ours = makeToken({ claims: claims(tenant) });

  beforeAll(() => keysFor('tenants.test', ours));

  gatewayCase(setup, {
    name: 'keys come from the document of all organisations, and a token of a pinned tenant passes',
    host: 'tenants.test',
    request: { token: ours },
    status: 200,
  });

  gatewayCase(setup, {
    name: 'a token of any other tenant is refused',
    host: 'tenants.test',
    request: { token: makeToken({ claims: claims('5b973f99-77df-4beb-b27d-aa0c70b8482c') }) },
    status: 401,
    reason: 'issuer_unknown',
  });
});

describe('oidc-provider issues', async () => {
  const [person, client, idToken] = await Promise.all([
    provider.token('ada'),
    provider.serviceToken(),
    provider.mint({ subject: 'ada', kind: 'id_token' }),
  ]);

  beforeAll(() => keysFor('op.test', person));

  gatewayCase(setup, {
    name: 'a person’s token passes by its group',
    host: 'op.test',
    request: { token: person },
    status: 200,
    upstream: { headers: { 'X-Forwarded-User': 'ada' } },
  });

  test('a client’s own token passes by its client, and proves that no person is behind it', async () => {
    await echo.clear();
    const answer = await gateway.send('op.test', { token: client });
    expect(answer.status, answer.text).toBe(200);
    expect(valuesOf((await echo.requests())[0]!, 'X-Forwarded-User')).toEqual(['wiki-index']);
    expect(isAlone(decodeJwt(client), providerKinds.generic)).toBe(true);
    expect(isAlone(decodeJwt(person), providerKinds.generic)).toBe(false);
  });

  gatewayCase(setup, {
    name: 'an ID token is refused: it is for its client, and not for services',
    host: 'op.test',
    request: { token: idToken },
    status: 401,
    reason: 'audience_mismatch',
  });
});
