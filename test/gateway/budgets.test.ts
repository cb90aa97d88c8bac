/** Budgets at two workers: how exact they are, what callers see who have used theirs up, and how callers are counted. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { newRing } from '../../src/session/keys/rotate-ring.ts';
import {
  type Answer,
  counting,
  expectCleanLog,
  type Sent,
  startEcho,
  startGateway,
  startIssuer,
  testStage,
  until,
  waitForWorkers,
} from '../harness/index.ts';

const stage = await testStage('budgets');
const [wiki, issuers] = await Promise.all([startEcho(stage, { alias: 'wiki' }), startIssuer(stage)]);
const acme = await issuers.create('acme');
const RING = '/run/secrets/session.jwks';
const host = 'wiki.test';
const open = 'open.test';

const gateway = await startGateway(stage, {
  workers: 2,
  files: { [RING]: newRing(Date.now() / 1000 - 7200) },
  policy: `
version: 1
gateway:
  insecure_http: true
  listen: 8080
  health: { listen: 8081 }
  trusted_proxies: [172.16.0.0/12, 10.0.0.0/8, 192.168.0.0/16]
  session: { keys_file: ${RING} }
  signin: { limit: { rate: 1/m, burst: 2 } }
  limits: { anonymous: { rate: 3/h }, zone: 64k }
providers:
  acme: { issuer: ${acme.url}, audiences: [wiki], ca_file: /run/provider/ca.pem, client: { id: gateway } }
roles:
  staff: { group: staff }
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
  ${host}:
    limit: { rate: 30/h, burst: 3 }
    /*: { service: wiki, allow: [staff] }
    /exact/*: { service: wiki, allow: [staff], limit: { rate: 25/s, burst: 25 } }
    /free/*: { service: wiki, allow: [staff], limit: null }
  ${open}:
    /*: { service: wiki, allow: [anyone] }
`,
});

/** A token of a person who has sent no request yet. */
let count = 0;
const newPerson = (sub = `person-${++count}`) => acme.sign({ aud: 'wiki', sub, groups: ['staff'] });

const ask = async (token: string, sent: Sent = {}) => gateway.send(host, { token, ...sent });
const from = (address: string, sent: Sent = {}) =>
  gateway.send(open, { ...sent, headers: { ...sent.headers, 'X-Forwarded-For': address } });

/** Sends `count` requests, one after the other; returns their statuses. */
async function statuses(times: number, one: () => Promise<Answer>): Promise<number[]> {
  const all: number[] = [];
  for (let i = 0; i < times; i++) all.push((await one()).status);
  return all;
}

let mark = 0;
const expected: RegExp[] = [];

beforeEach(async () => {
  await wiki.clear();
  mark = await waitForWorkers(gateway, host);
});

afterEach(async () => {
  await waitForWorkers(gateway, host);
  await expectCleanLog(gateway, mark, expected.splice(0));
});

await until(async () => (await ask(await newPerson(), { path: '/free/x' })).status === 200, {
  what: 'the keys',
  help: () => gateway.box.logs.tail(),
});

