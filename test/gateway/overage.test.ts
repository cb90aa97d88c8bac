/** People with more groups than a token of Entra's takes: the gateway requests those of the policy, and no request
 * passes without an answer. */
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type Document,
  ready,
  startEcho,
  startGateway,
  startIssuer,
  testStage,
  until,
  waitForWorkers,
} from '../harness/index.ts';

const stage = await testStage('overage');
const [wiki, issuers] = await Promise.all([startEcho(stage, { alias: 'wiki' }), startIssuer(stage)]);
const entra = await issuers.create('entra');
await entra.serveDiscovery({
  body: JSON.stringify({
    issuer: entra.url,
    jwks_uri: `${issuers.origin}${entra.jwksPath}`,
    token_endpoint: `${issuers.origin}/entra/token`,
  }),
});
const ids = Array.from({ length: 25 }, (_, i) => `00000000-0000-0000-0000-${String(i).padStart(12, '0')}`);
const [editors = '', , readers = ''] = ids;
const provider = (name: string, more: string) => `
  ${name}:
    kind: entra
    issuer: ${entra.url}
    audiences: [${name}]
    ca_file: /run/provider/ca.pem
    subject: { claim: oid }
    ${more}`;
const policy = `
version: 1
gateway: { tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }, token_cache: 2s }
providers:${provider(
  'asked',
  `client: { id: gateway, secret_file: /run/secrets/client }
    groups_endpoint: "${issuers.origin}/graph/v1.0/users/{oid}/checkMemberObjects"`,
)}${provider('closed', '')}
roles:
  editor: { any: [{ group: "${editors}", provider: asked }, { group: "${editors}", provider: closed }] }
  reader: { group: "${readers}", provider: asked }
  stranger: { none: [{ claim: groups, has: "${readers}", provider: asked }] }
${ids
  .slice(3)
  .map((id, i) => `  team-${i}: { group: "${id}", provider: asked }`)
  .join('\n')}
services:
  wiki: { insecure_url: "http://wiki:8080" }
headers: { X-Forwarded-User: subject, X-Forwarded-Roles: roles }
hosts:
  asked.test:
    providers: [asked]
    /*: { service: wiki, allow: [editor, reader] }
    /stranger: { service: wiki, allow: [stranger, { role: reader, methods: [POST] }] }
${ids
  .slice(3)
  .map((_, i) => `    /team-${i}: { service: wiki, allow: [team-${i}] }`)
  .join('\n')}
  closed.test: { providers: [closed], /*: { service: wiki, allow: [editor] } }
`;
const gateway = await startGateway(stage, { policy });

let serial = 0;
const graph = (oid: string) => `/graph/v1.0/users/${oid}/checkMemberObjects`;
const person = () => `0f0e-${++serial}`;
const overage = { _claim_names: { groups: 'src1' }, _claim_sources: { src1: { endpoint: 'https://graph.example/x' } } };
const token = (oid: string, aud = 'asked', claims: object = overage) =>
  entra.sign({ aud, sub: `s-${oid}`, oid, azp: 'cli', ...claims });
const graphSays = (oid: string, document: Document) => issuers.put({ [graph(oid)]: document });
const putIn = (oid: string, ...groups: string[]) => graphSays(oid, { body: JSON.stringify({ value: groups }) });
const appToken = (lifetime: number) =>
  issuers.put({
    '/entra/token': {
      body: JSON.stringify({ token_type: 'Bearer', access_token: 'app-SECRET', expires_in: lifetime }),
    },
  });

beforeAll(async () => {
  await appToken(3600);
  const good = await token('x', 'closed', { groups: [editors] });
  await ready(gateway, 'closed.test', { token: good });
});

beforeEach(() => issuers.clearHits());

test('groups that a token leaves out are refused without an endpoint, and the reason says so', async () => {
  const refused = await gateway.send('closed.test', { token: await token(person(), 'closed') });
  expect([refused.status, refused.json().reason]).toEqual([401, 'claim_absent']);
  expect(refused.json().detail).toContain('groups');
});

