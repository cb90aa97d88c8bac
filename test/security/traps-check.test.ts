/**
 * NGINX.md, "The answer of the check" and the way to it: each line against what nginx does without it.
 * A trap is sprung twice: on the rendering as it is, and without the line that closes it.
 */
import { connect } from 'node:http2';
import { createConnection } from 'node:net';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Answer, type Sent, sendHttp2, startEcho, startIssuer, testStage, until } from '../harness/index.ts';
import { all, atHttpLevel, type Change, inHop, inHosts, inHttp, inRoutes, inServer, startLab, trap } from './lab.ts';

const stage = await testStage('traps of the check');
const [echo, issuers] = await Promise.all([startEcho(stage, { alias: 'wiki' }), startIssuer(stage)]);
const acme = await issuers.create('acme');
const lab = await startLab(
  stage,
  `
version: 1
gateway: { insecure_http: true, listen: 8080 }
providers:
  acme: { issuer: ${acme.url}, audiences: [wiki], ca_file: /run/provider/ca.pem }
roles:
  reader: { group: reader }
services:
  wiki: { insecure_url: "http://wiki:8080" }
headers:
  X-Forwarded-User: subject
  X-Long: { claim: long }
hosts:
  wiki.test:
    /rest/*: { service: wiki, allow: [reader] }
    /open/*: { service: wiki, allow: [anyone] }
`,
);
const { gateway } = lab;
const host = 'wiki.test';
const reader = await acme.sign({ aud: 'wiki', sub: 'ada', groups: ['reader'] });
const groups = Array.from({ length: 200 }, (_, i) => `a group with a rather long name ${i}`);
const long = await acme.sign({ aud: 'wiki', sub: 'ada', groups: ['reader'], long: 'x'.repeat(4000) });
const longer = await acme.sign({ aud: 'wiki', sub: 'ada', groups: ['reader', ...groups] });
const stranger = await acme.sign({ aud: 'wiki', sub: 'eve' });

beforeAll(() =>
  until(async () => (await gateway.send(host, { path: '/rest/x', token: reader })).status === 200, {
    what: 'the keys',
    timeoutMs: 20_000,
  }),
);

/** Status and reason; `-` for a body that is none of ours. */
function said(answer: Answer | undefined): string {
  const reason = /"reason":"(\w+)"/.exec(answer?.text ?? '')?.[1];
  return `${answer?.status} ${reason ?? '-'}`;
}

async function ask(sent: Sent): Promise<string> {
  return said(await gateway.send(host, sent));
}

const unexpected = /auth request unexpected status/;

/** An HTTP/2 connection. */
function session() {
  const { host: address, port } = gateway.target(host);
  return connect(`http://${host}`, { createConnection: () => createConnection(port, address) });
}

function status(on: ReturnType<typeof session>, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const stream = on.request({ ':path': path });
    stream.on('response', (headers) => resolve(Number(headers[':status'])));
    stream.on('error', reject);
    stream.resume();
  });
}

/** Another answer than the check's own. */
const checkAnswers = (directives: string): Change => inHttp('js_content meshgate.check;', directives);

describe('refusals', () => {
  trap(lab, {
    name: 'a refusal is said with its own status, over every method',
    without: inRoutes(/ {4}error_page 401 = @meshgate_refuse;\n/g),
    attack: async () => {
      const answers = [];
      for (const method of ['GET', 'POST', 'OPTIONS']) {
        answers.push(await ask({ method, path: '/rest/x' }), await ask({ method, path: '/rest/x', token: stranger }));
      }
      const head = await gateway.send(host, { method: 'HEAD', path: '/rest/x', token: stranger });
      return [...new Set(answers), head.status, head.header('WWW-Authenticate')?.slice(0, 6)];
    },
    held: ['401 credential_missing', '403 role_missing', 403, 'Bearer'],
    // nginx passes a 401 on, whatever the check had to say.
    open: ['401 -', 401, 'Bearer'],
  });

  for (const [status, reason] of [
    [400, 'path_not_canonical'],
    [401, 'token_expired'],
    [403, 'role_missing'],
    [404, 'route_unknown'],
    [421, 'host_unknown'],
    [503, 'provider_unavailable'],
  ] as const) {
    test(`a refusal with ${status}: status, reason and challenges; empty headers are left out`, async () => {
      await lab.load(
        checkAnswers(
          `add_header X-Meshgate-Status ${status} always; add_header X-Meshgate-Reason ${reason} always;
           add_header WWW-Authenticate 'Bearer realm="a"' always; add_header WWW-Authenticate 'DPoP' always; return 401;`,
        ),
      );
      await echo.clear();
      for (const method of ['GET', 'HEAD', 'POST']) {
        const answer = await gateway.send(host, { method, path: '/rest/x' });
        expect(answer.status).toBe(status);
        expect(answer.all('WWW-Authenticate')).toEqual(['Bearer realm="a"', 'DPoP']);
        expect(answer.header('Retry-After')).toBeUndefined();
        expect(answer.header('Cache-Control')).toBe('no-store');
        if (method !== 'HEAD') expect(answer.json()).toMatchObject({ status, reason });
      }
      expect(await echo.requests()).toEqual([]);
    });
  }

  trap(lab, {
    name: "only a 401 is ours: nginx's own 403 stays nginx's",
    around: inServer(host, 'deny all;'),
    without: inRoutes(/ {4}error_page 401 = @meshgate_refuse;\n/g, '    error_page 401 403 = @meshgate_refuse;\n'),
    attack: () => ask({ path: '/rest/x', token: reader }),
    held: '403 -',
    open: '401 -',
    expected: [/access forbidden by rule/],
  });
});

