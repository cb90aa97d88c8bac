import { byName, type RowWith, tableOf } from '../table.ts';

/** `restricts`: the annotation can keep requests from the service. Under another prefix, it closes the paths. */
export type Annotation = RowWith<'restricts'>;

const CHECK = 'nginx itself decides, and asks no other service';
const AFFINITY =
  'nginx connects to the Service, and Kubernetes chooses the pod: write sessionAffinity: ClientIP into the Service';
const CANARY =
  'the gateway chooses a service by the caller, not by headers, cookies or weights: write a rule with a service of its own (docs/upstreams.md)';
const REDIRECT =
  'the gateway sends no redirects of its own: let the service do it, or a server {} of your own (docs/nginx.md)';
const TUNING = 'nginx has this setting in its own configuration (docs/nginx.md)';
const HEADERS = 'the gateway sets headers for identities only: let the service set it';
const TLS = 'docs/tls.md says which TLS versions and ciphers there are, and how to change them';
const WAF = 'the gateway has no web application firewall: put one in front of it, or into the service';
const PASSWORDS =
  'the gateway has no passwords of its own: give these people accounts at a provider, or clients an access token';
const NEXT = 'nginx tries another address only for services with ingresses (docs/upstreams.md)';
const SNIPPET = 'a policy has no directives of nginx, so these lines have no effect any more';

/** The annotations of ingress-nginx 1.15, by what they are about. */
export const sections: Readonly<Record<string, readonly Annotation[]>> = tableOf({
  Authentication: `
auth-url | restricts | > roles, with the configuration of oauth2-proxy (--oauth2-proxy)
auth-signin | | > the gateway sends pages to the sign-in
auth-signin-redirect-param | | > the gateway returns to the page itself
auth-response-headers | | > headers
auth-method auth-request-redirect auth-proxy-set-headers auth-always-set-cookie | | > ${CHECK}
auth-cache-key auth-cache-duration | | > a verified token is remembered for gateway.token_cache
auth-keepalive auth-keepalive-requests auth-keepalive-share-vars auth-keepalive-timeout | | > ${CHECK}
auth-snippet | restricts | ${CHECK}: what this snippet decides is not carried over
enable-global-auth | | > rules
auth-type auth-secret | restricts | ${PASSWORDS}
auth-secret-type auth-realm | | ${PASSWORDS}
satisfy | restricts | > rules
`,
  'Client certificates': `
auth-tls-secret | restricts | > hosts.HOST.tls.client_ca_file, and rules
auth-tls-verify-client | restricts | > rules
auth-tls-match-cn | restricts | > roles by the names in certificates
auth-tls-verify-depth | | the file of client_ca_file has the whole chain
auth-tls-error-page | | a refusal is a page of the gateway
auth-tls-pass-certificate-to-upstream | =false | services never see the certificate: they receive the subject, or the signed assertion (gateway.assertion)
`,
  Networks: `
whitelist-source-range allowlist-source-range denylist-source-range | restricts | > roles by network
`,
  Limits: `
limit-rps limit-rpm | | > limit
limit-burst-multiplier | | > limit.burst
limit-connections | refuses | the gateway counts requests: write limit, or limit_conn in your own nginx
limit-whitelist limit-allowlist | | no caller is without a budget: write a larger one, or a route for these callers with limit: null
limit-rate limit-rate-after | | ${TUNING}
proxy-body-size | | > proxy.max_body
client-body-buffer-size | | ${TUNING}
`,
  CORS: `
enable-cors cors-allow-origin cors-allow-methods cors-allow-headers cors-expose-headers cors-allow-credentials cors-max-age | | > cors
`,
  Paths: `
use-regex | | > paths and prefixes
rewrite-target | | the gateway does not rewrite paths: let the service accept the path that clients send (many have a setting for their base URL)
app-root | | ${REDIRECT}
x-forwarded-prefix | | ${HEADERS}
server-alias | | > a further host
from-to-www-redirect permanent-redirect permanent-redirect-code temporal-redirect temporal-redirect-code relative-redirects use-port-in-redirects | | ${REDIRECT}
`,
  Snippets: `
configuration-snippet server-snippet | restricts | ${SNIPPET}: if a line decides who may pass, write a rule for it
stream-snippet | | the gateway is for HTTP: keep this in another nginx
enable-modsecurity enable-owasp-core-rules | refuses =false | ${WAF}
modsecurity-snippet | refuses | ${WAF}
modsecurity-transaction-id | | ${WAF}
`,
  'The connection to the service': `
backend-protocol | | > services.NAME: url or insecure_url, and protocol
upstream-vhost | | > services.NAME.authority
service-upstream | | > nginx always connects to the Service
proxy-connect-timeout | | > proxy.connect_timeout
proxy-send-timeout | | > proxy.send_timeout
proxy-read-timeout | | > proxy.read_timeout
proxy-buffering | | > proxy.buffering
proxy-request-buffering | | > proxy.request_buffering
proxy-ssl-secret | | > services.NAME.ca_file
proxy-ssl-name | | > services.NAME.server_name
proxy-ssl-verify | | > certificates of services are always verified
proxy-ssl-server-name | | > nginx always sends the name
proxy-ssl-ciphers proxy-ssl-protocols proxy-ssl-verify-depth | | ${TUNING}
proxy-next-upstream proxy-next-upstream-timeout proxy-next-upstream-tries | | ${NEXT}
proxy-http-version | =1.1 | nginx speaks HTTP/1.1 to services, or the protocol of services.NAME
connection-proxy-header | | nginx sets this header itself, for WebSockets too
proxy-buffer-size proxy-buffers-number proxy-busy-buffers-size proxy-max-temp-file-size | | ${TUNING}
proxy-cookie-domain proxy-cookie-path proxy-redirect-from proxy-redirect-to | | the gateway does not change responses: let the service use the name that people open
fastcgi-index fastcgi-params-configmap | | the gateway speaks HTTP and gRPC to services
default-backend custom-http-errors disable-proxy-intercept-errors | | the gateway passes on the errors of services
custom-headers | | ${HEADERS}
mirror-target mirror-host mirror-request-body | | the gateway sends a request to one service only: a copy would pass without a rule
load-balance upstream-hash-by upstream-hash-by-subset upstream-hash-by-subset-size affinity affinity-mode affinity-canary-behavior session-cookie-name session-cookie-path session-cookie-domain session-cookie-samesite session-cookie-expires session-cookie-max-age session-cookie-secure session-cookie-change-on-failure session-cookie-conditional-samesite-none | | ${AFFINITY}
canary canary-by-header canary-by-header-value canary-by-header-pattern canary-by-cookie canary-weight canary-weight-total | | ${CANARY}
`,
  'TLS and the rest': `
ssl-redirect force-ssl-redirect preserve-trailing-slash | | > the redirect of port 80 (docs/tls.md)
ssl-passthrough | =false | the gateway must see requests to decide: TLS ends here
ssl-ciphers ssl-prefer-server-ciphers http2-push-preload | | ${TLS}
enable-access-log | =true | the gateway logs each request (docs/log.md)
enable-rewrite-log | =false | the gateway does not rewrite paths
enable-opentelemetry opentelemetry-trust-incoming-span opentelemetry-operation-name | | the log has traceparent; the gateway sends no spans
`,
});

