import fc from 'fast-check';
import type {
  Agent,
  AgentMatch,
  Allow,
  At,
  Host,
  Ingress,
  Policy,
  Route,
  Who,
} from '../../../src/policy/checked/types.ts';
import type { Query } from '../../../src/rules/compare/compared-callers.ts';

/** Random policies with few names, so that paths nest, rules overlap and requests match. */

export const at: At = { file: 'meshgate.yaml', line: 1, column: 1 };

export const ROLES = ['reader', 'editor', 'admin'];
const INGRESS: Ingress = {
  name: 'default',
  host: 'ingress.mesh',
  port: 8443,
  serverName: 'ingress.mesh',
  caFile: '/run/mesh/ca.pem',
  own: {
    certFile: '/run/mesh/tls.crt',
    keyFile: '/run/mesh/tls.key',
    clientCaFile: '/run/mesh/clients.pem',
    listen: 8443,
  },
  at,
};

export const IDENTITIES = ['default', 'wiki-editor'];
export const SERVICES = ['wiki', 'dashboard'];
export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'];
const HOSTS = ['wiki.example.com', '*.example.com', '*.wiki.example.com', 'dashboard.test'];
const SEGMENTS = ['rest', 'rest.x', 'restore', 'a', '~b'];

export const AGENTS: readonly Extract<Who, { kind: 'agent' }>[] = [
  { kind: 'agent', agent: 'pages', actsFor: ['reader', 'editor'] },
  { kind: 'agent', agent: 'bot', actsFor: ['admin'], alone: true },
  { kind: 'agent', agent: 'night', actsFor: [], alone: true },
];

const who: fc.Arbitrary<Who> = fc.oneof(
  fc.constantFrom(...AGENTS),
  fc.constant<Who>({ kind: 'anyone' }),
  fc.constant<Who>({ kind: 'authenticated' }),
  fc.constantFrom(...ROLES).map((role): Who => ({ kind: 'role', role })),
);

const allow: fc.Arbitrary<Allow> = fc
  .record({
    who,
    methods: fc.option(fc.subarray(['GET', 'POST', 'DELETE'], { minLength: 1 }), { nil: undefined }),
    service: fc.option(fc.constantFrom(...SERVICES), { freq: 4, nil: undefined }),
    as: fc.constantFrom(...IDENTITIES),
  })
  .map(({ who, methods, service, as }) => ({ who, ...(methods && { methods }), ...(service && { service }), as, at }));

const readers: Allow = { who: { kind: 'role', role: 'reader' }, as: 'default', at };

/** Paths as routes and requests have them: no trailing slash, and '' for all. */
export const path = fc
  .array(fc.constantFrom(...SEGMENTS), { maxLength: 3 })
  .map((segments) => segments.map((segment) => `/${segment}`).join(''));

const routes = (host: string): fc.Arbitrary<Route[]> =>
  fc
    .uniqueArray(fc.record({ path, kind: fc.constantFrom<Route['kind']>('exact', 'prefix') }), {
      minLength: 1,
      maxLength: 5,
      selector: ({ path, kind }) => `${path} ${kind}`,
    })
    .chain((paths) =>
      fc.tuple(
        ...paths.map(({ path, kind }) =>
          fc
            .record({
              service: fc.constantFrom(...SERVICES),
              // An agent alone allows no person.
              allow: fc
                .array(allow, { minLength: 1, maxLength: 3 })
                .map((rules) => (rules.every(({ who }) => who.kind === 'agent') ? [...rules, readers] : rules)),
            })
            .map(({ service, allow }): Route => {
              const own = kind === 'exact' && path === '' ? '/' : path;
              const name = host + (kind === 'exact' ? own : `${own}/*`);
              return { name, host, path: own, kind, service, accept: ['bearer'], allow, headers: {}, at };
            }),
        ),
      ),
    );

const host: fc.Arbitrary<Host[]> = fc
  .subarray(HOSTS, { minLength: 1 })
  .chain((names) =>
    fc.tuple(...names.map((name) => routes(name).map((own): Host => ({ name, providers: [], routes: own, at })))),
  );

export const policy: fc.Arbitrary<Policy> = host.map((hosts) => ({
  version: 1,
  gateway: {
    name: 'meshgate',
    clockSkew: 30,
    tokenCache: 300,
    keys: { refresh: 300, stale: 86400, coolDown: 10 },
    trustedProxies: [],
    resolver: [],
    ipVersions: [4 as const],
    listen: 8443,
    insecureHttp: true,
  },
  providers: {},
  roles: Object.fromEntries(ROLES.map((name) => [name, { name, fact: { op: 'group' as const, value: name, at }, at }])),
  mesh: {
    name: 'default',
    kind: 'envoy',
    trustDomain: 'example.org',
    rotation: 70,
    ingress: INGRESS,
    ingresses: { default: INGRESS },
    identities: Object.fromEntries(
      IDENTITIES.map((name) => [
        name,
        { name, spiffe: `spiffe://example.org/ns/edge/sa/${name}`, certFile: '/c.pem', keyFile: '/c.pem', at },
      ]),
    ),
    at,
  },
  agents: Object.fromEntries(
    AGENTS.map(({ agent, actsFor, alone }, i): [string, Agent] => {
      const match: AgentMatch = i === 0 ? { kind: 'service', service: 'wiki' } : { kind: 'client', client: agent };
      return [agent, { name: agent, match, actsFor, hops: 1, ...(alone && { alone }), at }];
    }),
  ),
  services: Object.fromEntries(
    SERVICES.map((name) => [
      name,
      { name, authority: `${name}.mesh`, endpoint: { host: `${name}.internal`, port: 8080 }, at },
    ]),
  ),
  hosts,
  tests: [],
}));

/** A person with some roles, perhaps through an agent, an agent alone, or an anonymous caller. */
export const caller: fc.Arbitrary<Query> = fc.oneof(
  fc.constant(null),
  fc.subarray(ROLES).map((roles) => ({ roles })),
  fc
    .record({ roles: fc.subarray(ROLES), agent: fc.constantFrom('pages', 'bot', 'night', 'other') })
    .map(({ roles, agent }) => ({ roles, agent })),
  // Nothing is signed for an agent that may not act alone, so that no mesh sees it.
  fc.constantFrom('bot', 'night').map((agent) => ({ roles: [], agent, alone: true }) as const),
);

export const method = fc.constantFrom(...METHODS, 'get');

/** Possible requests to one of the hosts; a final slash is another path. */
export const requestPath = fc
  .tuple(path, fc.constantFrom('', '/'))
  .map(([base, slash]) => base + (base === '' ? '/' : slash));
