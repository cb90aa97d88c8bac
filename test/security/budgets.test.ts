/** No caller can evade the budgets of callers, agents and addresses, or use up those of others. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type Answer,
  expectCleanLog,
  type Sent,
  startEcho,
  startGateway,
  startIssuer,
  testStage,
  until,
  waitForWorkers,
} from '../harness/index.ts';

const stage = await testStage('budgets security');
const [wiki, issuers] = await Promise.all([startEcho(stage, { alias: 'wiki' }), startIssuer(stage)]);
const [acme, other] = await Promise.all([issuers.create('acme'), issuers.create('other')]);
const host = 'wiki.test';

const gateway = await startGateway(stage, {
  policy: `
version: 1
gateway:
  insecure_http: true
  listen: 8080
  limits: { callers: { rate: 10/h }, anonymous: { rate: 6/h } }
providers:
  acme: { issuer: ${acme.url}, audiences: [wiki], ca_file: /run/provider/ca.pem, subject: { prefix: acme- } }
  other: { issuer: ${other.url}, audiences: [wiki], ca_file: /run/provider/ca.pem, subject: { prefix: other- } }
roles:
  staff: { any: [{ group: staff, provider: acme }, { group: staff, provider: other }] }
agents:
  bot:
    match: { client_id: bot, provider: acme }
    acts_for: [staff]
    bound: none
    limit: { rate: 4/h }
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
  ${host}:
    providers: [acme, other]
    /*: { service: wiki, allow: [{ role: staff, methods: [GET, POST] }, { agent: bot }] }
    /open/*: { service: wiki, allow: [anyone] }
    /free/*: { service: wiki, allow: [staff], limit: null }
`,
});

const claims = (sub: string, more = {}) => ({ aud: 'wiki', sub, groups: ['staff'], jti: crypto.randomUUID(), ...more });
/** A person's token; each time another one. */
const person = (sub: string) => acme.sign(claims(sub, { azp: 'web' }));
/** A token with which the bot acts for a person. */
const bot = (sub: string) => acme.sign(claims(sub, { azp: 'bot' }));

const send = (sent: Sent): Promise<Answer> => gateway.send(host, sent);

/** The number of requests in a row that pass; all others must be refused because of the limit. */
async function passing(times: number, one: (i: number) => Promise<Answer> | Answer): Promise<number> {
  let passed = 0;
  for (let i = 0; i < times; i++) {
    const answer = await one(i);
    if (answer.status === 200) passed++;
    else expect([answer.status, answer.json().reason]).toEqual([429, 'limit_exceeded']);
  }
  return passed;
}

let mark = 0;
beforeEach(async () => {
  await wiki.clear();
  mark = await waitForWorkers(gateway, host);
});
afterEach(async () => {
  await waitForWorkers(gateway, host);
  await expectCleanLog(gateway, mark);
});

for (const issuer of [acme, other]) {
  const token = await issuer.sign(claims('warm'));
  await until(async () => (await send({ token, path: '/free/x' })).status === 200, {
    what: 'the keys',
    help: () => gateway.box.logs.tail(),
  });
}

describe('an agent', () => {
  test('in a loop is stopped while its person goes on, and its requests reach no service', async () => {
    const [own, looping] = [await person('ada'), await bot('ada')];
    expect(await passing(3, () => send({ token: own }))).toBe(3);
    expect(await passing(200, () => send({ token: looping }))).toBe(4);
    // A fresh token for the same person counts for the same agent.
    expect(await passing(5, async () => send({ token: await bot('ada') }))).toBe(0);
    expect(await passing(7, () => send({ token: own }))).toBe(7);
    expect(await wiki.requests()).toHaveLength(14);
    await waitForWorkers(gateway, host);
    const lines = gateway.access(mark).filter((line) => line['meshgate.reason'] === 'limit_exceeded');
    expect(lines).toHaveLength(201);
    expect(lines[0]).toMatchObject({
      'user.id': 'acme-ada',
      'meshgate.agent': 'bot',
      'meshgate.rule': 'wiki.test/*#2',
      'http.response.status_code': 429,
    });
  });

  test('in a loop for one person goes on for another', async () => {
    const [one, another] = [await bot('bea'), await bot('ben')];
    expect(await passing(20, () => send({ token: one }))).toBe(4);
    expect(await passing(20, () => send({ token: another }))).toBe(4);
  });
});

