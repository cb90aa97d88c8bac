import { stringify } from 'yaml';

/** The file of the keys with which the gateway signs assertions. */
export const KEYS_FILE = '/run/keys/assertion.jwks';

/** The provider of the callers. */
export const ISSUER = 'https://issuers:8443/acme';

const TRUST_DOMAIN = 'example.org';

/** SPIFFE id of one of nginx's identities. */
export const identity = (name: string): string => `spiffe://${TRUST_DOMAIN}/ns/edge/sa/${name}`;

const ROLES = { editor: { group: 'editors' }, reader: { group: 'readers' }, beta: { group: 'beta' } };

const SERVICES = {
  wiki: { authority: 'wiki.wiki.svc.cluster.local', namespace: 'wiki', labels: { app: 'wiki' }, port: 8080 },
  'wiki-canary': {
    authority: 'wiki-canary.wiki.svc.cluster.local',
    namespace: 'wiki',
    labels: { app: 'wiki-canary' },
    port: 8080,
  },
  dashboard: {
    authority: 'dashboard.ops.svc.cluster.local:3000',
    namespace: 'ops',
    labels: { app: 'dashboard' },
    port: 3000,
  },
};

type Allow = string | Readonly<Record<string, unknown>>;
type Hosts = Readonly<Record<string, Readonly<Record<string, { readonly service: string; readonly allow: Allow[] }>>>>;

interface Parts {
  readonly roles: readonly (keyof typeof ROLES)[];
  readonly services: readonly (keyof typeof SERVICES)[];
  readonly identities: readonly string[];
  readonly hosts: Hosts;
}

/** A policy of the lab: the common part, and the roles and services that its rules name. */
function policyOf({ roles, services, identities, hosts }: Parts) {
  const names = (all: Readonly<Record<string, unknown>>, some: readonly string[]) =>
    Object.fromEntries(some.map((name) => [name, all[name]]));
  return {
    version: 1,
    gateway: {
      insecure_http: true,
      listen: 8080,
      assertion: { issuer: 'https://gateway.test', keys_file: KEYS_FILE },
      health: { listen: 8081 },
      mesh_probe: { every: '5s' },
    },
    providers: { acme: { issuer: ISSUER, audiences: ['wiki'], ca_file: '/run/provider/ca.pem' } },
    roles: names(ROLES, roles),
    headers: { 'X-Forwarded-User': 'subject', 'X-Forwarded-Roles': 'roles' },
    services: names(SERVICES, services),
    mesh: {
      kind: 'istio',
      trust_domain: TRUST_DOMAIN,
      ingress: {
        address: 'ingress.mesh:8443',
        ca_file: '/run/mesh/ca.pem',
        namespace: 'edge',
        labels: { istio: 'meshgate-ingress' },
        service_account: 'meshgate-ingress',
      },
      identities: Object.fromEntries(
        ['default', ...identities].map((name) => [
          name,
          { spiffe: identity(name === 'default' ? 'gateway' : name), pem_file: `/run/mesh/${name}.pem` },
        ]),
      ),
    },
    hosts,
  };
}

const text = (policy: unknown): string => stringify(policy, { aliasDuplicateObjects: false });

/** The demo's rules: an identity for each role, a prefix with a narrower one in it, one path that is open. */
export const DEMO = text(
  policyOf({
    roles: ['editor', 'reader'],
    services: ['wiki', 'dashboard'],
    identities: ['editor', 'reader'],
    hosts: {
      'wiki.test': {
        '/rest/*': {
          service: 'wiki',
          allow: [
            { role: 'editor', as: 'editor' },
            { role: 'reader', methods: ['GET'], as: 'reader' },
          ],
        },
        '/rest/admin/*': { service: 'wiki', allow: [{ role: 'editor', as: 'editor' }] },
        '/status': { service: 'wiki', allow: ['anyone'] },
      },
      'dashboard.test': {
        '/*': {
          service: 'dashboard',
          allow: [
            { role: 'editor', as: 'editor' },
            { role: 'reader', methods: ['GET'], as: 'reader' },
          ],
        },
      },
    },
  }),
);

/** One identity for all: only the assertion tells callers apart. */
export const ONE_IDENTITY = text(
  policyOf({
    roles: ['editor', 'reader'],
    services: ['wiki', 'dashboard'],
    identities: [],
    hosts: {
      'wiki.test': {
        '/rest/*': { service: 'wiki', allow: ['editor', { role: 'reader', methods: ['GET'] }] },
        '/status': { service: 'wiki', allow: ['anyone'] },
      },
      'dashboard.test': { '/*': { service: 'dashboard', allow: ['authenticated'] } },
    },
  }),
);

/** A service for testers of the next version, with its own identity. */
export const CANARY = text(
  policyOf({
    roles: ['beta', 'reader'],
    services: ['wiki', 'wiki-canary'],
    identities: ['beta'],
    hosts: {
      'wiki.test': {
        '/rest/*': { service: 'wiki', allow: [{ role: 'beta', service: 'wiki-canary', as: 'beta' }, 'reader'] },
      },
    },
  }),
);

/** SPIFFE id of the wiki's own pods. */
export const WIKI_POD = `spiffe://${TRUST_DOMAIN}/ns/wiki/sa/wiki`;

/** The wiki calls the dashboard for the readers of a page. */
export const AGENTS = agents();

function agents(): string {
  const policy = policyOf({
    roles: ['editor', 'reader'],
    services: ['wiki', 'dashboard'],
    identities: ['hop'],
    hosts: {
      'wiki.test': { '/rest/*': { service: 'wiki', allow: ['editor', 'reader'] } },
      'dashboard.test': {
        '/*': {
          service: 'dashboard',
          allow: [
            'editor',
            { role: 'reader', methods: ['GET'] },
            { agent: 'wiki-pages', methods: ['GET', 'POST'], as: 'hop' },
          ],
        },
      },
    },
  });
  return text({
    ...policy,
    gateway: {
      tls: { cert_file: '/run/tls/tls.crt', key_file: '/run/tls/tls.key' },
      assertion: policy.gateway.assertion,
      inner: { client_ca_file: '/run/mesh/services.pem' },
    },
    services: { ...policy.services, wiki: { ...SERVICES.wiki, spiffe: WIKI_POD } },
    agents: { 'wiki-pages': { match: { service: 'wiki' }, acts_for: ['reader'] } },
  });
}
