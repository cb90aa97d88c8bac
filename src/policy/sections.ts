import * as z from 'zod';
import { providerKindNames } from '../providers/index.ts';
import { reasons } from '../reasons.ts';
import { hints } from './hints.ts';
import { gatewayLimits, placeLimit } from './limits.ts';
import { list, METHODS } from './lists.ts';
import { ROUTES } from './path.ts';
import { proof } from './proof.ts';
import * as s from './scalars.ts';
import * as signin from './signin-sections.ts';
import { cors, proxy } from './traffic.ts';
import type { Algorithm } from './types.ts';

const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const;

/** Allowed by default: the algorithms that providers use by default. */
export const DEFAULT_ALGORITHMS: readonly Algorithm[] = ['RS256', 'PS256', 'ES256'];

const methods = list(z.enum(METHODS), '[GET, POST]').describe(
  'Methods that the rule covers, in upper case; GET includes HEAD. Default: all.',
);

const tls = z
  .strictObject({ cert_file: s.certFile, key_file: s.keyFile })
  .describe('Server certificate of the image; a js_import user has their own.');

const doorTls = z
  .strictObject({
    cert_file: s.certFile.optional(),
    key_file: s.keyFile.optional(),
    client_ca_file: s.filePath
      .describe('CA that certificates of clients are verified with: they may show one. Default: none is asked for.')
      .optional(),
  })
  .describe('Server certificate of the image, and whose client certificates are taken.');

const onlyTrue = (text: string) =>
  z.literal(true).register(hints, { what: 'true', write: 'true, or leave it out' }).describe(text).optional();

export const gateway = z
  .strictObject({
    clock_skew: s.duration
      .describe('By how much exp, nbf and iat of a token may be off, at most 5m.')
      .meta({ default: '30s' })
      .optional(),
    token_cache: s.duration
      .describe('Longest time that a verified token is remembered.')
      .meta({ default: '5m' })
      .optional(),
    keys: z
      .strictObject({
        refresh: s.duration
          .describe('How often the keys of a provider are fetched.')
          .meta({ default: '5m' })
          .optional(),
        stale: s.duration
          .describe('How long keys are used while their provider does not answer.')
          .meta({ default: '24h' })
          .optional(),
        cool_down: s.duration
          .describe('Shortest time between two fetches that unknown key ids cause.')
          .meta({ default: '10s' })
          .optional(),
      })
      .describe('Life cycle of the providers’ keys.')
      .optional(),
    trusted_proxies: list(s.cidr, '[10.0.0.0/8]')
      .describe(
        'Addresses of proxies whose X-Forwarded-For is believed: each can claim to be any other. Default: none.',
      )
      .optional(),
    insecure_proxied_networks: z
      .literal(true)
      .register(hints, { what: 'true', write: 'true, or leave it out' })
      .describe(
        'trusted_proxies may be wide, and overlap networks of roles, though clients in there can forge any address.',
      )
      .optional(),
    resolver: list(s.resolver, '[10.0.0.10]')
      .describe('DNS servers for providers and ingress. Default: those of the machine.')
      .optional(),
    listen: s.port.describe('Port of the image.').meta({ default: 8443 }).optional(),
    tls: doorTls.optional(),
    insecure_http: z
      .literal(true)
      .register(hints, { what: 'true', write: 'true, or leave it out' })
      .describe('The image serves plain HTTP: tokens travel in the clear.')
      .optional(),
    assertion: z
      .strictObject({
        issuer: s.ownIssuer.describe('"iss" of the assertions: a URL of the gateway itself.'),
        keys_file: s.filePath.describe('JWKS of the private keys, readable by the worker; "meshgate keys" makes it.'),
        lifetime: s.duration
          .describe('How long an assertion is good, from 10s to 10m.')
          .meta({ default: '60s' })
          .optional(),
      })
      .describe('Services receive X-Meshgate-Assertion: a short signed statement of who asks.')
      .optional(),
    inner: z
      .strictObject({
        listen: s.port.describe('Port of the inner listener.').meta({ default: 8444 }).optional(),
        client_ca_file: s.filePath.describe('CA that the certificates of services are verified with.'),
        tls: tls.describe('Server certificate of the inner listener. Default: the host’s.').optional(),
      })
      .describe('Where services ask for the person whose request they serve: mutual TLS, and the assertion they got.')
      .optional(),
    health: z
      .strictObject({
        listen: s.listener.describe('Where probes ask, over plain HTTP: for the inside only.'),
      })
      .describe('Health over TCP. Default: on the unix socket alone.')
      .optional(),
    hsts: z
      .strictObject({
        max_age: s.duration.describe('How long browsers ask for a host over TLS alone; at least 1d.'),
        include_subdomains: onlyTrue('For all names below each host, too.'),
      })
      .register(hints, { what: 'a mapping', write: '{ max_age: 365d }' })
      .describe('Strict-Transport-Security (RFC 6797) in every answer. Default: what services say.')
      .optional(),
    public_port: signin.publicPort.optional(),
    session: signin.session.optional(),
    signin: signin.signin.optional(),
    store: signin.store.optional(),
    limits: gatewayLimits.optional(),
    proof: proof.optional(),
  })
  .describe('The gateway itself.');

