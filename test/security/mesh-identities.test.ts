/** Two roles, one ingress: no request uses another identity's connection or TLS session, also during a rotation. */
import { X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  type Answer,
  createCa,
  type Echo,
  type Envoy,
  expectCleanLog,
  type Files,
  type Gateway,
  ready,
  startEcho,
  startEnvoy,
  startGateway,
  startIssuer,
  testStage,
  until,
  waitForWorkers,
  writeSvid,
} from '../harness/index.ts';

const spiffe = (name: string) => `spiffe://example.org/ns/edge/sa/${name}`;
const identities = ['alpha', 'beta'] as const;
type Name = (typeof identities)[number];

/** Seconds after which no request begins with a replaced certificate. */
const rotation = 10;
/** spiffe-helper's folder for alpha; beta has one PEM. */
const dir = '/run/spiffe/alpha';

const policyOf = (ingress: string, issuer: string) => `
version: 1
gateway: { insecure_http: true, listen: 8080 }
providers:
  acme: { issuer: ${issuer}, audiences: [wiki], ca_file: /run/provider/ca.pem }
roles:
  alpha: { group: alpha }
  beta: { group: beta }
mesh:
  kind: envoy
  trust_domain: example.org
  rotation: ${rotation}s
  ingress:
    address: ${ingress}:8443
    server_name: ingress.mesh
    ca_file: /run/mesh/ca.pem
    own: { cert_file: /run/ingress/tls.crt, key_file: /run/ingress/tls.key, client_ca_file: /run/ingress/ca.pem, listen: 8443 }
  identities:
    alpha: { spiffe: "${spiffe('alpha')}", svid_dir: ${dir} }
    beta: { spiffe: "${spiffe('beta')}", pem_file: /run/mesh/beta.pem }
services:
  wiki: { authority: "wiki:8080", endpoint: "wiki:8080" }
hosts:
  wiki.test:
    /*: { service: wiki, allow: [ { role: alpha, as: alpha }, { role: beta, as: beta } ] }
`;

const stage = await testStage('mesh identities');
const echo: Echo = await startEcho(stage, { alias: 'wiki' });
const issuers = await startIssuer(stage);
const acme = await issuers.create('acme');
const policy = policyOf('ingress', acme.url);
const envoy: Envoy = await startEnvoy(stage, { policy });
const tokens: Record<Name, string> = {
  alpha: await acme.sign({ aud: 'wiki', sub: 'a', groups: ['alpha'] }),
  beta: await acme.sign({ aud: 'wiki', sub: 'b', groups: ['beta'] }),
};

interface Carried {
  readonly path: string;
  readonly peer: string;
}

