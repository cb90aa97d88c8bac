/** An annotation of ingress-nginx, and what becomes of it. docs/migrating-ingress-nginx.md shows this table. */
export interface Annotation {
  /** The name after the prefix. */
  readonly name: string;
  /** The keys of the policy that stand for the annotation, or why it needs none. */
  readonly to?: string;
  /** Why the policy does not have it, and what to do. */
  readonly lost?: string;
  /** With this value there is nothing to carry over. */
  readonly same?: string;
  /** Set if the annotation can keep requests from the service. Under another prefix, it closes the paths. */
  readonly restricts?: true;
  /** Set if the annotation refuses requests of any caller, and closes nothing. */
  readonly refuses?: true;
}

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

const restricts = { restricts: true } as const;
const refuses = { refuses: true } as const;

const rows = (names: readonly string[], row: Omit<Annotation, 'name'>): readonly Annotation[] =>
  names.map((name) => ({ name, ...row }));

/** The annotations of ingress-nginx 1.15, by what they are about. */
export const sections: Readonly<Record<string, readonly Annotation[]>> = {
  Authentication: [
    { name: 'auth-url', ...restricts, to: 'roles, with the configuration of oauth2-proxy (--oauth2-proxy)' },
    { name: 'auth-signin', to: 'the gateway sends pages to the sign-in' },
    { name: 'auth-signin-redirect-param', to: 'the gateway returns to the page itself' },
    { name: 'auth-response-headers', to: 'headers' },
    ...rows(['auth-method', 'auth-request-redirect', 'auth-proxy-set-headers', 'auth-always-set-cookie'], {
      to: CHECK,
    }),
    ...rows(['auth-cache-key', 'auth-cache-duration'], {
      to: 'a verified token is remembered for gateway.token_cache',
    }),
    ...rows(['auth-keepalive', 'auth-keepalive-requests', 'auth-keepalive-share-vars', 'auth-keepalive-timeout'], {
      to: CHECK,
    }),
    { name: 'auth-snippet', ...restricts, lost: `${CHECK}: what this snippet decides is not carried over` },
    { name: 'enable-global-auth', to: 'rules' },
    { name: 'auth-type', ...restricts, lost: PASSWORDS },
    { name: 'auth-secret', ...restricts, lost: PASSWORDS },
    ...rows(['auth-secret-type', 'auth-realm'], { lost: PASSWORDS }),
    { name: 'satisfy', ...restricts, to: 'rules' },
  ],
  'Client certificates': [
    { name: 'auth-tls-secret', ...restricts, to: 'hosts.HOST.tls.client_ca_file, and rules' },
    { name: 'auth-tls-verify-client', ...restricts, to: 'rules' },
    { name: 'auth-tls-match-cn', ...restricts, to: 'roles by the names in certificates' },
    { name: 'auth-tls-verify-depth', lost: 'the file of client_ca_file has the whole chain' },
    { name: 'auth-tls-error-page', lost: 'a refusal is a page of the gateway' },
    {
      name: 'auth-tls-pass-certificate-to-upstream',
      same: 'false',
      lost: 'services never see the certificate: they receive the subject, or the signed assertion (gateway.assertion)',
    },
  ],
  Networks: [
    { name: 'whitelist-source-range', ...restricts, to: 'roles by network' },
    { name: 'allowlist-source-range', ...restricts, to: 'roles by network' },
    { name: 'denylist-source-range', ...restricts, to: 'roles by network' },
  ],
  Limits: [
    { name: 'limit-rps', to: 'limit' },
    { name: 'limit-rpm', to: 'limit' },
    { name: 'limit-burst-multiplier', to: 'limit.burst' },
    {
      name: 'limit-connections',
      ...refuses,
      lost: 'the gateway counts requests: write limit, or limit_conn in your own nginx',
    },
    ...rows(['limit-whitelist', 'limit-allowlist'], {
      lost: 'no caller is without a budget: write a larger one, or a route for these callers with limit: null',
    }),
    ...rows(['limit-rate', 'limit-rate-after'], { lost: TUNING }),
    { name: 'proxy-body-size', to: 'proxy.max_body' },
    { name: 'client-body-buffer-size', lost: TUNING },
  ],
  CORS: rows(
    [
      ...['enable-cors', 'cors-allow-origin', 'cors-allow-methods', 'cors-allow-headers', 'cors-expose-headers'],
      ...['cors-allow-credentials', 'cors-max-age'],
    ],
    { to: 'cors' },
  ),
  Paths: [
    { name: 'use-regex', to: 'paths and prefixes' },
    {
      name: 'rewrite-target',
      lost: 'the gateway does not rewrite paths: let the service accept the path that clients send (many have a setting for their base URL)',
    },
    { name: 'app-root', lost: REDIRECT },
    { name: 'x-forwarded-prefix', lost: HEADERS },
    { name: 'server-alias', to: 'a further host' },
    ...rows(['from-to-www-redirect', 'permanent-redirect', 'permanent-redirect-code'], { lost: REDIRECT }),
    ...rows(['temporal-redirect', 'temporal-redirect-code', 'relative-redirects', 'use-port-in-redirects'], {
      lost: REDIRECT,
    }),
  ],
  Snippets: [
    {
      name: 'configuration-snippet',
      ...restricts,
      lost: 'a policy has no directives of nginx, so these lines have no effect any more: if a line decides who may pass, write a rule for it',
    },
    {
      name: 'server-snippet',
      ...restricts,
      lost: 'a policy has no directives of nginx, so these lines have no effect any more: if a line decides who may pass, write a rule for it',
    },
    { name: 'stream-snippet', lost: 'the gateway is for HTTP: keep this in another nginx' },
    ...rows(['enable-modsecurity', 'enable-owasp-core-rules'], { ...refuses, same: 'false', lost: WAF }),
    { name: 'modsecurity-snippet', ...refuses, lost: WAF },
    { name: 'modsecurity-transaction-id', lost: WAF },
  ],
  'The connection to the service': [
    { name: 'backend-protocol', to: 'services.NAME: url or insecure_url, and protocol' },
    { name: 'upstream-vhost', to: 'services.NAME.authority' },
    { name: 'service-upstream', to: 'nginx always connects to the Service' },
    { name: 'proxy-connect-timeout', to: 'proxy.connect_timeout' },
    { name: 'proxy-send-timeout', to: 'proxy.send_timeout' },
    { name: 'proxy-read-timeout', to: 'proxy.read_timeout' },
    { name: 'proxy-buffering', to: 'proxy.buffering' },
    { name: 'proxy-request-buffering', to: 'proxy.request_buffering' },
    { name: 'proxy-ssl-secret', to: 'services.NAME.ca_file' },
    { name: 'proxy-ssl-name', to: 'services.NAME.server_name' },
    { name: 'proxy-ssl-verify', to: 'certificates of services are always verified' },
    { name: 'proxy-ssl-server-name', to: 'nginx always sends the name' },
    ...rows(['proxy-ssl-ciphers', 'proxy-ssl-protocols', 'proxy-ssl-verify-depth'], { lost: TUNING }),
    ...rows(['proxy-next-upstream', 'proxy-next-upstream-timeout', 'proxy-next-upstream-tries'], { lost: NEXT }),
    {
      name: 'proxy-http-version',
      same: '1.1',
      lost: 'nginx speaks HTTP/1.1 to services, or the protocol of services.NAME',
    },
    { name: 'connection-proxy-header', lost: 'nginx sets this header itself, for WebSockets too' },
    ...rows(['proxy-buffer-size', 'proxy-buffers-number', 'proxy-busy-buffers-size', 'proxy-max-temp-file-size'], {
      lost: TUNING,
    }),
    ...rows(['proxy-cookie-domain', 'proxy-cookie-path', 'proxy-redirect-from', 'proxy-redirect-to'], {
      lost: 'the gateway does not change responses: let the service use the name that people open',
    }),
    ...rows(['fastcgi-index', 'fastcgi-params-configmap'], { lost: 'the gateway speaks HTTP and gRPC to services' }),
    ...rows(['default-backend', 'custom-http-errors', 'disable-proxy-intercept-errors'], {
      lost: 'the gateway passes on the errors of services',
    }),
    { name: 'custom-headers', lost: HEADERS },
    ...rows(['mirror-target', 'mirror-host', 'mirror-request-body'], {
      lost: 'the gateway sends a request to one service only: a copy would pass without a rule',
    }),
    { name: 'load-balance', lost: AFFINITY },
    ...rows(['upstream-hash-by', 'upstream-hash-by-subset', 'upstream-hash-by-subset-size'], { lost: AFFINITY }),
    ...rows(['affinity', 'affinity-mode', 'affinity-canary-behavior'], { lost: AFFINITY }),
    ...rows(
      [
        ...['session-cookie-name', 'session-cookie-path', 'session-cookie-domain', 'session-cookie-samesite'],
        ...['session-cookie-expires', 'session-cookie-max-age', 'session-cookie-secure'],
        ...['session-cookie-change-on-failure', 'session-cookie-conditional-samesite-none'],
      ],
      { lost: AFFINITY },
    ),
    ...rows(
      [
        ...['canary', 'canary-by-header', 'canary-by-header-value', 'canary-by-header-pattern', 'canary-by-cookie'],
        ...['canary-weight', 'canary-weight-total'],
      ],
      { lost: CANARY },
    ),
  ],
  'TLS and the rest': [
    ...rows(['ssl-redirect', 'force-ssl-redirect', 'preserve-trailing-slash'], {
      to: 'the redirect of port 80 (docs/tls.md)',
    }),
    { name: 'ssl-passthrough', same: 'false', lost: 'the gateway must see requests to decide: TLS ends here' },
    ...rows(['ssl-ciphers', 'ssl-prefer-server-ciphers', 'http2-push-preload'], { lost: TLS }),
    { name: 'enable-access-log', same: 'true', lost: 'the gateway logs each request (docs/log.md)' },
    { name: 'enable-rewrite-log', same: 'false', lost: 'the gateway does not rewrite paths' },
    ...rows(['enable-opentelemetry', 'opentelemetry-trust-incoming-span', 'opentelemetry-operation-name'], {
      lost: 'the log has traceparent; the gateway sends no spans',
    }),
  ],
};

