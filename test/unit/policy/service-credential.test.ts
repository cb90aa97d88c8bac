import { describe, expect, test } from 'vitest';
import type { Route } from '../../../src/policy/checked/types.ts';
import { formatError, parsePolicy } from '../../../src/policy/index.ts';

interface Parts {
  readonly gateway?: string;
  readonly accept?: string;
  readonly allow?: string;
  readonly opaque?: boolean;
  readonly services?: string;
}

/** A policy with `service_credential` on its one route. */
const policy = (
  reported: string,
  { gateway = '', accept = '', allow = '[anyone]', opaque, services }: Parts = {},
) => `version: 1
gateway: { ${gateway} }
providers:
  okta: { issuer: https://login.example.com, audiences: [wiki]${opaque ? ', client: { id: a, secret_file: /run/a }, introspection: {}' : ''} }
roles: { staff: { group: staff }, probe: { network: [192.0.2.0/24] } }
services: { wiki: { insecure_url: "http://wiki:8080"${services ?? ''} }, canary: { insecure_url: "http://canary:8080"${services ?? ''} } }
hosts:
  wiki.example.com:
    /rest/*: { service: wiki${accept}, service_credential: ${reported}, allow: ${allow} }
    /*: { service: canary, allow: [staff, probe] }
`;

const errorsOf = (reported: string, parts?: Parts) =>
  parsePolicy(policy(reported, parts), 'p.yaml').errors.map((error) =>
    formatError(error).replace(/^p\.yaml:\d+:\d+ /, ''),
  );

function routeOf(reported: string, parts?: Parts): Route | undefined {
  expect(errorsOf(reported, parts)).toEqual([]);
  return parsePolicy(policy(reported, parts), 'p.yaml').policy?.hosts[0]?.routes[0];
}

const key = 'hosts."wiki.example.com"."/rest/*".service_credential';

