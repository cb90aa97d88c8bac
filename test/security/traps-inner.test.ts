/** The inner listener: each line that binds the certificate to its connection, and requests without it. */
import { once } from 'node:events';
import { connect } from 'node:tls';
import { beforeAll, describe, expect, test } from 'vitest';
import { closed } from '../harness/closed.ts';
import { query, spiffe } from '../harness/hop.ts';
import {
  createCa,
  type Files,
  ready,
  replaceIn,
  send,
  startEcho,
  startIssuer,
  testStage,
  valuesOf,
} from '../harness/index.ts';
import { atHttpLevel, type Change, inHosts, startLab, trap } from './lab.ts';
import { reported } from './trap-fixture.ts';

const stage = await testStage('traps of the inner listener');
const [echo, issuers] = await Promise.all([startEcho(stage, { alias: 'apps' }), startIssuer(stage)]);
const acme = await issuers.create('acme');
const others = await createCa('another mesh');
/** A name that no host has, as a service that calls another one sends it. */
const ELSEWHERE = 'elsewhere.test';
const tls = await stage.ca.server(['wiki.test', 'board.test', ELSEWHERE]);
const lab = await startLab(
  stage,
  `
version: 1
gateway:
  insecure_http: true
  listen: 8080
  assertion: { issuer: https://gateway.test, keys_file: /run/keys/assertion.jwks, lifetime: 10m }
  inner: { client_ca_file: /run/inner/services.pem, tls: { cert_file: /run/inner/tls.crt, key_file: /run/inner/tls.key } }
providers:
  acme: { issuer: ${acme.url}, audiences: [wiki], ca_file: /run/provider/ca.pem }
roles:
  staff: { group: staff }
agents:
  pages: { match: { service: wiki }, acts_for: [staff] }
  jobs: { match: { service: board }, acts_for: [staff] }
services:
  wiki: { insecure_url: "http://apps:8080", authority: wiki.internal, spiffe: ${spiffe('wiki')} }
  board: { insecure_url: "http://apps:8080", authority: board.internal, spiffe: ${spiffe('board')} }
hosts:
  wiki.test: { /*: { service: wiki, allow: [staff, { agent: jobs }] } }
  board.test: { /*: { service: board, allow: [staff, { agent: pages }] } }
  "*.boards.test": { /*: { service: board, allow: [staff, { agent: pages }] } }
`,
  { '/run/inner/others.pem': others.cert, '/run/inner/tls.crt': tls.cert, '/run/inner/tls.key': tls.key },
);
const { gateway } = lab;
const [ofWiki, ofBoard] = await Promise.all(['wiki', 'board'].map((name) => stage.meshCa.client(spiffe(name))));
const forged = await others.client(spiffe('wiki'));
const ann = await acme.sign({ aud: 'wiki', sub: 'ann', groups: ['staff'] });
/** The wiki's certificate in the form of a header. */
const shown = { 'SSL-Client-Cert': encodeURIComponent(ofWiki!.cert) };
let given = '';

beforeAll(async () => {
  await ready(gateway, 'wiki.test', { token: ann });
  given = valuesOf((await echo.requests()).at(-1)!, 'X-Meshgate-Assertion')[0]!;
});

const ask = async (pem: string, headers: Record<string, string> = {}, host = 'board.test') =>
  reported(await send(gateway.inner('board.test', pem), query(given, { headers: { Host: host, ...headers } })));

/** An operator's default server of the port verifies by another CA. */
const otherDefault: Change = (files) =>
  replaceIn(
    files,
    'servers.conf',
    /(listen unix:\/run\/meshgate\/front-8444\.sock ssl default_server;[^}]*?ssl_client_certificate) \S+;/,
    '$1 /run/inner/others.pem;',
  );

/** The connection is made for one name, and the request is for another host. */
const askOver = async (name: string, host: string) =>
  reported(
    await send(
      { ...gateway.inner('board.test', forged.pem), name, anyName: true },
      query(given, { headers: { Host: host } }),
    ),
  );

/** Changes text in all files that are rendered for the inner listener. */
const inInner =
  (pattern: RegExp | string, by = ''): Change =>
  (files: Files) =>
    replaceIn(files, /^(inner\/|servers\.conf$|hop\.conf$)/, pattern, by);

