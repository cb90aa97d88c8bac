/** The gateway's own calls: what leaves through the egress server, how it is verified, and that it is sent once. */
import { beforeEach, describe, expect, test } from 'vitest';
import {
  createCa,
  type Echo,
  expectCleanLog,
  type Received,
  render,
  standIn,
  startEcho,
  startGateway,
  testStage,
  valuesOf,
  waitForWorkers,
} from '../harness/index.ts';

const host = 'wiki.test';
const stage = await testStage('egress');
const [idp, strict, stranger, etcd] = await Promise.all([
  startEcho(stage, { alias: 'idp', tls: { pem: (await stage.ca.server(['idp'])).pem } }),
  startEcho(stage, { alias: 'strict', tls: { pem: (await stage.ca.server(['strict'])).pem }, clientCa: stage.ca.cert }),
  startEcho(stage, { alias: 'stranger', tls: { pem: (await (await createCa('another')).server(['stranger'])).pem } }),
  startEcho(stage, { alias: 'etcd-0', tls: { pem: (await stage.ca.server(['etcd-0'])).pem }, clientCa: stage.ca.cert }),
]);
const ca = 'ca_file: /run/provider/ca.pem';
const policy = `
version: 1
gateway:
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }
  session: { keys_file: /run/secrets/session.jwks }
  store: { etcd: ["https://etcd-0:8443", "https://nobody:8443"], ca_file: /run/etcd/ca.pem, cert_file: /run/etcd/tls.crt, key_file: /run/etcd/tls.key }
providers:
  idp: { issuer: "https://idp:8443/main", ${ca}, subject: { prefix: a- }, client: { id: gateway, secret_file: /run/secrets/idp } }
  strict:
    issuer: "https://strict:8443/main"
    ${ca}
    subject: { prefix: b- }
    client: { id: gateway, cert_file: /run/secrets/client.crt, key_file: /run/secrets/client.key }
  stranger: { issuer: "https://stranger:8443/main", ${ca}, subject: { prefix: c- }, client: { id: gateway } }
  ci: { issuer: "https://idp:8443/ci", ${ca}, subject: { prefix: d- }, audiences: [wiki] }
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
  ${host}:
    providers: [idp, strict, stranger, ci]
    /*: { service: wiki, allow: [authenticated] }
`;
const gateway = await startGateway(stage, { policy, rendered: standIn(await render('nginx', policy)) });