export const annotationsByName: ReadonlyMap<string, Annotation> = byName(sections);

/** What becomes of a key of the controller's ConfigMap that is not in the table. */
export const CONTROLLER =
  'a setting of the controller: nginx has it in its own configuration, if it has any (docs/nginx.md)';

/** The keys of that ConfigMap that this command understands, and those with a loss of their own. `snippet`: its lines of
 * nginx may decide who passes, so they close every path. */
export const controllerKeys: ReadonlyMap<string, RowWith<'snippet'>> = byName(
  tableOf<'snippet'>({
    ConfigMap: `
global-auth-url | | > roles
global-auth-signin | | > the gateway sends pages to the sign-in
global-auth-response-headers | | > headers
whitelist-source-range denylist-source-range block-cidrs | | > roles by network
proxy-body-size | | > proxy.max_body
proxy-connect-timeout | | > proxy.connect_timeout
proxy-send-timeout | | > proxy.send_timeout
proxy-read-timeout | | > proxy.read_timeout
use-forwarded-headers use-proxy-protocol enable-real-ip proxy-real-ip-cidr | | > gateway.trusted_proxies
hsts | | > gateway.hsts
hsts-max-age | | > gateway.hsts.max_age
hsts-include-subdomains | | > gateway.hsts.include_subdomains
allow-snippet-annotations | | > a policy has no snippets
annotations-risk-level | | > the paths of an Ingress with an annotation that the controller does not accept are closed
no-auth-locations | | paths that begin with one of these needed no sign-in, and need one now: write a route with allow: [anyone] for each that must be open
custom-http-errors | | the gateway passes on the errors of services, and answers refusals itself
allow-cross-namespace-resources | | a Secret or ConfigMap of another namespace than that of the Ingress closes its paths: write who may pass
main-snippet http-snippet server-snippet location-snippet global-auth-snippet | snippet | ${SNIPPET}
block-user-agents block-referers enable-modsecurity enable-owasp-modsecurity-crs modsecurity-snippet | refuses | ${CONTROLLER}
`,
  }),
);
