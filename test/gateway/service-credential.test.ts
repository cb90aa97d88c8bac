/** Routes that pass credentials of their services on: what the service receives, and what the log says. */
import { describe, expect, test } from 'vitest';
import { newRing } from '../../src/session/keys/rotate-ring.ts';
import {
  createCa,
  gatewayCase,
  ready,
  Sealer,
  startEcho,
  startGateway,
  startIssuer,
  testStage,
  waitForWorkers,
} from '../harness/index.ts';

const KEYS = '/run/secrets/session.jwks';
const HEADER = 'X-Gateway-Authorization';
const host = 'wiki.test';
const stage = await testStage('service-credential');
const [wiki, canary, issuers] = await Promise.all([
  startEcho(stage, { alias: 'wiki' }),
  startEcho(stage, { alias: 'canary' }),
  startIssuer(stage),
]);
const acme = await issuers.create('acme');
const clients = await createCa('clients');

const policy = `
version: 1
gateway:
  tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key, client_ca_file: /run/clients.pem }
  session: { keys_file: ${KEYS} }
  credential_header: ${HEADER}
providers:
  acme: { issuer: ${acme.url}, audiences: [wiki], ca_file: /run/provider/ca.pem, client: { id: gateway } }
roles:
  staff: { group: staff }
headers:
  X-Forwarded-User: subject
services:
  wiki: { insecure_url: "http://wiki:8080" }
  canary: { insecure_url: "http://canary:8080" }
  listed: { insecure_url: "http://wiki:8080", request_headers: [Accept] }
hosts:
  ${host}:
    /*: { service: wiki, allow: [staff] }
    /rest/*:
      service: wiki
      service_credential: { schemes: [basic, oauth], bearer: opaque }
      accept: [bearer, session, certificate]
      allow: [{ role: staff, service: canary, methods: [DELETE] }, anyone]
    /api/*:
      service: wiki
      service_credential: { schemes: [basic], bearer: [glsa_] }
      accept: [bearer, session, certificate]
      allow: [authenticated]
    /listed/*: { service: listed, service_credential: { schemes: [basic] }, allow: [anyone] }
    /listed/off/*: { service: listed, allow: [anyone] }
    /cors/*:
      service: wiki
      service_credential: { schemes: [basic] }
      cors: { origins: [https://app.test], headers: [Authorization, ${HEADER}] }
      allow: [staff]
  other.test:
    /*: { service: wiki, allow: [anyone] }
`;
const ring = newRing(Math.floor(Date.now() / 1000) - 7200);
const gateway = await startGateway(stage, { policy, files: { [KEYS]: ring, '/run/clients.pem': clients.cert } });
const setup = { gateway, echoes: [wiki, canary] };
const sealer = await Sealer.of(gateway.policy, ring);
const cookie = await sealer.cookie(host, sealer.session('acme', { sub: 'ada', groups: ['staff'] }));
const certificate = (await clients.client('spiffe://example.org/ci')).pem;
const token = await acme.sign({ aud: 'wiki', sub: 'ben', groups: ['staff'] });
await ready(gateway, host, { token });

const basic = 'Basic YWRhOnNlY3JldA==';
const forms: readonly (readonly [scheme: string, header: string])[] = [
  ['basic', basic],
  ['oauth', 'OAuth realm="https%3A%2F%2Fjira.test", oauth_consumer_key="jira", oauth_signature="tR3%2BTy81lMeYAr%3D"'],
  ['bearer', 'Bearer NDc4NDkyNDg3ODE3OstHYSeYC1HgXqRacSqvUbookcZk'],
];

/** Texts of the credentials, which no log may contain. */
const forbidden = [/YWRhOnNlY3JldA/, /tR3%2BTy81lMeYAr/, /NDc4NDkyNDg3/, /glsa_HOru/];
const logged = (scheme: string, user = '') => ({
  fields: { 'meshgate.service_credential': scheme, 'user.id': user },
  forbidden,
});
const gone = { absent: [HEADER, 'X-Gateway_Authorization', 'X_Gateway_Authorization', 'X-Meshgate-Credential'] };

describe('where anyone may pass', () => {
  for (const [scheme, header] of forms) {
    for (const over of ['http1', 'http2'] as const) {
      gatewayCase(setup, {
        name: `${scheme} arrives alone, over ${over}, and identifies no caller`,
        host,
        over,
        request: { path: '/rest/x', headers: { Authorization: header } },
        status: 200,
        upstream: {
          service: 'wiki',
          headers: { Authorization: header },
          absent: [...gone.absent, 'X-Forwarded-User', 'X-Meshgate-Service-Credential'],
        },
        log: logged(scheme),
      });
    }
  }

  gatewayCase(setup, {
    name: 'a form that the route does not name is refused',
    host,
    request: { path: '/rest/x', headers: { Authorization: 'Digest username="ada"' } },
    status: 401,
    reason: 'credential_unsupported',
    log: logged(''),
  });

  gatewayCase(setup, {
    name: 'a token of a provider decides, and does not arrive',
    host,
    request: { path: '/rest/x', token },
    status: 200,
    upstream: { absent: ['Authorization', ...gone.absent], headers: { 'X-Forwarded-User': 'ben' } },
    log: logged('', 'ben'),
  });
});

