import * as z from 'zod';
import { KEYS_JOB_INTERVAL_S } from '../../base/limits.ts';
import * as a from '../forms/addresses.ts';
import { DEFAULTS, MAX_CLOCK_SKEW, MAX_PROOF_RATE } from '../forms/bounds.ts';
import { hints } from '../forms/hints.ts';
import { computed, key, mapping, onlyTrue, optional, orElse, orNone, usually } from '../forms/mapping.ts';
import * as s from '../forms/scalars.ts';
import { type Audit, audit, buildAudit } from './audit.ts';
import { gatewayLimits } from './limits.ts';
import { session, signin, store } from './sessions.ts';
import { listenerTls, plainHttp, shown, tls } from './tls.ts';

/** When the gateway fetches the providers' keys again, and how long it uses them, in seconds. */
const keys = mapping({
  refresh: usually(
    'request',
    s.secondsWithin({ least: `${KEYS_JOB_INTERVAL_S}s`, most: '1d' }),
    '5m',
    'How often the gateway fetches the keys of a provider.',
  ),
  stale: usually('request', s.seconds, '24h', 'How long the gateway uses keys while their provider does not answer.'),
  cool_down: usually(
    'request',
    s.secondsWithin({ least: '1s', most: '1h' }),
    '10s',
    'Minimum time between two fetches because of unknown key ids.',
  ),
}).describe('Life cycle of the providers’ keys.');

const assertion = mapping({
  issuer: key('request', a.ownIssuer.describe('"iss" of the assertions: a URL of the gateway itself.')),
  keys_file: key(
    'request',
    s.filePath.describe('JWKS of the private keys, from "meshgate keys new"; nginx’s workers read it.'),
  ),
  // The time is short, because nothing can revoke an assertion.
  lifetime: usually(
    'request',
    s.secondsWithin({ least: '10s', most: '600s' }),
    '60s',
    'Lifetime of an assertion, from 10s to 10m.',
  ),
}).describe('Services receive X-Meshgate-Assertion, a signed short-lived token that says who the caller is.');

export interface Assertion extends z.output<typeof assertion> {
  /** Set if the assertion contains the roles also in a second form, which Consul can compare. */
  readonly byRole?: true;
}

const inner = mapping({
  listen: usually('request', a.port, DEFAULTS.innerListen, 'Port of the inner listener.'),
  client_ca_file: key('request', s.filePath.describe('CA for the certificates of services.')),
  tls: optional('nothing', tls, 'Server certificate of the inner listener. Default: the host’s.'),
}).describe(
  'The listener at which services call other services for a person. They use mutual TLS, and send the assertion that they received.',
);

/** The listener of the second hop. */
export type Inner = z.output<typeof inner>;

const hsts = mapping({
  max_age: key(
    'nothing',
    s.secondsWithin({ least: '1d' }).describe('How long browsers use only TLS for a host; at least 1d.'),
  ),
  include_subdomains: orElse('nothing', onlyTrue('Browsers use only TLS for all names below each host, too.'), false),
})
  .register(hints, { what: 'a mapping', write: '{ max_age: 365d }' })
  .describe('Strict-Transport-Security (RFC 6797) in every response. Default: left to services.');

const proof = mapping({
  rate: usually(
    'request',
    s.perSecondWithin({ most: `${MAX_PROOF_RATE}/s` }),
    `${DEFAULTS.proofRate}/s`,
    `How many DPoP proofs per second the gateway can remember against replay, at most ${MAX_PROOF_RATE}/s.`,
  ),
  age: usually(
    'request',
    s.secondsWithin({ least: '5s', most: '300s' }),
    '60s',
    'Maximum age of a proof, from 5s to 5m.',
  ),
  nonce: key('request', onlyTrue('Proofs need a nonce of the gateway.')),
  keys_file: optional(
    {
      decides: 'request',
      noEffectWithout: { nonce: 'no effect without nonce: the keys are for nonces; write nonce: true, or remove this' },
    },
    s.filePath,
    'JWKS of secret keys, from "meshgate keys new --session". Replicas with the same file accept each other’s nonces.',
  ),
})
  .register(hints, { what: 'the settings of DPoP proofs', write: `{ rate: ${DEFAULTS.proofRate}/s }` })
  .describe('The gateway accepts DPoP proofs (RFC 9449).');

/** The settings of DPoP proofs: how many proofs all workers accept together per second, and for how many seconds a
 * proof is valid. */
export type ProofPolicy = z.output<typeof proof>;

const ipVersion = z.literal([4, 6]).register(hints, { what: 'a version of IP', write: '4 or 6' });

/** The name of the gateway. Names of rendered objects begin with it, and then with two dashes or, for the default name,
 * with one. So this form keeps the objects of two gateways apart. */
const name = s.text(/^(?=.{1,40}$)(?!meshgate-)[a-z](?:-?[a-z0-9])*$/, {
  what: 'a name of at most 40 characters that does not begin with meshgate-',
  write: 'lower-case letters, digits and single dashes, as in team-a',
  fix: (value) => (/^meshgate-[a-z](?:-?[a-z0-9])*$/.test(String(value)) ? String(value).slice(9) : undefined),
});

