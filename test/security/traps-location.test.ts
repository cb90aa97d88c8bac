/**
 * NGINX.md, "What every proxied location emits": each line against what an nginx around it may switch on.
 * A trap is sprung twice: on the rendering as it is, and without the line that closes it.
 */
import { beforeAll, expect, test } from 'vitest';
import { startEcho, startIssuer, testStage, until, valuesOf } from '../harness/index.ts';
import {
  all,
  atHttpLevel,
  type Change,
  inHop,
  inHosts,
  inHttp,
  inRoutes,
  inServer,
  startLab,
  trap,
  undecidedPass,
} from './lab.ts';

const stage = await testStage('traps of a location');
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
hosts:
  wiki.test:
    /rest/*: { service: wiki, allow: [reader] }
    /open/*: { service: wiki, allow: [anyone] }
`,
);
const { gateway } = lab;
const host = 'wiki.test';
const reader = await acme.sign({ aud: 'wiki', sub: 'ada', groups: ['reader'] });
const other = await acme.sign({ aud: 'wiki', sub: 'ben', groups: ['reader'] });

beforeAll(() =>
  until(async () => (await gateway.send(host, { path: '/rest/x', token: reader })).status === 200, {
    what: 'the keys',
    timeoutMs: 20_000,
  }),
);

interface Came {
  status: number;
  /** Raw targets that reached the upstream. */
  reached: string[];
}

/** Sends one request; its status, and all that reached the upstream in its wake. */
async function came(sent: Parameters<typeof gateway.send>[1], more = 0): Promise<Came> {
  await echo.clear();
  const { status } = await gateway.send(host, sent);
  // A mirror goes its own way: what a mutant lets through may arrive after the answer.
  if (more > 0)
    await until(async () => (await echo.requests()).length >= more, { what: 'the request', timeoutMs: 500 }).catch(
      () => {},
    );
  return { status, reached: (await echo.requests()).map(({ url }) => url) };
}

const refused: Came = { status: 401, reached: [] };
/** The route `-`, which every server has at its own level, is known to nobody. */
const closed: Came = { status: 404, reached: [] };
const passed: Came = { status: 200, reached: ['/rest/x'] };

const unasked: Change = inRoutes(/ auth_request \/\.meshgate\/check\/wiki\.test.*;/g, ' auth_request off;');
const undecided = undecidedPass('meshgate_direct_wiki', 'wiki:8080');

trap(lab, {
  name: 'auth_request: a route is asked for by nobody',
  without: all(unasked, undecided),
  attack: () => came({ path: '/rest/x' }),
  held: refused,
  open: passed,
});

trap(lab, {
  name: 'satisfy all: an outer "satisfy any" with an address list admits nobody',
  around: atHttpLevel('satisfy any; allow all;'),
  without: all(inHosts(/^ *satisfy all;\n/gm), undecided),
  attack: () => came({ path: '/rest/x' }),
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
  attack: () => came({ path: '/added/x' }),
  held: closed,
  open: { status: 200, reached: ['/added/x'] },
});

trap(lab, {
  name: 'auth_request at the level of the server: locations that others add are closed',
  around: inServer(host, 'location /added/ { proxy_pass http://meshgate_direct_wiki; }'),
  without: inHosts(/^auth_request \/\.meshgate\/check\/-;\n/m),
  attack: async () => [await came({ path: '/added/x' }), await came({ path: '/added/x', token: reader })],
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
  attack: () => came({ path: '/rest/x.png' }),
  held: refused,
  open: { status: 200, reached: ['/rest/x.png'] },
});

trap(lab, {
  name: 'a location of its own for /rest beside /rest/: no unchecked redirect',
  without: inHosts(/^ {4}location = \/rest \{[\s\S]*?\n {4}\}\n/m),
  attack: () => came({ path: '/rest' }),
  held: refused,
  open: { status: 301, reached: [] },
});

trap(lab, {
  name: 'ssi off: an answer cannot include what its reader may not read',
  around: atHttpLevel('ssi on; ssi_types *;'),
  without: inRoutes(/ {4}ssi off;\n/g),
  attack: async () => {
    // The page included says the same again, until nginx has had enough of it.
    const { status, reached } = await came({
      path: '/open/x',
      headers: { 'X-Page': "<!--# include virtual='/rest/x' -->" },
    });
    return { status, reached: [...new Set(reached)] };
  },
  held: { status: 200, reached: ['/open/x'] },
  open: { status: 200, reached: ['/open/x', '/rest/x'] },
});

