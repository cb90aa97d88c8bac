import { byName, type RowWith, tableOf } from '../table.ts';

/** `word`: the flag takes the next word as its value, although the value is true or false. `duration`: the value is one of
 * Go, `number`: a whole number. `secret`: it appears in no output. */
export type Option = RowWith<'list' | 'bool' | 'word' | 'duration' | 'number' | 'secret'>;

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
const METRICS = 'metrics are on the listener of the probes, /.meshgate/metrics (gateway.health.listen)';

/** The options of oauth2-proxy 7.15 by their flags, by what they are about. The other name is that in an alpha
 * configuration, where members of the first provider stand for themselves. */
export const sections: Readonly<Record<string, readonly Option[]>> = tableOf({
  'The provider': `
provider | | provider | > providers.NAME.kind or issuer
provider-display-name | | name | > providers.NAME.signin.label
oidc-issuer-url | | oidcConfig.issuerURL | > providers.NAME.issuer
client-id | | clientID | > providers.NAME.client.id
client-secret | secret | clientSecret | > providers.NAME.client.secret_file
client-secret-file | | clientSecretFile | > providers.NAME.client.secret_file
oidc-jwks-url | | oidcConfig.jwksURL | > providers.NAME.jwks_uri
skip-oidc-discovery | bool =false | oidcConfig.skipDiscovery | sign-in needs the discovery document of the provider
oidc-public-key-file | list | oidcConfig.publicKeyFiles | the gateway fetches keys from the provider: publish them as a JWKS and write jwks_uri
oidc-enabled-signing-alg | list | oidcConfig.enabledSigningAlgs | > providers.NAME.algorithms
oidc-extra-audience | list | oidcConfig.extraAudiences | > providers.NAME.audiences
oidc-audience-claim | list =aud | oidcConfig.audienceClaims | the gateway reads aud (for cognito also client_id): let the provider put the audience there
oidc-groups-claim | | oidcConfig.groupsClaim | > the claim in the facts of roles
oidc-email-claim | =email | oidcConfig.emailClaim | only the claim email counts as an address, and only if the provider says that it is verified: let the provider send both
user-id-claim | =email | oidcConfig.userIDClaim | an old name of oidc-email-claim: only the claim email counts as an address; the name of a caller is subject.claim
provider-ca-file | list | caFiles | > providers.NAME.ca_file
use-system-trust-store | bool =false | useSystemTrustStore | ca_file replaces the CAs of the system: put all that you need into one file
insecure-oidc-allow-unverified-email | bool =false | oidcConfig.insecureAllowUnverifiedEmail | an address counts only if the provider says that it is verified
insecure-oidc-skip-issuer-verification | bool =false | oidcConfig.insecureSkipIssuerVerification | the issuer must be exactly that of the policy; for several tenants of Entra ID, list them in tenants
insecure-oidc-skip-nonce | bool | oidcConfig.insecureSkipNonce | > always checked
ssl-insecure-skip-verify | bool =false | | certificates are always verified: write ca_file
login-url | | loginURL | ${DISCOVERY}
redeem-url | | redeemURL | ${DISCOVERY}
profile-url | | profileURL | ${DISCOVERY}
validate-url | | validateURL | ${DISCOVERY}
pubjwk-url | | loginGovConfig.pubjwkURL | ${DISCOVERY}
skip-claims-from-profile-url | bool | skipClaimsFromProfileURL | > providers.NAME.signin.userinfo
resource | | resource | > providers.NAME.signin.parameters
auth-request-response-mode | | authRequestResponseMode | the gateway reads the answer of the provider in the query only
jwt-key | secret | loginGovConfig.jwtKey | > providers.NAME.client.keys_file
jwt-key-file | | loginGovConfig.jwtKeyFile | > providers.NAME.client.keys_file
`,
  'The sign-in': `
scope | | scope | > providers.NAME.signin.scopes
prompt | | | > providers.NAME.signin.prompt
approval-prompt | =force | | an old parameter of Google: write signin.prompt
acr-values | | | > providers.NAME.signin.acr_values
code-challenge-method | | code_challenge_method | > always S256
force-code-challenge-method | | | > always S256
redirect-url | | | > the name under hosts
relative-redirect-url | bool =false | | > https://HOST/.meshgate/callback
proxy-prefix | =/oauth2 | | the paths of the gateway begin with /.meshgate/: change links to sign_in, sign_out and userinfo
whitelist-domain | list | | a return address is always a path of the same host
backend-logout-url | | backendLogoutURL | discovery finds the sign-out of the provider; /.meshgate/backchannel receives its sign-outs
skip-provider-button | bool | | > with one provider, people do not choose
encode-state | bool | | > state is always sealed
banner footer custom-sign-in-logo custom-templates-dir | | | ${PAGES}
show-debug-on-error | bool =false | | pages show the reason and a request id; details are in the log
display-htpasswd-form | bool =false | | ${PASSWORDS}
`,
  'Who may pass': `
email-domain | list | | > a role
authenticated-emails-file | | | > a role
allowed-group | list | allowedGroups | > a role
allowed-role | list | keycloakConfig.roles | > a role
keycloak-group | list | keycloakConfig.groups | > a role
gitlab-group | list | gitlabConfig.group | > a role
gitlab-project | list | gitlabConfig.projects | tokens of GitLab do not name projects: make a group for these people, and add it to the role
google-group | list | googleConfig.group | ${GOOGLE}
google-admin-email | | googleConfig.adminEmail | ${GOOGLE}
google-service-account-json | | googleConfig.serviceAccountJson | ${GOOGLE}
google-use-application-default-credentials | bool word =false | googleConfig.useApplicationDefaultCredentials | ${GOOGLE}
google-target-principal | | googleConfig.targetPrincipal | ${GOOGLE}
google-use-organization-id | bool word =false | googleConfig.useOrganizationID | ${GOOGLE}
google-admin-api-user-scope | | googleConfig.adminAPIUserScope | ${GOOGLE}
azure-tenant | | azureConfig.tenant | > providers.NAME.issuer
azure-graph-group-field | =id | azureConfig.graphGroupField | tokens of Entra ID name groups by object id: write the ids into the role
entra-id-allowed-tenant | list | microsoftEntraIDConfig.allowedTenants | > providers.NAME.tenants
entra-id-federated-token-auth | bool =false | microsoftEntraIDConfig.federatedTokenAuth | write client.secret_file, or client.keys_file with a key that is registered at the application
github-org | | githubConfig.org | > a role, for the groups of a broker
github-team | | githubConfig.team | > a role, for the groups of a broker
github-repo | | githubConfig.repo | ${BROKER}
github-token | secret | githubConfig.token | ${BROKER}
github-user | list | githubConfig.users | ${BROKER}
bitbucket-team | | bitbucketConfig.team | > a role, for the groups of a broker
bitbucket-repository | | bitbucketConfig.repository | ${BROKER}
htpasswd-file | | | ${PASSWORDS}
htpasswd-user-group | list | | ${PASSWORDS}
trusted-ip | list | | > a role by network
skip-auth-route skip-auth-regex | list | | > routes with anyone
skip-auth-preflight | bool | | > the rule { who: anyone, methods: [OPTIONS] }
skip-jwt-bearer-tokens | bool | | > providers.NAME.audiences
extra-jwt-issuers | list | | > further providers
bearer-token-login-fallback | bool =false | | the gateway rejects an invalid token, and never tries another credential instead
api-route | list | | > scripts always get 401, and only pages are sent to sign in
force-json-errors | bool | | > scripts always get JSON
`,
  'Sessions and cookies': `
cookie-secret | secret | | > gateway.session.keys_file
cookie-secret-file | | | > gateway.session.keys_file
cookie-expire | duration | | > gateway.session.absolute and idle
cookie-refresh | duration | | > gateway.session.fresh
cookie-name | | | ${COOKIE}
cookie-path | =/ | | ${COOKIE}
cookie-domain | list | | each host has its own cookie; with gateway.signin.host, several hosts share one sign-in
cookie-secure cookie-httponly | bool =true | | ${COOKIE}
cookie-samesite | =lax | | ${COOKIE}
cookie-csrf-per-request | bool | | > always so
cookie-csrf-per-request-limit | number | | > at most eight attempts at once
cookie-csrf-expire | duration | | > ten minutes
cookie-csrf-samesite | | | ${COOKIE}
session-store-type | =cookie | | ${REDIS}
session-cookie-minimal | bool | | > the cookie never contains tokens
redis-cluster-connection-urls redis-sentinel-connection-urls | list secret | | ${REDIS}
redis-connection-url redis-password redis-sentinel-password | secret | | ${REDIS}
redis-username redis-ca-path redis-sentinel-master-name | | | ${REDIS}
redis-connection-idle-timeout | number | | ${REDIS}
redis-insecure-skip-tls-verify redis-use-cluster redis-use-sentinel | bool =false | | ${REDIS}
`,
  'Headers for services': `
pass-user-headers set-xauthrequest prefer-email-to-user | bool | | > headers
pass-access-token pass-authorization-header set-authorization-header | bool =false | | ${TOKEN}
pass-basic-auth | bool | | > headers
set-basic-auth | bool =false | | services receive headers, and no password
basic-auth-password | secret | | services receive headers, and no password
skip-auth-strip-headers | bool =true | | the gateway erases what clients send under the names of identity headers, on every route
signature-key | secret | | services verify the signed assertion instead (gateway.assertion)
`,
  'The services': `
upstream | list | | > services and hosts
pass-host-header | bool | | > services.NAME.authority
proxy-websockets | bool =true | | WebSockets pass on each route that a rule allows
flush-interval | duration | | > proxy.buffering: false
upstream-timeout | duration | | > proxy.read_timeout
ssl-upstream-insecure-skip-verify | bool =false | | certificates of services are always verified: write ca_file and server_name
disable-keep-alives | bool =false | | nginx keeps connections to services open
`,
  'The proxy itself': `
reverse-proxy | bool | | > gateway.trusted_proxies
trusted-proxy-ip | list | | > gateway.trusted_proxies
real-client-ip-header | =X-Forwarded-For | | the gateway reads X-Forwarded-For, and only of gateway.trusted_proxies: let the proxy send it
http-address | | server.bindAddress | > gateway.listen
https-address | | server.secureBindAddress | > gateway.listen
tls-cert-file | | server.tls.cert.fromFile | > gateway.tls.cert_file
tls-key-file | | server.tls.key.fromFile | > gateway.tls.key_file
tls-min-version | | server.tls.minVersion | TLS 1.2 and 1.3 (docs/tls.md)
tls-cipher-suite | list | server.tls.cipherSuites | docs/tls.md says which ciphers there are, and how to change them
force-https | bool =false | | docs/tls.md has the redirect of port 80
allow-query-semicolons | bool =false | | nginx passes the query on as it is
ping-path | =/ping | | ${PROBE}
ready-path | =/ready | | ${PROBE}
ping-user-agent | | | ${PROBE}
gcp-healthchecks | bool =false | | ${PROBE}
metrics-address | | metricsServer.bindAddress | ${METRICS}
metrics-secure-address | | metricsServer.secureBindAddress | ${METRICS}
metrics-tls-cert-file | | metricsServer.tls.cert.fromFile | ${METRICS}
metrics-tls-key-file | | metricsServer.tls.key.fromFile | ${METRICS}
auth-logging-format standard-logging-format request-logging-format logging-filename | | | ${LOG}
logging-max-size logging-max-age logging-max-backups | number | | ${LOG}
request-id-header | | | ${LOG}
auth-logging request-logging standard-logging logging-local-time | bool =true | | ${LOG}
errors-to-info-log logging-compress silence-ping-logging | bool =false | | ${LOG}
exclude-logging-path | list | | ${LOG}
config alpha-config | | | > read it as a further file
config-test | bool | | > meshgate validate
`,
});