describe('beside a credential of the gateway', () => {
  const glsa = 'Bearer glsa_HOruNAb7SOiCdshU8algkrq7FDsNSLAa_55e2f8be';

  gatewayCase(setup, {
    name: 'alone, it is refused where anyone may not pass',
    host,
    request: { path: '/api/x', headers: { Authorization: glsa } },
    status: 401,
    reason: 'credential_missing',
    detail: /X-Gateway-Authorization: Bearer TOKEN/,
    log: logged(''),
  });

  gatewayCase(setup, {
    name: 'with a session, both arrive',
    host,
    request: { method: 'POST', path: '/api/x', headers: { Authorization: glsa, Cookie: cookie } },
    status: 200,
    upstream: { headers: { Authorization: glsa, 'X-Forwarded-User': 'ada' }, absent: ['Cookie', ...gone.absent] },
    log: logged('bearer', 'ada'),
  });

  gatewayCase(setup, {
    name: 'with a session, a page of another origin is refused',
    host,
    request: {
      method: 'POST',
      path: '/api/x',
      headers: { Authorization: glsa, Cookie: cookie, Origin: 'https://evil.test' },
    },
    status: 403,
    reason: 'origin_refused',
    log: logged('', 'ada'),
  });

  gatewayCase(setup, {
    name: 'with a certificate, both arrive',
    host,
    client: certificate,
    request: { path: '/api/x', headers: { Authorization: basic } },
    status: 200,
    upstream: { headers: { Authorization: basic, 'X-Forwarded-User': 'spiffe://example.org/ci' } },
    log: logged('basic', 'spiffe://example.org/ci'),
  });

  gatewayCase(setup, {
    name: 'with a token in the header of the policy, that header does not arrive',
    host,
    request: { path: '/api/x', headers: { Authorization: glsa, [HEADER]: `Bearer ${token}` } },
    status: 200,
    upstream: { headers: { Authorization: glsa, 'X-Forwarded-User': 'ben' }, absent: gone.absent },
    log: logged('bearer', 'ben'),
  });

  gatewayCase(setup, {
    name: 'with a bad token in that header, it is refused, although there is a session',
    host,
    request: { path: '/rest/x', headers: { Authorization: basic, Cookie: cookie, [HEADER]: `Bearer ${token}x` } },
    status: 401,
    log: logged(''),
  });

  gatewayCase(setup, {
    name: 'that header twice is refused, over HTTP/2 too',
    host,
    over: 'http2',
    request: {
      path: '/api/x',
      headers: [
        ['Authorization', basic],
        [HEADER, `Bearer ${token}`],
        [HEADER, `Bearer ${token}`],
      ],
    },
    status: 400,
    reason: 'credential_duplicate',
  });

  gatewayCase(setup, {
    name: 'Authorization twice is refused',
    host,
    request: {
      path: '/rest/x',
      headers: [
        ['Authorization', basic],
        ['Authorization', `Bearer ${token}`],
      ],
    },
    status: 400,
    reason: 'request_malformed',
    log: { forbidden },
  });
});

describe('elsewhere', () => {
  gatewayCase(setup, {
    name: 'a rule that leads to another service erases it',
    host,
    request: { method: 'DELETE', path: '/rest/x', headers: { Authorization: basic, [HEADER]: `Bearer ${token}` } },
    status: 200,
    upstream: { service: 'canary', absent: ['Authorization', ...gone.absent], headers: { 'X-Forwarded-User': 'ben' } },
    log: logged('', 'ben'),
  });

  gatewayCase(setup, {
    name: 'a route of the same host without the key refuses it',
    host,
    request: { path: '/x', headers: { Authorization: basic, Cookie: cookie } },
    status: 401,
    reason: 'credential_unsupported',
  });

  gatewayCase(setup, {
    name: 'such a route does not read the header of the policy',
    host,
    request: { path: '/x', headers: { [HEADER]: `Bearer ${token}` } },
    status: 401,
    reason: 'credential_missing',
  });

  gatewayCase(setup, {
    name: 'a host without such routes erases the header of the policy, and Authorization',
    host: 'other.test',
    request: { path: '/x', token, headers: { [HEADER]: `Bearer ${token}` } },
    status: 200,
    upstream: { absent: ['Authorization', ...gone.absent] },
  });

  gatewayCase(setup, {
    name: 'a service that lists its headers receives it on a route that passes it on',
    host,
    request: { path: '/listed/x', headers: { Authorization: basic, Accept: 'text/x', 'X-Other': 'y' } },
    status: 200,
    upstream: { headers: { Authorization: basic, Accept: 'text/x' }, absent: ['X-Other', ...gone.absent] },
    log: logged('basic'),
  });

  gatewayCase(setup, {
    name: 'and never on its other routes',
    host,
    request: { path: '/listed/off/x', token },
    status: 200,
    upstream: { absent: ['Authorization', ...gone.absent] },
  });

  gatewayCase(setup, {
    name: 'a preflight allows the headers that the policy lists',
    host,
    request: {
      method: 'OPTIONS',
      path: '/cors/x',
      headers: { Origin: 'https://app.test', 'Access-Control-Request-Method': 'GET' },
    },
    status: 204,
    answer: { 'Access-Control-Allow-Headers': `Authorization, ${HEADER}` },
    upstream: 'never',
  });

  test('whoami tells who the credential of the gateway is, and accepts no other', async () => {
    const whoami = (headers: Record<string, string>) => gateway.send(host, { path: '/.meshgate/whoami', headers });
    const none = await whoami({ Authorization: basic });
    expect([none.status, none.json().reason]).toEqual([401, 'credential_unsupported']);
    expect((await whoami({ Cookie: cookie })).json().subject).toBe('ada');
    await waitForWorkers(gateway, host);
  });
});
