/**
 * Credentials that a browser adds by itself, a page of another origin can use: the certificate of the person, and their
 * network. The check of sessions is in test/gateway/session-origin.test.ts.
 */
import { describe } from 'vitest';
import { gatewayCase, ready, type Sent, startEcho, startGateway, startIssuer, testStage } from '../harness/index.ts';

const stage = await testStage('cross-site');
const [wiki, issuers] = await Promise.all([startEcho(stage, { alias: 'wiki' }), startIssuer(stage)]);
const idp = await issuers.create('idp');
const names = ['wiki.test', 'a.apps.test'];
const tls = await stage.ca.server([...names, '*.apps.test']);
// The network of the test's own containers.
const ANYWHERE = '[10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, "fc00::/7"]';
const rest = `
providers:
  idp: { issuer: ${idp.url}, audiences: [wiki], ca_file: /run/provider/ca.pem }
roles:
  inside: { network: ${ANYWHERE} }
services:
  wiki: { insecure_url: http://wiki:8080 }
hosts:
  wiki.test:
    /*: { service: wiki, allow: [inside] }
    /named/*: { service: wiki, allow: [inside], cors: { origins: ["https://app.test"], methods: [POST] } }
    /all/*: { service: wiki, allow: [inside], cors: { origins: ["*"], methods: [POST] } }
`;
const secure = `
version: 1
gateway:
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key, client_ca_file: /run/clients/ca.pem }
${rest}
    /deploy/*: { service: wiki, accept: [certificate], allow: [authenticated] }
  "*.apps.test":
    /*: { service: wiki, accept: [certificate], allow: [authenticated] }
`;
const plain = `
version: 1
gateway: { insecure_http: true, listen: 8080 }
${rest}`;
const files = { '/run/tls/tls.crt': tls.cert, '/run/tls/tls.key': tls.key };
const [gateway, bare] = await Promise.all([
  startGateway(stage, { policy: secure, files }),
  startGateway(stage, { policy: plain, alias: 'bare' }),
]);
const client = (await stage.meshCa.client('spiffe://example.org/ada')).pem;
for (const one of [gateway, bare]) await ready(one, 'wiki.test', {});

const upgrade = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
};
const EVIL = 'https://evil.example';
const post = (path: string, headers: Record<string, string>): Sent => ({ method: 'POST', path, body: 'x=1', headers });

/** Requests that the page of an origin sends to a host over TLS: refused, or not. */
const fromPages = (host: string): readonly (readonly [string, Record<string, string>, boolean])[] => [
  ['a program', {}, true],
  ['its own page', { Origin: `https://${host}`, 'Sec-Fetch-Site': 'same-origin' }, true],
  ['a page of another site', { Origin: EVIL, 'Sec-Fetch-Site': 'cross-site' }, false],
  ['a page of another site in an old browser', { Origin: EVIL }, false],
  // A page with `Referrer-Policy: no-referrer` sends no origin to its own host either; the browser still adds
  // Sec-Fetch-Site.
  ['its own page that hides its origin', { Origin: 'null', 'Sec-Fetch-Site': 'same-origin' }, true],
  ['a page that hides its origin in an old browser', { Origin: 'null' }, false],
  ['a page of another site that hides its origin', { Origin: 'null', 'Sec-Fetch-Site': 'cross-site' }, false],
  ['a page of a sibling that hides its origin', { Origin: 'null', 'Sec-Fetch-Site': 'same-site' }, false],
  ['a page that a person is said to have typed', { Origin: 'null', 'Sec-Fetch-Site': 'none' }, false],
  ['a page of another site that is said to be its own', { Origin: EVIL, 'Sec-Fetch-Site': 'same-origin' }, false],
  ['a page without an Origin', { 'Sec-Fetch-Site': 'cross-site' }, false],
  ['a page of a sibling', { 'Sec-Fetch-Site': 'same-site' }, false],
  ['its own name over plain HTTP', { Origin: `http://${host}` }, false],
  ['its own name at another port', { Origin: `https://${host}:9999` }, false],
  ['a name that begins alike', { Origin: `https://${host}.evil.example` }, false],
];

const credentials = [
  ['a certificate', 'wiki.test', '/deploy/x', client],
  ['a certificate at a host by wildcard', 'a.apps.test', '/x', client],
  ['a network', 'wiki.test', '/x', undefined],
] as const;

describe.each(credentials)('%s', (_, host, path, cert) => {
  const at = { host, ...(cert && { client: cert }) };
  for (const [page, headers, passes] of fromPages(host)) {
    gatewayCase(
      { gateway, echoes: [wiki] },
      {
        ...at,
        name: `${passes ? 'counts' : 'does not count'} if ${page} sends a form`,
        request: post(path, headers),
        ...(passes ? { status: 200 } : { status: 403, reason: 'origin_refused', upstream: 'never' }),
      },
    );
  }

  gatewayCase(
    { gateway, echoes: [wiki] },
    {
      ...at,
      name: 'does not count if a page of another site opens a WebSocket',
      request: { path, headers: { ...upgrade, Origin: EVIL } },
      status: 403,
      reason: 'origin_refused',
      upstream: 'never',
    },
  );

  gatewayCase(
    { gateway, echoes: [wiki] },
    {
      ...at,
      name: 'counts for a link of another site',
      request: { path, headers: { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate' } },
      status: 200,
    },
  );
});

describe('a network and pages of origins that the route names', () => {
  for (const [path, origin, status] of [
    ['/named/x', 'https://app.test', 200],
    ['/named/x', EVIL, 403],
    ['/all/x', EVIL, 403],
  ] as const) {
    gatewayCase(
      { gateway, echoes: [wiki] },
      {
        name: `${origin} at ${path}: ${status}`,
        host: 'wiki.test',
        request: post(path, { Origin: origin }),
        status,
        ...(status === 403 && { reason: 'origin_refused', upstream: 'never' }),
      },
    );
  }
});

describe('a network, over plain HTTP', () => {
  for (const [page, origin, status] of [
    ['its own page', 'http://wiki.test', 200],
    ['its own page behind a proxy with TLS', 'https://wiki.test', 200],
    ['a page of another site', 'http://evil.example', 403],
    ['its own name at another port', 'http://wiki.test:9999', 403],
  ] as const) {
    gatewayCase(
      { gateway: bare, echoes: [wiki] },
      {
        name: `${page} sends: ${status}`,
        host: 'wiki.test',
        request: post('/x', { Origin: origin }),
        status,
        ...(status === 403 && { reason: 'origin_refused', upstream: 'never' }),
      },
    );
  }

  gatewayCase(
    { gateway: bare, echoes: [wiki] },
    {
      name: 'its own page at the requested port sends: 200',
      host: 'wiki.test',
      request: post('/x', { Host: 'wiki.test:8080', Origin: 'http://wiki.test:8080' }),
      status: 200,
    },
  );
});
