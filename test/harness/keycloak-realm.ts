import type { JWK } from 'jose';
import { people, wikiResource } from '../services/shared/people.ts';

/** The settings of a realm that differ from the defaults below; times in seconds. */
export interface RealmOptions {
  /** Name of the realm, default `corp`; the issuer is `https://ALIAS:8443/realms/NAME`. */
  readonly name?: string;
  /** Origins of the gateway (`https://wiki.example.com:8443`) to which people may return. */
  readonly origins?: readonly string[];
  readonly accessToken?: number;
  /** Lifetime of a provider session without and with use. */
  readonly idle?: number;
  readonly most?: number;
  /** Default on: each refresh token is valid once, and a second use ends the session. */
  readonly rotation?: boolean;
  /** The URL that Keycloak itself notifies about ended sessions. */
  readonly backchannel?: string;
  /** The URL that browsers open in a frame at sign-out. */
  readonly frontchannel?: string;
  /** Public keys of the client that signs its assertions (`wiki-jwt`). */
  readonly keys?: readonly JWK[];
  /** Subject of the certificate of the client `wiki-tls`, as RFC 2253 writes it: `CN=wiki-tls`. */
  readonly certificate?: string;
  /** Tokens of all clients are bound to a key by DPoP, or to the client's certificate. */
  readonly bound?: 'dpop' | 'certificate';
  /** Pushed requests are required. */
  readonly parOnly?: boolean;
  /** A client with this name, and the secret of `wiki`: it exchanges people's tokens of `wiki` for its own, and has
   * tokens for itself. */
  readonly agent?: string;
  /** More parts of the realm, as Keycloak imports them. */
  readonly parts?: Readonly<Record<string, unknown>>;
}

/** Clients of a realm. `wiki` has this secret, and each person's password is their name. */
export const keycloakSecret = 'wiki-secret';

/** The secret of `wiki-strict`, with which it signs (HS256). */
export const strictSecret = 'the secret of wiki-strict, which signs';

/** Realm roles beside the groups. */
const rolesOf: Readonly<Record<string, readonly string[]>> = { ada: ['editor'], ben: ['reader'] };

type Json = Readonly<Record<string, unknown>>;

const mapper = (name: string, kind: string, config: Json) => ({
  name,
  protocol: 'openid-connect',
  protocolMapper: kind,
  config: { 'id.token.claim': 'true', 'access.token.claim': 'true', 'userinfo.token.claim': 'true', ...config },
});

const mappers = [
  mapper('groups', 'oidc-group-membership-mapper', { 'claim.name': 'groups', 'full.path': 'false' }),
  mapper('audience', 'oidc-audience-mapper', {
    'included.custom.audience': wikiResource,
    'id.token.claim': 'false',
    'userinfo.token.claim': 'false',
  }),
];

function client(id: string, options: RealmOptions, own: Json & { readonly attributes?: Json }): Json {
  const { origins = [], backchannel, frontchannel, bound, parOnly } = options;
  const attributes = {
    'post.logout.redirect.uris': origins.map((origin) => `${origin}/*`).join('##') || '+',
    'backchannel.logout.session.required': 'true',
    'frontchannel.logout.session.required': 'true',
    ...(backchannel === undefined ? {} : { 'backchannel.logout.url': backchannel }),
    ...(frontchannel === undefined ? {} : { 'frontchannel.logout.url': frontchannel }),
    ...(bound === 'dpop' ? { 'dpop.bound.access.tokens': 'true' } : {}),
    ...(bound === 'certificate' ? { 'tls.client.certificate.bound.access.tokens': 'true' } : {}),
    ...(parOnly ? { 'require.pushed.authorization.requests': 'true' } : {}),
    ...own.attributes,
  };
  return {
    clientId: id,
    protocol: 'openid-connect',
    standardFlowEnabled: true,
    directAccessGrantsEnabled: true,
    publicClient: false,
    fullScopeAllowed: true,
    frontchannelLogout: frontchannel !== undefined,
    redirectUris: origins.map((origin) => `${origin}/*`),
    webOrigins: [],
    protocolMappers: mappers,
    ...own,
    attributes,
  };
}

