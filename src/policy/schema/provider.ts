import * as z from 'zod';
import {
  fillTenant,
  kindOfIssuer,
  type ProviderKind,
  type ProviderKindName,
  providerKindNames,
  providerKinds,
} from '../../providers/index.ts';
import * as a from '../forms/addresses.ts';
import type { At } from '../forms/at.ts';
import { MAX_INTROSPECTION_TIMEOUT, MAX_PROVIDER_TIMEOUT } from '../forms/bounds.ts';
import { hints } from '../forms/hints.ts';
import { flag, key, mapping, named, onlyTrue, optional, orElse, orNone, usually } from '../forms/mapping.ts';
import * as s from '../forms/scalars.ts';
import { trustDomain } from '../forms/workload-names.ts';
import { parameters } from './signin-parameters.ts';

const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const;

export type Algorithm = (typeof ALGORITHMS)[number];

const domain = s.text(a.DOMAIN, {
  what: 'a domain',
  write: 'the part after the @, in lower case, as in example.com',
  fix: (value) => {
    const plain = typeof value === 'string' ? value.toLowerCase().replace(/^.*@|^\*\./g, '') : '';
    return a.DOMAIN.test(plain) ? plain : undefined;
  },
});

/** The form of a client id. OAuth 2.0 (RFC 6749, appendix A.1) allows visible characters. */
const clientId = s.text(/^[!-~]{1,256}$/, {
  what: 'a client id',
  write: 'the id of the gateway’s client at the provider',
  fix: (value) => (typeof value === 'number' ? `"${value}" in quotes` : undefined),
});

/** The form of a scope (RFC 6749, section 3.3). */
const scope = s.text(/^[!#-[\]-~]{1,128}$/, {
  what: 'a scope',
  write: 'a word without spaces, as in openid',
  fix: (value) => (typeof value === 'string' && / /.test(value) ? `${value.trim().split(/ +/).join(', ')}` : undefined),
});

/** How the gateway authenticates at a provider, as its client. */
export type ClientAuth =
  | {
      readonly kind: 'client_secret_basic' | 'client_secret_post' | 'client_secret_jwt';
      readonly secretFile: string;
    }
  /** A JWKS with private keys. The gateway signs with the first key. */
  | { readonly kind: 'private_key_jwt'; readonly keysFile: string }
  | { readonly kind: 'tls_client_auth'; readonly certFile: string; readonly keyFile: string }
  /** A public client, which has no secret and uses only PKCE. */
  | { readonly kind: 'none' };

/** The name of each `auth` in OpenID Connect Core, section 9. */
const secretWays = {
  basic: 'client_secret_basic',
  post: 'client_secret_post',
  secret_jwt: 'client_secret_jwt',
} as const;

const client = mapping({
  id: key('request', clientId.describe('Client id.')),
  secret_file: optional(
    'request',
    s.filePath,
    'File with the client secret; during a rotation, a second line contains the next or the previous secret.',
  ),
  auth: usually(
    { decides: 'request', noEffectWithout: { secret_file: true } },
    z.enum(['basic', 'post', 'secret_jwt']),
    'basic',
    'How the client uses its secret: it sends the secret in Basic credentials or in the body, or signs an assertion with it (client_secret_jwt, HS256).',
  ),
  cert_file: key(
    { decides: 'request', excludes: { secret_file: true, keys_file: true }, requires: { key_file: true } },
    s.certFile.optional(),
  ),
  key_file: key(
    { decides: 'request', requires: { cert_file: 'cert_file: next to key_file, or only keys_file:' } },
    s.keyFile.optional(),
  ),
  keys_file: optional(
    { decides: 'request', excludes: { secret_file: true } },
    s.filePath,
    'JWKS of private keys, for private_key_jwt; the gateway signs with the first key.',
  ),
})
  .transform(
    ({ id, auth, secretFile, keysFile, certFile, keyFile }): { readonly id: string; readonly auth: ClientAuth } => {
      if (secretFile !== undefined) return { id, auth: { kind: secretWays[auth], secretFile } };
      if (keysFile !== undefined) return { id, auth: { kind: 'private_key_jwt', keysFile } };
      if (certFile === undefined || keyFile === undefined) return { id, auth: { kind: 'none' } };
      return { id, auth: { kind: 'tls_client_auth', certFile, keyFile } };
    },
  )
  .register(hints, {
    what: 'a client',
    write: '{ id: meshgate, secret_file: /run/secrets/client }',
    fix: (value) =>
      Array.isArray(value)
        ? 'clients: for the clients that tokens are issued to, or { id: meshgate, secret_file: /run/secrets/client }'
        : undefined,
  })
  .describe('The gateway’s registration at the provider, with which people sign in.');

