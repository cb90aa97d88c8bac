/**
 * How nginx itself treats requests of browsers: navigations, origins, cookies, and the form of a refusal. A stand-in
 * that reports its input replaces the gateway's JavaScript.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Answer,
  checkedRequest,
  MANY_SIGNINS,
  ready,
  render,
  type Sent,
  saying,
  standIn,
  startEcho,
  startGateway,
  type Told,
  testStage,
  valuesOf,
  waitForWorkers,
} from '../harness/index.ts';
import { holds } from '../harness/property.ts';

const host = 'wiki.test';
const stage = await testStage('browsers');
const echo = await startEcho(stage, { alias: 'wiki' });
const policy = `
version: 1
gateway:
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }
  session: { keys_file: /run/secrets/session.jwks }
  signin: { host: auth.test, ${MANY_SIGNINS} }
providers:
  idp: { issuer: "https://idp.test/main", audiences: [wiki], client: { id: gateway, secret_file: /run/secrets/idp } }
  ci: { issuer: "https://ci.test/main", audiences: [wiki] }
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
  ${host}:
    providers: [idp]
    /app/*: { service: wiki, allow: [authenticated] }
    /cors/*: { service: wiki, allow: [anyone], cors: { origins: ["https://app.test"], credentials: true } }
  "*.wild.test": { providers: [idp], /*: { service: wiki, allow: [authenticated] } }
  api.test: { providers: [ci], /*: { service: wiki, allow: [authenticated] } }
`;
const gateway = await startGateway(stage, { policy, rendered: standIn(await render('nginx', policy)) });
// State: nginx has looked up the service's name, which it does after it has begun to listen.
await ready(gateway, host, { path: '/app/x' });

const NAVIGATES = { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document', 'Sec-Fetch-Site': 'none' };
const HTML = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

const maybe = <T extends string>(...values: readonly T[]) => fc.option(fc.constantFrom(...values), { nil: undefined });

const request = fc.record({
  method: fc.constantFrom('GET', 'GET', 'POST', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'),
  'Sec-Fetch-Mode': maybe('navigate', 'navigate', 'cors', 'no-cors', 'same-origin', 'websocket', 'navigates', ''),
  'Sec-Fetch-Dest': maybe('document', 'document', 'iframe', 'empty', 'image', 'documents'),
  'Sec-Fetch-Site': maybe('none', 'same-origin', 'same-site', 'cross-site', 'other'),
  'Sec-Purpose': fc.option(fc.constantFrom('prefetch', 'prefetch;prerender'), { nil: undefined, freq: 1 }),
  Accept: maybe(HTML, '*/*', 'application/json', 'text/plain, TEXT/HTML ;q=0.1', 'text/html-sandboxed', 'x/text/html'),
  'X-Requested-With': fc.option(fc.constantFrom('XMLHttpRequest'), { nil: undefined, freq: 1 }),
  Origin: maybe(`https://${host}`, 'https://evil.test', 'null'),
  Cookie: fc.option(
    fc
      .array(
        fc.constantFrom(
          'a=1',
          'b=2',
          'c=__Host-Http-meshgate',
          '__Host-Http-meshgate=s',
          '__Host-Http-meshgate-a-1=x',
          '__HOST-meshgate=2',
          'd',
        ),
        { minLength: 1, maxLength: 9 },
      )
      .map((all) => all.join('; ')),
    { nil: undefined },
  ),
});
type Requested = ReturnType<typeof request.generate>['value'] & { readonly Upgrade?: string };

/** Whether a browser shows the answer as a page, by FACTS about Fetch Metadata and the older headers. */
function navigation({ method, ...sent }: Requested): string | undefined {
  const kind = method === 'GET' ? 'get' : method === 'POST' ? 'post' : undefined;
  const mode = sent['Sec-Fetch-Mode'] ?? '';
  if (sent['Sec-Purpose'] !== undefined) return undefined;
  if (mode === 'navigate') return sent['Sec-Fetch-Dest'] === 'document' ? kind : undefined;
  if (mode !== '' || sent['Sec-Fetch-Dest'] !== undefined) return undefined;
  if (sent['X-Requested-With'] !== undefined || sent.Upgrade !== undefined) return undefined;
  return (sent.Accept ?? '').split(',').some((type) => /^\s*text\/html\s*(;|$)/i.test(type)) ? kind : undefined;
}