describe('a check that answers something else, or not at all: nothing passes', () => {
  for (const [what, change] of [
    ['302', checkAnswers('return 302 http://elsewhere.test/;')],
    ['400', checkAnswers('return 400;')],
    ['429', checkAnswers('return 429;')],
    ['500', checkAnswers('return 500;')],
    ['a closed connection', checkAnswers('return 444;')],
    ['a function that is missing', checkAnswers('js_content meshgate.nothing;')],
    ['no socket', inHttp('server unix:/run/meshgate/check.sock;', 'server unix:/run/meshgate/nobody.sock;')],
    ['no socket folder', inHttp('server unix:/run/meshgate/check.sock;', 'server unix:/run/nobody/check.sock;')],
  ] as const) {
    trap(lab, {
      name: `${what}: 503 with a body`,
      around: change,
      without: inRoutes(/ {4}error_page 500 = @meshgate_down;\n/g),
      attack: async () => {
        await echo.clear();
        const answer = await gateway.send(host, { path: '/rest/x', token: reader });
        return [said(answer), answer.header('Retry-After'), (await echo.requests()).length];
      },
      held: ['503 check_unavailable', '1', 0],
      open: ['500 -', undefined, 0],
      expected: [
        unexpected,
        /upstream prematurely closed|connect\(\) to unix|js function "meshgate.nothing" not found/,
      ],
    });
  }
});

describe('what nginx cannot read is answered in our words', () => {
  trap(lab, {
    name: 'two Authorization headers: 400 with a body',
    without: inHosts(/^error_page 400 494 = \/\.meshgate\/bad;\n/m),
    attack: () =>
      ask({
        path: '/open/x',
        headers: [
          ['Host', host],
          ['Authorization', `Bearer ${reader}`],
          ['Authorization', 'Bearer x'],
        ],
      }),
    held: '400 request_malformed',
    open: '400 -',
  });

  trap(lab, {
    name: 'a header line of 40 KB: 400 with a body',
    without: inHosts(/^error_page 400 494 = \/\.meshgate\/bad;\n/m),
    attack: () => ask({ path: '/open/x', headers: { 'X-Long': 'a'.repeat(40_000) } }),
    held: '400 request_malformed',
    open: '400 -',
  });
});

