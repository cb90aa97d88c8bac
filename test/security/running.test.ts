/** THREATS.md, "Running it": no secret in the wrong place, nothing after a challenge, valid callers in a flood. */
import { beforeAll, describe, expect, test } from 'vitest';
import {
  type Answer,
  createKey,
  expectCleanLog,
  forgeToken,
  gatewayImage,
  plainRequest,
  ready,
  startContainer,
  startEcho,
  startGateway,
  startIssuer,
  testStage,
  until,
  waitForWorkers,
} from '../harness/index.ts';
import { meshgate } from '../unit/cli/fake.ts';

const stage = await testStage('running');
const [echo, issuers] = await Promise.all([startEcho(stage, { alias: 'wiki' }), startIssuer(stage)]);
const acme = await issuers.create('acme');
const policy = `
version: 1
gateway: { tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }, keys: { refresh: 5m, stale: 24h, cool_down: 2s } }
providers:
  acme: { issuer: ${acme.url}, audiences: [wiki], ca_file: /run/provider/ca.pem }
roles:
  reader: { group: reader }
services:
  wiki: { insecure_url: "http://wiki:8080" }
  away: { insecure_url: "http://wiki:9" }
hosts:
  wiki.test:
    /*: { service: wiki, allow: [reader] }
    /away/*: { service: away, allow: [reader] }
`;
const gateway = await startGateway(stage, { policy });
const host = 'wiki.test';
const claims = { aud: 'wiki', sub: 'ada', groups: ['reader'] };
const reader = await acme.sign(claims);
const now = Math.floor(Date.now() / 1000);
const stranger = await createKey('RS256', { kid: acme.key.kid });
/** Tokens that are refused, by reason. */
const refused: Record<string, string> = {
  role_missing: await acme.sign({ ...claims, groups: [] }),
  token_expired: await acme.sign({ ...claims, exp: now - 3600 }),
  audience_mismatch: await acme.sign({ ...claims, aud: 'another-one' }),
  signature_invalid: await acme.sign(claims, { key: stranger }),
  key_unknown: await acme.sign(claims, { header: { kid: 'unknown' } }),
  algorithm_refused: forgeToken({ alg: 'none', typ: 'at+jwt' }, { iss: acme.url, ...claims }, 'AAAA'),
  issuer_unknown: forgeToken({ alg: 'RS256', kid: acme.key.kid }, { iss: 'https://evil.test', ...claims }, 'AAAA'),
  token_malformed: `${reader.slice(0, -4)}=!_secret-tail`,
};

beforeAll(() => ready(gateway, host, { token: reader }));

const reasonOf = (answer: Answer) => /"reason":"(\w+)"/.exec(answer.text)?.[1];

/** Parts of a token that occur nowhere else. */
function partsOf(token: string): string[] {
  const parts = token.split('.');
  return [parts[1]!.slice(0, 60), parts.at(-1)!.slice(-24)].filter((part) => part.length >= 12);
}