export const provider = z
  .strictObject({
    kind: z
      .enum(providerKindNames)
      .describe('What the provider is; says where groups and scopes are. Default: what the issuer looks like.')
      .optional(),
    issuer: s.issuer.describe(
      'Compared exactly with "iss"; discovery starts here. For kind spiffe it may be spiffe:// and the trust domain.',
    ),
    tenants: list(s.tenant, '[72f988bf-86f1-41af-91ab-2d7cd011db47]')
      .describe('Tenants whose tokens are taken, where {tenantid} stands in the issuer.')
      .optional(),
    trust_domain: s.trustDomain
      .describe('Trust domain of the SPIFFE ids in "sub", for kind spiffe with an https: issuer.')
      .optional(),
    jwks_uri: s.jwksUri
      .describe('Where the keys are, for an issuer without a discovery document. Default: what discovery says.')
      .optional(),
    audiences: list(s.plainText, '[api://wiki]').describe('One of these must be in "aud".').optional(),
    insecure_any_audience: z
      .literal(true)
      .describe('Instead of audiences: takes tokens that were issued for somebody else.')
      .optional(),
    clients: list(s.plainText, '[my-client]')
      .describe('If given, azp, client_id, cid or appid must be one of these.')
      .optional(),
    algorithms: list(z.enum(ALGORITHMS), '[RS256]')
      .describe('Signature algorithms that are accepted.')
      .meta({ default: [...DEFAULT_ALGORITHMS] })
      .optional(),
    ca_file: s.filePath.describe('CA bundle for the provider’s TLS certificate. Default: the system’s.').optional(),
    subject: z
      .strictObject({
        claim: s.claimPath.describe('Claim that names the caller.').meta({ default: 'sub' }).optional(),
        prefix: s.subjectPrefix
          .describe('Put before the subject; needed where one host accepts several providers.')
          .optional(),
      })
      .describe('How callers of this provider are named.')
      .optional(),
    insecure_private_addresses: z
      .literal(true)
      .register(hints, { what: 'true', write: 'true, or leave it out' })
      .describe('The discovery document may lead to private addresses of other hosts than the issuer’s.')
      .optional(),
    client: signin.client.optional(),
    signin: signin.providerSignin.optional(),
    introspection: signin.introspection.optional(),
    groups_endpoint: s.groupsEndpoint
      .describe('Where the groups of a policy are asked for, for people who have more than a token of entra takes.')
      .optional(),
  })
  .describe('An OpenID provider that vouches for callers.');

const headerSource = z
  .union([
    z.enum(['subject', 'email', 'name', 'groups', 'roles', 'provider', 'actor']),
    z.strictObject({
      claim: s.claimPath.describe('Claim whose value is sent.').optional(),
      first_role: z
        .record(z.string(), s.headerValue)
        .register(hints, { what: 'a mapping of roles', write: '{ admin: Admin, editor: Editor }', keysRefer: 'role' })
        .meta({ description: 'Role → value; the first role that the caller has counts.' })
        .optional(),
      else: s.headerValue.describe('Value for callers with none of the roles.').optional(),
    }),
    z.null(),
  ])
  .register(hints, {
    what: 'the source of a header',
    write: 'subject, { claim: department }, { first_role: … } or null',
    fix: (value) =>
      typeof value === 'string' && /^[A-Za-z]\w{2,40}$/.test(value)
        ? `{ claim: ${value} } for that claim, or one of subject, email, name, groups, roles, provider, actor`
        : undefined,
  })
  .describe('Where the value comes from; null removes a header set further out.');

export const headers = z
  .record(z.string(), headerSource)
  .register(hints, { what: 'a mapping of headers', write: '{ X-Forwarded-User: subject }' })
  .meta({
    propertyNames: { pattern: '^[A-Za-z][A-Za-z0-9-]*$' },
    description: 'Identity headers that services receive, by name.',
  });