describe('one caller cannot use up another’s budget', () => {
  test('with tokens that are invalid or of another provider', async () => {
    const [header, , signature] = (await person('carl')).split('.');
    const forged = [header, Buffer.from(JSON.stringify(claims('carl'))).toString('base64url'), signature].join('.');
    const expired = await acme.sign({ ...claims('carl'), exp: Math.floor(Date.now() / 1000) - 3600 });
    const elsewhere = await acme.sign({ ...claims('carl'), aud: 'another' });
    for (const token of [forged, expired, elsewhere, 'carl']) {
      for (let i = 0; i < 12; i++) expect((await send({ token })).status).toBe(401);
    }
    // The same subject, of another provider.
    const namesake = await other.sign(claims('carl'));
    expect(await passing(20, () => send({ token: namesake }))).toBe(10);
    const headers = { 'X-Forwarded-User': 'acme-carl', 'X-Meshgate-User': 'acme-carl' };
    for (let i = 0; i < 12; i++) expect((await send({ headers })).status).toBe(401);
    const token = await person('carl');
    expect(await passing(20, () => send({ token }))).toBe(10);
  });

  test('and refusals for another reason use up no budget', async () => {
    const token = await person('dora');
    for (let i = 0; i < 15; i++) expect((await send({ token, method: 'DELETE' })).status).toBe(403);
    for (let i = 0; i < 5; i++) expect((await send({ token, path: '/a//b' })).status).toBe(400);
    expect(await passing(20, () => send({ token }))).toBe(10);
  });
});

test('another token, method, path, connection or protocol gives a caller no new budget', async () => {
  const token = await person('eve');
  expect(await passing(12, () => send({ token }))).toBe(10);
  expect(await passing(5, async () => send({ token: await person('eve') }))).toBe(0);
  const sents: Sent[] = [
    { token, method: 'POST', body: 'x' },
    { token, method: 'HEAD' },
    { token, path: '/other' },
    { token, path: '/?x=1' },
    { token, path: '/open/x' },
    { token, headers: { Host: 'WIKI.test' } },
    { token, headers: { 'X-Forwarded-For': '192.0.2.1', 'X-Meshgate-Address': '192.0.2.1' } },
    { headers: { Authorization: `bearer ${token}` } },
    { headers: { Authorization: `Bearer   ${token}` } },
  ];
  for (const sent of sents) expect((await send(sent)).status, JSON.stringify(Object.keys(sent))).toBe(429);
  const all = await Promise.all(Array.from({ length: 20 }, () => send({ token })));
  expect(new Set(all.map(({ status }) => status))).toEqual(new Set([429]));
});

test('forged addresses give no new budget', async () => {
  const forged = (i: number): Sent['headers'] => {
    const address = i % 2 ? `198.51.100.${i}` : `2001:db8:${i}::1`;
    return [
      ['X-Forwarded-For', address],
      ['X-Real-IP', address],
      ['Forwarded', `for=${address}`],
      ['True-Client-IP', address],
      ['CF-Connecting-IP', address],
      ['X-Meshgate-Address', address],
      ['X_Meshgate_Address', address],
      ['x-meshgate-address', address],
    ];
  };
  expect(await passing(60, (i) => send({ path: '/open/x', headers: forged(i) as Record<string, string> }))).toBe(6);
  const received = await wiki.requests();
  expect(received).toHaveLength(6);
  for (const { headers } of received) expect(JSON.stringify(headers)).not.toMatch(/meshgate.address/i);
  // Nor does an invalid credential: it is refused, and uses no budget of others.
  expect((await send({ path: '/open/x', token: 'none' })).status).toBe(401);
  const token = await person('flo');
  expect(await passing(12, () => send({ path: '/open/x', token }))).toBe(10);
});
