/**
 * The rendered lines for browsers: cookies, origins, pages, endpoints, and the renewal that only the check may use. A
 * stand-in that reports its input replaces the gateway's JavaScript, so that only nginx prevents an attack. Each attack
 * runs on the unchanged rendering, and without the line that prevents it.
 */
import { expect, test } from 'vitest';
import {
  type Answer,
  checkedRequest,
  MANY_SIGNINS,
  render,
  type Sent,
  saying,
  standIn,
  startEcho,
  startGateway,
  testStage,
  until,
  valuesOf,
  waitForWorkers,
} from '../harness/index.ts';
import { all, type Change, inHop, inHosts, inHttp, inRoutes, inServer, Lab, trap } from './lab.ts';

const host = 'wiki.test';
const stage = await testStage('traps of sessions');
await startEcho(stage, { alias: 'wiki' });
const policy = `
version: 1
gateway:
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }
  session: { keys_file: /run/secrets/session.jwks }
  signin: { ${MANY_SIGNINS} }
providers:
  idp: { issuer: "https://idp.test/main", client: { id: gateway } }
services:
  wiki: { insecure_url: "http://wiki:8080" }
hosts:
  ${host}:
    /*: { service: wiki, allow: [authenticated] }
`;
const rendered = standIn(await render('nginx', policy));
const gateway = await startGateway(stage, { policy, rendered });
const lab = new Lab(gateway, rendered);
// State: nginx has looked up the service's name, which it does after it has begun to listen.
await until(async () => (await gateway.send(host, { path: '/app/x' })).status !== 502, {
  what: 'the road to the service',
  help: () => gateway.box.logs.tail(),
});