export const gateway = mapping({
  name: usually(
    'nothing',
    name,
    DEFAULTS.gatewayName,
    'Name of the gateway in the names and labels of objects for Kubernetes and Consul. Two policies on one cluster need two names.',
  ),
  clock_skew: usually(
    'request',
    s.secondsWithin({ most: `${MAX_CLOCK_SKEW}s` }),
    '30s',
    'By how much exp, nbf and iat of a token may be off, at most 5m.',
  ),
  token_cache: usually(
    'request',
    s.secondsWithin({ least: '1s' }),
    '5m',
    'How long the gateway remembers a verified token.',
  ),
  keys: key('request', keys.prefault({})),
  trusted_proxies: orNone(
    'request',
    s.list(a.cidr, '[10.0.0.0/8]'),
    'Addresses of proxies whose X-Forwarded-For the gateway believes. Each proxy can claim any client address. Default: none.',
  ),
  insecure_proxied_networks: key(
    'request',
    onlyTrue(
      'trusted_proxies may be wide and overlap networks of roles, although clients in these ranges can forge any address.',
    ),
  ),
  resolver: orNone(
    'nothing',
    s.list(a.resolver, '[10.0.0.10]'),
    'DNS servers for providers and ingress. Default: those of the machine.',
  ),
  ip_versions: usually(
    'nothing',
    s.list(ipVersion, '[4, 6]'),
    [4],
    'Versions of IP that the gateway uses: at which the image listens, and which addresses of names nginx looks up.',
  ),
  listen: usually('nothing', a.port, DEFAULTS.listen, 'Port at which the image serves hosts.'),
  tls: key({ decides: 'nothing', excludes: plainHttp }, listenerTls.optional()),
  insecure_http: orElse(
    'request',
    onlyTrue('The image serves plain HTTP, so tokens are not encrypted on the network.'),
    false,
  ),
  assertion: key('request', assertion.optional()),
  inner: key('request', inner.optional()),
  mesh_probe: key(
    {
      decides: 'nothing',
      noEffectWithout: { '/mesh|/meshes': 'no effect: the policy has no mesh to probe; add mesh, or remove this' },
    },
    mapping({
      every: usually(
        'nothing',
        s.secondsWithin({ least: '5s', most: '5m' }),
        '15s',
        'How often the gateway sends the requests, from 5s to 5m.',
      ),
    })
      .register(hints, { what: 'the settings of the probe', write: '{ every: 15s }' })
      .describe(
        'The gateway sends requests that the mesh must deny, and reports a mesh that allows one. Default: none.',
      )
      .optional(),
  ),
  connections: key(
    'request',
    mapping({
      per_address: usually(
        'request',
        s.count('connections', 8192, 'a whole number'),
        DEFAULTS.connectionsPerAddress,
        'How many connections of one address, or of one /64 network of IPv6, each worker of the image accepts at once; a /48 network has twice as many. Twice as many requests may be open. Addresses in trusted_proxies have no limit of connections.',
      ),
    })
      .register(hints, { what: 'a mapping', write: `{ per_address: ${DEFAULTS.connectionsPerAddress} }` })
      .describe('How much of the image each address may use at once.')
      .optional(),
  ),
  health: key(
    'nothing',
    mapping({
      listen: key('nothing', a.listener.describe('Listener for probes over plain HTTP, only for internal use.')),
    })
      .transform(({ listen }) => String(listen))
      .describe('Probes over TCP. Default: only over the unix socket.')
      .optional(),
  ),
  hsts: key('nothing', hsts.optional()),
  credential_header: optional(
    'request',
    s.headerName,
    'Header with the gateway’s token, on routes whose Authorization belongs to the service. Services never receive it.',
  ),
  public_port: computed(
    'request',
    a.port,
    443,
    'Port in the gateway’s own URLs, as browsers and other clients see it.',
  ),
  session: key('request', session.optional()),
  signin: key('request', signin.optional()),
  store: key('request', store.optional()),
  limits: key('request', gatewayLimits.optional()),
  proof: key('request', proof.optional()),
  audit: key('nothing', audit.optional()),
}).describe('The gateway itself.');

type DeclaredGateway = z.output<typeof gateway>;

export interface Gateway
  extends Omit<DeclaredGateway, 'tls' | 'assertion' | 'session' | 'audit'>,
    Partial<z.output<typeof session>> {
  readonly tls?: z.output<typeof tls>;
  readonly assertion?: Assertion;
  readonly audit?: Audit;
}

/** @param consul whether one of the meshes is Consul
 * @param hosts the names of the policy's hosts */
export const buildGateway = (
  { tls, assertion, session, audit, ...rest }: DeclaredGateway,
  consul: boolean,
  hosts: readonly string[],
): Gateway => ({
  ...rest,
  ...shown(tls),
  ...(assertion && { assertion: { ...assertion, ...(consul && { byRole: true as const }) } }),
  ...session,
  ...(audit && { audit: buildAudit(audit, hosts) }),
});