/** The name of an option in a configuration file: that of a list is the plural. */
export function keyOf({ name, list }: Pick<Option, 'name' | 'list'>): string {
  const key = name.replaceAll('-', '_');
  return list && !/(?:s|regex)$/.test(key) ? `${key}s` : key;
}

/** Flags of which no variable and no key of a configuration file is a form. */
const FLAGS_ONLY = ['config', 'alpha-config', 'config-test'];

/** The options by the names of their flags. */
export const optionsByFlag: ReadonlyMap<string, Option> = byName(sections);

/** The options by their keys in a configuration file, which are also the names of their variables. */
export const optionsByKey: ReadonlyMap<string, Option> = new Map([
  ...[...optionsByFlag.values()].filter(({ name }) => !FLAGS_ONLY.includes(name)).map((it) => [keyOf(it), it] as const),
  ['google_group', optionsByFlag.get('google-group') as Option],
]);

const PART_OF_ALPHA =
  /^(?:allowed|keycloak|gitlab|google|azure|entra|github|bitbucket|tls|metrics)-|^https?-address$|^(?:scope|prompt|approval-prompt|acr-values|backend-logout-url|(?:force-)?code-challenge-method)$/;

/** The options that oauth2-proxy does not read if it has an alpha configuration. */
export const replacedByAlpha: ReadonlySet<string> = new Set(
  Object.entries(sections)
    .flatMap(([section, options]) =>
      ['The provider', 'Headers for services', 'The services'].includes(section)
        ? options
        : options.filter(({ name }) => PART_OF_ALPHA.test(name)),
    )
    .map(({ name }) => name)
    .filter((it) => it !== 'ssl-insecure-skip-verify' && it !== 'signature-key'),
);
