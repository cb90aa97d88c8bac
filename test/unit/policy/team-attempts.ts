/** What a team could try in its own file to reach beyond its grant. */

/**
 * The attempt, the text of the file of team pay and what stands in its place, and what the error says. The error is on
 * the line where the new text begins, or so many lines below.
 */
export type Attempt = readonly [what: string, from: string, to: string, says: string, below?: number];

const ROUTE = '    /*: { service: pay-web, allow: [staff, pay.clerk] }';
const SERVICE = '  pay-web: { authority: web.pay.svc.cluster.local, namespace: pay, labels: { app: web } }';
const HOST = '  pay.example.com:\n    providers: [okta]';

/** A route in place of the file's route. */
const route = (text: string): readonly [string, string] => [ROUTE, `    /*: ${text}`];

/** A second service, which a second route uses. */
const service = (text: string): readonly [string, string] => [SERVICE, `  pay-web: ${text}`];

/** Another role in place of the file's role. */
const role = (text: string): readonly [string, string] => ['{ group: clerks, provider: okta }', text];

/** A section in front of the file's sections. */
const section = (text: string): readonly [string, string] => ['roles:\n', `${text}\nroles:\n`];

const USED = 'allow: [staff, pay.clerk]';

export const ATTEMPTS: readonly Attempt[] = [
  // Hosts.
  [
    'a host that is not granted',
    HOST,
    HOST.replace('pay.example.com', 'other.example.com'),
    'write one that the grant covers (pay.example.com, *.pay.example.com)',
  ],
  [
    'a host of the policy',
    HOST,
    HOST.replace('pay.example.com', 'wiki.example.com'),
    'the policy already defines the host "wiki.example.com"',
  ],
  [
    'a host of another team',
    HOST,
    HOST.replace('pay.example.com', 'ops.example.com'),
    'add ops.example.com to teams.pay.hosts',
  ],
  [
    'the host where people sign in',
    HOST,
    HOST.replace('pay.example.com', 'auth.example.com'),
    'add auth.example.com to teams.pay.hosts',
  ],
  [
    'a wildcard above the granted name',
    HOST,
    HOST.replace('pay.example.com', '"*.example.com"'),
    'the host "*.example.com" is not granted',
  ],
  [
    'a name that only ends like the granted one',
    HOST,
    HOST.replace('pay.example.com', 'notpay.example.com'),
    'the host "notpay.example.com" is not granted',
  ],
  [
    'another host by the key name',
    HOST,
    `${HOST}\n    name: wiki.example.com`,
    'the policy already defines the host "wiki.example.com"',
  ],
  [
    'a host that is not granted by the key name',
    HOST,
    `${HOST}\n    name: a.example.com`,
    'the host "a.example.com" is not granted',
  ],
  [
    'a host in another case',
    HOST,
    HOST.replace('pay.example.com', 'WIKI.example.com'),
    'the host "WIKI.example.com" is not granted',
  ],
  // Names.
  [
    'a role without the prefix of the team',
    'pay.clerk: {',
    'clerk: {',
    'roles of team pay begin with pay.; write "pay.clerk"',
  ],
  [
    'a role of the policy again',
    'pay.clerk: {',
    'staff: {',
    'the policy already defines the role "staff", which team pay can only use',
  ],
  [
    'a role that begins like those of another team',
    '  pay.clerk: {',
    '  ops.clerk: { group: clerks, provider: okta }\n  pay.clerk: {',
    'roles of team pay begin with pay.; write "pay.clerk"',
  ],
  [
    'a role of another team in a rule',
    ...route('{ service: pay-web, allow: [pay.clerk, ops.admin] }'),
    'no role "ops.admin"',
  ],
  [
    'a role of another team in a role',
    ...role('{ any: [{ group: clerks, provider: okta }, ops.admin] }'),
    'no role "ops.admin"',
  ],
  [
    'a role of another team in a header',
    HOST,
    `${HOST}\n    headers: { X-Wiki-User: { first_role: { ops.admin: A }, else: B } }`,
    'no role "ops.admin"',
    2,
  ],
  [
    'a service of the policy again',
    SERVICE,
    `${SERVICE}\n  wiki: { authority: x.pay.svc.cluster.local }`,
    'the policy already defines the service "wiki"',
    1,
  ],
  [
    'a granted service of the policy again',
    SERVICE,
    `${SERVICE}\n  search: { authority: x.pay.svc.cluster.local }`,
    'the policy already defines the service "search"',
    1,
  ],
  [
    'a service with a name that is not granted',
    SERVICE,
    `${SERVICE}\n  ops-x: { authority: x.pay.svc.cluster.local }\n`,
    'write one that the grant covers (pay-*, search)',
    1,
  ],
  // Profiles.
  [
    'a profile by its path',
    ...section('profiles: [{ use: ../../secret.yaml, host: pay.example.com, service: pay-web }]'),
    'a team’s file can use only profiles that meshgate brings',
  ],
  [
    'a profile for a host that is not granted',
    ...section('profiles: [{ use: small, host: wiki.example.com, service: pay-web }]'),
    'the policy already defines the host "wiki.example.com"',
  ],
  [
    'a profile for anyone',
    ...section('profiles: [{ use: small, host: a.pay.example.com, service: pay-web }]'),
    'team pay may not write a rule for anyone',
  ],
  [
    'a profile with a role of another name',
    ...section('profiles: [{ use: named, host: a.pay.example.com, service: pay-web }]'),
    'roles of team pay begin with pay.; write "pay.app-users"',
  ],
  [
    'a profile with settings of the gateway',
    ...section('profiles: [{ use: wide, host: a.pay.example.com, service: pay-web }]'),
    'settings of the gateway apply to every host',
  ],
  // Services: where requests go.
  ['a route to a service of the policy', ...route(`{ service: wiki, ${USED} }`), 'the service "wiki" is not granted'],
  ['a route to a service of another team', ...route(`{ service: ops-web, ${USED} }`), 'no service "ops-web"'],
  [
    'a rule that leads to a service of the policy',
    ...route('{ service: pay-web, allow: [staff, { role: pay.clerk, service: wiki }] }'),
    'the service "wiki" is not granted',
  ],
  [
    'an authority in a namespace that is not granted',
    ...service('{ authority: wiki.wiki.svc.cluster.local, namespace: pay }'),
    'write one that the grant covers (*.pay.svc, *.pay.svc.cluster.local)',
  ],
  [
    'an authority that only looks like the namespace',
    ...service('{ authority: web.pay.svc.cluster.local.evil.example }'),
    'the address "web.pay.svc.cluster.local.evil.example" is not granted',
  ],
  ['an authority in capitals', ...service('{ authority: WIKI.wiki.svc.cluster.local }'), 'is not granted'],
  [
    'an endpoint in a namespace that is not granted',
    ...service('{ authority: web.pay.svc.cluster.local, endpoint: "wiki.wiki.svc:80" }'),
    'the address "wiki.wiki.svc:80" is not granted',
  ],
  [
    'a namespace that is not granted',
    ...service('{ authority: web.pay.svc.cluster.local, namespace: wiki, labels: { app: wiki } }'),
    'the namespace "wiki" is not granted to team pay; write one that the grant covers (pay)',
  ],
  [
    'a url that is not granted',
    ...service('{ url: https://wiki.internal:8443 }'),
    'add wiki.internal:8443 to teams.pay.addresses',
  ],
  [
    'a url of an address',
    ...service('{ url: https://10.0.0.7:8443, server_name: web.pay.svc }'),
    'the address "https://10.0.0.7:8443" is not granted',
  ],
  [
    'a url of the machine itself',
    ...service('{ url: https://localhost:8443 }'),
    'the address "https://localhost:8443" is not granted',
  ],
  [
    'a url of another team',
    ...service('{ url: https://ops.internal:8443 }'),
    'the address "https://ops.internal:8443" is not granted',
  ],
  [
    'the authority of another service on a granted url',
    ...service('{ url: https://web.pay.svc:8443, authority: wiki.wiki.svc }'),
    'the address "wiki.wiki.svc" is not granted',
  ],
  [
    'plain http',
    ...service('{ insecure_url: "http://web.pay.svc:8080" }'),
    'an option that begins with insecure_ weakens the gateway',
  ],
  [
    'a response header that the gateway drops',
    ...service('{ authority: web.pay.svc, response_headers: [Alt-Svc] }'),
    'these headers concern the whole host',
  ],
  [
    'a SPIFFE id of another workload',
    ...service('{ authority: web.pay.svc, spiffe: spiffe://example.org/wiki }'),
    'the owners of the policy define agents',
  ],
  [
    'the name of another workload in Consul',
    ...service('{ authority: web.pay.svc, consul_service: wiki }'),
    'the service "wiki" is not granted',
  ],
  // Who vouches.
  [
    'an identity that is not granted',
    ...route('{ service: pay-web, allow: [staff, { role: pay.clerk, as: wiki-editor }] }'),
    'the identity "wiki-editor" is not granted to team pay; write one that the grant covers (default)',
  ],
  [
    'a provider that is not granted at a host',
    HOST,
    HOST.replace('okta', 'okta, ci'),
    'the provider "ci" is not granted to team pay',
    1,
  ],
  [
    'a provider that is not granted in a role',
    ...role('{ any: [{ group: clerks, provider: okta }, { claim: a, is: b, provider: ci }] }'),
    'team pay may not write roles by claim',
  ],
  [
    'a provider that is not granted in a fact about any token',
    ...role('{ any: [{ group: clerks, provider: okta }, { group: x, provider: ci }] }'),
    'the provider "ci" is not granted to team pay',
  ],
  [
    'a role by network',
    ...role('{ network: [10.0.0.0/8] }'),
    'team pay may not write roles by network; remove it, or ask the owners of the policy to add networks to teams.pay.may',
  ],
  [
    'a role by network deep inside a role',
    ...role('{ any: [{ group: clerks, provider: okta }, { all: [staff, { network: [10.0.0.0/8] }] }] }'),
    'team pay may not write roles by network',
  ],
  [
    'a role by certificate',
    ...role('{ certificate: ci.example.com }'),
    'team pay may not write roles by client certificate',
  ],
  [
    'a role by claim',
    ...role('{ claim: department, is: pay, provider: okta }'),
    'team pay may not write roles by claim',
  ],
  [
    'audiences that are not granted',
    ...route(`{ service: pay-web, audiences: [api://other], ${USED} }`),
    'the audience "api://other" is not granted',
  ],
  [
    'a CA for client certificates',
    HOST,
    `${HOST}\n    tls: { cert_file: /run/a, key_file: /run/b, client_ca_file: /run/c }`,
    'the CA of the gateway applies',
    2,
  ],
  // Everyone.
  [
    'a rule for anyone',
    ...route('{ service: pay-web, allow: [pay.clerk, anyone] }'),
    'team pay may not write a rule for anyone; remove it',
  ],
  [
    'a rule for anyone as a mapping',
    ...route('{ service: pay-web, allow: [pay.clerk, { who: anyone, methods: [GET] }] }'),
    'team pay may not write a rule for anyone',
  ],
  [
    'a rule for anyone as a role',
    ...route('{ service: pay-web, allow: [pay.clerk, { role: anyone }] }'),
    'team pay may not write a rule for anyone',
  ],
  // What other hosts would feel.
  [
    'settings of the gateway',
    ...section('gateway: { insecure_http: true }'),
    'settings of the gateway apply to every host; remove "gateway"',
  ],
  [
    'a provider',
    ...section('providers: { evil: { issuer: https://evil.example, audiences: [a] } }'),
    'providers vouch for callers of every host',
  ],
  [
    'an agent',
    ...section('agents: { bot: { match: { client_id: x }, acts_for: [staff], bound: none } }'),
    'the match of an agent applies to tokens at every host',
  ],
  ['a mesh', ...section('mesh: { kind: istio }'), 'all teams share the mesh'],
  ['several meshes', ...section('meshes: { east: { kind: istio } }'), 'all teams share the meshes'],
  [
    'headers of every host',
    ...section('headers: { X-Forwarded-User: email }'),
    'these headers apply to every host; write headers in your hosts',
  ],
  [
    'a team',
    ...section('teams: { evil: { file: evil.yaml, hosts: ["*.com"], services: [evil-*] } }'),
    'a team has no teams of its own',
  ],
  ['another version', ...section('version: 2'), 'a team’s file has the version of its policy'],
  [
    'a section that does not exist',
    ...section('include: other.yaml'),
    'a team’s file has only roles, services, hosts, profiles and tests',
  ],
  ['a misspelt section', ...section('serivces: {}'), 'did you mean "services"?'],
  ['a merge key', HOST, `${HOST}\n    <<: { providers: [ci] }`, 'merge keys are not part of the language', 2],
  ['an anchor of the policy', ...route('*anchor'), 'no anchor of this name stands before it'],
  [
    'an identity header that nginx would erase at every host',
    HOST,
    `${HOST}\n    headers: { Accept-Language: subject }`,
    'the header "Accept-Language" is not granted to team pay',
    2,
  ],
  [
    'an identity header of another team',
    HOST,
    `${HOST}\n    headers: { X-Ops-User: subject }`,
    'the header "X-Ops-User" is not granted',
    2,
  ],
  [
    'a header with a claim',
    HOST,
    `${HOST}\n    headers: { X-Wiki-User: { claim: department } }`,
    'headers with claims or groups',
    2,
  ],
  [
    'a header with all groups',
    HOST,
    `${HOST}\n    headers: { X-Wiki-User: groups }`,
    'headers with claims or groups',
    2,
  ],
  ['a limit of a host', HOST, `${HOST}\n    limit: { rate: 1000/s, burst: 1000 }`, 'add limits to teams.pay.may', 2],
  ['no limit for a route', ...route(`{ service: pay-web, limit: null, ${USED} }`), 'add limits to teams.pay.may'],
  [
    'proxy settings',
    ...route(`{ service: pay-web, proxy: { max_body: 100g }, ${USED} }`),
    'add proxy to teams.pay.may',
  ],
  ['proxy settings of a host', HOST, `${HOST}\n    proxy: { max_body: 100g }`, 'add proxy to teams.pay.may', 2],
  [
    'credentials of services',
    ...route(`{ service: pay-web, service_credential: { schemes: [basic] }, ${USED} }`),
    'add service_credentials to teams.pay.may',
  ],
  [
    'service workers of every path',
    ...route(`{ service: pay-web, insecure_service_workers: true, ${USED} }`),
    'an option that begins with insecure_',
  ],
  [
    'a path of the gateway',
    ROUTE,
    `${ROUTE}\n    /.meshgate/jwks: { service: pay-web, ${USED} }`,
    'the gateway answers /.meshgate itself',
    1,
  ],
  // Files and variables.
  [
    'the certificate of another host',
    HOST,
    `${HOST}\n    tls: { cert_file: /run/tls/tls.crt, key_file: /run/teams/ops/tls.key }`,
    'the file "/run/tls/tls.crt" is not granted',
    2,
  ],
  [
    'a CA of a service',
    ...service('{ url: https://web.pay.svc:8443, ca_file: /run/mesh/ca.pem }'),
    'the file "/run/mesh/ca.pem" is not granted',
  ],
  [
    'a variable',
    ...service('{ authority: "${STAGE}.pay.svc", namespace: pay }'),
    'the variable STAGE is not granted to team pay',
  ],
  // Tests.
  [
    'a test of a host that is not granted',
    'https://pay.example.com/x, expect: allowed',
    'https://wiki.example.com/x, expect: allowed',
    'the host "wiki.example.com" is not granted',
  ],
  [
    'a test as a caller with a role of another team',
    'as: { roles: [pay.clerk] }',
    'as: { roles: [pay.clerk, ops.admin] }',
    'no role "ops.admin"',
  ],
];