describe('a caller with a used-up budget', () => {
  test('is told when to come back, and does not reach the service; the log names the caller and the rule', async () => {
    const token = await newPerson('ada');
    const decisions = await counting(gateway, 'meshgate_decisions_total');
    expect(await statuses(3, () => ask(token))).toEqual([200, 200, 200]);
    await wiki.clear();
    const answer = await ask(token, { path: '/page?q=1' });
    expect([answer.status, answer.header('Content-Type'), answer.header('Cache-Control')]).toEqual([
      ...[429, 'application/problem+json', 'no-store'],
    ]);
    const wait = Number(answer.header('Retry-After'));
    // One request is allowed again after two minutes, minus the time that has passed.
    expect(wait).toBeGreaterThan(60);
    expect(wait).toBeLessThanOrEqual(120);
    expect(answer.json()).toEqual({
      title: 'Too Many Requests',
      status: 429,
      reason: 'limit_exceeded',
      detail: `30/h, burst 3 for each caller of wiki.test; retry in ${wait}s`,
      request_id: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    expect(answer.header('WWW-Authenticate')).toBeUndefined();
    expect(await wiki.requests()).toEqual([]);
    const counted = Object.entries(await decisions()).filter(([labels]) => labels.startsWith('wiki.test/*'));
    expect(Object.fromEntries(counted)).toEqual({
      'wiki.test/* wiki.test/*#1 allowed ': 3,
      'wiki.test/* wiki.test/*#1 refused limit_exceeded': 1,
    });
    await waitForWorkers(gateway, host);
    expect(gateway.access(mark).find((line) => line['http.response.status_code'] === 429)).toMatchObject({
      'user.id': 'ada',
      'meshgate.reason': 'limit_exceeded',
      'meshgate.rule': 'wiki.test/*#1',
      'http.route': 'wiki.test/*',
      'meshgate.upstream': '',
    });
  });

  test('has another budget on a route with its own limit, and none on a route without a limit', async () => {
    const token = await newPerson();
    expect(await statuses(4, () => ask(token))).toEqual([200, 200, 200, 429]);
    expect((await ask(token, { path: '/exact/x' })).status).toBe(200);
    expect(await statuses(10, () => ask(token, { path: '/free/x' }))).toEqual(Array(10).fill(200));
    expect((await ask(token)).status).toBe(429);
  });

  test('stays refused after a reload', async () => {
    const token = await newPerson();
    expect(await statuses(4, () => ask(token))).toEqual([200, 200, 200, 429]);
    await gateway.reload();
    expect((await ask(token)).status).toBe(429);
    expected.push(/signal|gracefully|exit/);
  });
});

describe('the sign-in', () => {
  const signin = (address: string) =>
    gateway.send(host, { path: '/.meshgate/callback', headers: { 'X-Forwarded-For': address } });
  const passing = async (addresses: readonly string[]): Promise<number> => {
    let passed = 0;
    for (const address of addresses) if ((await signin(address)).status !== 429) passed++;
    return passed;
  };

  test('counts each IPv4 address separately, in whatever form it is written', async () => {
    expect(await passing(Array(6).fill('192.0.2.1'))).toBe(3);
    expect(await passing(['::ffff:192.0.2.1'])).toBe(0);
    expect(await passing(Array(6).fill('::ffff:192.0.2.2'))).toBe(3);
    expect(await passing(['192.0.2.2'])).toBe(0);
    expect(await passing(Array(6).fill('192.0.2.10'))).toBe(3);
  });

  test('counts an IPv6 address by its /64 network, and limits each /48 network as a whole', async () => {
    expect(await passing(Array.from({ length: 40 }, (_, i) => `2001:db8:a:b:${i.toString(16)}::1`))).toBe(3);
    expect(await passing(Array(6).fill('2001:db8:a:c::1'))).toBe(3);
    // The first, and sixteen times the burst.
    const site = await passing(Array.from({ length: 80 }, (_, i) => `2001:db8:d:${i.toString(16)}::1`));
    expect(site).toBeGreaterThanOrEqual(33);
    expect(site).toBeLessThan(60);
    expect(await passing(Array(6).fill('2001:db8:e::1'))).toBe(3);
    // Bytes that are line ends.
    expect(await passing(Array.from({ length: 40 }, (_, i) => `2001:a0a:d0a:0:${i.toString(16)}::a0a`))).toBe(3);
  });
});

/* What browsers send with the requests that a page of another site causes (Fetch Metadata), and with those of a person. */
describe('a page of another site', () => {
  const send = (address: string, headers: Record<string, string>, sent: Sent = {}) =>
    gateway.send(host, { path: '/.meshgate/callback', ...sent, headers: { 'X-Forwarded-For': address, ...headers } });
  const metadata = (site: string, mode: string, dest: string, more: Record<string, string> = {}) => ({
    ...{ 'Sec-Fetch-Site': site, 'Sec-Fetch-Mode': mode, 'Sec-Fetch-Dest': dest },
    ...more,
  });
  const back = metadata('cross-site', 'navigate', 'document', { Accept: 'text/html' });

  const unopened: [string, Record<string, string>][] = [
    ['a script without CORS', metadata('cross-site', 'no-cors', 'empty')],
    ['a script with CORS', metadata('same-site', 'cors', 'empty')],
    ['a picture', metadata('cross-site', 'no-cors', 'image')],
    ['a frame, or a form in one', metadata('cross-site', 'navigate', 'iframe')],
    ['an object', metadata('cross-site', 'navigate', 'object')],
    ['a prefetch', metadata('cross-site', 'no-cors', 'empty', { 'Sec-Purpose': 'prefetch' })],
    ['a page ahead of time', metadata('cross-site', 'navigate', 'document', { 'Sec-Purpose': 'prefetch;prerender' })],
    ['a WebSocket', metadata('cross-site', 'websocket', 'empty')],
  ];

  test.each(unopened)('uses up nothing of the people at the same address: %s', async (what, headers) => {
    const at = 10 * (1 + unopened.findIndex(([name]) => name === what));
    for (const address of [`192.0.3.${at}`, `2001:db8:f0${at}:1::1`]) {
      const statuses = [];
      for (let i = 0; i < 8; i++) statuses.push((await send(address, headers)).status === 429);
      // They have a limit of their own.
      expect(statuses).toEqual([...Array(3).fill(false), ...Array(5).fill(true)]);
      const people = [];
      for (let i = 0; i < 5; i++) people.push((await send(address, back)).status === 429);
      expect(people).toEqual([...Array(3).fill(false), true, true]);
    }
  });

  test('uses up no front-channel sign-out of the same address', async () => {
    const frame = metadata('cross-site', 'navigate', 'iframe');
    const sent = (i: number) => ({ path: `/.meshgate/frontchannel?iss=${encodeURIComponent(acme.url)}&sid=${i}` });
    const statuses = [];
    for (let i = 0; i < 8; i++) statuses.push((await send('192.0.5.1', frame, sent(i))).status);
    expect(statuses).toEqual(Array(8).fill(200));
    // It has used up nothing else, either.
    expect((await send('192.0.5.1', back)).status).not.toBe(429);
  });

  test.each<[string, Record<string, string>]>([
    ['the provider’s redirect', back],
    ['a link of the own site', metadata('same-origin', 'navigate', 'document')],
    ['a script of the own host', metadata('same-origin', 'cors', 'empty')],
    ['a bookmark', metadata('none', 'navigate', 'document')],
    ['a program without Fetch Metadata', {}],
  ])('counts with the people: %s', async (what, headers) => {
    const address = `192.0.4.${what.length}`;
    const statuses = [];
    for (const one of [headers, headers, back, back, headers]) statuses.push((await send(address, one)).status === 429);
    expect(statuses).toEqual([false, false, false, true, true]);
  });
});

describe('a browser that sends too many requests to the sign-in', () => {
  const address = '192.0.2.44';
  const opening = { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document', Accept: 'text/html' };
  const ask = (sent: Sent) =>
    gateway.send(host, { ...sent, headers: { ...sent.headers, 'X-Forwarded-For': address, 'Accept-Language': 'de' } });
  const path = '/.meshgate/callback?code=CODE-SECRET&state=x';

  test('receives a page that says how long to wait, and a script receives the reason', async () => {
    const mark = gateway.mark();
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await ask({ path, headers: opening })).status);
    expect(statuses).toEqual([400, 400, 400]);
    for (const sent of [
      { path, headers: opening },
      { path: '/.meshgate/signout', method: 'POST', body: 'x=1', headers: opening },
    ] satisfies Sent[]) {
      const page = await ask(sent);
      expect([page.status, ...page.all('Retry-After'), ...page.all('Content-Type')]).toEqual([
        429,
        '1',
        'text/html; charset=utf-8',
      ]);
      expect(page.header('Content-Security-Policy')).toContain("default-src 'none'");
      expect(page.text).toContain('<html lang="de"');
      expect(page.text).toContain('limit_exceeded');
    }
    // At the callback, a script gets the page too, because no page of the origin can read its URL.
    const script = await ask({
      ...{ path: '/.meshgate/signout', method: 'POST', body: 'x=1' },
      headers: { 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Site': 'same-origin', Accept: '*/*' },
    });
    expect([script.status, script.json().reason, ...script.all('Retry-After')]).toEqual([429, 'limit_exceeded', '1']);
    const logged = () => gateway.access(mark).filter((one) => one['client.address'] === address);
    await until(() => logged().length >= 6, { what: 'six lines', help: () => gateway.box.logs.tail() });
    // Two workers write to this log, each when it has answered, so lines can change places.
    expect(
      logged()
        .map((one) => one['meshgate.reason'])
        .sort(),
    ).toEqual([...Array(3).fill('attempt_unknown'), ...Array(3).fill('limit_exceeded')]);
    expect(gateway.box.logs.since(mark).join('\n')).not.toContain('CODE-SECRET');
  });
});

describe('an anonymous caller', () => {
  test('is counted by the address that the trusted proxies report', async () => {
    expect(await statuses(4, () => from('192.0.2.1'))).toEqual([200, 200, 200, 429]);
    expect(await statuses(4, () => from('192.0.2.2'))).toEqual([200, 200, 200, 429]);
    expect(await statuses(4, () => from('2001:db8:1:2::1'))).toEqual([200, 200, 200, 429]);
    expect((await from('2001:db8:1:2:ffff::1')).status).toBe(429);
    expect((await from('2001:db8:1:3::1')).status).toBe(200);
    let network = 0;
    const site = await statuses(60, () => from(`2001:db8:2:${(++network).toString(16)}::1`));
    expect(site).toEqual([...Array(48).fill(200), ...Array(12).fill(429)]);
    expect((await from('2001:db8:3::1')).status).toBe(200);
  });

  test('receives a page if it is a browser that opens one', async () => {
    const opening = { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document', Accept: 'text/html' };
    const visit = () => from('192.0.2.3', { path: '/page', headers: { ...opening, 'Accept-Language': 'de' } });
    expect(await statuses(3, visit)).toEqual([200, 200, 200]);
    const answer = await visit();
    expect([answer.status, answer.header('Content-Type')]).toEqual([429, 'text/html; charset=utf-8']);
    expect(Number(answer.header('Retry-After'))).toBeGreaterThan(60);
    expect(answer.text).toContain('Sie haben in kurzer Zeit mehr Seiten geöffnet');
    expect(answer.text).toContain('limit_exceeded');
  });
});

describe('two workers under load', () => {
  test('allow the requests of the limit within 5 %, and all requests of other callers', async () => {
    const [token, other] = await Promise.all([newPerson(), newPerson()]);
    const agent = gateway.keepAlive(host, 24);
    const requested: { readonly sent: number; readonly answered: number; readonly passed: boolean }[] = [];
    const others: number[] = [];
    const passes = () => requested.filter(({ passed }) => passed);
    const refusals = () => requested.filter(({ passed }) => !passed);
    const seconds = () => performance.now() / 1000;
    // Until the limit has allowed four bursts, and refused requests in between.
    const enough = () => passes().length >= 100 && refusals().length > 40;
    const hammer = async () => {
      while (!enough()) {
        const sent = seconds();
        const { status } = await ask(token, { path: '/exact/x', agent });
        if (![200, 429].includes(status)) throw new Error(`status ${status}`);
        requested.push({ sent, answered: seconds(), passed: status === 200 });
        // The other caller sends far fewer requests than its limit allows.
        if (status === 200 && passes().length % 8 === 0) others.push((await ask(other, { path: '/exact/x' })).status);
      }
    };
    await Promise.all(Array.from({ length: 16 }, hammer));
    agent.destroy();
    // Each decision was made between the sending and the answer, whatever the load: no more requests pass than the time
    // between the ends allows…
    const longest = Math.max(...passes().map((one) => one.answered)) - Math.min(...requested.map(({ sent }) => sent));
    expect(passes().length).toBeLessThanOrEqual(1.05 * (25 + 25 * longest));
    // … and one is refused only after a whole burst, since nothing is left then.
    const refused = Math.min(...refusals().map(({ answered }) => answered));
    expect(passes().filter(({ sent }) => sent <= refused).length).toBeGreaterThanOrEqual(0.95 * 25);
    // Between two refusals all that the limit allowed has passed, except what a full budget could not hold: if no
    // request comes for more than a second, as on a machine that stands still, the rest of that time is lost. The first
    // refusals are left out: other requests of the first burst were under way.
    const empty = refusals()
      .sort((one, another) => one.sent - another.sent)
      .slice(16);
    const [first, last] = [empty[0]!, empty.at(-1)!];
    const lost = empty.slice(1).reduce((sum, { answered }, at) => sum + Math.max(0, answered - empty[at]!.sent - 1), 0);
    const taken = passes().filter(({ sent, answered }) => sent <= last.answered && answered >= first.sent).length;
    expect(taken).toBeGreaterThanOrEqual(0.95 * 25 * (last.sent - first.answered - lost) - 1);
    expect(new Set(others)).toEqual(new Set([200]));
    expect(others.length).toBeGreaterThan(10);
  });

  test('both count: each has answered, and a burst at once passes as often as the budget allows', async () => {
    const token = await newPerson();
    const answers = await Promise.all(Array.from({ length: 24 }, () => ask(token)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(3);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(21);
    const times = await gateway.box.exec(
      'sh',
      '-c',
      'for p in /proc/[0-9]*; do grep -qs "worker process" $p/cmdline && cut -d" " -f1 $p/schedstat; done',
    );
    const cpu = times.stdout
      .trim()
      .split('\n')
      .map(Number)
      .sort((a, b) => b - a);
    // Each of the two newest workers has handled a part of the requests.
    expect(cpu.length).toBeGreaterThanOrEqual(2);
    expect((cpu[1] ?? 0) / (cpu[0] ?? 1)).toBeGreaterThan(0.05);
  });
});

describe('a zone without free memory', () => {
  test('refuses only addresses that are not counted yet', async () => {
    const known = '198.51.100.1';
    expect((await from(known)).status).toBe(200);
    const agent = gateway.keepAlive(open, 16);
    const addresses = Array.from({ length: 600 }, (_, i) => `203.0.${113 + (i >> 8)}.${i & 255}`);
    const answers = await Promise.all(addresses.map((address) => from(address, { agent })));
    agent.destroy();
    const closed = answers.filter(({ status }) => status === 503);
    expect(closed.length).toBeGreaterThan(50);
    expect(closed[0]?.json()).toMatchObject({ reason: 'check_unavailable' });
    expect(closed[0]?.header('Retry-After')).toBe('1');
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThan(200);
    expect(await statuses(3, () => from(known))).toEqual([200, 200, 429]);
    expect((await ask(await newPerson())).status).toBe(200);
    expected.push(/ngx_slab_alloc\(\) failed: no memory/, /no room to count requests; enlarge gateway.limits.zone/);
  });
});