trap(lab, {
  name: 'mirror off: a copy of the request goes nowhere',
  around: atHttpLevel('mirror /rest/x;'),
  without: inRoutes(/ {4}mirror off;\n/g),
  attack: async () => {
    const { status, reached } = await came({ path: '/open/x' }, 2);
    return { status, reached: reached.sort() };
  },
  held: { status: 200, reached: ['/open/x'] },
  // The mirror carries the client's own target to the upstream.
  open: { status: 200, reached: ['/open/x', '/rest/x'] },
});

for (const directive of ['add_before_body', 'add_after_body']) {
  trap(lab, {
    name: `${directive}: nothing is put around an answer`,
    around: atHttpLevel(`${directive} /rest/x; addition_types *;`),
    without: inRoutes(new RegExp(` {4}${directive} "";\\n`, 'g')),
    attack: async () => {
      const { status, reached } = await came({ path: '/open/x' });
      return { status, reached: reached.sort() };
    },
    held: { status: 200, reached: ['/open/x'] },
    open: { status: 200, reached: ['/open/x', '/rest/x'] },
  });
}

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
    return [(await came({ path, token: reader })).status, (await came({ path })).status];
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
    return [answer.status, answer.header('X-Meshgate-Rule')];
  },
  held: [200, undefined],
  open: [204, 'wiki.test/rest/*#1'],
});

trap(lab, {
  name: 'the whole list of proxy_set_header: what a client sends in an identity header does not arrive',
  around: atHttpLevel('proxy_set_header X-Around 1;'),
  without: inRoutes(/ {4}proxy_set_header .*\n/g),
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
  without: inRoutes(/proxy_pass \$meshgate_pass;/g, 'proxy_set_header X-Around 1; proxy_pass $meshgate_pass;'),
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
  without: inRoutes(/ {4}proxy_set_header X-Meshgate-.*\n/g),
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
  name: 'the literal Host: neither an absolute-form target nor the Host header beside it names the service',
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
  held: [200, 'wiki:8080'],
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
  without: inRoutes(/ {4}proxy_set_header \S*_\S* "";\n/g),
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

// A location that a user has opened (auth_request off), with whatever leads from it to a route: a subrequest is not
// checked by nginx, so it finds no upstream.
for (const [what, location] of [
  ['an include', `ssi on; default_type text/html; return 200 "<!--# include virtual='/rest/x' -->";`],
  ['a mirror', 'mirror /rest/x; alias /etc/hostname;'],
  ['an addition', 'add_after_body /rest/x; addition_types *; return 200 "page";'],
] as const) {
  trap(lab, {
    name: `$meshgate_pass: ${what} in a location that a user has opened reaches no service`,
    around: inServer(host, `location = /opened { auth_request off; ${location} }`),
    without: undecided,
    attack: async () => (await came({ path: '/opened' }, 1)).reached,
    held: [],
    open: ['/rest/x'],
    expected: [/invalid URL prefix in ""/],
  });
}

// What leads there as the request itself is checked like any request: nothing but the check closes it.
for (const [what, location] of [
  ['rewrite … last', 'rewrite ^ /rest/x last;'],
  ['error_page', 'error_page 404 = /rest/x; return 404;'],
  ['try_files', 'root /usr/share/doc; try_files /nothing /rest/x;'],
  ['X-Accel-Redirect', 'proxy_pass http://wiki:8080/?echo-header=X-Accel-Redirect:/rest/x;'],
] as const) {
  trap(lab, {
    name: `${what} in a location that a user has opened is decided as the route it leads to`,
    around: inServer(host, `location = /opened { auth_request off; ${location} }`),
    without: all(unasked, undecided),
    attack: async () => {
      const nobody = await came({ path: '/opened' });
      const asker = await came({ path: '/opened', token: reader });
      return [nobody, asker].map(({ status, reached }) => [status, reached.at(-1)?.startsWith('/rest/x') ?? false]);
    },
    held: [
      [401, false],
      [200, true],
    ],
    open: [
      [200, true],
      [200, true],
    ],
  });
}

// `return` is answered before anything is checked, and nothing that is rendered can close it: it is the user's own text,
// and no service is asked. docs/SECURITY.md says so.
test("a user's own return is not checked, and reaches no service", async () => {
  await lab.load(inServer(host, "location = /opened { return 200 'hello'; }"));
  expect(await came({ path: '/opened' })).toEqual({ status: 200, reached: [] });
});
