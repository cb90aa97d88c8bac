/**
 * NGINX.md, "What every proxied location emits": subrequests, internal redirects and error pages reach no service
 * undecided. A trap is sprung twice: on the rendering as it is, and without the line that closes it.
 */
import { expect, test } from 'vitest';
import { all, atHttpLevel, type Change, inRoutes, inServer, trap, undecidedPass } from './lab.ts';
import { came, host, trapFixture } from './trap-fixture.ts';

const fixture = await trapFixture('traps of subrequests');
const { lab, reader } = fixture;

const unasked: Change = inRoutes(/ auth_request \/\.meshgate\/check\/wiki\.test.*;/g, ' auth_request off;');
const undecided = undecidedPass('meshgate_direct_wiki', 'wiki:8080');

trap(lab, {
  name: 'ssi off: an answer cannot include what its reader may not read',
  around: atHttpLevel('ssi on; ssi_types *;'),
  without: inRoutes(/ {4}ssi off;\n/g),
  attack: async () => {
    // The included page includes itself again, until nginx stops.
    const { status, reached } = await came(fixture, {
      path: '/open/x',
      headers: { 'X-Page': "<!--# include virtual='/rest/x' -->" },
    });
    return { status, reached: [...new Set(reached)] };
  },
  held: { status: 200, reached: ['/open/x'] },
  open: { status: 200, reached: ['/open/x', '/rest/x'] },
});

trap(lab, {
  name: 'mirror off: a copy of the request is not sent',
  around: atHttpLevel('mirror /rest/x;'),
  without: inRoutes(/ {4}mirror off;\n/g),
  attack: async () => {
    const { status, reached } = await came(fixture, { path: '/open/x' });
    return { status, reached: reached.sort() };
  },
  held: { status: 200, reached: ['/open/x'] },
  // The mirror carries the client's own target to the upstream.
  open: { status: 200, reached: ['/open/x', '/rest/x'] },
});

for (const directive of ['add_before_body', 'add_after_body']) {
  trap(lab, {
    name: `${directive}: nothing is added around a response`,
    around: atHttpLevel(`${directive} /rest/x; addition_types *;`),
    without: inRoutes(new RegExp(` {4}${directive} "";\\n`, 'g')),
    attack: async () => {
      const { status, reached } = await came(fixture, { path: '/open/x' });
      return { status, reached: reached.sort() };
    },
    held: { status: 200, reached: ['/open/x'] },
    open: { status: 200, reached: ['/open/x', '/rest/x'] },
  });
}

// A location that an operator has opened (auth_request off), with different ways from it to a route: nginx does not
// check a subrequest, so it finds no upstream.
for (const [what, location] of [
  ['an include', `ssi on; default_type text/html; return 200 "<!--# include virtual='/rest/x' -->";`],
  ['a mirror', 'mirror /rest/x; alias /etc/hostname;'],
  ['an addition', 'add_after_body /rest/x; addition_types *; return 200 "page";'],
] as const) {
  trap(lab, {
    name: `$meshgate_to: ${what} in a location that a user has opened reaches no service`,
    around: inServer(host, `location = /opened { auth_request off; ${location} }`),
    without: undecided,
    attack: async () => (await came(fixture, { path: '/opened' })).reached,
    held: [],
    open: ['/rest/x'],
    expected: [/invalid URL prefix in ""/],
  });
}

trap(lab, {
  name: '$meshgate_to: a return of the server, which answers the check’s own request as well, allows nothing',
  // The request that marks the log must stay one that nginx refuses.
  around: inServer(host, 'if ($uri !~ ^/(rest|open|meshgate-settle)) { return 200; }'),
  without: undecided,
  attack: () => came(fixture, { path: '/rest/x' }),
  held: { status: 503, reached: [] },
  open: { status: 200, reached: ['/rest/x'] },
  expected: [/invalid URL prefix in ""/],
});

// A request that reaches the route directly is checked like any request: only the check refuses it.
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
      const anonymous = await came(fixture, { path: '/opened' });
      const requester = await came(fixture, { path: '/opened', token: reader });
      return [anonymous, requester].map(({ status, reached }) => [
        status,
        reached.at(-1)?.startsWith('/rest/x') ?? false,
      ]);
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

// `return` is answered before any check, and no rendered line can prevent it: it is the operator's own text, and no
// service is called. docs/SECURITY.md says so.
test('a location of the operator that returns by itself is not checked, and reaches no service', async () => {
  await lab.load(inServer(host, "location = /opened { return 200 'hello'; }"));
  expect(await came(fixture, { path: '/opened' })).toEqual({ status: 200, reached: [] });
});
