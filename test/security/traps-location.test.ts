/**
 * NGINX.md, "What every proxied location emits": each line against what an nginx around it may switch on. Each attack
 * runs twice: on the unchanged rendering, and without the line that prevents it.
 */
import { once } from 'node:events';
import { openRaw, plainRequest, until, valuesOf, waitForWorkers } from '../harness/index.ts';
import {
  all,
  atHttpLevel,
  type Change,
  inHop,
  inHosts,
  inHttp,
  inRoutes,
  inServer,
  trap,
  undecidedPass,
} from './lab.ts';
import { type Came, came, host, trapFixture } from './trap-fixture.ts';

const fixture = await trapFixture('traps of a location');
const { lab, gateway, echo, sign, reader } = fixture;
const other = await sign({ sub: 'ben', groups: ['reader'] });

const refused: Came = { status: 401, reached: [] };
/** The route `-`, which every server has at its own level, has no client. */
const closed: Came = { status: 404, reached: [] };
const passed: Came = { status: 200, reached: ['/rest/x'] };

const unasked: Change = inRoutes(/ auth_request \/\.meshgate\/check\/wiki\.test.*;/g, ' auth_request off;');
const undecided = undecidedPass('meshgate_direct_wiki', 'wiki:8080');

trap(lab, {
  name: 'auth_request: a route cannot be requested directly',
  without: all(unasked, undecided),
  attack: () => came(fixture, { path: '/rest/x' }),
  held: refused,
  open: passed,
});

trap(lab, {
  name: 'satisfy all: an outer "satisfy any" with an address list allows nothing',
  around: atHttpLevel('satisfy any; allow all;'),
  without: all(inHosts(/^ *satisfy all;\n/gm), undecided),
  attack: () => came(fixture, { path: '/rest/x' }),
  held: refused,
  open: passed,
});

trap(lab, {
  name: 'satisfy all at the level of the server: an outer "satisfy any" does not open locations that others add',
  around: all(
    atHttpLevel('satisfy any; allow all;'),
    inServer(host, 'location /added/ { proxy_pass http://meshgate_direct_wiki; }'),
  ),
  without: inHosts(/^satisfy all;\n/m),
  attack: () => came(fixture, { path: '/added/x' }),
  held: closed,
  open: { status: 200, reached: ['/added/x'] },
});

trap(lab, {
  name: 'auth_request at the level of the server: locations that others add are closed',
  around: inServer(host, 'location /added/ { proxy_pass http://meshgate_direct_wiki; }'),
  without: inHosts(/^auth_request \/\.meshgate\/check\/-;\n/m),
  attack: async () => [
    await came(fixture, { path: '/added/x' }),
    await came(fixture, { path: '/added/x', token: reader }),
  ],
  held: [closed, closed],
  open: [
    { status: 200, reached: ['/added/x'] },
    { status: 200, reached: ['/added/x'] },
  ],
});