describe('a certificate', () => {
  test('of a service passes only with the assertion for that service', async () => {
    expect(await ask(ofWiki!.pem)).toBe('200 -');
    expect(await ask(ofBoard!.pem)).toBe('401 audience_mismatch');
  });

  trap(lab, {
    name: 'must verify',
    without: inInner('ssl_verify_client on;', 'ssl_verify_client optional_no_ca;'),
    attack: () => ask(forged.pem),
    held: '401 proof_invalid',
    open: '200 -',
  });

  trap(lab, {
    name: 'is that of the connection, whatever a header says',
    without: inInner('SSL-Client-Cert $meshgate_inner_cert;', 'SSL-Client-Cert $http_ssl_client_cert;'),
    attack: () => ask(ofBoard!.pem, shown),
    held: '401 audience_mismatch',
    open: '200 -',
  });

  trap(lab, {
    name: 'is bound to the server name of its connection, and to the CA of that host',
    around: otherDefault,
    without: inInner('SSL-Client-Cert $meshgate_inner_cert;', 'SSL-Client-Cert $ssl_client_escaped_cert;'),
    attack: () => askOver(ELSEWHERE, 'board.test'),
    held: '401 proof_missing',
    open: '200 -',
  });

  trap(lab, {
    name: 'is valid for no name below a wildcard by which nginx does not choose a server',
    around: otherDefault,
    without: (files) =>
      replaceIn(files, 'http.conf', /"~\*[^"]*boards[^"]*"( \$ssl_client_escaped_cert;)/, '*.boards.test$1'),
    attack: () => askOver('x/y.boards.test', 'a.boards.test'),
    held: '401 proof_missing',
    open: '200 -',
  });

  trap(lab, {
    name: 'is verified by the CA of services, and by no CA that the http level has for OCSP stapling',
    around: atHttpLevel('ssl_trusted_certificate /run/inner/others.pem;'),
    without: inInner('ssl_trusted_certificate "";'),
    attack: () => ask(forged.pem),
    held: '401 proof_invalid',
    open: '200 -',
  });

  trap(lab, {
    name: 'is sent on each connection: TLS sessions are not resumed',
    without: inInner(/ssl_session_(cache|tickets) off;/g),
    attack: async () => {
      const { host, port, ca } = gateway.inner('board.test');
      let session: Buffer | undefined;
      const open = async (first: Buffer | undefined) => {
        const options = { host, port, ca, servername: 'board.test', cert: ofWiki!.pem, key: ofWiki!.pem };
        const socket = connect({ ...options, maxVersion: 'TLSv1.2', ...(first && { session: first }) });
        socket.on('session', (one: Buffer) => {
          session = one;
        });
        await once(socket, 'secureConnect');
        const reused = socket.isSessionReused();
        socket.write('GET /x HTTP/1.1\r\nHost: board.test\r\nConnection: close\r\n\r\n');
        socket.resume();
        await closed(socket);
        return reused;
      };
      return [await open(undefined), await open(session)];
    },
    held: [false, false],
    open: [false, true],
  });

  test('is valid for the host of the connection, and for no other host over it', async () => {
    await lab.load();
    expect(await ask(ofBoard!.pem, {}, 'wiki.test')).toMatch(/^421 /);
    expect(await ask(ofWiki!.pem, {}, 'nowhere.test')).toMatch(/^421 /);
  });
});

describe('at the public listener', () => {
  trap(lab, {
    name: 'headers make no client a service',
    without: inHosts(
      'proxy_pass http://meshgate_check;',
      'proxy_pass http://meshgate_check/.meshgate/hop/; proxy_set_header SSL-Client-Cert $http_ssl_client_cert; proxy_set_header X-Meshgate-Assertion $http_x_meshgate_assertion;',
    ),
    attack: async () => {
      const sent = query(given, { headers: { ...shown, 'X-Meshgate-Agent': 'pages' } });
      return reported(await gateway.send('board.test', sent));
    },
    held: '401 credential_missing',
    open: '200 -',
  });
});
