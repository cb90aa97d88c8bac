/**
 * NGINX.md, "The answer of the check": the hop to it. Each line is compared with nginx's behaviour without it. Each
 * attack runs twice: on the unchanged rendering, and without the line that prevents it.
 */
import { connect } from 'node:http2';
import { createConnection } from 'node:net';
import { describe, expect, test } from 'vitest';
import { sendHttp2, until } from '../harness/index.ts';
import { all, atHttpLevel, type Change, inHop, inHosts, inHttp, inServer, trap } from './lab.ts';
import { host, reported, trapFixture } from './trap-fixture.ts';

const { lab, gateway, echo, sign, reader, stranger, ask } = await trapFixture('traps of the hop');
const groups = Array.from({ length: 200 }, (_, i) => `a group with a rather long name ${i}`);
const long = await sign({ sub: 'ada', groups: ['reader'], long: 'x'.repeat(4000) });
const longer = await sign({ sub: 'ada', groups: ['reader', ...groups] });

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

const FRONT = 'unix:/run/meshgate/front-8080.sock';

describe('the hop to the check', () => {
  /** The host of the policy is the socket's default server, as it may be in an operator's own nginx. */
  const isDefault: Change = (files) => ({
    ...files,
    'servers.conf': files['servers.conf']!.replace(`listen ${FRONT} default_server;`, `listen ${FRONT};`).replace(
      /listen \S+;(?=\s+server_name wiki\.test;)/,
      `listen ${FRONT} default_server;`,
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
        answers.push(reported(got[0]));
      }
      return answers;
    },
    held: ['200 -', '403 role_missing'],
    open: ['503 check_unavailable', '503 check_unavailable'],
  });

  trap(lab, {
    name: 'client_max_body_size 0: the check does not look at the size of a body',
    without: inHop(/ {4}client_max_body_size 0;\n/),
    attack: () => ask({ method: 'POST', path: '/rest/x', token: reader, body: 'x'.repeat(2_000_000) }),
    held: '200 -',
    open: '503 check_unavailable',
    expected: [/a client request body is buffered to a temporary file/],
  });

  trap(lab, {
    name: 'proxy_buffer_size 32k: more than 4 KB of headers come back from the check',
    without: inHop(/ *proxy_(buffer_size 32k|buffers 4 32k);/g),
    attack: () => ask({ path: '/rest/x', token: long }),
    held: '200 -',
    open: '503 check_unavailable',
  });

  trap(lab, {
    name: "the check's client_max_body_size: a token of 10 KB gets to the check, whatever the http level says",
    around: (files) => ({ ...files, 'http.conf': `client_max_body_size 8k;\n${files['http.conf']}` }),
    without: inHttp(' client_max_body_size 160k;'),
    attack: async () => [longer.length > 9000, await ask({ path: '/rest/x', token: longer })],
    held: [true, '200 -'],
    open: [true, '503 check_unavailable'],
  });

  trap(lab, {
    name: 'proxy_pass_request_headers off: the check does not receive 12 KB of cookies over HTTP/2',
    around: (files) => ({
      ...files,
      'servers.conf': files['servers.conf']!.replaceAll(`listen ${FRONT}`, `http2 on; listen ${FRONT}`),
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
      return reported(answer);
    },
    held: '200 -',
    open: '503 check_unavailable',
  });

  trap(lab, {
    name: 'backlog=4096: a thousand checks at once are all answered',
    around: (files) => ({
      ...files,
      'servers.conf': files['servers.conf']!.replaceAll(`listen ${FRONT}`, `http2 on; listen ${FRONT}`),
    }),
    without: inHttp(' backlog=4096'),
    attack: async () => {
      const sessions = Array.from({ length: 31 }, () => session());
      await Promise.all(sessions.map((one) => status(one, '/open/x')));
      // Frozen, so that nginx finds all requests at once.
      await gateway.box.pause();
      const pending = sessions.flatMap((one) => Array.from({ length: 32 }, () => status(one, '/open/x')));
      // No session has a frame to send: the kernel keeps all requests for nginx.
      const sent = () => sessions.every((one) => one.state.outboundQueueSize === 0);
      await until(sent, { what: 'the requests to be sent' });
      await gateway.box.resume();
      const statuses = await Promise.all(pending);
      for (const one of sessions) one.destroy();
      return [...new Set(statuses)].sort();
    },
    held: [200],
    open: [200, 503],
  });

  trap(lab, {
    name: 'the route is a part of the path of the check: no variable, which a "set" of the server would erase',
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
  test('proxy_intercept_errors: no error page replaces the answer of the check', async () => {
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
      name: `${outer} at the http level does not answer instead of the check`,
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
    '/.meshgate/path_not_canonical',
    '/.meshgate/route_unknown',
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

  test('only nginx can open the sockets', async () => {
    const { stdout } = await gateway.box.exec('stat', '-c', '%a %U', '/run/meshgate');
    expect(stdout.trim()).toBe('700 meshgate');
    const dial = ['timeout', '5', 'nc', '-N', '-U'];
    for (const socket of ['/run/meshgate/check.sock', '/run/meshgate/egress.sock']) {
      const own = await gateway.box.execAs('10101', ...dial, socket);
      expect(own.exitCode, `${socket} for nginx's user: ${own.stdout}${own.stderr}`).toBe(0);
      const other = await gateway.box.execAs('12345', ...dial, socket);
      expect(other.exitCode, `${socket} for another user`).toBe(1);
    }
  });
});