/** Software that acts for people by token exchange (RFC 8693), and for itself by client credentials. */
function agentClient(name: string, options: RealmOptions): Json {
  return client(name, options, {
    secret: keycloakSecret,
    standardFlowEnabled: false,
    directAccessGrantsEnabled: false,
    serviceAccountsEnabled: true,
    attributes: { 'standard.token.exchange.enabled': 'true' },
  });
}

function clients(options: RealmOptions): Json[] {
  const pkce = { 'pkce.code.challenge.method': 'S256' };
  const { agent } = options;
  const forAgent =
    agent === undefined ? [] : [mapper('agent', 'oidc-audience-mapper', { 'included.client.audience': agent })];
  return [
    ...(agent === undefined ? [] : [agentClient(agent, options)]),
    client('wiki', options, { secret: keycloakSecret, attributes: pkce, protocolMappers: [...mappers, ...forAgent] }),
    client('wiki-jwt', options, {
      clientAuthenticatorType: 'client-jwt',
      attributes: {
        ...pkce,
        'use.jwks.string': 'true',
        'jwks.string': JSON.stringify({ keys: options.keys ?? [] }),
      },
    }),
    // It signs with its secret, may only push its requests, and its signed UserInfo alone has groups.
    client('wiki-strict', options, {
      clientAuthenticatorType: 'client-secret-jwt',
      secret: strictSecret,
      attributes: {
        ...pkce,
        ...{ 'token.endpoint.auth.signing.alg': 'HS256', 'user.info.response.signature.alg': 'RS256' },
        'require.pushed.authorization.requests': 'true',
      },
      protocolMappers: [
        mapper('groups', 'oidc-group-membership-mapper', {
          ...{ 'claim.name': 'groups', 'full.path': 'false', 'id.token.claim': 'false' },
        }),
      ],
    }),
    client('wiki-tls', options, {
      clientAuthenticatorType: 'client-x509',
      attributes: { ...pkce, 'x509.subjectdn': options.certificate ?? 'CN=wiki-tls' },
    }),
    client('wiki-cli', options, {
      publicClient: true,
      attributes: { 'oauth2.device.authorization.grant.enabled': 'true', 'oauth2.device.polling.interval': '1' },
    }),
  ];
}

/** A realm as Keycloak imports it: people with groups and roles, and a client for each way of authentication. */
export function realm(options: RealmOptions = {}): Json {
  const groups = [...new Set(Object.values(people).flatMap((person) => person.groups))];
  const roles = [...new Set(Object.values(rolesOf).flat())];
  return {
    realm: options.name ?? 'corp',
    enabled: true,
    sslRequired: 'all',
    loginTheme: 'keycloak',
    // Passwords here are not secrets, so a sign-in may be cheap.
    passwordPolicy: 'hashAlgorithm(pbkdf2-sha256) and hashIterations(1)',
    revokeRefreshToken: options.rotation ?? true,
    refreshTokenMaxReuse: 0,
    accessTokenLifespan: options.accessToken ?? 300,
    ssoSessionIdleTimeout: options.idle ?? 1800,
    ssoSessionMaxLifespan: options.most ?? 36_000,
    roles: { realm: roles.map((name) => ({ name })) },
    groups: groups.map((name) => ({ name })),
    clients: clients(options),
    users: Object.entries(people).map(([id, person]) => {
      const [firstName, lastName] = person.name.split(' ');
      return {
        ...{ id, username: id, enabled: true, email: person.email, emailVerified: true, firstName, lastName },
        credentials: [{ type: 'password', value: id, temporary: false }],
        groups: person.groups.map((group) => `/${group}`),
        realmRoles: rolesOf[id] ?? [],
      };
    }),
    ...options.parts,
  };
}
