/** The life of the providers' keys: fetched, rotated, withdrawn, hostile, and the provider down. */
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  createCa,
  createKey,
  type Gateway,
  startEcho,
  startGateway,
  startIssuer,
  testStage,
  until,
  waitForWorkers,
} from '../harness/index.ts';

const stage = await testStage('keys');
const echo = await startEcho(stage, { alias: 'wiki' });
const issuers = await startIssuer(stage, { aliases: ['inside'] });
const elsewhere = await startIssuer(stage, {
  alias: 'impostor',
  pem: (await (await createCa('another CA')).server(['impostor'])).pem,
});

const names = [
  'acme',
  'other',
  'huge',
  'slow',
  'cut',
  'html',
  'moved',
  'wrong-issuer',
  'near',
  'inside',
  'allowed',
  'twin',
  'weak',
  'nameless',
] as const;
type Name = (typeof names)[number];
const made = Object.fromEntries(
  await Promise.all(names.map(async (name) => [name, await issuers.create(name)] as const)),
) as Record<Name, Awaited<ReturnType<typeof issuers.create>>>;
const impostor = await elsewhere.create('impostor');

// The fault of each hostile provider.
await made.huge.serveJwks({ body: JSON.stringify({ keys: [made.huge.key.jwk] }), padTo: 2_000_000 });
await made.slow.serveJwks({ body: '{"keys":[]}', hold: 'never' });
await made.cut.serveJwks({ body: JSON.stringify({ keys: [made.cut.key.jwk] }), cutAt: 100 });
await made.html.serveJwks({ body: '<html>maintenance</html>' });
await made.moved.serveJwks({ status: 302, headers: { Location: `${made.acme.url}/jwks` }, body: '' });
await made['wrong-issuer'].serveDiscovery({
  body: JSON.stringify({ issuer: made.acme.url, jwks_uri: `${made.acme.url}/jwks` }),
});
await made.near.serveDiscovery({
  body: JSON.stringify({ issuer: made.near.url, jwks_uri: 'https://127.0.0.1:8443/near/jwks' }),
});
// A name that leads into the gateway's own network, as DNS may return for any name.
for (const name of ['inside', 'allowed'] as const) {
  await made[name].serveDiscovery({
    body: JSON.stringify({ issuer: made[name].url, jwks_uri: `https://inside:8443${made[name].jwksPath}` }),
  });
}
// Another issuer with the same key.
await made.twin.publish(made.acme.key);
// jose cannot make such a key.
const short = generateKeyPairSync('rsa', { modulusLength: 1024 });
await made.weak.publish({ ...short.publicKey.export({ format: 'jwk' }), kid: 'short', alg: 'RS256' });
const twins = [await createKey('RS256'), await createKey('RS256')] as const;
await made.nameless.publish(...twins.map(({ jwk: { kid: _, ...jwk } }) => jwk));