/** The client that represents the gateway at a provider (OpenID Connect Core, section 9). */
export type Client = z.output<typeof client>;

const introspection = mapping({
  endpoint: optional(
    'request',
    a.providerEndpoint,
    'The introspection endpoint. Default: from the discovery document.',
  ),
  cache: usually('request', s.secondsWithin({ least: '1s' }), '1m', 'How long the gateway uses an answer.'),
  negative: usually('request', s.seconds, '10s', 'How long the gateway uses the answer that a token is not active.'),
  timeout: usually(
    'request',
    s.secondsWithin({ least: '1s', most: `${MAX_INTROSPECTION_TIMEOUT}s` }),
    `${MAX_INTROSPECTION_TIMEOUT}s`,
    'How long the gateway waits for an answer, at most 4s.',
  ),
  stale: orElse(
    'request',
    s.seconds.describe('How much longer the gateway uses an answer while the provider does not respond. Default: 0s.'),
    0,
  ),
  jwts: key(
    'request',
    onlyTrue(
      'The gateway also asks about JWTs with a valid signature, and so rejects a revoked JWT within the time of "cache".',
    ),
  ),
  insecure_any_type: key(
    'request',
    onlyTrue('Accepts tokens for which the provider sends no "token_type", among which may be refresh tokens.'),
  ),
})
  .register(hints, { what: 'the settings of introspection', write: '{ cache: 1m }' })
  .describe('The gateway asks the provider about tokens that are not JWTs (RFC 7662).');

/** How the gateway asks a provider about tokens (RFC 7662). Times are in seconds. */
export type IntrospectionPolicy = z.output<typeof introspection>;

const signin = mapping(
  {
    scopes: optional(
      'request',
      s.list(scope, '[openid, profile, email]'),
      'The scopes that the gateway requests. Default: the scopes that this kind of provider needs.',
    ),
    prompt: optional(
      'nothing',
      z.enum(['login', 'consent', 'select_account']),
      'The prompt that the provider shows each time. Default: the provider decides.',
    ),
    max_age: optional(
      'request',
      s.secondsWithin({ least: '1s', or: ', or prompt: login for each time' }),
      'People must sign in at the provider again if their last sign-in there is longer ago.',
    ),
    acr_values: optional(
      'request',
      s.list(s.acrValue, '[phr]'),
      'The acr values that sign-ins request, the preferred first.',
    ),
    domains: orNone(
      'nothing',
      s.list(domain, '[example.com]'),
      'People with e-mail addresses of these domains sign in with this provider.',
    ),
    userinfo: optional(
      'request',
      flag,
      'The gateway fetches claims that the ID token lacks from the UserInfo endpoint. Default: true, except for entra.',
    ),
    label: optional(
      'nothing',
      s.plainText,
      'The provider’s name on the page where people choose. Default: its name in the policy.',
    ),
    parameters: key('request', parameters.optional()),
    par: optional(
      'nothing',
      flag,
      'true: pushed authorization requests (RFC 9126). Default: true if the provider requires them.',
    ),
  },
  { notEmpty: 'nothing in it; write scopes: [openid], or remove it' },
).describe('The request to the provider when a person signs in.');

type DeclaredSignin = z.output<typeof signin>;

export type ProviderSignin = DeclaredSignin & Required<Pick<DeclaredSignin, 'scopes' | 'userinfo' | 'label'>>;

export interface GroupsEndpoint {
  /** The URL; the gateway replaces `{oid}` by the object id of the person. */
  readonly endpoint: string;
  /** The scope of the gateway's own token for this endpoint. Microsoft's scope stands for all permissions. */
  readonly scope: string;
}

const groupsEndpoint = a.groupsEndpoint.transform(
  (endpoint): GroupsEndpoint => ({ endpoint, scope: `${/^https:\/\/[^/:]+/.exec(endpoint)?.[0] ?? ''}/.default` }),
);

/** The keys with which the gateway asks a provider about a token. */
const ASKING = {
  decides: 'request',
  noEffectWithout: {
    client: 'missing key "client", with which the gateway asks the provider; write client: { id: …, secret_file: … }',
  },
} as const;

