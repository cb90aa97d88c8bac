/** An option of oauth2-proxy, and what becomes of it. docs/migrating-oauth2-proxy.md shows this table. */
export interface Option {
  /** The name of the flag, without dashes. */
  readonly name: string;
  /** The option can have several values. */
  readonly list?: true;
  /** The value is true or false. */
  readonly bool?: true;
  /** The flag takes the next word as its value, although the value is true or false. */
  readonly word?: true;
  /** The value is a duration of Go, or a whole number. */
  readonly unit?: 'duration' | 'number';
  /** The value is a secret: it appears in no output. */
  readonly secret?: true;
  /** The keys of the policy that stand for the option. */
  readonly to?: string;
  /** Why the policy does not have it, and what to do. */
  readonly lost?: string;
  /** With this value there is nothing to carry over. */
  readonly same?: string;
}

const LOG = 'the gateway writes one JSON line per request (docs/log.md)';
const TOKEN =
  'the token of the provider stays at the gateway: give services a signed assertion instead (gateway.assertion), or headers';
const BROKER = 'put Keycloak or Dex in front of this provider (docs/brokers.md), and let it give the groups';
const REDIS =
  'a session is a sealed cookie, and one replica needs no store; for several replicas write gateway.store with the endpoints of your etcd';
const DISCOVERY = 'the addresses come from the discovery document of the issuer';
const COOKIE = 'the cookie is always __Host-Http-meshgate, for one host: Secure, HttpOnly, SameSite=Lax, path /';
const PAGES = 'the pages have another form: write templates for gateway.signin.pages_dir (docs/pages)';
const PASSWORDS =
  'the gateway has no passwords of its own: give these people accounts at the provider, or clients an access token';
const GOOGLE =
  'tokens of Google have no groups, and the gateway does not ask the directory: name the organisation (hd) and addresses in the role, or put a broker in between that gives groups';
const PROBE = 'probes have addresses of their own, /.meshgate/healthz and /.meshgate/readyz (gateway.health.listen)';

const list = { list: true } as const;
const bool = { bool: true } as const;
const secret = { secret: true } as const;
const duration = { unit: 'duration' } as const;
const number = { unit: 'number' } as const;