/** Envoy's own log: the identity's certificate of each request. */
const carried = (mark: number): Carried[] =>
  envoy
    .access(mark)
    .filter((line) => /^\/(alpha|beta)\//.test(String(line.path)))
    .map((line) => ({ path: String(line.path), peer: String(line.downstream_peer_uri_san) }));

const crossings = (lines: readonly Carried[]) => lines.filter(({ path, peer }) => peer !== spiffe(path.split('/')[1]!));

/** When each request was sent, by its path. */
const sentAt = new Map<string, number>();

/** Sends requests of both roles in turn on the same few client connections. */
async function load(gateway: Gateway, count: number, connections = 16): Promise<Answer[]> {
  const agent = gateway.keepAlive('wiki.test', connections);
  const failed: Answer[] = [];
  let next = 0;
  const client = async () => {
    while (next < count) {
      const number = next++;
      const role = identities[number % 2] as Name;
      const path = `/${role}/${sentAt.size}`;
      sentAt.set(path, performance.now());
      const answer = await gateway.send('wiki.test', { path, token: tokens[role], agent });
      if (answer.status !== 200) failed.push(answer);
    }
  };
  await Promise.all(Array.from({ length: connections }, client));
  agent.destroy();
  return failed;
}

const readyAtIngress = (gateway: Gateway) => ready(gateway, 'wiki.test', { token: tokens.alpha });

/** SHA-256 of a certificate, as Envoy puts it into x-forwarded-client-cert. */
const hashOf = (pem: string) => new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase();

/** All identities through one upstream block, as nginx's documentation suggests. */
const shared = (files: Files): Files => {
  const text = files['http.conf']!.replaceAll('meshgate_ingress_beta', 'meshgate_ingress_alpha');
  // Removes the second block of the same name, so that one pool serves both.
  const blocks = text.match(/upstream meshgate_ingress_alpha \{[\s\S]*?\n\}/g) ?? [];
  expect(blocks.length, 'upstream blocks of the two identities').toBe(2);
  const at = text.lastIndexOf(blocks[1]!);
  return { ...files, 'http.conf': text.slice(0, at) + text.slice(at + blocks[1]!.length) };
};

describe('one upstream block per identity', async () => {
  const gateway = await startGateway(stage, { policy });
  await readyAtIngress(gateway);

  test('of 20,000 requests of two roles, mixed on the same connections, none uses the other’s identity, and soon after a rotation none uses an old certificate', async () => {
    const mark = envoy.box.logs.mark();
    const gatewayMark = await waitForWorkers(gateway);
    let sent = 0;
    const burst = async (count: number) => {
      expect(await load(gateway, count)).toEqual([]);
      sent += count;
    };
    await burst(10_000);

    const renewed = {
      alpha: await stage.meshCa.client(spiffe('alpha')),
      beta: await stage.meshCa.client(spiffe('beta')),
    };
    await gateway.box.write({ '/run/mesh/beta.pem': renewed.beta.pem });
    await writeSvid(gateway.box, dir, renewed.alpha, stage.meshCa.cert);
    const fresh = new Set([hashOf(renewed.alpha.cert), hashOf(renewed.beta.cert)]);
    const rotated = performance.now();
    let lastOld = 0;
    let allNew = 0;
    // Continues for some time after the last one, so that a later one would be noticed.
    while (sent < 20_000 || performance.now() - Math.max(rotated, lastOld) < rotation * 1000) {
      await echo.clear();
      await burst(500);
      const old = (await echo.requests()).filter(
        ({ headers }) =>
          !headers.some(
            ([name, value]) =>
              /^x-forwarded-client-cert$/i.test(name) && fresh.has(/Hash=([0-9a-f]{64})/.exec(value)?.[1] ?? ''),
          ),
      );
      lastOld = Math.max(lastOld, ...old.map(({ url }) => sentAt.get(url) ?? Number.POSITIVE_INFINITY));
      allNew = old.length === 0 ? allNew + 1 : 0;
    }
    expect((lastOld - rotated) / 1000, 'seconds until the last request with an old certificate').toBeLessThan(rotation);
    expect(lastOld, 'old certificates were in use after the rotation: the pool is kept').toBeGreaterThan(rotated);
    expect(allNew).toBeGreaterThan(2);

    const lines = await until(() => (carried(mark).length >= sent ? carried(mark) : undefined), {
      what: 'all requests in the log of Envoy',
    });
    expect(lines.length).toBe(sent);
    expect(crossings(lines).slice(0, 5)).toEqual([]);
    await expectCleanLog(gateway, gatewayMark);
  }, 400_000);

  test('a certificate whose key is missing gives 503 and sends nothing, and the next request with the key passes', async () => {
    const mark = await waitForWorkers(gateway);
    const next = await stage.meshCa.client(spiffe('alpha'));
    const ask = () => gateway.send('wiki.test', { path: '/alpha/half', token: tokens.alpha });
    // The writer has stopped half way. Connections with the earlier pair serve until their time is over.
    await writeSvid(gateway.box, dir, next, stage.meshCa.cert, 'exit 0');
    await until(async () => (await ask()).status === 503, { what: 'the first new connection' });
    await echo.clear();
    expect((await ask()).status).toBe(503);
    expect(await echo.requests()).toEqual([]);
    expect((await gateway.send('wiki.test', { path: '/beta/half', token: tokens.beta })).status).toBe(200);
    // nginx's line about the pair that does not match; it may come after the responses.
    await gateway.box.logs.waitFor(
      /SSL_use_PrivateKey\("\/run\/spiffe\/alpha\/svid_key\.pem"\) failed .*key values mismatch/,
      mark,
    );
    await writeSvid(gateway.box, dir, next, stage.meshCa.cert);
    expect((await ask()).status).toBe(200);
    await expectCleanLog(gateway, mark, [/SSL_use_PrivateKey/, /SVID of identity alpha .*svid_key_mismatch/]);
  });
});

describe('one upstream block for both identities', async () => {
  const gateway = await startGateway(stage, { policy, alias: 'gateway-shared', mutate: shared });

  test('requests use the other’s identity, so the test above can detect it', async () => {
    const mark = envoy.box.logs.mark();
    await until(async () => (await gateway.send('wiki.test', { token: tokens.alpha })).status < 500 || undefined, {
      what: 'the road to the ingress',
    });
    await load(gateway, 1000);
    const lines = await until(() => (carried(mark).length >= 1000 ? carried(mark) : undefined), {
      what: 'the requests in the log of Envoy',
    });
    expect(crossings(lines).length).toBeGreaterThan(0);
  });
});

describe('the ingress’s certificate is verified: a wrong one gives no answer, and there is no fallback to plain HTTP', async () => {
  const others = await createCa('another CA');
  const gateways: Record<string, Gateway> = {};
  const wrong: Record<string, () => Promise<{ cert: string; key: string }>> = {
    'another CA': () => others.server(['ingress.mesh']),
    'another name': () => stage.meshCa.server(['other.mesh']),
    expired: () => stage.meshCa.server(['ingress.mesh'], { notAfter: new Date(Date.now() - 86_400_000) }),
  };
  for (const [name, make] of Object.entries(wrong)) {
    test(name, async () => {
      const alias = `ingress-${name.replace(' ', '-')}`;
      const { cert, key } = await make();
      await startEnvoy(stage, {
        policy: policyOf(alias, acme.url),
        files: { '/run/ingress/tls.crt': cert, '/run/ingress/tls.key': key },
      });
      const gateway = await startGateway(stage, { policy: policyOf(alias, acme.url), alias: `gateway-${alias}` });
      gateways[name] = gateway;
      await echo.clear();
      const mark = await waitForWorkers(gateway);
      const answer = await until(
        async () => {
          const got = await gateway.send('wiki.test', { token: tokens.alpha });
          return got.status === 502 ? got : undefined;
        },
        { what: 'a 502' },
      );
      expect(answer.status).toBe(502);
      // The second call too.
      expect((await gateway.send('wiki.test', { token: tokens.alpha })).status).toBe(502);
      // nginx's line about the certificate; it may come after the responses.
      await gateway.box.logs.waitFor(/upstream SSL certificate (verify error|does not match)/, mark);
      expect(await echo.requests()).toEqual([]);
    });
  }

  test('a bundle with the other CA is loaded, and an invalid bundle is not', async () => {
    const gateway = gateways['another CA']!;
    const mark = await waitForWorkers(gateway);
    await gateway.box.write({ '/run/mesh/ca.pem': `${others.cert}${stage.meshCa.cert}`.slice(0, -30) });
    // The job has read the invalid file.
    await gateway.box.logs.waitFor(/CA of the ingress \(\/run\/mesh\/ca\.pem\): ca_malformed: /, mark);
    await gateway.box.write({ '/run/mesh/ca.pem': stage.meshCa.cert });
    await gateway.box.write({ '/run/mesh/ca.pem': others.cert + stage.meshCa.cert });
    const ask = async () => (await gateway.send('wiki.test', { token: tokens.alpha })).status === 200;
    await until(ask, { what: 'the other CA to be trusted' });
    await waitForWorkers(gateway);
    const reported = gateway.box.logs.since(mark).filter((line) => /CA of the ingress/.test(line));
    expect(reported).toHaveLength(2);
    expect(reported[1]).toMatch(/\[warn\].*ca_changed: the file has other certificates now, so nginx reloads/);
    const starts = gateway.box.logs.since(mark).filter((line) => /start worker process \d+/.test(line));
    expect(starts).toHaveLength(1);
  });
});