describe('with an endpoint', () => {
  test('people have the groups that the policy names, requested once, twenty in a call', async () => {
    const oid = person();
    await putIn(oid, readers, ids[22]!, '99999999-not-asked-for');
    const theirs = await token(oid);
    await wiki.clear();
    const began = performance.now();
    const all = await Promise.all(Array.from({ length: 20 }, () => gateway.send('asked.test', { token: theirs })));
    expect([...new Set(all.map(({ status }) => status))]).toEqual([200]);
    const [first] = await wiki.requests();
    expect(Object.fromEntries(first!.headers)).toMatchObject({
      'X-Forwarded-User': oid,
      'X-Forwarded-Roles': 'reader,team-19',
    });
    const calls = (await issuers.hits())[graph(oid)];
    expect(calls).toBeGreaterThanOrEqual(2);
    // The answer is cached for two seconds, and a busy machine may take longer for the twenty requests.
    expect(calls).toBeLessThanOrEqual(2 * (1 + Math.floor((performance.now() - began) / 2000)));
    const { method, authorization, body } = await issuers.last(graph(oid));
    expect([method, authorization]).toEqual(['POST', 'Bearer app-SECRET']);
    expect(JSON.parse(body).ids.length).toBeLessThanOrEqual(20);
    // Another token of the person causes another request only after the cached answer has expired.
    expect((await gateway.send('asked.test', { token: await token(oid) })).status).toBe(200);
    expect((await gateway.send('asked.test', { path: '/stranger', token: theirs })).json().reason).toBe('role_missing');
  });

  test('the gateway requests the groups with a token that its client received', async () => {
    const { method, body } = await issuers.last('/entra/token');
    expect(method).toBe('POST');
    expect(new URLSearchParams(body).get('grant_type')).toBe('client_credentials');
    expect(new URLSearchParams(body).get('scope')).toBe('https://issuers/.default');
  });

  test('a person who leaves a group is without it once the token is no longer known', async () => {
    const oid = person();
    await putIn(oid, editors);
    const theirs = await token(oid);
    expect((await gateway.send('asked.test', { token: theirs })).status).toBe(200);
    await putIn(oid);
    await until(async () => (await gateway.send('asked.test', { token: theirs })).status === 403, {
      what: 'the refusal',
    });
  });

  test('a token that names its groups needs no request', async () => {
    const oid = person();
    expect((await gateway.send('asked.test', { token: await token(oid, 'asked', { groups: [readers] }) })).status).toBe(
      200,
    );
    expect((await gateway.send('asked.test', { token: await token(oid, 'asked', { groups: [] }) })).status).toBe(403);
    expect((await issuers.hits())[graph(oid)]).toBeUndefined();
  });

  const broken: readonly (readonly [string, Document])[] = [
    ['an error', { status: 500, body: '{}' }],
    ['a refusal of the gateway’s token', { status: 403, body: '{}' }],
    ['no person of that name', { status: 404, body: '{}' }],
    ['no list', { body: '{"value":"all"}' }],
    ['a list of something else', { body: '{"value":[1]}' }],
    ['a page', { body: '<html>' }],
    ['a redirect', { status: 302, headers: { Location: 'https://issuers:8443/graph' }, body: '' }],
  ];
  test.each(broken)('%s allows no request', async (_, document) => {
    const oid = person();
    await graphSays(oid, document);
    const refused = await gateway.send('asked.test', { path: '/stranger', token: await token(oid) });
    expect([refused.status, refused.json().reason]).toEqual([503, 'provider_unavailable']);
  });

  test('a person whose id is not allowed in a path is rejected', async () => {
    for (const oid of ['../me', 'a/b', 'a?b', '', 7]) {
      const theirs = await entra.sign({ aud: 'asked', sub: 's', oid, azp: 'cli', ...overage });
      expect((await gateway.send('asked.test', { token: theirs })).status).toBe(401);
    }
    expect(Object.keys(await issuers.hits()).filter((path) => path.startsWith('/graph'))).toEqual([]);
  });

  test('no log has the gateway’s own token', async () => {
    await waitForWorkers(gateway);
    expect(gateway.box.logs.since(0).join('\n')).not.toContain('SECRET');
  });
});