/** The origin of the page, where it matters. */
function origin({ method, Upgrade, ...sent }: Requested): string | undefined {
  if (['GET', 'HEAD', 'OPTIONS', 'TRACE'].includes(method) && Upgrade === undefined) return undefined;
  // A page that hides its origin is recognised as the host's own by headers that no page can set.
  if (sent.Origin === 'null' && sent['Sec-Fetch-Site'] === 'same-origin') return undefined;
  return sent.Origin ?? (/^(cross|same)-site$/.test(sent['Sec-Fetch-Site'] ?? '') ? 'null' : undefined);
}

const isOurs = (cookie: string): boolean => /^__host-(?:http-)?meshgate/i.test(cookie);

/** Cookies of a line, as a service reads it. */
const cookiesOf = (line = ''): readonly string[] =>
  line
    .split(';')
    .map((one) => one.trim())
    .filter((one) => one !== '');

function expected(requested: Requested) {
  const all = cookiesOf(requested.Cookie);
  const rest = all.filter((one) => !isOurs(one));
  return {
    check: {
      Cookie: all.filter(isOurs),
      'X-Meshgate-Navigation': navigation(requested),
      'X-Meshgate-Origin': origin(requested),
      'X-Meshgate-Method': requested.method,
      Host: 'meshgate',
    },
    service: { Cookie: rest.length === 0 ? [] : [rest.join('; ')] },
  };
}

function sentOf({ method, ...headers }: Requested): Sent {
  const given = Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return { method, path: '/app/x', headers: Object.fromEntries(given) };
}

function outcome(answer: Answer) {
  const [user = ''] = valuesOf(answer.json(), 'X-Forwarded-User');
  const { Cookie, Host, ...check } = checkedRequest(user);
  return {
    check: { ...check, Cookie: cookiesOf(Cookie), Host },
    service: { Cookie: valuesOf(answer.json(), 'Cookie') },
  };
}

test('navigations, origins and cookies of 400 requests, over HTTP/1.1', async () => {
  const agent = gateway.keepAlive(host, 1);
  const upgrades = fc.tuple(request, fc.option(fc.constant('foo'), { nil: undefined, freq: 1 }));
  await holds(
    fc.asyncProperty(upgrades, async ([some, Upgrade]) => {
      const requested: Requested = { ...some, ...(Upgrade !== undefined && { Upgrade }) };
      const answer = await gateway.send(host, { ...sentOf(requested), agent });
      expect(answer.status).toBe(200);
      expect(outcome(answer)).toEqual(expected(requested));
    }),
    400,
  );
  agent.destroy();
});

test('the same over HTTP/2', async () => {
  const several = fc.array(request, { minLength: 1, maxLength: 20 });
  await holds(
    fc.asyncProperty(several, async (requested) => {
      const answers = await gateway.sendHttp2(host, ...requested.map(sentOf));
      expect(answers.map(outcome)).toEqual(requested.map(expected));
    }),
    20,
  );
});

test('joins cookies that arrive in several lines', async () => {
  const headers = [
    ['Cookie', 'a=1'],
    ['Cookie', '__Host-Http-meshgate=s'],
    ['Cookie', 'b=2'],
  ] as const;
  for (const [answer] of [
    [await gateway.send(host, { path: '/app/x', headers })],
    await gateway.sendHttp2(host, { path: '/app/x', headers }),
  ]) {
    expect(outcome(answer!).service.Cookie).toEqual(['a=1; b=2']);
    expect(outcome(answer!).check.Cookie).toEqual(['__Host-Http-meshgate=s']);
  }
});