const all = [...names, 'impostor'] as const;
/** @param refresh after which the job fetches keys again; in an hour none does, so that a fetch is one that a token asked for */
const policyFor = (refresh: string) => `
version: 1
gateway: { insecure_http: true, listen: 8080, connections: { per_address: 1024 }, keys: { refresh: ${refresh}, stale: 24h, cool_down: 1s } }
providers:
${all
  .map(
    (name) =>
      `  ${name}: { issuer: ${name === 'impostor' ? impostor.url : made[name].url}, audiences: [wiki], ca_file: /run/provider/ca.pem${name === 'allowed' ? ', insecure_private_addresses: true' : ''} }`,
  )
  .join('\n')}
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
${all.map((name) => `  ${name}.test: { providers: [${name}], /*: { service: wiki, allow: [authenticated] } }`).join('\n')}
`;
const gateway = await startGateway(stage, { policy: policyFor('1h') });

const sign = (name: Name, options = {}, claims = {}) =>
  made[name].sign({ aud: 'wiki', sub: 'ada', ...claims }, options);

/** Waits until the gateway has tried to fetch the keys once. */
async function stable(on: Gateway, host: string, token: string) {
  return until(
    async () => {
      const answer = await on.send(host, { token });
      return answer.status === 503 ? undefined : answer;
    },
    { what: `keys for ${host}` },
  );
}

const hitsOf = async (name: Name) => (await issuers.hits())[made[name].jwksPath] ?? 0;

test('the job fetches keys at start, before any request needs them', async () => {
  await until(async () => ((await hitsOf('acme')) > 0 ? true : undefined), {
    what: 'the first fetch',
  });
  const answer = await stable(gateway, 'acme.test', await sign('acme'));
  expect(answer.status).toBe(200);
});

describe('a hostile key set yields no keys, and the log says why', () => {
  const cases: [Name | 'impostor', RegExp][] = [
    ['huge', /provider huge: .*(too large|did not answer)/],
    ['slow', /provider slow: .*(did not answer|answered 504)/],
    ['cut', /provider cut: .*(did not answer|not JSON|answered 502)/],
    ['html', /provider html: .*not JSON/],
    ['moved', /provider moved: .*answered 302/],
    ['wrong-issuer', /provider wrong-issuer: .*the policy says/],
    ['inside', /provider inside: .*jwks is at the private address [\d.]+:8443, and its host is not the issuer's/],
    ['near', /provider near: .*points to the address/],
    ['weak', /provider weak: .*(2048|RSA)/],
    ['impostor', /provider impostor: .*answered 502/],
  ];
  test.each(cases)('%s', async (name, line) => {
    // The job has tried to fetch these keys.
    await gateway.box.logs.waitFor(line);
    const token = name === 'impostor' ? await impostor.sign({ aud: 'wiki', sub: 'ada' }) : await sign(name);
    await echo.clear();
    // The second call as well: a connection whose certificate was rejected is not used again.
    for (const run of [1, 2]) {
      const answer = await gateway.send(`${name}.test`, { token });
      expect([answer.status, answer.json().reason], `run ${run}`).toEqual([503, 'provider_unavailable']);
      expect(answer.header('Retry-After')).toBeDefined();
    }
    expect(await echo.requests()).toEqual([]);
  });

  test('no document was fetched from the place that a redirect or an address pointed to', async () => {
    const hits = await issuers.hits();
    expect(hits[made.moved.jwksPath]).toBeGreaterThan(0);
    expect(hits[made.near.jwksPath] ?? 0).toBe(0);
    expect(hits[made['wrong-issuer'].jwksPath] ?? 0).toBe(0);
  });
});

test('a private address of another host is accepted if the policy allows it', async () => {
  expect((await stable(gateway, 'allowed.test', await sign('allowed'))).status).toBe(200);
});

test('a key that two issuers publish verifies the tokens of each as its own, until one of them withdraws it', async () => {
  const { key } = made.acme;
  const [acmes, twins] = [await sign('acme'), await sign('twin', { key })];
  const ask = async (host: string, token: string) => {
    const answer = await stable(gateway, host, token);
    return answer.status === 200 ? 200 : answer.json().reason;
  };
  for (const run of [1, 2]) {
    expect(await ask('acme.test', acmes), `run ${run}`).toBe(200);
    expect(await ask('twin.test', twins), `run ${run}`).toBe(200);
    expect(await ask('twin.test', acmes), `run ${run}`).toBe('issuer_unknown');
    expect(await ask('acme.test', twins), `run ${run}`).toBe('issuer_unknown');
  }
  const next = await createKey('RS256');
  await made.twin.publish(next);
  await until(async () => (await ask('twin.test', await sign('twin', { key: next }))) === 200 || undefined, {
    what: 'the new key',
  });
  expect(await ask('twin.test', twins)).toBe('key_unknown');
  expect(await ask('acme.test', acmes)).toBe(200);
});

test('two keys without kid are both tried', async () => {
  for (const key of twins) {
    const token = await sign('nameless', { key, header: { kid: undefined } });
    const answer = await stable(gateway, 'nameless.test', token);
    expect(answer.status).toBe(200);
  }
});

test('a token without kid also causes a fetch of a new key', async () => {
  const next = await createKey('RS256');
  const { kid: _, ...jwk } = next.jwk;
  await made.nameless.publish(jwk);
  await until(
    async () => {
      const token = await sign('nameless', { key: next, header: { kid: undefined } });
      return (await gateway.send('nameless.test', { token })).status === 200 || undefined;
    },
    { what: 'the new key without a name' },
  );
});

test('a key verifies only tokens of its own issuer', async () => {
  const forged = await made.other.sign(
    { iss: made.acme.url, aud: 'wiki', sub: 'ada' },
    { header: { kid: made.acme.key.jwk.kid as string } },
  );
  const answer = await gateway.send('acme.test', { token: forged });
  expect([answer.status, answer.json().reason]).toEqual([401, 'signature_invalid']);
});

test('a rotated key is accepted at once, and the withdrawn one is rejected, known tokens included', async () => {
  const old = await sign('other');
  expect((await stable(gateway, 'other.test', old)).status).toBe(200);
  expect((await gateway.send('other.test', { token: old })).status).toBe(200);
  const next = await createKey('ES256');
  await made.other.publish(next);
  // Not within the cool-down of the last fetch, but with the first token after it.
  const answer = await until(
    async () => {
      const got = await gateway.send('other.test', { token: await sign('other', { key: next }) });
      return got.status === 200 ? got : undefined;
    },
    { what: 'the new key' },
  );
  expect(answer.status).toBe(200);
  const refused = await gateway.send('other.test', { token: old });
  expect([refused.status, refused.json().reason]).toEqual([401, 'key_unknown']);
});

test('a flood of unknown kids causes at most one fetch per cool-down', async () => {
  const token = await sign('acme', { header: { kid: 'unknown' } });
  await gateway.send('acme.test', { token });
  const start = performance.now();
  const before = await hitsOf('acme');
  const answers = await Promise.all(Array.from({ length: 300 }, () => gateway.send('acme.test', { token })));
  const fetches = (await hitsOf('acme')) - before;
  const seconds = (performance.now() - start) / 1000;
  const reasons = new Set(answers.map((answer) => answer.json().reason));
  // A request that finds another fetch in progress and no room to wait is told to retry.
  expect([...reasons].every((reason) => reason === 'key_unknown' || reason === 'provider_unavailable')).toBe(true);
  expect(answers.some((answer) => answer.json().reason === 'key_unknown')).toBe(true);
  expect(fetches).toBeLessThanOrEqual(1 + Math.ceil(seconds));
  expect((await gateway.send('acme.test', { token: await sign('acme') })).status).toBe(200);
});

test('keys survive a restart of nginx while the provider is down, and a provider that hangs or disappears', async () => {
  const token = await sign('acme');
  expect((await gateway.send('acme.test', { token })).status).toBe(200);
  await gateway.box.write({ '/etc/meshgate/meshgate.yaml': policyFor('10s') });
  const reloaded = await gateway.box.exec('meshgate-reload');
  expect(reloaded.exitCode, reloaded.stderr).toBe(0);
  await issuers.box.pause();
  try {
    const mark = await waitForWorkers(gateway);
    // The job detects that it hangs, logs that, and continues.
    await gateway.box.logs.waitFor(/provider acme: .*still using the keys of \d+ s ago/, mark);
    expect((await gateway.send('acme.test', { token })).status).toBe(200);
    expect((await gateway.send('acme.test', { token: await sign('acme', {}, { sub: 'new' }) })).status).toBe(200);
    await gateway.reload();
    expect((await gateway.send('acme.test', { token: await sign('acme', {}, { sub: 'newer' }) })).status).toBe(200);
  } finally {
    await issuers.box.resume();
  }
  await issuers.box.stop();
  await gateway.box.restart();
  const answer = await until(() => gateway.send('acme.test', { token: '' }).catch(() => undefined), {
    what: 'the gateway after its restart',
  });
  expect(answer.status).toBe(401);
  expect((await gateway.send('acme.test', { token })).status).toBe(200);
  expect((await gateway.send('acme.test', { token: await sign('acme', {}, { sub: 'newest' }) })).status).toBe(200);
});