const NAVIGATES = { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' };
const missing = saying({ Status: '401', Reason: 'credential_missing', Signin: 'in' });

/** Over HTTP/1.1, then over HTTP/2. */
const both = async (sent: Sent): Promise<readonly Answer[]> => [
  await gateway.send(host, sent),
  ...(await gateway.sendHttp2(host, sent)),
];

/** The `Cookie` lines that the service receives. */
async function cookies(headers: NonNullable<Sent['headers']>): Promise<string[][]> {
  return (await both({ path: '/x', headers })).map((answer) => valuesOf(answer.json(), 'Cookie'));
}

/** A header by its name, in any spelling: over HTTP/2 a client's own are in small letters. */
const named = (headers: Readonly<Record<string, string>>, name: string): string | undefined =>
  Object.entries(headers).find(([other]) => other.toLowerCase() === name.toLowerCase())?.[1];

/** The input of the check, of these headers. */
async function told(sent: Sent, ...names: readonly string[]): Promise<(string | undefined)[][]> {
  return (await both({ path: '/x', ...sent })).map((answer) => {
    const heard = checkedRequest(valuesOf(answer.json(), 'X-Forwarded-User')[0] ?? '');
    return names.map((name) => named(heard, name));
  });
}

const status = async (sent: Sent) => (await both(sent)).map((answer) => answer.status);

trap(lab, {
  name: "the service's Cookie line is rendered: a session's cookie does not reach it",
  without: inRoutes(/ {4}proxy_set_header Cookie .*;\n/g),
  attack: () => cookies({ Cookie: 'a=1; __Host-Http-meshgate=s; __Host-Http-meshgate-a-1=x' }),
  held: [['a=1'], ['a=1']],
  open: [
    ['a=1; __Host-Http-meshgate=s; __Host-Http-meshgate-a-1=x'],
    ['a=1; __Host-Http-meshgate=s; __Host-Http-meshgate-a-1=x'],
  ],
});

trap(lab, {
  name: 'a Cookie line that no browser sends, with too many of the gateway’s cookies, is not forwarded',
  without: inHttp(/("~\*\^\\s\*\+\(\?<meshgate_o0>)/, '"~*^(?<meshgate_k0>.*)$" ""; $1'),
  attack: () => cookies({ Cookie: Array(12).fill('a=1; __Host-Http-meshgate=s').join('; ') }),
  held: [[], []],
  open: Array(2).fill([Array(12).fill('a=1; __Host-Http-meshgate=s').join('; ')]),
});

trap(lab, {
  name: 'a cookie of the gateway in a line of its own, between others, is found as well',
  without: inHttp(/>\(\?:;\\s\*\+__Host-\(\?:Http-\)\?meshgate/g, '>(?:;\\s*+__Host-none'),
  attack: async () =>
    (
      await cookies([
        ['Cookie', 'a=1'],
        ['Cookie', '__Host-Http-meshgate=s'],
        ['Cookie', 'b=2'],
      ])
    ).flat(),
  held: ['a=1; b=2', 'a=1; b=2'],
  open: [],
});

trap(lab, {
  name: 'a cookie that the check sets fits into its answer, whatever other headers it has',
  without: inHop(/proxy_buffer_size 6k;/, 'proxy_buffer_size 2k;'),
  attack: () => status({ path: '/x', headers: saying({ 'Set-Cookie': `__Host-Http-meshgate=${'x'.repeat(4000)}` }) }),
  held: [200, 200],
  open: [503, 503],
});

trap(lab, {
  name: "the check receives the origin of the page: another origin's form and WebSocket",
  without: inHop(/ {4}proxy_set_header X-Meshgate-Origin .*;\n/),
  attack: async () => [
    ...(await told({ method: 'POST', headers: { Origin: 'https://evil.test' } }, 'X-Meshgate-Origin')),
    ...(await told({ method: 'DELETE', headers: { 'Sec-Fetch-Site': 'cross-site' } }, 'X-Meshgate-Origin')),
  ],
  held: [['https://evil.test'], ['https://evil.test'], ['null'], ['null']],
  open: [[undefined], [undefined], [undefined], [undefined]],
});

trap(lab, {
  name: 'also for an Upgrade, whose method is GET',
  without: inHttp('"GET" $meshgate_origin_upgrade;', '"GET" "";'),
  attack: async () => {
    const headers = { Origin: 'https://evil.test', Upgrade: 'other' };
    const heard = await gateway.send(host, { path: '/x', headers });
    return checkedRequest(valuesOf(heard.json(), 'X-Forwarded-User')[0] ?? '')['X-Meshgate-Origin'];
  },
  held: 'https://evil.test',
  open: undefined,
});

const made = { 'X-Meshgate-Origin': 'https://wiki.test', 'X-Meshgate-Navigation': 'get', 'X-Meshgate-Session': 's' };

trap(lab, {
  name: 'a client cannot set these headers',
  without: all(
    inHop(/ {4}proxy_pass_request_headers off;\n/),
    inHop(/ {4}proxy_set_header X-Meshgate-(Origin|Navigation) .*;\n/g),
  ),
  attack: () => told({ headers: { Accept: '*/*', ...made } }, ...Object.keys(made)),
  held: [
    [undefined, undefined, undefined],
    [undefined, undefined, undefined],
  ],
  open: [Object.values(made), Object.values(made)],
});

trap(lab, {
  name: 'a prefetch begins no sign-in',
  without: inHttp('map $http_sec_fetch_dest$http_sec_purpose ', 'map $http_sec_fetch_dest '),
  attack: () => status({ path: '/x', headers: { ...NAVIGATES, 'Sec-Purpose': 'prefetch', ...missing } }),
  held: [401, 401],
  open: [303, 303],
});

trap(lab, {
  name: 'a script is not redirected to a sign-in',
  without: inRoutes('error_page 401 = $meshgate_refuse_as;', 'error_page 401 = @meshgate_signin;'),
  attack: () => status({ path: '/x', headers: { 'Sec-Fetch-Mode': 'cors', Accept: 'text/html', ...missing } }),
  held: [401, 401],
  open: [303, 303],
});

const away: Change = inHttp(/signin\.page;/, 'signin.nothing;');
const refused = { path: '/x', headers: { ...NAVIGATES, ...saying({ Status: '403', Reason: 'role_missing' }) } };
const reasons = async (sent: Sent) =>
  (await both(sent)).map((answer) => [answer.status, /"reason":"(\w+)"/.exec(answer.text)?.[1]]);

trap(lab, {
  name: 'if the page cannot be fetched the refusal is sent all the same, with its reason',
  around: away,
  without: inRoutes(/ {4}recursive_error_pages on;\n/),
  attack: () => reasons(refused),
  held: [
    [403, 'role_missing'],
    [403, 'role_missing'],
  ],
  open: [
    [500, undefined],
    [500, undefined],
  ],
  expected: [/js function "signin\.nothing" not found/],
});

trap(lab, {
  name: 'the page of a refusal cannot be requested',
  without: inHosts(/ {4}if \(\$meshgate_reason = "" \) \{.*\}\n/),
  attack: () => reasons({ path: '/.meshgate/page/role_missing', headers: { 'X-Meshgate-Reason': 'role_missing' } }),
  held: [
    [404, 'route_unknown'],
    [404, 'route_unknown'],
  ],
  open: [
    [200, undefined],
    [200, undefined],
  ],
});

trap(lab, {
  name: 'a refused form is discarded, not read',
  without: inHttp(/client_max_body_size 1;/, 'client_max_body_size 0;'),
  attack: async () => {
    const body = 'x'.repeat(60_000);
    const answers = await both({ method: 'POST', path: '/x', headers: { ...NAVIGATES, ...missing }, body });
    return answers.map((answer) => [answer.status, answer.json().length]);
  },
  held: [
    [401, 0],
    [401, 0],
  ],
  open: [
    [401, 60_000],
    [401, 60_000],
  ],
});

const renewal = (token: string): Sent => ({
  method: 'POST',
  path: '/.meshgate/renew',
  headers: { 'X-Meshgate-Host': host, 'X-Meshgate-Session': token, 'X-Meshgate-Wait': '1' },
});

trap(lab, {
  name: 'only the check can renew a session',
  without: inHosts(/location = \/\.meshgate\/callback \{/, 'location = /.meshgate/renew {'),
  attack: async () =>
    (await both(renewal('x'))).map((answer) => [answer.status, answer.text.includes('"handler":"renew"')]),
  held: [
    [404, false],
    [404, false],
  ],
  open: [
    [200, true],
    [200, true],
  ],
});

const SECRETS = 'code=SECRET&state=SECRET';

/** Whether a log has it, after the access log's line came. */
async function logged(path: string): Promise<boolean> {
  const mark = await waitForWorkers(gateway);
  await gateway.send(host, { path });
  await gateway.box.logs.waitForJson(1, mark);
  // Standard output and error arrive separately: nginx's messages there are here once this is.
  await gateway.box.exec('sh', '-c', 'echo meshgate: so far >/proc/1/fd/2');
  await gateway.box.logs.waitFor(/^meshgate: so far$/, mark);
  return gateway.box.logs.since(mark).join('\n').includes('SECRET');
}

trap(lab, {
  name: 'error_log off for the sign-in: a response that nginx rejects writes no code into the log',
  without: inHosts(/ {4}error_log \/dev\/null emerg;\n/g),
  attack: () => logged(`/.meshgate/callback?${SECRETS}&large`),
  held: false,
  open: true,
});

trap(lab, {
  name: 'the query is passed to the JavaScript beside the URL: if that throws, no code is in the log',
  without: inHosts(/(check\.sock:)\$uri;/, '$1$uri$is_args$args;'),
  attack: () => logged(`/.meshgate/callback?${SECRETS}&throw`),
  held: false,
  open: true,
  expected: [/the stand-in throws/, /^ {4}at /, /^, client: unix:/],
});

trap(lab, {
  name: 'an access log of the server has no URL of the sign-in',
  around: inServer(host, 'access_log /dev/stderr combined;'),
  without: inHosts(/ {4}access_log \/dev\/stdout meshgate [^;]*;\n/),
  attack: () => logged(`/.meshgate/callback?${SECRETS}`),
  held: false,
  open: true,
  expected: [/./],
});

trap(lab, {
  name: 'endpoints receive only the client headers that are meant for them',
  without: inHosts(
    /( {4}proxy_request_buffering on;\n {4}proxy_http_version 1\.1;\n) {4}proxy_pass_request_headers off;\n/,
    '$1',
  ),
  attack: async () => {
    const headers = { 'X-Meshgate-Session': 's', 'X-Meshgate-User': 'root', Authorization: 'x' };
    const answers = await both({ path: '/.meshgate/signin?in&to=/', headers });
    return answers.map((answer) => Object.keys(headers).map((name) => named(answer.json().headers, name)));
  },
  held: [
    [undefined, undefined, undefined],
    [undefined, undefined, undefined],
  ],
  open: [
    ['s', 'root', 'x'],
    ['s', 'root', 'x'],
  ],
});

trap(lab, {
  name: "a cookie of the gateway in a service's response is not cached on the way",
  without: inRoutes(/ {4}add_header Cache-Control \$meshgate_cache_for always;\n/),
  attack: async () => {
    const path = '/x?echo-header=Cache-Control:public,max-age%3D60';
    const answers = await both({ path, headers: saying({ 'Set-Cookie': '__Host-Http-meshgate=s' }) });
    return answers.map((answer) => answer.all('Cache-Control').join(', '));
  },
  held: ['public,max-age=60, private', 'public,max-age=60, private'],
  open: ['public,max-age=60', 'public,max-age=60'],
});

trap(lab, {
  name: "a service's response sets no cookie of the gateway, and the gateway's own stays",
  without: inHttp(/"~\*__Host-\(\?:Http-\)\?meshgate\|; \*httponly" \$meshgate_cookies_kept;/),
  attack: async () => {
    const path = '/x?echo-header=Set-Cookie:__Host-Http-meshgate%3Devil&echo-header=Set-Cookie:a%3D1';
    const own = await both({ path, headers: saying({ 'Set-Cookie': '__Host-Http-meshgate=s' }) });
    const none = await both({ path });
    return [...own, ...none].map((answer) => answer.all('Set-Cookie'));
  },
  held: [['a=1', '__Host-Http-meshgate=s'], ['a=1', '__Host-Http-meshgate=s'], ['a=1'], ['a=1']],
  open: [
    ['__Host-Http-meshgate=evil', 'a=1', '__Host-Http-meshgate=s'],
    ['__Host-Http-meshgate=evil', 'a=1', '__Host-Http-meshgate=s'],
    ['__Host-Http-meshgate=evil', 'a=1'],
    ['__Host-Http-meshgate=evil', 'a=1'],
  ],
});

test('if the JavaScript for cookies fails, browsers receive no cookie with a name of the gateway from a service', async () => {
  const program = 'function kept() {\n  throw new Error("broken");\n}\nexport default { kept };\n';
  const broken = await startGateway(stage, {
    policy,
    rendered: { ...rendered, 'cookies.js': program },
    alias: 'broken',
  });
  const lines = [
    '__Host-Http-meshgate=evil; Secure; Path=/',
    '__HOST-meshgate-a-1.abcdefgh=evil;Path=/;secure',
    'a=1; Secure; Path=/',
  ];
  const path = `/x?${lines.map((line) => `echo-header=${encodeURIComponent(`Set-Cookie:${line}`)}`).join('&')}`;
  await until(async () => (await broken.send(host, { path: '/x' })).status === 200, {
    what: 'the road to the service',
    help: () => broken.box.logs.tail(),
  });
  const mark = broken.mark();
  for (const answer of [await broken.send(host, { path }), ...(await broken.sendHttp2(host, { path }))]) {
    expect(answer.status).toBe(200);
    const set = answer.all('Set-Cookie');
    expect(set.filter((line) => /;\s*secure/i.test(line))).toEqual([lines[2]]);
    expect(set.filter((line) => /^\s*__host-/i.test(line)).every((line) => !/secure/i.test(line))).toBe(true);
  }
  // nginx's line about the error, which may come after the responses.
  await broken.box.logs.waitFor(/Error: broken/, mark);
});

/** What the sign-in receives of a line with twelve of the gateway's cookies, each between two others. */
const crowded = Array(12).fill('a=1; __Host-Http-meshgate-a-1.abcdefgh=s').join('; ');

trap(lab, {
  name: 'the sign-in receives all cookies if there are more than a browser sends, and can end them',
  without: inHttp('"~*__Host-(?:Http-)?meshgate" $http_cookie;'),
  attack: async () =>
    (await both({ path: '/.meshgate/signin?in&to=/', headers: { Cookie: crowded } })).map((answer) =>
      named(answer.json().headers, 'Cookie'),
    ),
  held: [crowded, crowded],
  open: [undefined, undefined],
});

trap(lab, {
  name: 'the script of a service worker does not reach the service',
  without: inHosts(/^if \(\$meshgate_worker\) \{[^}]*\}\n/m),
  attack: () => status({ path: '/sw.js', headers: { 'Service-Worker': 'script' } }),
  held: [403, 403],
  open: [200, 200],
});

trap(lab, {
  name: 'no service widens the scope of a service worker',
  without: inRoutes(/ {4}proxy_hide_header Service-Worker-Allowed;\n/),
  attack: async () => {
    const answers = await both({ path: '/x?echo-header=Service-Worker-Allowed:/' });
    return answers.map((answer) => answer.header('Service-Worker-Allowed'));
  },
  held: [undefined, undefined],
  open: ['/', '/'],
});

trap(lab, {
  name: 'a response to an authenticated caller without cache headers is private',
  without: inHttp(/(\$meshgate_cache_caller \{[^}]*?)default "private, no-cache";/, '$1default "";'),
  attack: async () => (await both({ path: '/x' })).map((answer) => answer.header('Cache-Control')),
  held: ['private, no-cache', 'private, no-cache'],
  open: [undefined, undefined],
});

trap(lab, {
  name: 'so is a response to an anonymous caller with a role by network, and no other',
  without: inHttp(
    'map $meshgate_user$meshgate_roles $meshgate_cache_caller',
    'map $meshgate_user $meshgate_cache_caller',
  ),
  attack: async () =>
    (await Promise.all(['inside', ''].map((Roles) => both({ path: '/x', headers: saying({ User: '', Roles }) }))))
      .flat()
      .map((answer) => [answer.status, answer.header('Cache-Control')]),
  held: [
    [200, 'private, no-cache'],
    [200, 'private, no-cache'],
    [200, undefined],
    [200, undefined],
  ],
  open: Array(4).fill([200, undefined]),
});

trap(lab, {
  name: 'headers that an outer level adds stay beside it',
  around: inServer(host, 'add_header Strict-Transport-Security max-age=60 always;'),
  // The server has the same line for its own headers, and locations inherit it.
  without: all(inRoutes(/ {4}add_header_inherit merge;\n/), inHosts(/^add_header_inherit merge;\n/m)),
  attack: async () => (await both({ path: '/x' })).map((answer) => answer.header('Strict-Transport-Security')),
  held: ['max-age=60', 'max-age=60'],
  open: [undefined, undefined],
});

trap(lab, {
  name: 'the target of a sign-in is not leaked: a page of the sign-in sends no Referrer',
  without: inHosts(/ {4}add_header Referrer-Policy .*;\n/g),
  attack: async () =>
    (await both({ path: `/.meshgate/callback?${SECRETS}` })).map((answer) => answer.header('Referrer-Policy')),
  held: ['no-referrer', 'no-referrer'],
  open: [undefined, undefined],
});
