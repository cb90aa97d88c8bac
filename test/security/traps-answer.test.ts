/**
 * NGINX.md, "The answer of the check": the possible answers, and their results. Each attack runs twice: on the
 * unchanged rendering, and without the line that prevents it.
 */
import { describe, expect, test } from 'vitest';
import { type Change, inHosts, inHttp, inRoutes, inServer, trap } from './lab.ts';
import { host, reported, trapFixture } from './trap-fixture.ts';

const { lab, gateway, echo, reader, stranger, ask } = await trapFixture('traps of the answer');

const unexpected = /auth request unexpected status/;

/** Another answer than the check's own. */
const checkAnswers = (directives: string): Change => inHttp('js_content meshgate.check;', directives);

describe('refusals', () => {
  trap(lab, {
    name: 'a refusal has its own status, over every method',
    without: inRoutes(/ {4}error_page 401 = @meshgate_refuse;\n/g),
    attack: async () => {
      const answers = [];
      for (const method of ['GET', 'POST', 'OPTIONS']) {
        answers.push(await ask({ method, path: '/rest/x' }), await ask({ method, path: '/rest/x', token: stranger }));
      }
      const head = await gateway.send(host, { method: 'HEAD', path: '/rest/x', token: stranger });
      const challenged = await gateway.send(host, { method: 'HEAD', path: '/rest/x' });
      return [...new Set(answers), head.status, challenged.header('WWW-Authenticate')?.slice(0, 6)];
    },
    held: ['401 credential_missing', '403 role_missing', 403, 'Bearer'],
    // nginx forwards a 401, whatever headers the check sent.
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
    test(`a refusal with ${status} has its status, reason and challenges, without empty headers`, async () => {
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
    name: "only a 401 is the gateway’s: nginx's own 403 stays nginx's",
    around: inServer(host, 'deny all;'),
    without: inRoutes(/ {4}error_page 401 = @meshgate_refuse;\n/g, '    error_page 401 403 = @meshgate_refuse;\n'),
    attack: () => ask({ path: '/rest/x', token: reader }),
    held: '403 -',
    open: '401 -',
    expected: [/access forbidden by rule/],
  });
});

describe('a check that answers otherwise, or not at all, allows nothing', () => {
  for (const [what, change] of [
    ['302', checkAnswers('return 302 http://elsewhere.test/;')],
    ['400', checkAnswers('return 400;')],
    ['429', checkAnswers('return 429;')],
    ['500', checkAnswers('return 500;')],
    ['a closed connection', checkAnswers('return 444;')],
    ['a function that is missing', checkAnswers('js_content meshgate.nothing;')],
    ['no socket', inHttp('server unix:/run/meshgate/check.sock;', 'server unix:/run/meshgate/absent.sock;')],
    ['no socket folder', inHttp('server unix:/run/meshgate/check.sock;', 'server unix:/run/absent/check.sock;')],
  ] as const) {
    trap(lab, {
      name: `${what}: 503 with a body`,
      around: change,
      without: inRoutes(/ {4}error_page 500 = @meshgate_down;\n/g),
      attack: async () => {
        await echo.clear();
        const answer = await gateway.send(host, { path: '/rest/x', token: reader });
        return [reported(answer), answer.header('Retry-After'), (await echo.requests()).length];
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

describe('a request that nginx cannot read is answered in the gateway’s words', () => {
  trap(lab, {
    name: 'two Authorization headers: 400 with a body',
    without: inHosts(/^error_page 400 = \/\.meshgate\/bad;\n/m),
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
    without: inHosts(/error_page 414 494 = \/\.meshgate\/large;/),
    attack: () => ask({ path: '/open/x', headers: { 'X-Long': 'a'.repeat(40_000) } }),
    held: '400 header_too_large',
    open: '400 -',
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
        { answers: 2 },
      );
      const bodies = (await echo.requests()).map(({ method, body }) => [method, body?.length]);
      return [answers.map(reported), bodies];
    },
    held: [['401 credential_missing', '200 -'], [['GET', 0]]],
    // nginx's own limit applies before the check, and ends the connection.
    open: [['413 -'], []],
  });
});