const rule = z
  .union([
    s.reference('role').describe('A role, authenticated or anyone.'),
    z.strictObject({
      role: s.reference('role').describe('Callers with this role.').optional(),
      agent: s
        .reference('agent')
        .describe(
          'This agent, for a person whom another rule of the route lets pass; or by itself, if it may be alone.',
        )
        .optional(),
      who: z.enum(['authenticated', 'anyone']).describe('Everybody with a good token, or everybody.').optional(),
      methods: methods.optional(),
      tools: list(s.tool, '[search_*]')
        .describe('MCP tools that the agent may call, by the headers of SEP-2243; what lists and notifies passes too.')
        .optional(),
      service: s
        .reference('service')
        .describe('The service that these callers reach instead of the route’s.')
        .optional(),
      as: s.reference('identity').describe('Mesh identity to connect with.').meta({ default: 'default' }).optional(),
    }),
  ])
  .register(hints, {
    what: 'a rule',
    write: 'a role, authenticated, anyone, or { role: editor, methods: [GET], as: wiki-editor }',
  });

export const route = z
  .strictObject({
    service: s.reference('service').describe('The service that is asked.'),
    accept: list(z.enum(['bearer', 'session', 'certificate']), '[bearer]')
      .describe(
        'Credentials that are taken. Default: bearer where a provider has audiences, session where one has a client; certificate only where it is said.',
      )
      .optional(),
    audiences: list(s.plainText, '[https://mcp.example.com/mcp]')
      .describe('One of these must be in "aud" here, in the place of the providers’ audiences (RFC 8707).')
      .optional(),
    allow: list(rule, '[staff]').describe('Who may pass; the first rule that matches decides.'),
    headers: headers.optional(),
    proxy: proxy.optional(),
    cors: cors.optional(),
    limit: placeLimit.optional(),
    owner: signin.owner.optional(),
    ask: signin.ask.optional(),
    service_workers: onlyTrue(
      'Pages may register service workers from below a folder of this route. Default: refused where people sign in.',
    ),
    insecure_service_workers: onlyTrue(
      'The same from anywhere in this route: such a worker hears what comes back to /.meshgate/ from a provider.',
    ),
  })
  .register(hints, { what: 'a route', write: '{ service: wiki, allow: [staff] }' })
  .describe('/x/* covers /x and everything below it, /x only itself, /* everything.');

export const host = z
  .strictObject({
    providers: list(s.reference('provider'), '[okta]')
      .describe('Providers whose tokens are accepted; needed where there are several.')
      .optional(),
    tls: doorTls.optional(),
    headers: headers.optional(),
    proxy: proxy.optional(),
    cors: cors.optional(),
    limit: placeLimit.optional(),
    owner: signin.owner.optional(),
    ask: signin.ask.optional(),
    [ROUTES]: z.record(z.string(), route),
  })
  .register(hints, { what: 'a host', write: '/*: { service: wiki, allow: [staff] } below it' })
  .describe('Routes of one host, by path.');

const methodKeys = Object.fromEntries(
  METHODS.map((method) => [method, s.testUrl.describe('URL that is asked with this method.').optional()]),
) as Record<(typeof METHODS)[number], z.ZodOptional<typeof s.testUrl>>;

const EXPECTED = ['allowed', ...Object.keys(reasons)] as [string, ...string[]];

export const test = z
  .strictObject({
    as: z
      .union([
        z.enum(['nobody']),
        z.strictObject({
          roles: z
            .array(s.reference('role'))
            .register(hints, { what: 'a list of roles', write: '[staff]' })
            .describe('Somebody with exactly these roles.')
            .optional(),
          agent: s.reference('agent').describe('The agent that asks for them, or by itself.').optional(),
          provider: s.reference('provider').describe('Provider of the token.').optional(),
          claims: z
            .record(z.string(), z.unknown())
            .register(hints, { what: 'a mapping of claims', write: '{ sub: ann, groups: [staff] }' })
            .describe('Claims of the token, or of the session.')
            .optional(),
          signed_in: s.duration.describe('How long ago they signed in (claim auth_time).').optional(),
          network: s.address.describe('The address that they ask from.').optional(),
          certificate: s.oneCertificateName.describe('The name in the certificate that they show.').optional(),
        }),
      ])
      .register(hints, { what: 'a caller', write: 'nobody, { roles: [staff] } or { provider: okta, claims: { … } }' })
      .describe('Who asks.'),
    ...methodKeys,
    tool: s.toolName.describe('The MCP tool that the request calls, by the headers of SEP-2243.').optional(),
    mcp: s.mcpMessage
      .describe('The message of MCP that the request is, by these headers: METHOD, or METHOD:NAME.')
      .optional(),
    expect: z.enum(EXPECTED).describe('allowed, or the reason why not.'),
  })
  .register(hints, {
    what: 'a test',
    write: '{ as: { roles: [staff] }, GET: https://wiki.example.com/x, expect: allowed }',
  })
  .describe('One request and what must come of it.');