trap(lab, {
  name: '^~: a regular expression beside a route does not take its requests',
  around: inServer(host, 'location ~ \\.png$ { auth_request off; proxy_pass http://meshgate_direct_wiki; }'),
  without: inHosts(/^location \^~ \/ \{/m, 'location / {'),
  attack: () => came(fixture, { path: '/rest/x.png' }),
  held: refused,
  open: { status: 200, reached: ['/rest/x.png'] },
});

trap(lab, {
  name: 'a location of its own for /rest beside /rest/: no unchecked redirect',
  without: inHosts(/^ {4}location = \/rest \{[\s\S]*?\n {4}\}\n/m),
  attack: () => came(fixture, { path: '/rest' }),
  held: refused,
  open: { status: 301, reached: [] },
});

const caches = atHttpLevel(
  'proxy_cache_path /run/meshgate/tmp/cache keys_zone=users:1m; proxy_cache users; proxy_cache_valid any 10m;',
);
let page = 0;

trap(lab, {
  name: 'proxy_cache off on the way to the check: one answer does not admit everyone',
  around: caches,
  without: inHop(/ {4}proxy_cache off;\n/),
  attack: async () => {
    const path = `/rest/${++page}`;
    return [(await came(fixture, { path, token: reader })).status, (await came(fixture, { path })).status];
  },
  held: [200, 401],
  open: [200, 200],
});

trap(lab, {
  name: "proxy_cache off in a location: one reader's page is not another's",
  around: caches,
  without: inRoutes(/ {4}proxy_cache off;\n/g),
  attack: async () => {
    const path = `/rest/${++page}`;
    const users = [];
    for (const token of [reader, other]) {
      const answer = await gateway.send(host, { path, token });
      users.push(valuesOf(answer.json(), 'X-Forwarded-User').join());
    }
    return users;
  },
  held: ['ada', 'ben'],
  open: ['ada', 'ada'],
});

trap(lab, {
  name: 'proxy_store off: an answer is not written to disk',
  around: atHttpLevel('proxy_store /run/meshgate/tmp/stored;'),
  without: inRoutes(/ {4}proxy_store off;\n/g),
  attack: async () => {
    await gateway.send(host, { path: '/rest/x', token: reader });
    const { stdout } = await gateway.box.exec(
      'sh',
      '-c',
      'cat /run/meshgate/tmp/stored 2>/dev/null; rm -f /run/meshgate/tmp/stored',
    );
    return stdout.includes('X-Forwarded-User');
  },
  held: false,
  open: true,
});

trap(lab, {
  name: "proxy_intercept_errors off: a service's own 401, 403 and 500 are its own",
  around: atHttpLevel('proxy_intercept_errors on;'),
  without: inRoutes(/ {4}proxy_intercept_errors off;\n/g),
  attack: async () => {
    const bodies = [];
    for (const status of [401, 403, 500]) {
      const answer = await gateway.send(host, { path: `/rest/x?echo-status=${status}`, token: reader });
      bodies.push([answer.status, answer.text.includes('"reason"')]);
    }
    return bodies;
  },
  held: [
    [401, false],
    [403, false],
    [500, false],
  ],
  open: [
    [401, true],
    [403, false],
    [503, true],
  ],
});

trap(lab, {
  name: 'proxy_ignore_headers X-Accel-Redirect: an app cannot have the answer of the check shown',
  without: inRoutes(/ {4}proxy_ignore_headers .*\n/g),
  attack: async () => {
    const answer = await gateway.send(host, {
      path: '/rest/x?echo-header=X-Accel-Redirect:/.meshgate/check/wiki.test/rest/*',
      token: reader,
    });
    return [answer.status, answer.header('X-Meshgate-Caller')?.split('\t')[1]];
  },
  held: [200, undefined],
  open: [204, 'wiki.test/rest/*#1'],
});

trap(lab, {
  name: 'the whole list of proxy_set_header: what a client sends in an identity header does not arrive',
  around: atHttpLevel('proxy_set_header X-Around 1;'),
  without: inRoutes(/ *proxy_set_header .*\n/g),
  attack: async () => {
    await echo.clear();
    await gateway.send(host, { path: '/open/x', headers: { 'X-Forwarded-User': 'root' } });
    const [request] = await echo.requests();
    return ['X-Forwarded-User', 'X-Around'].map((name) => valuesOf(request!, name).join());
  },
  held: ['', ''],
  open: ['root', '1'],
});

trap(lab, {
  name: 'no proxy_set_header in a route, which would drop the whole list around it',
  without: inRoutes(/proxy_pass \$meshgate_to;/g, 'proxy_set_header X-Around 1; proxy_pass $meshgate_to;'),
  attack: async () => {
    await echo.clear();
    await gateway.send(host, { path: '/open/x', headers: { 'X-Forwarded-User': 'root' } });
    const [request] = await echo.requests();
    return valuesOf(request!, 'X-Forwarded-User');
  },
  held: [],
  open: ['root'],
});

trap(lab, {
  name: 'each X-Meshgate name is erased',
  without: inRoutes(/ *proxy_set_header X-Meshgate-.*\n/g),
  attack: async () => {
    await echo.clear();
    const names = ['Rule', 'Route', 'Identity', 'Erased', 'User', 'Roles', 'Assertion', 'H0', 'Method', 'Status', 'As'];
    await gateway.send(host, {
      path: '/open/x',
      headers: Object.fromEntries(names.map((name) => [`X-Meshgate-${name}`, 'forged'])),
    });
    const [request] = await echo.requests();
    return names.filter((name) => valuesOf(request!, `X-Meshgate-${name}`).includes('forged')).length;
  },
  held: 0,
  open: 11,
});

trap(lab, {
  name: 'the Host: that of an absolute-form target counts, and not the Host header beside it',
  without: inRoutes(/ {4}proxy_set_header Host .*\n/g, '    proxy_set_header Host $http_host;\n'),
  attack: async () => {
    await echo.clear();
    const { answers } = await gateway.sendRaw(
      host,
      'GET http://wiki.test/open/x HTTP/1.1\r\nHost: admin.internal\r\n\r\n',
    );
    const [request] = await echo.requests();
    return [answers[0]?.status, valuesOf(request!, 'Host').join()];
  },
  held: [200, 'wiki.test'],
  open: [200, 'admin.internal'],
});

trap(lab, {
  name: 'the WebSocket map: "Upgrade: h2c" opens no tunnel past the check',
  // The maps of nginx's own documentation.
  without: all(
    inHttp(
      /map \$http_upgrade \$meshgate_upgrade \{[^}]*\}/,
      'map $http_upgrade $meshgate_upgrade { default $http_upgrade; }',
    ),
    inHttp(
      /map \$meshgate_upgrade \$meshgate_connection \{[^}]*\}/,
      'map $http_upgrade $meshgate_connection { default upgrade; "" close; }',
    ),
  ),
  attack: async () => {
    const { answers, rest } = await gateway.sendRaw(
      host,
      [
        `GET /open/x HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n`,
        'GET /rest/x HTTP/1.1\r\nHost: wiki\r\nConnection: close\r\n\r\n',
      ],
      { untilText: 'GET /rest/x' },
    );
    // The echo gives a tunnel's bytes back.
    return [answers[0]?.status, rest.includes('GET /rest/x')];
  },
  held: [200, false],
  open: [101, true],
});