export const annotationsByName: ReadonlyMap<string, Annotation> = new Map(
  Object.values(sections)
    .flat()
    .map((it) => [it.name, it] as const),
);

/** What becomes of the keys of the controller's ConfigMap that this command understands. */
export const controllerKeys: Readonly<Record<string, string>> = {
  'global-auth-url': 'roles',
  'global-auth-signin': 'the gateway sends pages to the sign-in',
  'global-auth-response-headers': 'headers',
  'whitelist-source-range': 'roles by network',
  'denylist-source-range': 'roles by network',
  'block-cidrs': 'roles by network',
  'proxy-body-size': 'proxy.max_body',
  'proxy-connect-timeout': 'proxy.connect_timeout',
  'proxy-send-timeout': 'proxy.send_timeout',
  'proxy-read-timeout': 'proxy.read_timeout',
  'use-forwarded-headers': 'gateway.trusted_proxies',
  'use-proxy-protocol': 'gateway.trusted_proxies',
  'enable-real-ip': 'gateway.trusted_proxies',
  'proxy-real-ip-cidr': 'gateway.trusted_proxies',
  hsts: 'gateway.hsts',
  'hsts-max-age': 'gateway.hsts.max_age',
  'hsts-include-subdomains': 'gateway.hsts.include_subdomains',
  'allow-snippet-annotations': 'a policy has no snippets',
  'annotations-risk-level': 'the paths of an Ingress with an annotation that the controller does not accept are closed',
};

/** Keys of that ConfigMap that a policy does not have, and what this means for callers. */
export const controllerLosses: Readonly<Record<string, string>> = {
  'no-auth-locations':
    'paths that begin with one of these needed no sign-in, and need one now: write a route with allow: [anyone] for each that must be open',
  'custom-http-errors': 'the gateway passes on the errors of services, and answers refusals itself',
  'allow-cross-namespace-resources':
    'a Secret or ConfigMap of another namespace than that of the Ingress closes its paths: write who may pass',
};

/** Keys of that ConfigMap whose lines of nginx may decide who passes: they close every path. */
export const controllerSnippets = [
  ...['main-snippet', 'http-snippet', 'server-snippet', 'location-snippet', 'global-auth-snippet'],
] as const;

/** Keys of that ConfigMap that refuse requests, and that a policy does not have. */
export const controllerRefusals: readonly string[] = [
  ...['block-user-agents', 'block-referers'],
  ...['enable-modsecurity', 'enable-owasp-modsecurity-crs', 'modsecurity-snippet'],
];