test('erases the gateway’s cookies wherever they stand, in any spelling; a line that no browser sends is not forwarded', async () => {
  const requested = async (Cookie: string) =>
    outcome(await gateway.send(host, { path: '/app/x', headers: { Cookie } }));
  const apart = Array.from({ length: 9 }, (_, i) => [`a${i}=${i}`, `__Host-Http-meshgate-a-${i}=x`]).flat();
  for (const line of [apart, ['__Host-Http-meshgate=s', ...apart], [...apart, 'z=1']]) {
    const { check, service } = await requested(line.join('; '));
    expect(check.Cookie).toEqual(line.filter(isOurs));
    expect(service.Cookie).toEqual([line.filter((one) => !isOurs(one)).join('; ')]);
  }
  for (const odd of [
    'a=1;__HOST-MESHGATE=s',
    ' __Host-Http-meshgate;a=1',
    'a=1; ;\t__host-meshgate-x ; ',
    'a=1;__Host-Http-meshgate',
  ]) {
    const { check, service } = await requested(odd);
    expect(check.Cookie.length, odd).toBe(1);
    expect(cookiesOf(service.Cookie.join(';')), odd).toEqual(['a=1']);
  }
  const more = await requested([...apart, ...apart.map((one) => `${one}y`)].join('; '));
  expect([more.check.Cookie, more.service.Cookie]).toEqual([[], []]);
});

/**
 * Processor time that the worker takes for twenty requests with such a line, milliseconds: the least of three
 * measurements, since the worker has other work at times.
 */
async function costOf(part: string, length: number): Promise<number> {
  const spent = async () => {
    const { stdout } = await gateway.box.exec('cut', '-d ', '-f1', `/proc/${gateway.workers()[0]}/schedstat`);
    return Number(stdout) / 1e6;
  };
  const headers = { Cookie: part.repeat(Math.floor(length / part.length)) };
  await waitForWorkers(gateway, host);
  const costs: number[] = [];
  for (let measured = 0; measured < 3; measured++) {
    const before = await spent();
    for (let i = 0; i < 20; i++) await gateway.send(host, { path: '/app/x', headers });
    costs.push((await spent()) - before);
  }
  return Math.min(...costs);
}

test('reads long Cookie lines to their end, also those that could make an expression backtrack', async () => {
  const long = await gateway.send(host, {
    path: '/app/x',
    headers: { Cookie: `a=${'x'.repeat(7000)}; __Host-Http-meshgate=s` },
  });
  expect(outcome(long).service.Cookie).toEqual([`a=${'x'.repeat(7000)}`]);
  for (const one of ['; ', ';a', '; a=1; __Host-Http-meshgate=s', '; __Host-meshgat', '__Host-Http-meshgate']) {
    // With the rendered expression ten times the length costs about ten times as much; with an expression that reads
    // from each part to the end, far more.
    const short = await costOf(one, 750);
    expect(await costOf(one, 7500), one).toBeLessThan(4 * short);
  }
});

test('the check receives the requested host for a wildcard, and nothing about browsers where sign-in is off', async () => {
  const headers = { ...NAVIGATES, Cookie: '__Host-Http-meshgate=s; a=1' };
  const wild = outcome(await gateway.send('a.wild.test', { path: '/x', headers }));
  expect(wild.check).toMatchObject({ 'X-Meshgate-Host': 'a.wild.test', 'X-Meshgate-Navigation': 'get' });
  const api = outcome(await gateway.send('api.test', { path: '/x', headers }));
  expect(api.check).toEqual({ Host: 'meshgate', 'X-Meshgate-Method': 'GET', Cookie: ['__Host-Http-meshgate=s'] });
  expect(api.service.Cookie).toEqual(['a=1']);
});

/** The requests are sent one after the other over both versions. */
async function both(sent: Sent, at = host): Promise<readonly Answer[]> {
  return [await gateway.send(at, sent), ...(await gateway.sendHttp2(at, sent))];
}