describe('the way to the check', () => {
  /** The host of the policy is the socket's default server, as it may be in an nginx of one's own. */
  const isDefault: Change = (files) => ({
    ...files,
    'servers.conf': files['servers.conf']!.replace('listen 8080 default_server;', 'listen 8080;').replace(
      /listen 8080;(?=\s+server_name wiki\.test;)/,
      'listen 8080 default_server;',
    ),
  });

  trap(lab, {
    name: 'a Host of its own: HTTP/1.0 without a Host is decided as well',
    around: isDefault,
    without: inHop('proxy_set_header Host meshgate;', 'proxy_set_header Host $http_host;'),
    attack: async () => {
      const answers = [];
      for (const token of [reader, stranger]) {
        const { answers: got } = await gateway.sendRaw(
          host,
          `GET /rest/x HTTP/1.0\r\nAuthorization: Bearer ${token}\r\n\r\n`,
          { untilClosed: true },
        );
        answers.push(said(got[0]));
      }
      return answers;
    },
    held: ['200 -', '403 role_missing'],
    open: ['503 check_unavailable', '503 check_unavailable'],
  });

  trap(lab, {
    name: 'client_max_body_size 0: a body is no matter of the check',
    without: inHop(/ {4}client_max_body_size 0;\n/),
    attack: () => ask({ method: 'POST', path: '/rest/x', token: reader, body: 'x'.repeat(2_000_000) }),
    held: '200 -',
    open: '503 check_unavailable',
    expected: [/a client request body is buffered to a temporary file/],
  });

  trap(lab, {
    name: 'proxy_buffer_size 32k: more than 4 KB of headers come back from the check',
    without: inHop(/ {4}proxy_(buffer_size 32k|buffers 4 32k);\n/g),
    attack: () => ask({ path: '/rest/x', token: long }),
    held: '200 -',
    open: '503 check_unavailable',
  });

  trap(lab, {
    name: "the inner server's large_client_header_buffers: a token of 10 KB gets to the check",
    without: inHttp(/ {4}(client_header_buffer_size 8k|large_client_header_buffers 4 160k);\n/g),
    attack: async () => [longer.length > 9000, await ask({ path: '/rest/x', token: longer })],
    held: [true, '200 -'],
    open: [true, '503 check_unavailable'],
  });

  trap(lab, {
    name: 'proxy_pass_request_headers off: 12 KB of cookies over HTTP/2 are no matter of the check',
    around: (files) => ({
      ...files,
      'servers.conf': files['servers.conf']!.replaceAll('listen 8080', 'http2 on; listen 8080'),
    }),
    without: all(
      inHop(/ {4}proxy_pass_request_headers off;\n/),
      inHttp(/ {4}(client_header_buffer_size 8k|large_client_header_buffers 4 160k);\n/g),
    ),
    attack: async () => {
      const headers: [string, string][] = [
        ['cookie', Array.from({ length: 4 }, (_, i) => `c${i}=${'x'.repeat(3000)}`).join('; ')],
      ];
      const [answer] = await sendHttp2(gateway.target(host), [{ path: '/rest/x', token: reader, headers }]);
      return said(answer);
    },
    held: '200 -',
    open: '503 check_unavailable',
  });

  trap(lab, {
    name: 'backlog=4096: a thousand checks at once are all answered',
    around: (files) => ({
      ...files,
      'servers.conf': files['servers.conf']!.replaceAll('listen 8080', 'http2 on; listen 8080'),
    }),
    without: inHttp(' backlog=4096'),
    attack: async () => {
      const sessions = Array.from({ length: 9 }, () => session());
      await Promise.all(sessions.map((one) => status(one, '/open/x')));
      // Frozen, so that nginx finds all requests at once.
      await gateway.box.pause();
      const pending = sessions.flatMap((one) => Array.from({ length: 110 }, () => status(one, '/open/x')));
      await gateway.box.resume();
      const statuses = await Promise.all(pending);
      for (const one of sessions) one.destroy();
      return [...new Set(statuses)].sort();
    },
    held: [200],
    open: [200, 503],
  });

  trap(lab, {
    name: 'the route stands in the path of the check: no variable, which a "set" of the server would wipe',
    without: all(
      inHosts(/auth_request (\/\.meshgate\/check\/)(wiki\.test\/\S+);/g, 'set $meshgate_asked "$2"; auth_request $1x;'),
      inHop('proxy_pass http://meshgate_check;', 'proxy_pass http://meshgate_check/.meshgate/check/$meshgate_asked;'),
      (files) => ({
        ...files,
        'hosts/wiki.test.conf': `set $meshgate_asked "wiki.test/open/*";\n${files['hosts/wiki.test.conf']}`,
      }),
    ),
    attack: () => ask({ path: '/rest/x' }),
    held: '401 credential_missing',
    open: '200 -',
  });

  // Not a trap that springs: the location has an error_page list of its own, and so takes over none that could turn the
  // check's 401 into something else. Without that as well, the 401 is answered by @meshgate_refuse inside the subrequest,
  // with 401 again. Both lines stay, for who edits one of them.
  test('proxy_intercept_errors: nothing answers in the place of the check', async () => {
    const around = atHttpLevel('proxy_intercept_errors on; error_page 401 =200 /open/x;');
    await lab.load(around);
    expect(await ask({ path: '/rest/x', token: stranger })).toBe('403 role_missing');
    await lab.load(around, inHop(/ {4}(proxy_intercept_errors off|error_page 404 = @meshgate_unknown);\n/g));
    expect(await ask({ path: '/rest/x', token: stranger })).toBe('403 role_missing');
  });

  for (const [outer, own, around, open] of [
    ['error_page 401', /error_page 418 \/;/, 'error_page 401 =200 /open/x;', '503 check_unavailable'],
    ['deny', /allow all;/, 'allow 10.0.0.0/8; allow 172.16.0.0/12; allow 192.168.0.0/16; deny all;', '403 -'],
    ['auth_basic', /auth_basic off;/, 'auth_basic "users"; auth_basic_user_file /dev/null;', '401 -'],
    ['auth_request', /auth_request off;/, 'auth_request /.meshgate/check/-;', '401 -'],
  ] as const) {
    trap(lab, {
      name: `${outer} at the http level says nothing in the place of the check`,
      around: all(atHttpLevel(around), outer === 'auth_basic' ? inServer(host, 'auth_basic off;') : (files) => files),
      without: inHttp(new RegExp(own, 'g')),
      attack: () => ask({ path: '/rest/x', token: stranger }),
      held: '403 role_missing',
      open,
    });
  }

  const spellings = [
    '/.meshgate/check/wiki.test/open/*',
    '/.meshgate/check/wiki.test/rest/*',
    '/.meshgate/check/',
    '/.meshgate/check/-',
    '/.meshgate/check/wiki.test/open/*?x',
    '/.meshgate/%63heck/wiki.test/open/*',
    '/%2emeshgate/check/wiki.test/open/*',
    '/.meshgate%2fcheck/wiki.test/open/*',
    '//.meshgate/check/wiki.test/open/*',
    '/./.meshgate/check/wiki.test/open/*',
    '/open/../.meshgate/check/wiki.test/open/*',
    '/.meshgate/check;/wiki.test/open/*',
    '/.MESHGATE/check/wiki.test/open/*',
    'http://wiki.test/.meshgate/check/wiki.test/open/*',
    '/.meshgate/odd',
    '/.meshgate/bad',
    '/.meshgate/',
    '/.meshgate',
    '/@meshgate_refuse',
  ];

  trap(lab, {
    name: 'internal: no spelling of its path leads a client to the check',
    // The rendering refuses odd spellings first; without that, nginx itself would read them as the path.
    without: all(inHop(/ {4}internal;\n/), inHosts(/^if \(\$meshgate_odd\) \{[^}]*\}\n/m)),
    attack: async () => {
      await echo.clear();
      let shown = 0;
      const statuses = new Set<number>();
      for (const path of spellings) {
        for (const version of ['HTTP/1.1', 'HTTP/1.0']) {
          const { answers } = await gateway.sendRaw(
            host,
            `GET ${path} ${version}\r\nHost: ${host}\r\nAuthorization: Bearer ${reader}\r\nX-Meshgate-Method: GET\r\nConnection: close\r\n\r\n`,
            { untilClosed: true },
          );
          statuses.add(answers[0]!.status);
          if (answers[0]!.headers.some(([name]) => name.toLowerCase().startsWith('x-meshgate'))) shown++;
        }
      }
      return { shown: shown > 0, statuses: [...statuses].sort(), reached: (await echo.requests()).length };
    },
    held: { shown: false, statuses: [400, 404], reached: 0 },
    open: { shown: true, statuses: [204, 401, 404], reached: 0 },
  });

  test('the sockets are for nginx and nobody else', async () => {
    const { stdout } = await gateway.box.exec('stat', '-c', '%a %U', '/run/meshgate');
    expect(stdout.trim()).toBe('750 meshgate');
    const dial = 'use IO::Socket::UNIX; exit(IO::Socket::UNIX->new($ARGV[0]) ? 0 : 1)';
    for (const socket of ['/run/meshgate/check.sock', '/run/meshgate/egress.sock']) {
      const own = await gateway.box.started.exec(['perl', '-e', dial, socket], { user: '10101' });
      expect(own.exitCode, `${socket} for nginx's user: ${own.output}`).toBe(0);
      const other = await gateway.box.started.exec(['perl', '-e', dial, socket], { user: '12345' });
      expect(other.exitCode, `${socket} for another user`).toBe(1);
    }
  });
});

describe('a body of a request that is refused', () => {
  trap(lab, {
    name: 'client_max_body_size 100m: 20 MB are drained, and the connection is kept',
    without: inRoutes(/ {4}client_max_body_size 100m;\n/g),
    attack: async () => {
      await echo.clear();
      const { answers } = await gateway.sendRaw(
        host,
        [
          `POST /rest/x HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 20000000\r\n\r\n`,
          Buffer.alloc(20_000_000, 'x'),
          `GET /rest/x HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${reader}\r\n\r\n`,
        ],
        { answers: 2, timeoutMs: 20_000 },
      );
      const bodies = (await echo.requests()).map(({ method, body }) => [method, body?.length]);
      return [answers.map(said), bodies];
    },
    held: [['401 credential_missing', '200 -'], [['GET', 0]]],
    // nginx's own limit stands before the check, and ends the connection.
    open: [['413 -'], []],
  });
});
