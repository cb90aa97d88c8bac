import type { Given } from './helm.ts';

const rest = `
roles: { staff: { group: staff } }
services: { wiki: { url: https://ingress.mesh:8443, ca_file: /run/mesh/ca.pem } }
hosts: { wiki.example.com: { /*: { service: wiki, allow: [staff] } } }
`;
const tls = 'tls: { cert_file: /run/tls/tls.crt, key_file: /run/tls/tls.key }';
const issuer = 'https://example.okta.com/oauth2/default';

/** A policy for tokens alone. */
export const TOKENS = `version: 1
gateway: { ${tls} }
providers: { okta: { issuer: ${issuer}, audiences: [api://wiki] } }
${rest}`;

/** A policy with sign-in; with more keys of the gateway. */
export const sessions = (more = '', session = ''): string => `version: 1
gateway: { ${tls}, session: { keys_file: /run/secrets/session.jwks${session} }${more} }
providers: { okta: { issuer: ${issuer}, client: { id: 0oa1, secret_file: /run/secrets/okta } } }
${rest}`;

export const STORE = ', store: { etcd: ["https://etcd-0.example.com:2379"], ca_file: /run/etcd/ca.pem }';

const withEtcd = (etcd: object): Given => ({ policy: sessions(), values: { etcd: { enabled: true, ...etcd } } });

const WITNESSES = 'witnesses: [{ url: https://witness.example.com, key: example.com/w+abcd1234+AZAZ }]';

/** A policy whose log is sealed. */
export const sealed = (keys = '', policy = TOKENS): string =>
  policy.replace('gateway: {', `gateway: { audit: { ${keys} },`);

/** The combinations that docs/kubernetes.md names. */
export const COMBINATIONS: Readonly<Record<string, Given>> = {
  'tokens alone': { policy: TOKENS },
  'sessions on one replica': { policy: sessions() },
  'sessions on one replica, with a volume that exists': {
    policy: sessions(),
    values: { state: { existingClaim: 'kept' } },
  },
  'sessions on one replica that forgets': { policy: sessions('', ', insecure_forget_revocations: true') },
  'sessions and an etcd of your own': { policy: sessions(STORE), values: { replicas: 3 } },
  "sessions and the chart's etcd": withEtcd({}),
  "sessions and the chart's etcd, one member": withEtcd({ members: 1, storageClass: 'fast' }),
  "sessions and the chart's etcd, certificates of cert-manager": withEtcd({ tls: { source: 'cert-manager' } }),
  "sessions and the chart's etcd, certificates as Secrets": withEtcd({
    tls: { source: 'secrets', serverSecret: 'etcd-server', clientSecret: 'etcd-client' },
  }),
  'folders of Secrets and ConfigMaps': {
    policy: TOKENS,
    values: {
      files: [
        { path: '/run/tls', secret: 'wiki-tls' },
        { path: '/run/secrets', secret: 'meshgate-keys' },
        { path: '/run/secrets', secret: 'okta-client', items: { client_secret: 'okta' } },
        { path: '/run/mesh', configMap: 'mesh-ca' },
      ],
    },
  },
  'SVIDs from SPIRE': {
    policy: TOKENS,
    values: {
      svid: { source: 'spire', identities: { '/run/spiffe/default': 'default', '/run/spiffe/editor': 'wiki-editor' } },
    },
  },
  'an SVID from cert-manager': {
    policy: TOKENS,
    values: { svid: { source: 'cert-manager', path: '/run/svid' }, serviceAccount: { name: 'gateway' } },
  },
  'overlays and variables': {
    policy: TOKENS.replace('/oauth2/default', '/oauth2/${STAGE}'),
    values: {
      policyFiles: {
        'prod.yaml': 'gateway: { limits: { callers: { rate: 600/m } } }\n',
        'teams/pay.yaml': 'hosts: {}\n',
      },
      overlays: ['prod.yaml'],
      variables: { STAGE: 'default', PEOPLE: 10_000_000 },
    },
  },
  'a sealed log': { policy: sealed() },
  'a sealed log with witnesses, in folders of your own, on chosen storage': {
    policy: sealed(`log: /srv/audit/log/access.log, folder: /srv/audit/sealed, ${WITNESSES}`),
    values: {
      audit: { size: '100Gi', storageClass: 'fast', key: { storageClass: 'encrypted' } },
      networkPolicy: { egress: [{ ports: [{ port: 443 }] }] },
      autoscaling: { enabled: true },
    },
  },
  'a sealed log that ends with its pod': { policy: sealed(), values: { audit: { persistent: false } } },
  'a sealed log and sessions on one replica': { policy: sealed('', sessions()) },
  'probes over HTTP': {
    policy: TOKENS.replace('gateway: {', 'gateway: { health: { listen: 8081 },'),
    values: { probes: 'http' },
  },
  'an inner listener': {
    policy: TOKENS.replace('gateway: {', 'gateway: { inner: { client_ca_file: /run/mesh/ca.pem },'),
    values: { networkPolicy: { services: [{ namespaceSelector: { matchLabels: { team: 'wiki' } } }] } },
  },
  'a load balancer': {
    policy: TOKENS,
    values: {
      service: {
        type: 'LoadBalancer',
        externalTrafficPolicy: 'Local',
        annotations: { 'example.com/kind': 'internal' },
        loadBalancerSourceRanges: ['192.0.2.0/24'],
      },
    },
  },
  'closed egress': {
    policy: sessions(),
    values: {
      etcd: { enabled: true },
      networkPolicy: {
        clients: [{ ipBlock: { cidr: '192.0.2.0/24' } }],
        egress: [{ ports: [{ port: 443 }, { port: 8443 }] }],
      },
    },
  },
  autoscaling: { policy: TOKENS, values: { autoscaling: { enabled: true, maxReplicas: 4 } } },
  OpenShift: { policy: sessions(), values: { openshift: true, etcd: { enabled: true } } },
  'an image by digest, from a registry with a password': {
    policy: TOKENS,
    values: {
      image: { repository: 'registry.example.com/meshgate', digest: `sha256:${'0'.repeat(64)}`, pullPolicy: 'Always' },
      imagePullSecrets: [{ name: 'registry' }],
    },
  },
  'chosen nodes': {
    policy: TOKENS,
    values: {
      nodeSelector: { pool: 'edge' },
      tolerations: [{ key: 'edge', operator: 'Exists' }],
      priorityClassName: 'system-cluster-critical',
      affinity: { nodeAffinity: {} },
      topologySpreadConstraints: [
        { maxSkew: 1, topologyKey: 'rack', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: {} } },
      ],
      podLabels: { team: 'edge', floor: 5 },
      podAnnotations: { 'example.com/note': 'x', 'example.com/noted': true },
      service: { annotations: { 'example.com/timeout': 10_000_000 } },
    },
  },
  'without the policy check, and with a restart for each policy': {
    policy: TOKENS,
    values: { policyCheck: { enabled: false }, restartOnPolicyChange: true, networkPolicy: { enabled: false } },
  },
};