test('no log, response or file has a secret, cookie or token', async () => {
  const cookie = 'cookie-secret-4711-abcdefgh';
  const basic = 'YmFzaWMtc2VjcmV0LTQ3MTE6eHl6';
  const inQuery = 'query-secret-4711-abcdefgh';
  const inBody = 'body-secret-4711-abcdefgh';
  const mark = await waitForWorkers(gateway, host);
  const answers: Answer[] = [];
  const headers = { Cookie: `session=${cookie}` };
  for (const token of [reader, reader, ...Object.values(refused)]) {
    for (const method of ['GET', 'POST']) {
      const path = `/x?access_token=${inQuery}`;
      answers.push(await gateway.send(host, { method, path, token, headers, body: method === 'POST' ? inBody : '' }));
    }
    answers.push(...(await gateway.sendHttp2(host, { path: '/y', token, headers })));
  }
  // Two Authorization headers, another scheme, one that is too long, and a service that is down.
  const odd: [string, string][][] = [
    [
      ['Authorization', `Bearer ${reader}`],
      ['Authorization', `Basic ${basic}`],
    ],
    [['Authorization', `Basic ${basic}`]],
    [['Authorization', `Bearer ${reader}${'x'.repeat(40_000)}`]],
    [['Authorization', `Bearer ${reader}.${'x'.repeat(20_000)}`]],
    [['Proxy-Authorization', `Bearer ${reader}`]],
  ];
  for (const more of odd)
    answers.push(await gateway.send(host, { headers: [['Host', host], ['Cookie', cookie], ...more] }));
  const away = await gateway.send(host, { path: '/away/x', token: reader, headers });
  expect(away.status).toBe(502);

  const seen = new Set(answers.map(reasonOf));
  for (const reason of [...Object.keys(refused), 'credential_unsupported', 'request_malformed']) {
    expect(seen, reason).toContain(reason);
  }
  const secrets = [cookie, basic, inQuery, inBody, ...[reader, ...Object.values(refused)].flatMap(partsOf)];
  // The gateway's own responses; the echo reports all that it received.
  const own = answers.filter((answer) => answer.status !== 200);
  for (const answer of own) {
    const all = JSON.stringify(answer.headers) + answer.text;
    for (const secret of secrets) expect(all.includes(secret), `${secret} in an answer`).toBe(false);
  }
  // The log has the line of the last request, and that of a later one.
  await gateway.box.logs.waitFor(/\/away\/x/, mark);
  await waitForWorkers(gateway, host);
  const lines = gateway.box.logs.lines;
  for (const secret of secrets) {
    expect(
      lines.filter((line) => line.includes(secret)),
      `${secret} in a log`,
    ).toEqual([]);
  }
  // The keys' state is written a second after a change.
  const files = '/run/meshgate /var/lib/meshgate /var/log /tmp /var/tmp /dev/shm';
  await until(async () => (await gateway.box.exec('sh', '-c', 'cat /var/lib/meshgate/*.json')).stdout.includes('kty'), {
    what: 'the state file',
  });
  const look = `for secret; do grep -rlaF -e "$secret" ${files} 2>/dev/null | sed "s/^/$secret in /"; done`;
  const filesWith = async (...texts: string[]) =>
    (await gateway.box.execAs('root', 'sh', '-c', look, 'sh', ...texts)).stdout.trim();
  expect(await filesWith(...secrets)).toBe('');
  // The search works: it finds a line of the configuration, and the public key in the state.
  const there = await filesWith('proxy_ssl_verify', acme.key.kid);
  expect(there).toMatch(/^proxy_ssl_verify in .*conf\/http\.conf$/m);
  expect(there).toMatch(/keys\.json$/m);
});

test('the state has public keys and no private ones', async () => {
  const { stdout } = await gateway.box.exec('sh', '-c', 'cat /var/lib/meshgate/*.json');
  expect(stdout).toContain(acme.key.kid);
  for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k'])
    expect(stdout).not.toMatch(new RegExp(`\\\\?"${member}\\\\?":`));
});

test('explain reads a token and prints no part of it', async () => {
  for (const [reason, token] of [['allowed', reader], ...Object.entries(refused)] as const) {
    const files = { 'meshgate.yaml': policy, token };
    for (const format of ['text', 'json']) {
      const reported = await meshgate(
        ['explain', '--policy', 'meshgate.yaml', '--token', 'token', '--format', format, 'GET', 'https://wiki.test/x'],
        { files, now: Date.now() / 1000 },
      );
      const text = reported.out + reported.err;
      expect(text.length, reason).toBeGreaterThan(20);
      for (const part of partsOf(token)) expect(text.includes(part), `${reason}: ${text}`).toBe(false);
    }
  }
});

describe('the service is never called after a challenge', () => {
  for (const [reason, token] of [['credential_missing', undefined], ...Object.entries(refused)] as const) {
    test(reason, async () => {
      await echo.clear();
      const mark = await waitForWorkers(gateway);
      const sent = token === undefined ? {} : { token };
      const answers = [
        await gateway.send(host, { path: '/a', ...sent }),
        await gateway.send(host, { method: 'HEAD', path: '/b', ...sent }),
        await gateway.send(host, { method: 'POST', path: '/c', body: 'x'.repeat(100_000), ...sent }),
        ...(await gateway.sendHttp2(host, { method: 'POST', path: '/d', body: 'x', ...sent })),
      ];
      const expecting = plainRequest(host, {
        method: 'POST',
        path: '/e',
        headers: [
          ['Host', host],
          ['Expect', '100-continue'],
          ['Content-Length', '5'],
        ],
        ...sent,
      });
      const good = plainRequest(host, { path: '/good', token: reader });
      const raw = await gateway.sendRaw(host, [expecting, 'hello', good], { answers: 2 });
      expect(raw.answers.map(({ status }) => status)).toEqual([answers[0]!.status, 200]);
      expect(new Set(answers.map(({ status }) => status)).size).toBe(1);
      // A request that was forwarded late would have come before this one, on its own connection or another.
      expect((await echo.requests()).map(({ url }) => url)).toEqual(['/good']);
      await expectCleanLog(gateway, mark);
    });
  }
});