export const provider = mapping({
  kind: optional(
    'request',
    z.enum(providerKindNames),
    'The kind of the provider, which determines where its tokens have groups and scopes. Default: meshgate infers it from the issuer.',
  ),
  issuer: key(
    'request',
    a.issuer.describe(
      '"iss" must be exactly this, and discovery starts here. For kind spiffe, it may be spiffe:// and the trust domain.',
    ),
  ),
  tenants: optional(
    'request',
    s.list(a.tenant, '[72f988bf-86f1-41af-91ab-2d7cd011db47]'),
    'Tenants whose tokens are accepted, if the issuer contains {tenantid}.',
  ),
  trust_domain: optional(
    'request',
    trustDomain,
    'Trust domain of the SPIFFE ids in "sub", for kind spiffe with an https: issuer.',
  ),
  jwks_uri: optional(
    'request',
    a.jwksUri,
    'URL of the keys, for an issuer without a discovery document. Default: from discovery.',
  ),
  audiences: orNone(
    {
      decides: 'request',
      excludes: { insecure_any_audience: 'no effect together with insecure_any_audience; remove one of the two' },
    },
    s.list(s.plainText, '[api://wiki]'),
    '"aud" must contain one of these.',
  ),
  insecure_any_audience: optional(
    'request',
    z.literal(true),
    'Accepts tokens with any audience, even tokens for other services.',
  ),
  clients: optional(
    'request',
    s.list(s.plainText, '[my-client]'),
    'A token’s azp, client_id, cid or appid must be one of these.',
  ),
  algorithms: usually(
    'request',
    s.list(z.enum(ALGORITHMS), '[RS256]'),
    ['RS256', 'PS256', 'ES256'],
    'The signature algorithms that the gateway accepts.',
  ),
  timeout: optional(
    'request',
    s.secondsWithin({ least: '1s', most: `${MAX_PROVIDER_TIMEOUT}s` }),
    'How long the gateway waits for the provider: to connect, and for each answer. Default: 3s to connect, 4s for an answer.',
  ),
  ca_file: optional('request', s.filePath, 'CA bundle for the provider’s TLS certificate. Default: the system’s.'),
  subject: key(
    'request',
    mapping({
      claim: usually('request', s.claimPath, 'sub', 'The claim that names the caller.'),
      prefix: orElse(
        'request',
        s.subjectPrefix.describe('The text before each subject; required if a host accepts several providers.'),
        '',
      ),
    })
      .describe('The names of this provider’s callers.')
      .prefault({}),
  ),
  insecure_private_addresses: key(
    'request',
    onlyTrue('The discovery document may name private addresses of hosts other than the issuer’s.'),
  ),
  client: key('request', client.optional()),
  signin: key(
    {
      decides: 'request',
      noEffectWithout: { client: 'no effect without a client; add client: { id: … }, or remove this' },
    },
    signin.optional(),
  ),
  introspection: key(ASKING, introspection.optional()),
  groups_endpoint: optional(
    ASKING,
    groupsEndpoint,
    'The endpoint that the gateway asks about the policy’s groups if a person has more groups than a token of entra contains.',
  ),
}).describe('An OpenID provider, which issues tokens for callers.');

type DeclaredProvider = z.output<typeof provider>;

export interface Provider extends Omit<DeclaredProvider, 'kind' | 'tenants' | 'trustDomain' | 'signin'> {
  readonly name: string;
  readonly kind: string;
  /** If present, `iss` must be one of these instead of `issuer`. There is one for each tenant or spelling. */
  readonly issuers?: readonly string[];
  /** The trust domain of the subjects in JWT-SVIDs. */
  readonly trustDomain?: string;
  /** Present if and only if {@link client} is. */
  readonly signin?: ProviderSignin;
  readonly at: At;
}

/** The issuers of a provider whose `iss` can have several forms or be absent. */
export function issuersOf(
  kind: ProviderKindName,
  { issuer, tenants, trustDomain }: Pick<DeclaredProvider, 'issuer' | 'tenants' | 'trustDomain'>,
): Pick<Provider, 'issuers' | 'trustDomain'> {
  const { spellings, name }: { readonly spellings?: readonly string[]; readonly name: string } = providerKinds[kind];
  if (name === 'spiffe') return { trustDomain: trustDomain ?? issuer.replace('spiffe://', '') };
  if (tenants) return { issuers: tenants.map((tenant) => fillTenant(issuer, tenant)) };
  return spellings?.includes(issuer) ? { issuers: spellings } : {};
}

export function buildProvider(name: string, declared: DeclaredProvider, at: At): Provider {
  const { issuer, kind = kindOfIssuer(issuer), tenants: _, trustDomain: __, client, signin: own, ...rest } = declared;
  const { signin: defaults = { scopes: [], userinfo: false } }: ProviderKind = providerKinds[kind];
  const { userinfo = defaults.userinfo, label = name, par, ...signin }: Partial<DeclaredSignin> = own ?? {};
  const requested = named({ scopes: defaults.scopes, domains: [], ...signin, userinfo, label, par });
  return named({
    ...{ name, kind, issuer, ...issuersOf(kind, declared), ...rest, client, signin: client && requested, at },
  });
}