trap(lab, {
  name: 'the underscore spellings: a default server that takes them does not help',
  around: (files) => ({
    ...files,
    'servers.conf': files['servers.conf']!.replace('underscores_in_headers off', 'underscores_in_headers on'),
  }),
  without: inRoutes(/ *proxy_set_header \S*_\S* "";/g),
  attack: async () => {
    await echo.clear();
    await gateway.send(host, {
      path: '/open/x',
      headers: [
        ['X_Forwarded_User', 'root'],
        ['X-Forwarded_Email', 'root@example.org'],
        ['REMOTE_USER', 'root'],
        ['Host', host],
      ],
    });
    const [request] = await echo.requests();
    return request!.headers.filter(([, value]) => value.startsWith('root')).map(([name]) => name);
  },
  held: [],
  open: ['X_Forwarded_User', 'X-Forwarded_Email', 'REMOTE_USER'],
});

trap(lab, {
  name: 'proxy_ignore_headers X-Accel-Charset: an app does not choose how its answer is read',
  around: atHttpLevel('charset_map koi8-r utf-8 { 80 E282AC; }'),
  without: inRoutes(/ {4}proxy_ignore_headers .*\n/g),
  attack: async () => {
    const path = '/open/x?echo-header=Content-Type:text/plain&echo-header=X-Accel-Charset:koi8-r';
    return (await gateway.send(host, { path })).header('Content-Type');
  },
  held: 'text/plain',
  open: 'text/plain; charset=koi8-r',
});

/** Bytes that the service has sent, and nginx has not read. */
async function unread(): Promise<number> {
  const { stdout } = await gateway.box.exec('cat', '/proc/net/tcp');
  // Its port 8080 is 1F90; then come the state and both queues.
  const queues = [...stdout.matchAll(/ [0-9A-F]{8}:1F90 01 [0-9A-F]{8}:([0-9A-F]{8}) /g)];
  return queues.reduce((sum, [, received = '0']) => sum + Number.parseInt(received, 16), 0);
}

trap(lab, {
  name: 'proxy_max_temp_file_size 0: a large answer is not put into a file for a slow reader',
  without: inRoutes(/ {4}proxy_max_temp_file_size 0;\n/g),
  attack: async () => {
    const mark = await waitForWorkers(gateway);
    const client = openRaw(gateway.target(host));
    client.write(plainRequest(host, { path: '/open/x?echo-size=100000000' }));
    const [beginning] = (await once(client, 'data')) as [Buffer];
    // It stops reading, and stays connected; the response is larger than what the kernel buffers, some 33 MB.
    client.pause();
    const inFile = () => gateway.troubles(mark).some((line) => /temporary file/.test(line));
    await until(
      async () => {
        const before = await unread();
        // The one worker has handled its events once more.
        await waitForWorkers(gateway, host);
        return inFile() || (before > 0 && (await unread()) === before);
      },
      { what: 'nginx to read no more of the answer, or to put it into a file' },
    );
    client.destroy();
    return [beginning.toString('latin1').startsWith('HTTP/1.1 200'), inFile()];
  },
  held: [true, false],
  open: [true, true],
});

trap(lab, {
  name: 'large_client_header_buffers: a token of 10 KB is taken',
  without: inHosts(/^large_client_header_buffers 4 32k;\n/m),
  attack: async () => {
    const groups = Array.from({ length: 200 }, (_, i) => `a group with a rather long name ${i}`);
    const token = await sign({ sub: 'ada', groups: ['reader', ...groups] });
    return [token.length > 9000, (await came(fixture, { path: '/rest/x', token })).status];
  },
  held: [true, 200],
  open: [true, 400],
});

trap(lab, {
  name: 'absolute_redirect off: a redirect of nginx names no host of the client’s choice',
  around: inServer(host, 'location = /moved { auth_request off; return 301 /open/x; }'),
  without: inHosts(/^absolute_redirect off;\n/m),
  attack: async () => {
    const { answers } = await gateway.sendRaw(host, `GET /moved HTTP/1.1\r\nHost: ${host.toUpperCase()}.:99\r\n\r\n`);
    return answers[0]?.header('Location');
  },
  held: '/open/x',
  open: `http://${host}/open/x`,
});