test('forged tokens at full rate do not keep valid callers out', async () => {
  await echo.clear();
  const honest = await Promise.all(Array.from({ length: 60 }, (_, i) => acme.sign({ ...claims, sub: `user ${i}` })));
  const forged = Array.from({ length: 300 }, (_, i) => {
    const [header, payload, signature] = reader.split('.') as [string, string, string];
    // A different signature for each, so that none is known; every third names an unknown key.
    if (i % 3 === 2)
      return forgeToken({ alg: 'RS256', kid: `k${i}`, typ: 'at+jwt' }, { iss: acme.url, ...claims, jti: i }, signature);
    return `${header}.${payload}.${Buffer.from(`${i}`.padStart(256, 'x')).toString('base64url')}`;
  });
  const mark = await waitForWorkers(gateway);
  const flood = gateway.keepAlive(host, 48);
  const calm = gateway.keepAlive(host, 4);
  let done = false;
  const outcomes = new Map<string, number>();
  let sent = 0;
  const attacker = async () => {
    while (!done || sent < 1500) {
      const answer = await gateway.send(host, {
        path: '/forged',
        token: forged[sent++ % forged.length]!,
        agent: flood,
      });
      const what = `${answer.status} ${reasonOf(answer)}`;
      outcomes.set(what, (outcomes.get(what) ?? 0) + 1);
    }
  };
  const attackers = Array.from({ length: 48 }, attacker);
  const statuses: number[] = [];
  const user = async (own: readonly string[]) => {
    // Each token twice: once to be verified, once as a known one.
    for (const token of [...own, ...own]) statuses.push((await gateway.send(host, { token, agent: calm })).status);
  };
  await Promise.all([0, 1, 2, 3].map((n) => user(honest.filter((_, i) => i % 4 === n))));
  done = true;
  await Promise.all(attackers);
  flood.destroy();
  calm.destroy();
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
  expect(statuses.length).toBe(120);
  expect(sent).toBeGreaterThanOrEqual(1500);
  const others = [...outcomes.keys()].filter(
    (one) => !/^401 (signature_invalid|key_unknown)$|^503 provider_unavailable$/.test(one),
  );
  expect(others).toEqual([]);
  expect((await echo.requests()).filter(({ url }) => url === '/forged')).toEqual([]);
  await expectCleanLog(gateway, mark);
}, 300_000);

describe('an option that has no effect', () => {
  const cases: Record<string, [from: string, to: string, message: RegExp][]> = {
    'roles, rules and services that nothing uses': [
      ['services:', '  idle: { group: idle }\nservices:', /roles\.idle: no effect: nothing uses this role/],
      ['allow: [reader] }\n    /away', 'allow: [anyone, reader] }\n    /away', /allow\[1\].*: no effect/],
      ['hosts:', '  idle: { insecure_url: "http://idle:80" }\nhosts:', /services\.idle: no effect/],
    ],
    'keys that are unknown, or of another version': [
      ['version: 1', 'version: 1\nretries: 3', /retries: unknown key/],
      ['gateway: {', 'gateway: { waypoint: true,', /gateway\.waypoint: .*not supported in this version/],
    ],
  };
  for (const [what, changes] of Object.entries(cases)) {
    test(`${what} keep validate and the image from starting`, async () => {
      let bad = policy;
      for (const [from, to] of changes) {
        expect(bad).toContain(from);
        bad = bad.replace(from, to);
      }
      await gateway.box.write({ '/tmp/bad.yaml': bad });
      const { exitCode, stdout, stderr } = await gateway.box.exec('meshgate', 'validate', '/tmp/bad.yaml');
      expect(exitCode).toBe(1);
      for (const [, , message] of changes) expect(stdout + stderr).toMatch(message);
    });
  }

  test('the image does not start with it', async () => {
    const box = await startContainer(stage, {
      image: gatewayImage,
      alias: 'bad',
      files: { '/etc/meshgate/meshgate.yaml': policy.replace('services:', '  idle: { group: idle }\nservices:') },
      ready: /not starting/,
      ends: true,
    });
    expect(box.logs.lines.join('\n')).toMatch(/no effect: nothing uses this role/);
    expect(box.logs.lines.join('\n')).not.toMatch(/start worker process/);
  });
});