/** The options of oauth2-proxy 7.15, by what they are about. */
export const sections: Readonly<Record<string, readonly Option[]>> = {
  'The provider': [
    { name: 'provider', to: 'providers.NAME.kind or issuer' },
    { name: 'provider-display-name', to: 'providers.NAME.signin.label' },
    { name: 'oidc-issuer-url', to: 'providers.NAME.issuer' },
    { name: 'client-id', to: 'providers.NAME.client.id' },
    { name: 'client-secret', ...secret, to: 'providers.NAME.client.secret_file' },
    { name: 'client-secret-file', to: 'providers.NAME.client.secret_file' },
    { name: 'oidc-jwks-url', to: 'providers.NAME.jwks_uri' },
    {
      name: 'skip-oidc-discovery',
      ...bool,
      same: 'false',
      lost: 'sign-in needs the discovery document of the provider',
    },
    {
      name: 'oidc-public-key-file',
      ...list,
      lost: 'the gateway fetches keys from the provider: publish them as a JWKS and write jwks_uri',
    },
    { name: 'oidc-enabled-signing-alg', ...list, to: 'providers.NAME.algorithms' },
    { name: 'oidc-extra-audience', ...list, to: 'providers.NAME.audiences' },
    {
      name: 'oidc-audience-claim',
      ...list,
      same: 'aud',
      lost: 'the gateway reads aud (for cognito also client_id): let the provider put the audience there',
    },
    { name: 'oidc-groups-claim', to: 'the claim in the facts of roles' },
    {
      name: 'oidc-email-claim',
      same: 'email',
      lost: 'only the claim email counts as an address, and only if the provider says that it is verified: let the provider send both',
    },
    {
      name: 'user-id-claim',
      same: 'email',
      lost: 'an old name of oidc-email-claim: only the claim email counts as an address; the name of a caller is subject.claim',
    },
    { name: 'provider-ca-file', ...list, to: 'providers.NAME.ca_file' },
    {
      name: 'use-system-trust-store',
      ...bool,
      same: 'false',
      lost: 'ca_file replaces the CAs of the system: put all that you need into one file',
    },
    {
      name: 'insecure-oidc-allow-unverified-email',
      ...bool,
      same: 'false',
      lost: 'an address counts only if the provider says that it is verified',
    },
    {
      name: 'insecure-oidc-skip-issuer-verification',
      ...bool,
      same: 'false',
      lost: 'the issuer must be exactly that of the policy; for several tenants of Entra ID, list them in tenants',
    },
    { name: 'insecure-oidc-skip-nonce', ...bool, to: 'always checked' },
    {
      name: 'ssl-insecure-skip-verify',
      ...bool,
      same: 'false',
      lost: 'certificates are always verified: write ca_file',
    },
    { name: 'login-url', lost: DISCOVERY },
    { name: 'redeem-url', lost: DISCOVERY },
    { name: 'profile-url', lost: DISCOVERY },
    { name: 'validate-url', lost: DISCOVERY },
    { name: 'pubjwk-url', lost: DISCOVERY },
    { name: 'skip-claims-from-profile-url', ...bool, to: 'providers.NAME.signin.userinfo' },
    { name: 'resource', to: 'providers.NAME.signin.parameters' },
    {
      name: 'auth-request-response-mode',
      lost: 'the gateway reads the answer of the provider in the query only',
    },
    { name: 'jwt-key', ...secret, to: 'providers.NAME.client.keys_file' },
    { name: 'jwt-key-file', to: 'providers.NAME.client.keys_file' },
  ],
  'The sign-in': [
    { name: 'scope', to: 'providers.NAME.signin.scopes' },
    { name: 'prompt', to: 'providers.NAME.signin.prompt' },
    { name: 'approval-prompt', same: 'force', lost: 'an old parameter of Google: write signin.prompt' },
    { name: 'acr-values', to: 'providers.NAME.signin.acr_values' },
    { name: 'code-challenge-method', to: 'always S256' },
    { name: 'force-code-challenge-method', to: 'always S256' },
    { name: 'redirect-url', to: 'the name under hosts' },
    { name: 'relative-redirect-url', ...bool, same: 'false', to: 'https://HOST/.meshgate/callback' },
    {
      name: 'proxy-prefix',
      same: '/oauth2',
      lost: 'the paths of the gateway begin with /.meshgate/: change links to sign_in, sign_out and userinfo',
    },
    { name: 'whitelist-domain', ...list, lost: 'a return address is always a path of the same host' },
    {
      name: 'backend-logout-url',
      lost: 'discovery finds the sign-out of the provider; /.meshgate/backchannel receives its sign-outs',
    },
    { name: 'skip-provider-button', ...bool, to: 'with one provider, people do not choose' },
    { name: 'encode-state', ...bool, to: 'state is always sealed' },
    { name: 'banner', lost: PAGES },
    { name: 'footer', lost: PAGES },
    { name: 'custom-sign-in-logo', lost: PAGES },
    { name: 'custom-templates-dir', lost: PAGES },
    {
      name: 'show-debug-on-error',
      ...bool,
      same: 'false',
      lost: 'pages show the reason and a request id; details are in the log',
    },
    { name: 'display-htpasswd-form', ...bool, same: 'false', lost: PASSWORDS },
  ],
  'Who may pass': [
    { name: 'email-domain', ...list, to: 'a role' },
    { name: 'authenticated-emails-file', to: 'a role' },
    { name: 'allowed-group', ...list, to: 'a role' },
    { name: 'allowed-role', ...list, to: 'a role' },
    { name: 'keycloak-group', ...list, to: 'a role' },
    { name: 'gitlab-group', ...list, to: 'a role' },
    {
      name: 'gitlab-project',
      ...list,
      lost: 'tokens of GitLab do not name projects: make a group for these people, and add it to the role',
    },
    { name: 'google-group', ...list, lost: GOOGLE },
    { name: 'google-admin-email', lost: GOOGLE },
    { name: 'google-service-account-json', lost: GOOGLE },
    { name: 'google-use-application-default-credentials', ...bool, word: true, same: 'false', lost: GOOGLE },
    { name: 'google-target-principal', lost: GOOGLE },
    { name: 'google-use-organization-id', ...bool, word: true, same: 'false', lost: GOOGLE },
    { name: 'google-admin-api-user-scope', lost: GOOGLE },
    { name: 'azure-tenant', to: 'providers.NAME.issuer' },
    {
      name: 'azure-graph-group-field',
      same: 'id',
      lost: 'tokens of Entra ID name groups by object id: write the ids into the role',
    },
    { name: 'entra-id-allowed-tenant', ...list, to: 'providers.NAME.tenants' },
    {
      name: 'entra-id-federated-token-auth',
      ...bool,
      same: 'false',
      lost: 'write client.secret_file, or client.keys_file with a key that is registered at the application',
    },
    { name: 'github-org', to: 'a role, for the groups of a broker' },
    { name: 'github-team', to: 'a role, for the groups of a broker' },
    { name: 'github-repo', lost: BROKER },
    { name: 'github-token', ...secret, lost: BROKER },
    { name: 'github-user', ...list, lost: BROKER },
    { name: 'bitbucket-team', to: 'a role, for the groups of a broker' },
    { name: 'bitbucket-repository', lost: BROKER },
    { name: 'htpasswd-file', lost: PASSWORDS },
    { name: 'htpasswd-user-group', ...list, lost: PASSWORDS },
    { name: 'trusted-ip', ...list, to: 'a role by network' },
    { name: 'skip-auth-route', ...list, to: 'routes with anyone' },
    { name: 'skip-auth-regex', ...list, to: 'routes with anyone' },
    { name: 'skip-auth-preflight', ...bool, to: 'the rule { who: anyone, methods: [OPTIONS] }' },
    { name: 'skip-jwt-bearer-tokens', ...bool, to: 'providers.NAME.audiences' },
    { name: 'extra-jwt-issuers', ...list, to: 'further providers' },
    {
      name: 'bearer-token-login-fallback',
      ...bool,
      same: 'false',
      lost: 'the gateway rejects an invalid token, and never tries another credential instead',
    },
    { name: 'api-route', ...list, to: 'scripts always get 401, and only pages are sent to sign in' },
    { name: 'force-json-errors', ...bool, to: 'scripts always get JSON' },
  ],
  'Sessions and cookies': [
    { name: 'cookie-secret', ...secret, to: 'gateway.session.keys_file' },
    { name: 'cookie-secret-file', to: 'gateway.session.keys_file' },
    { name: 'cookie-expire', ...duration, to: 'gateway.session.absolute and idle' },
    { name: 'cookie-refresh', ...duration, to: 'gateway.session.fresh' },
    { name: 'cookie-name', lost: COOKIE },
    { name: 'cookie-path', same: '/', lost: COOKIE },
    {
      name: 'cookie-domain',
      ...list,
      lost: 'each host has its own cookie; with gateway.signin.host, several hosts share one sign-in',
    },
    { name: 'cookie-secure', ...bool, same: 'true', lost: COOKIE },
    { name: 'cookie-httponly', ...bool, same: 'true', lost: COOKIE },
    { name: 'cookie-samesite', same: 'lax', lost: COOKIE },
    { name: 'cookie-csrf-per-request', ...bool, to: 'always so' },
    { name: 'cookie-csrf-per-request-limit', ...number, to: 'at most eight attempts at once' },
    { name: 'cookie-csrf-expire', ...duration, to: 'ten minutes' },
    { name: 'cookie-csrf-samesite', lost: COOKIE },
    { name: 'session-store-type', same: 'cookie', lost: REDIS },
    { name: 'session-cookie-minimal', ...bool, to: 'the cookie never contains tokens' },
    ...['redis-cluster-connection-urls', 'redis-sentinel-connection-urls'].map(
      (name): Option => ({ name, ...list, ...secret, lost: REDIS }),
    ),
    ...['redis-connection-url', 'redis-password', 'redis-sentinel-password'].map(
      (name): Option => ({ name, ...secret, lost: REDIS }),
    ),
    ...['redis-username', 'redis-ca-path', 'redis-sentinel-master-name'].map((name): Option => ({ name, lost: REDIS })),
    { name: 'redis-connection-idle-timeout', ...number, lost: REDIS },
    ...['redis-insecure-skip-tls-verify', 'redis-use-cluster', 'redis-use-sentinel'].map(
      (name): Option => ({ name, ...bool, same: 'false', lost: REDIS }),
    ),
  ],
  'Headers for services': [
    { name: 'pass-user-headers', ...bool, to: 'headers' },
    { name: 'set-xauthrequest', ...bool, to: 'headers' },
    { name: 'prefer-email-to-user', ...bool, to: 'headers' },
    { name: 'pass-access-token', ...bool, same: 'false', lost: TOKEN },
    { name: 'pass-authorization-header', ...bool, same: 'false', lost: TOKEN },
    { name: 'set-authorization-header', ...bool, same: 'false', lost: TOKEN },
    { name: 'pass-basic-auth', ...bool, to: 'headers' },
    { name: 'set-basic-auth', ...bool, same: 'false', lost: 'services receive headers, and no password' },
    { name: 'basic-auth-password', ...secret, lost: 'services receive headers, and no password' },
    {
      name: 'skip-auth-strip-headers',
      ...bool,
      same: 'true',
      lost: 'the gateway erases what clients send under the names of identity headers, on every route',
    },
    {
      name: 'signature-key',
      ...secret,
      lost: 'services verify the signed assertion instead (gateway.assertion)',
    },
  ],
  'The services': [
    { name: 'upstream', ...list, to: 'services and hosts' },
    { name: 'pass-host-header', ...bool, to: 'services.NAME.authority' },
    { name: 'proxy-websockets', ...bool, same: 'true', lost: 'WebSockets pass on each route that a rule allows' },
    { name: 'flush-interval', ...duration, to: 'proxy.buffering: false' },
    { name: 'upstream-timeout', ...duration, to: 'proxy.read_timeout' },
    {
      name: 'ssl-upstream-insecure-skip-verify',
      ...bool,
      same: 'false',
      lost: 'certificates of services are always verified: write ca_file and server_name',
    },
    { name: 'disable-keep-alives', ...bool, same: 'false', lost: 'nginx keeps connections to services open' },
  ],
  'The proxy itself': [
    { name: 'reverse-proxy', ...bool, to: 'gateway.trusted_proxies' },
    { name: 'trusted-proxy-ip', ...list, to: 'gateway.trusted_proxies' },
    {
      name: 'real-client-ip-header',
      same: 'X-Forwarded-For',
      lost: 'the gateway reads X-Forwarded-For, and only of gateway.trusted_proxies: let the proxy send it',
    },
    { name: 'http-address', to: 'gateway.listen' },
    { name: 'https-address', to: 'gateway.listen' },
    { name: 'tls-cert-file', to: 'gateway.tls.cert_file' },
    { name: 'tls-key-file', to: 'gateway.tls.key_file' },
    { name: 'tls-min-version', lost: 'TLS 1.2 and 1.3 (docs/tls.md)' },
    { name: 'tls-cipher-suite', ...list, lost: 'docs/tls.md says which ciphers there are, and how to change them' },
    { name: 'force-https', ...bool, same: 'false', lost: 'docs/tls.md has the redirect of port 80' },
    {
      name: 'allow-query-semicolons',
      ...bool,
      same: 'false',
      lost: 'nginx passes the query on as it is',
    },
    { name: 'ping-path', same: '/ping', lost: PROBE },
    { name: 'ready-path', same: '/ready', lost: PROBE },
    { name: 'ping-user-agent', lost: PROBE },
    { name: 'gcp-healthchecks', ...bool, same: 'false', lost: PROBE },
    ...['metrics-address', 'metrics-secure-address', 'metrics-tls-cert-file', 'metrics-tls-key-file'].map(
      (name): Option => ({
        name,
        lost: 'metrics are on the listener of the probes, /.meshgate/metrics (gateway.health.listen)',
      }),
    ),
    ...['auth-logging-format', 'standard-logging-format', 'request-logging-format', 'logging-filename'].map(
      (name): Option => ({ name, lost: LOG }),
    ),
    ...['logging-max-size', 'logging-max-age', 'logging-max-backups'].map(
      (name): Option => ({ name, ...number, lost: LOG }),
    ),
    { name: 'request-id-header', lost: LOG },
    ...['auth-logging', 'request-logging', 'standard-logging', 'logging-local-time'].map(
      (name): Option => ({ name, ...bool, same: 'true', lost: LOG }),
    ),
    ...['errors-to-info-log', 'logging-compress', 'silence-ping-logging'].map(
      (name): Option => ({ name, ...bool, same: 'false', lost: LOG }),
    ),
    { name: 'exclude-logging-path', ...list, lost: LOG },
    { name: 'config', to: 'read it as a further file' },
    { name: 'alpha-config', to: 'read it as a further file' },
    { name: 'config-test', ...bool, to: 'meshgate validate' },
  ],
};