describe('service_credential', () => {
  test.each([
    ['{ schemes: [basic] }', { schemes: ['basic'], services: ['wiki'] }],
    ['{ schemes: [Basic, OAuth] }', { schemes: ['basic', 'oauth'], services: ['wiki'] }],
    ['{ bearer: [glsa_] }', { schemes: [], bearer: ['glsa_'], services: ['wiki'] }],
    ['{ bearer: opaque }', { schemes: [], bearer: 'opaque', services: ['wiki'] }],
  ])('%s', (reported, expected) => {
    expect(routeOf(reported)?.serviceCredential).toEqual(expected);
  });

  test('is for other services only if it names them', () => {
    const allow = '[{ role: staff, service: canary }, anyone]';
    expect(routeOf('{ schemes: [basic] }', { allow })?.serviceCredential?.services).toEqual(['wiki']);
    expect(routeOf('{ schemes: [basic], services: [wiki, canary] }', { allow })?.serviceCredential?.services).toEqual([
      'wiki',
      'canary',
    ]);
  });

  test('routes without it have none', () => {
    expect(parsePolicy(policy('{ schemes: [basic] }'), 'p.yaml').policy?.hosts[0]?.routes[1]).not.toHaveProperty(
      'serviceCredential',
    );
  });

  test.each<[string, string, string, Parts?]>([
    ['an empty mapping', '{}', `${key}: nothing in it passes; write { schemes: [basic] }, or { bearer: [glsa_] }`],
    ['a list', '[basic]', `${key}: a list is not a mapping; write { schemes: [basic] }, or { bearer: [glsa_] }`],
    ...['ntlm', 'Negotiate', 'Nego2', 'kerberos'].map((scheme): [string, string, string] => [
      `the scheme ${scheme}`,
      `{ schemes: [${scheme}] }`,
      `${key}.schemes[0]: ${scheme} authenticates a connection, and nginx uses one connection for several callers: one caller’s requests would count as another’s; let the service accept Basic or tokens, and remove this`,
    ]),
    [
      'the scheme Bearer',
      '{ schemes: [Bearer] }',
      `${key}.schemes[0]: write bearer: [glsa_], with the beginnings of the service’s tokens, or bearer: opaque`,
    ],
    ['the scheme DPoP', '{ schemes: [DPoP] }', `${key}.schemes[0]: DPoP is a scheme of the gateway; remove it`],
    [
      'a word of the gateway',
      '{ schemes: [query] }',
      `${key}.schemes[0]: the gateway uses this word itself; remove it`,
    ],
    ['a scheme twice', '{ schemes: [basic, Basic] }', `${key}.schemes[1]: the same scheme as "basic"; keep one`],
    [
      'no word',
      '{ schemes: ["Basic x"] }',
      `${key}.schemes[0]: "Basic x" is not the name of an authentication scheme; write the first word of the Authorization header, as in basic or oauth`,
    ],
    [
      'a short prefix',
      '{ bearer: [ab_] }',
      `${key}.bearer[0]: "ab_" is not the beginning of a token; write 4 to 16 characters of a token, as in glsa_; or bearer: opaque, for tokens that all begin differently`,
    ],
    [
      'an empty prefix',
      '{ bearer: [""] }',
      `${key}.bearer[0]: "" is not the beginning of a token; write 4 to 16 characters of a token, as in glsa_; or bearer: opaque, for tokens that all begin differently`,
    ],
    [
      'a whole token, which the error does not repeat',
      '{ bearer: [glsa_HOruNAb7SOiCdshU8algkrq7FDsNSLAa_55e2f8be] }',
      `${key}.bearer[0]: this text is not the beginning of a token; write 4 to 16 characters of a token, as in glsa_; or bearer: opaque, for tokens that all begin differently`,
    ],
    [
      'another word',
      '{ bearer: any }',
      `${key}.bearer: "any" is not opaque or a list of prefixes; write [glsa_], or opaque`,
    ],
    [
      'a prefix in another',
      '{ bearer: [glsa_, glsa_x] }',
      `${key}.bearer[1]: no effect: it begins with "glsa_"; remove it`,
    ],
    ...['alg', 'typ', 'kid', 'enc', 'x5t'].map((member): [string, string, string] => [
      `a JWT that begins with ${member}`,
      `{ bearer: [glsa_, ${btoa(`{"${member}":"`).slice(0, 9)}] }`,
      `${key}.bearer[1]: no effect: tokens with this beginning are JWTs, and a JWT after Bearer is always for the gateway; let clients send it in another scheme, and remove this`,
    ]),
    [
      'opaque tokens beside those of a provider',
      '{ bearer: opaque }',
      `${key}.bearer: provider "okta" of this host also has opaque tokens, and without a prefix the gateway could not tell whose a token is; write the beginnings of the service’s tokens, as in [glsa_]`,
      { opaque: true },
    ],
    [
      'the default services',
      '{ schemes: [basic], services: [wiki] }',
      `${key}.services: no effect: the service of the route is the default; remove it`,
    ],
    [
      'a service that no rule leads to',
      '{ schemes: [basic], services: [wiki, canary] }',
      `${key}.services[1]: no effect: no rule of this route leads to "canary"; remove it`,
    ],
    [
      'a default that no rule leads to',
      '{ schemes: [basic] }',
      `${key}: no rule leads to "wiki", so no service receives the header; write services: [canary]`,
      { allow: '[{ who: anyone, service: canary }]' },
    ],
    [
      'no room for the gateway’s token',
      '{ schemes: [basic] }',
      `${key}: no effect: each rule needs a credential of the gateway, and the Authorization header has room for one; write credential_header: X-Gateway-Authorization under gateway, or let the route accept sessions`,
      { allow: '[staff]' },
    ],
    [
      'a header of HTTP for the gateway’s token',
      '{ schemes: [basic] }',
      'gateway.credential_header: Cookie has another purpose; write a header that only the gateway reads, as in X-Gateway-Authorization',
      { gateway: 'credential_header: Cookie' },
    ],
    [
      'an identity header for the gateway’s token',
      '{ schemes: [basic] }',
      'gateway.credential_header: X-Forwarded-User has another purpose; write a header that only the gateway reads, as in X-Gateway-Authorization',
      { gateway: 'credential_header: X-Forwarded-User' },
    ],
  ])('%s is an error', (_, reported, message, parts) => {
    expect(errorsOf(reported, parts)).toEqual([message]);
  });

  test.each<Parts>([
    { gateway: 'credential_header: X-Gateway-Authorization', allow: '[staff]' },
    { allow: '[probe]' },
    { allow: '[staff, { who: anyone, methods: [GET] }]' },
    { opaque: true, gateway: 'session: { keys_file: /run/s }', allow: '[staff]' },
  ])('a request can have both credentials with %j', (parts) => {
    expect(errorsOf('{ schemes: [basic] }', parts)).toEqual([]);
  });
});

describe('the names of headers', () => {
  const listing = (name: string) =>
    errorsOf('{ schemes: [basic] }', {
      gateway: 'credential_header: X-Gateway-Authorization',
      services: `, request_headers: [${name}]`,
    });

  test('a service cannot list the header with the gateway’s token', () => {
    expect(listing('x-gateway-authorization')).toEqual([
      'services.wiki.request_headers[0]: no effect: nginx erases this header, because it has the gateway’s token; remove it',
      'services.canary.request_headers[0]: no effect: nginx erases this header, because it has the gateway’s token; remove it',
    ]);
  });

  test('a service that lists Authorization is told of service_credential', () => {
    expect(listing('Authorization')[0]).toContain('service_credential of a route passes a service’s own on');
  });

  test('credential_header without such a route has no effect', () => {
    const text = policy('{ schemes: [basic] }', { gateway: 'credential_header: X-Gateway-Authorization' });
    const { errors } = parsePolicy(text.replace(/ service_credential: \{[^}]*\},/, ''), 'p.yaml');
    expect(errors.map(formatError)).toEqual([
      'p.yaml:2:12 gateway.credential_header: no effect: no route has service_credential, so the gateway’s token is in Authorization; remove it',
    ]);
  });
});

test('an error about a test does not repeat a token', () => {
  const text = `${policy('{ schemes: [basic] }')}tests:
  - { as: nobody, service_credential: Bearer glsa_HOruNAb7SOiCdshU8algkrq7FD, GET: https://wiki.example.com/rest/x, expect: allowed }
`;
  const [error] = parsePolicy(text, 'p.yaml').errors.map(formatError);
  expect(error).toContain('this text is not the beginning of an Authorization header; write the scheme');
  expect(error).not.toContain('glsa_HO');
});