interface Call {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

async function call(requested: Call): Promise<{ status: number; type: string; text: string }> {
  const answer = await gateway.send(host, {
    method: 'POST',
    path: '/.meshgate/backchannel',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(requested),
  });
  return answer.json();
}

const to = (url: string, more: Readonly<Record<string, string>> = {}) => ({ 'X-Meshgate-Url': url, ...more });
const token = 'https://idp:8443/token';
const form = {
  'X-Meshgate-Method': 'POST',
  'X-Meshgate-Content-Type': 'application/x-www-form-urlencoded',
  'X-Meshgate-Authorization': 'Basic Zzpz',
  'X-Meshgate-Accept': 'application/jwt',
};
const secrets = 'code=SECRET-c&client_secret=SECRET-s&refresh_token=SECRET-r';

beforeEach(async () => {
  await Promise.all([idp, strict, stranger, etcd].map((echo) => echo.clear()));
});

async function only(echo: Echo): Promise<Received> {
  const requests = await echo.requests();
  expect(requests).toHaveLength(1);
  return requests[0] as Received;
}

const names = ({ headers }: Received): readonly string[] => headers.map(([name]) => name.toLowerCase()).sort();

describe('a provider with an OAuth client', () => {
  test('is called by POST with the body, type and credential, and no other headers', async () => {
    const answer = await call({
      path: '/idp',
      method: 'POST',
      headers: to(token, { ...form, 'X-Other': '1', Cookie: 'a=1' }),
      body: secrets,
    });
    expect(answer.status).toBe(200);
    const received = await only(idp);
    expect([received.method, received.url, received.body?.text]).toEqual(['POST', '/token', secrets]);
    expect(Object.fromEntries(received.headers)).toEqual({
      Host: 'idp:8443',
      Connection: 'close',
      Accept: 'application/jwt',
      'Content-Type': 'application/x-www-form-urlencoded',
      Authorization: 'Basic Zzpz',
      'User-Agent': 'meshgate',
      'Content-Length': String(secrets.length),
    });
  });

  test('is called by GET if the method is missing or not allowed', async () => {
    for (const method of [undefined, 'DELETE', 'PUT', 'post x']) {
      await idp.clear();
      await call({
        path: '/idp',
        headers: to('https://idp:8443/userinfo', method === undefined ? {} : { 'X-Meshgate-Method': method }),
      });
      const received = await only(idp);
      expect(received.method).toBe('GET');
      expect(valuesOf(received, 'Accept')).toEqual(['application/json']);
    }
  });

  test('is called once whatever the outcome, and no log has the request’s secrets', async () => {
    const mark = await waitForWorkers(gateway);
    for (const wish of ['echo-abort=1', 'echo-status=500', 'echo-status=503']) {
      await idp.clear();
      const answer = await call({ path: '/idp', method: 'POST', headers: to(`${token}?${wish}`, form), body: secrets });
      expect([500, 502, 503]).toContain(answer.status);
      expect(await idp.requests()).toHaveLength(1);
    }
    const dead = await call({ path: '/idp', method: 'POST', headers: to('https://idp:1/token', form), body: secrets });
    expect(dead.status).toBe(502);
    await gateway.box.logs.waitFor(/https:\/\/\S+:1\/token/, mark);
    await waitForWorkers(gateway);
    const log = gateway.box.logs.since(mark).join('\n');
    for (const secret of ['SECRET', 'Zzpz']) expect(log).not.toContain(secret);
  });

  test('is not called if its certificate is of another CA, also on a second attempt', async () => {
    const mark = await waitForWorkers(gateway);
    for (let i = 0; i < 2; i++) {
      expect(
        (
          await call({
            path: '/stranger',
            method: 'POST',
            headers: to('https://stranger:8443/token', form),
            body: secrets,
          })
        ).status,
      ).toBe(502);
    }
    expect(await stranger.requests()).toEqual([]);
    await gateway.box.logs.waitFor(/upstream SSL certificate verify error/, mark);
    await waitForWorkers(gateway);
    expect(gateway.box.logs.since(mark).join('\n')).not.toContain('SECRET');
  });

  test('may answer with large headers and bodies', async () => {
    const wish = `echo-header=X-Large:${'x'.repeat(12_000)}&echo-size=120000`;
    const mark = await waitForWorkers(gateway);
    const answer = await call({ path: '/idp', headers: to(`https://idp:8443/userinfo?${wish}`) });
    expect([answer.status, answer.text.length]).toEqual([200, 120_000]);
    await expectCleanLog(gateway, mark);
  });

  test('is called with no other scheme, and no other machine is reached through user info in a URL', async () => {
    for (const url of ['http://idp:8080/x', 'https://idp:8443@stranger:8443/x', 'ftp://idp/x', '']) {
      expect((await call({ path: '/idp', headers: to(url) })).status).toBe(400);
    }
    expect((await call({ path: '/nobody', headers: to(token) })).status).toBe(404);
  });
});

test('a provider without an OAuth client is called by GET alone, without a credential', async () => {
  await call({ path: '/ci', method: 'POST', headers: to(token, form), body: secrets });
  const received = await only(idp);
  expect([received.method, received.body?.length]).toEqual(['GET', 0]);
  expect(names(received)).toEqual(['accept', 'connection', 'host', 'user-agent']);
});

test('a client certificate is shown only to its own provider, and replaced without a reload', async () => {
  const url = to('https://strict:8443/token', form);
  const uris = async () => {
    await strict.clear();
    const { status } = await call({ path: '/strict', method: 'POST', headers: url, body: secrets });
    const [received] = await strict.requests();
    return [status, received?.tls?.clientUris, received?.tls?.resumed];
  };
  expect(await uris()).toEqual([200, ['spiffe://gateway.test/client'], false]);
  const other = await stage.ca.client('spiffe://gateway.test/next');
  await gateway.box.write({ '/run/secrets/client.crt': other.cert, '/run/secrets/client.key': other.key });
  expect(await uris()).toEqual([200, ['spiffe://gateway.test/next'], false]);
  // Through the location of another provider no certificate is shown: the server refuses.
  expect((await call({ path: '/idp', method: 'POST', headers: url, body: secrets })).status).not.toBe(200);
});

describe('etcd', () => {
  test('is called by POST below its own paths, with the certificate of the store', async () => {
    const answer = await call({ path: '/etcd/0/v3/kv/range?x=1', method: 'POST', body: '{"key":"YQ=="}' });
    expect(answer.status).toBe(200);
    const received = await only(etcd);
    expect([received.method, received.url, received.body?.text]).toEqual([
      'POST',
      '/v3/kv/range?x=1',
      '{"key":"YQ=="}',
    ]);
    expect(received.tls?.clientUris).toEqual(['spiffe://gateway.test/etcd']);
    expect(names(received)).toEqual(['content-length', 'content-type', 'host']);
    expect(valuesOf(received, 'Host')).toEqual(['etcd-0:8443']);
  });

  test('times out for a node that hangs, and reports a node that is missing', async () => {
    // State: the node still holds the request open when the answer comes.
    const hung = call({ path: '/etcd/0/v3/kv/range?echo-hold=hung', method: 'POST', body: '{}' });
    expect((await hung).status).toBe(504);
    await etcd.release('hung');
    expect((await call({ path: '/etcd/1/v3/kv/range', method: 'POST', body: '{}' })).status).toBe(502);
    expect((await call({ path: '/etcd/2/v3/kv/range', method: 'POST', body: '{}' })).status).toBe(404);
  });
});