describe('refusals', () => {
  const path = '/app/x?a=1&to=/b';
  const missing = { Status: '401', Reason: 'credential_missing', Signin: 'in' };

  test.each([
    ['GET', 'in', '/.meshgate/signin?in&to=/app/x?a=1&to=/b'],
    ['HEAD', 'renew', '/.meshgate/signin?renew&to=/app/x?a=1&to=/b'],
    ['GET', 'step&role=admin', '/.meshgate/signin?step&role=admin&to=/app/x?a=1&to=/b'],
  ])('%s that navigates is redirected to sign-in: %s', async (method, mode, location) => {
    const headers = {
      ...NAVIGATES,
      ...saying({ ...missing, Signin: mode, 'Set-Cookie': '__Host-Http-meshgate=; Max-Age=0' }),
    };
    for (const answer of await both({ method, path, headers })) {
      expect(answer.status).toBe(303);
      expect(answer.all('Location')).toEqual([location]);
      expect(answer.all('Cache-Control')).toEqual(['no-store']);
      expect(answer.all('Set-Cookie')).toEqual(['__Host-Http-meshgate=; Max-Age=0']);
      expect(answer.header('Vary')).toBe('Accept, Cookie, Sec-Fetch-Dest, Sec-Fetch-Mode');
    }
  });

  test.each([
    ['fetch', 'GET', { 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty', Accept: HTML }],
    ['XMLHttpRequest without Fetch Metadata', 'GET', { Accept: HTML, 'X-Requested-With': 'XMLHttpRequest' }],
    ['EventSource', 'GET', { 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty', Accept: 'text/event-stream' }],
    ['an image', 'GET', { 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'image', Accept: 'image/*' }],
    ['a frame', 'GET', { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'iframe', Accept: HTML }],
    ['a prefetch', 'GET', { ...NAVIGATES, 'Sec-Purpose': 'prefetch;prerender', Accept: HTML }],
    ['curl', 'GET', { Accept: '*/*' }],
    ['DELETE', 'DELETE', { ...NAVIGATES, Accept: HTML }],
  ])('%s receives problem+json and the challenge, and no redirect', async (_, method, given) => {
    for (const answer of await both({ method, path, headers: { ...given, ...saying(missing) } })) {
      expect(answer.status).toBe(401);
      expect(answer.header('Content-Type')).toBe('application/problem+json');
      expect(answer.json().reason).toBe('credential_missing');
      expect(answer.header('WWW-Authenticate')).toBe('Bearer realm="wiki.test"');
      expect([answer.header('Location'), answer.header('Set-Cookie')]).toEqual([undefined, undefined]);
      expect(answer.header('Cache-Control')).toBe('no-store');
    }
  });

  test.each([
    ['400', 'credential_duplicate'],
    ['401', 'revoked'],
    ['403', 'role_missing'],
    ['404', 'route_unknown'],
    ['503', 'provider_unavailable'],
  ])('a page with status %s', async (Status, Reason) => {
    const more = { Detail: 'a \\"b\\"', User: 'ada', 'Set-Cookie': '__Host-Http-meshgate=; Max-Age=0' };
    const headers = { ...NAVIGATES, 'Accept-Language': 'de', ...saying({ Status, Reason, ...more }) };
    for (const answer of await both({ path, headers })) {
      expect(answer.status).toBe(Number(Status));
      expect(answer.header('Content-Type')).toBe('text/html');
      expect(answer.header('Cache-Control')).toBe('no-store');
      expect(answer.header('Set-Cookie')).toBe('__Host-Http-meshgate=; Max-Age=0');
      const told: Told = answer.json();
      expect(told).toMatchObject({ handler: 'page', uri: `/.meshgate/page/${Reason}`, method: 'GET', length: 0 });
      expect(told.headers).toEqual({
        Host: 'meshgate',
        Connection: 'close',
        'Accept-Language': 'de',
        'X-Meshgate-Host': host,
        'X-Meshgate-Request-Id': expect.stringMatching(/^[0-9a-f]{32}$/),
        'X-Meshgate-Navigation': 'get',
        'X-Meshgate-Status': Status,
        'X-Meshgate-Detail': more.Detail,
        'X-Meshgate-Route': 'wiki.test/app/*',
        'X-Meshgate-Target': path,
        'X-Meshgate-User': 'ada',
      });
    }
  });

  test('a form receives a page, its body is not read whatever its size, and its method is logged', async () => {
    for (const size of [0, 3, 100_000, 3_000_000]) {
      const mark = await waitForWorkers(gateway, host);
      const headers = { ...NAVIGATES, 'Content-Type': 'application/x-www-form-urlencoded', ...saying(missing) };
      const sent = { method: 'POST', path: `/app/form-${size}`, headers, body: 'x'.repeat(size) };
      for (const answer of await both(sent)) {
        expect(answer.status).toBe(401);
        const told: Told = answer.json();
        expect(told).toMatchObject({ handler: 'page', uri: '/.meshgate/page/credential_missing' });
        expect(told.length).toBeLessThan(2 ** 16);
        expect(told.headers).toMatchObject({ 'X-Meshgate-Navigation': 'post', 'X-Meshgate-Signin': 'in' });
      }
      await gateway.box.logs.waitFor(new RegExp(`"POST","url.path":"/app/form-${size}"`), mark);
      await waitForWorkers(gateway, host);
      expect(gateway.troubles(mark)).toEqual([]);
    }
  });

  test('a form of unknown length receives the page', async () => {
    const head = Object.entries({ Host: host, ...NAVIGATES, ...saying(missing), 'Transfer-Encoding': 'chunked' });
    const text = `POST ${path} HTTP/1.1\r\n${head.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
    const { text: received } = await gateway.sendRaw(host, [`${text}3\r\nabc\r\n0\r\n\r\n`]);
    expect(received).toMatch(/^HTTP\/1\.1 401 [\s\S]*"handler":"page"/);
  });

  test('nginx’s own refusals are a page for a navigation, and problem+json otherwise', async () => {
    for (const [at, target, status, reason] of [
      [host, '/nowhere', 404, 'route_unknown'],
      [host, '/.meshgate/nothing', 404, 'route_unknown'],
      [host, '/app//x', 400, 'path_not_canonical'],
      ['auth.test', '/', 404, 'route_unknown'],
    ] as const) {
      for (const answer of await both({ path: target, headers: NAVIGATES }, at)) {
        expect([answer.status, (answer.json() as Told).uri]).toEqual([status, `/.meshgate/page/${reason}`]);
        expect((answer.json() as Told).headers['X-Meshgate-Status']).toBe(String(status));
      }
      for (const answer of await both({ path: target }, at)) {
        expect([answer.status, answer.json().reason]).toEqual([status, reason]);
      }
    }
    const [answer] = await both({ path: '/.meshgate/nothing', headers: NAVIGATES }, 'api.test');
    expect([answer?.status, answer?.json().reason]).toEqual([404, 'route_unknown']);
  });
});

describe('cookies and headers that the check sets in the browser', () => {
  const set = { 'Set-Cookie': '__Host-Http-meshgate=new; Path=/' };

  test('are added to those of the service, and no cache may store them', async () => {
    const [answer] = await both({ path: '/app/x?echo-header=Set-Cookie:app=1', headers: saying(set) });
    expect(answer?.all('Set-Cookie')).toEqual(['app=1', set['Set-Cookie']]);
    expect(answer?.all('Cache-Control')).toContain('private, no-cache');
    const [named] = await both({ path: '/app/x' });
    expect([named?.header('Set-Cookie'), named?.header('Cache-Control')]).toEqual([undefined, 'private, no-cache']);
    const [anonymous] = await both({ path: '/app/x', headers: saying({ User: '' }) });
    expect([anonymous?.header('Set-Cookie'), anonymous?.header('Cache-Control')]).toEqual([undefined, undefined]);
  });

  test('are added to the CORS headers', async () => {
    const headers = { Origin: 'https://app.test', ...saying(set) };
    const [answer] = await both({ path: '/cors/x', headers });
    expect(answer?.all('Set-Cookie')).toEqual([set['Set-Cookie']]);
    expect(answer?.all('Access-Control-Allow-Origin')).toEqual(['https://app.test']);
    expect(answer?.all('Access-Control-Allow-Credentials')).toEqual(['true']);
    const [refused] = await both({
      path: '/cors/x',
      headers: { Origin: 'https://app.test', ...saying({ Status: '403', Reason: 'role_missing' }) },
    });
    expect(refused?.all('Access-Control-Allow-Origin')).toEqual(['https://app.test']);
    expect(refused?.all('Vary')).toEqual(['Origin', 'Accept, Cookie, Sec-Fetch-Dest, Sec-Fetch-Mode']);
  });
});

describe('the endpoints', () => {
  const own = {
    'X-Meshgate-Host': 'evil.test',
    'X-Meshgate-Query': 'code=evil',
    'X-Meshgate-Navigation': 'get',
    'X-Meshgate-Session': 'evil',
    X_Meshgate_Host: 'evil.test',
    Authorization: 'Bearer evil',
  };

  test.each([
    [host, 'handover'],
    ['auth.test', 'callback'],
    ['a.wild.test', 'handover'],
  ])(
    'on %s receive its name, the query in a header of its own, and no header that the client makes up',
    async (at, handler) => {
      const headers = {
        ...own,
        Cookie: '__Host-Http-meshgate=s; a=1',
        Origin: 'https://x.test',
        'Accept-Language': 'de',
        'X-Other': '1',
      };
      for (const answer of await both({ path: `/.meshgate/${handler}?code=c&state=s`, headers }, at)) {
        const told: Told = answer.json();
        expect([answer.status, told.handler, told.uri, told.args]).toEqual([
          200,
          handler,
          `/.meshgate/${handler}`,
          undefined,
        ]);
        expect(told.headers).toEqual({
          Host: 'meshgate',
          Connection: 'close',
          'X-Meshgate-Host': at,
          'X-Meshgate-Request-Id': expect.stringMatching(/^[0-9a-f]{32}$/),
          'X-Meshgate-Query': 'code=c&state=s',
          'Accept-Language': 'de',
          Cookie: '__Host-Http-meshgate=s;',
          'X-Meshgate-Service-Cookies': 'a=1',
          Origin: 'https://x.test',
        });
      }
    },
  );

  test('send responses that are not cached and leak no referrer, unless they set the headers themselves', async () => {
    const [signin] = await both({ path: '/.meshgate/signin?in&to=/' });
    expect(signin?.all('Set-Cookie')).toEqual([
      '__Host-Http-meshgate-a-1=x; Path=/',
      '__Host-Http-meshgate-a-2=y; Path=/',
    ]);
    expect([signin?.all('Cache-Control'), signin?.all('Referrer-Policy')]).toEqual([['no-store'], ['no-referrer']]);
    const [signout] = await both({ path: '/.meshgate/signout' });
    expect([signout?.all('Cache-Control'), signout?.all('Referrer-Policy')]).toEqual([['no-store'], ['same-origin']]);
    const [assets] = await both({ path: '/.meshgate/assets/style.css' });
    expect(assets?.all('Cache-Control')).toEqual(['public, max-age=60']);
    for (const answer of [signin, signout, assets]) expect(answer?.all('X-Content-Type-Options')).toEqual(['nosniff']);
  });

  const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS'];

  test.each([
    ['signin', host, ['GET']],
    // A provider redirects browsers back to the sign-in host, which redirects them with a ticket. Only a GET signs in, but
    // each method uses up what the URL contains.
    ['callback', 'auth.test', METHODS],
    ['callback', host, []],
    ['handover', host, METHODS],
    ['signout', host, ['GET', 'POST']],
    ['backchannel', host, ['POST']],
    ['frontchannel', host, ['GET']],
    ['whoami', host, ['GET', 'HEAD']],
    ['assets/x', host, ['GET', 'HEAD']],
  ])('%s on %s accepts %j and no other method', async (name, at, methods: readonly string[]) => {
    for (const method of METHODS) {
      const answer = await gateway.send(at, { method, path: `/.meshgate/${name}` });
      expect([method, answer.status]).toEqual([method, methods.includes(method) ? 200 : 404]);
    }
  });

  test('accept bodies of up to 16 KB', async () => {
    const mark = await waitForWorkers(gateway, host);
    const path = '/.meshgate/backchannel';
    const [fits] = await both({ method: 'POST', path, body: 'x'.repeat(16_384) });
    expect(fits?.json().length).toBe(16_384);
    const [long] = await both({ method: 'POST', path, body: 'x'.repeat(16_385) });
    expect(long?.status).toBe(413);
    await waitForWorkers(gateway, host);
    expect(gateway.troubles(mark)).toEqual([]);
  });

  test('whoami accepts a token as well', async () => {
    const answer = await gateway.send(host, { path: '/.meshgate/whoami', headers: { Authorization: 'Bearer x' } });
    expect(answer.json().headers).toMatchObject({ Authorization: 'Bearer x', 'X-Meshgate-Host': host });
  });

  test('the page and the renewal are not reachable for clients', async () => {
    for (const path of ['/.meshgate/page/role_missing', '/.meshgate/renew', '/.meshgate/page/']) {
      for (const headers of [{}, NAVIGATES, own, saying({ Reason: 'role_missing' })]) {
        const answer = await gateway.send(host, { path, headers });
        expect(answer.status).toBe(404);
        expect(answer.text).toContain('route_unknown');
      }
    }
  });

  test('a handler that throws gives problem+json, and no log has the query', async () => {
    const mark = await waitForWorkers(gateway, host);
    const secrets = 'code=SECRET-c&state=SECRET-s&ticket=SECRET-t&logout_token=SECRET-l';
    const headers = { ...NAVIGATES, Referer: `https://wiki.test/.meshgate/callback?${secrets}` };
    for (const [at, path] of [
      ['auth.test', '/.meshgate/callback'],
      [host, '/.meshgate/handover'],
      [host, '/.meshgate/signin'],
      [host, '/.meshgate/frontchannel'],
    ] as const) {
      for (const answer of await both({ path: `${path}?${secrets}&throw`, headers }, at)) {
        expect([answer.status, answer.json().reason]).toEqual([503, 'check_unavailable']);
      }
      await both({ path: `${path}?${secrets}`, headers }, at);
      await both({ method: 'PUT', path: `${path}?${secrets}`, headers }, at);
    }
    await both({ method: 'POST', path: '/.meshgate/backchannel', body: secrets });
    await both({ method: 'POST', path: '/.meshgate/backchannel', body: `${secrets}${'x'.repeat(70_000)}` });
    const lines = await gateway.box.logs.waitForJson(28, mark);
    expect(new Set(lines.map((line) => line['http.route']))).toEqual(new Set(['-', '']));
    await waitForWorkers(gateway, host);
    expect(gateway.box.logs.since(mark).join('\n')).not.toContain('SECRET');
    expect(gateway.troubles(mark).filter((line) => !/the stand-in throws|at |client: unix:/.test(line))).toEqual([]);
  });
});

test('the service receives only the gateway headers that are meant for it', async () => {
  await echo.clear();
  await gateway.send(host, { path: '/app/x', headers: { Cookie: '__Host-Http-meshgate=s', ...NAVIGATES } });
  const [received] = await echo.requests();
  const names = received!.headers.map(([name]) => name.toLowerCase()).filter((name) => name.startsWith('x-meshgate'));
  expect(names.sort()).toEqual(['x-meshgate-route', 'x-meshgate-rule']);
});
