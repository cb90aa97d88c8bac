/**
 * Request headers that services, meshes and frameworks trust when a proxy sets them. A client's copy never passes:
 * every proxied location sends them empty, which for nginx means not at all, unless it sets them itself.
 * nginx erases by exact name and knows no prefixes, so families are written out.
 */

/** Who the caller is, in the words of other gateways: also erased as CGI spells them, with `_` for `-`. */
export const IDENTITY_HEADERS: readonly string[] = [
  // Usual names, and oauth2-proxy's.
  'X-Forwarded-User',
  'X-Forwarded-Email',
  'X-Forwarded-Groups',
  'X-Forwarded-Roles',
  'X-Forwarded-Preferred-Username',
  'X-Forwarded-Access-Token',
  'X-Auth-Request-User',
  'X-Auth-Request-Email',
  'X-Auth-Request-Groups',
  'X-Auth-Request-Roles',
  'X-Auth-Request-Preferred-Username',
  'X-Auth-Request-Access-Token',
  'X-Auth-Request-Redirect',
  'X-Remote-User',
  'X-Remote-Groups',
  'X-Real-User',
  'X-User',
  'X-User-Id',
  'X-User-Email',
  'X-Username',
  'X-Email',
  'X-Groups',
  'X-Roles',
  'X-Authenticated-User',
  'X-Authenticated-Userid',
  'X-Authenticated-Groups',
  'X-Userinfo',
  'X-Id-Token',
  'X-Access-Token',
  // Authelia, and what CGI servers call the user.
  'Remote-User',
  'Remote-Name',
  'Remote-Email',
  'Remote-Groups',
  // Grafana's auth proxy.
  'X-WEBAUTH-USER',
  'X-WEBAUTH-NAME',
  'X-WEBAUTH-EMAIL',
  'X-WEBAUTH-LOGIN',
  'X-WEBAUTH-GROUPS',
  'X-WEBAUTH-ROLE',
  'X-WEBAUTH-ROLES',
  'X-WEBAUTH-ORGS',
  // Clouds.
  'X-Amzn-Oidc-Accesstoken',
  'X-Amzn-Oidc-Data',
  'X-Amzn-Oidc-Identity',
  'X-Goog-Authenticated-User-Email',
  'X-Goog-Authenticated-User-Id',
  'X-Goog-Iap-Jwt-Assertion',
  'Cf-Access-Jwt-Assertion',
  'Cf-Access-Authenticated-User-Email',
  'Cf-Access-Client-Id',
  'Cf-Access-Client-Secret',
  'X-MS-CLIENT-PRINCIPAL',
  'X-MS-CLIENT-PRINCIPAL-ID',
  'X-MS-CLIENT-PRINCIPAL-IDP',
  'X-MS-CLIENT-PRINCIPAL-NAME',
  'X-MS-TOKEN-AAD-ACCESS-TOKEN',
  'X-MS-TOKEN-AAD-ID-TOKEN',
  'Tailscale-User-Login',
  'Tailscale-User-Name',
  // Other gateways.
  'X-Authentik-Username',
  'X-Authentik-Groups',
  'X-Authentik-Email',
  'X-Authentik-Name',
  'X-Authentik-Uid',
  'X-Authentik-Jwt',
  'X-Consumer-Id',
  'X-Consumer-Username',
  'X-Consumer-Custom-Id',
  'X-Consumer-Groups',
  'X-Credential-Identifier',
  'X-Pomerium-Jwt-Assertion',
  'X-Pomerium-Claim-Email',
  'X-Pomerium-Claim-User',
  'X-Pomerium-Claim-Groups',
  'X-Vouch-User',
  'X-Jwt-Assertion',
  'X-Jwt-Payload',
  'OIDC-Claim-Sub',
  'OIDC-Claim-Email',
  'OIDC-Claim-Groups',
  'OIDC-Access-Token',
  // Client certificates as proxies pass them on; RFC 9440.
  'X-Forwarded-Client-Cert',
  'X-Forwarded-Tls-Client-Cert',
  'X-Forwarded-Tls-Client-Cert-Info',
  'X-Client-Cert',
  'X-Client-Dn',
  'X-Client-Verify',
  'X-ARR-ClientCert',
  'Client-Cert',
  'Client-Cert-Chain',
  'SSL-Client-Cert',
  'X-SSL-Cert',
  'X-SSL-Client-Cert',
  'X-SSL-Client-Cn',
  'X-SSL-Client-Dn',
  'X-SSL-Client-S-Dn',
  'X-SSL-Client-I-Dn',
  'X-SSL-Client-Issuer',
  'X-SSL-Client-Serial',
  'X-SSL-Client-Sha1',
  'X-SSL-Client-Subject',
  'X-SSL-Client-Verify',
];

/** What steers a mesh, or says where a request came from and what it is. */
export const TRUSTED_HEADERS: readonly string[] = [
  // Linkerd.
  'l5d-client-id',
  'l5d-dst-override',
  'l5d-dst-canonical',
  'l5d-remote-ip',
  'l5d-server-id',
  // Envoy believes these from an internal address, and nginx has one.
  'x-envoy-attempt-count',
  'x-envoy-decorator-operation',
  'x-envoy-downstream-service-cluster',
  'x-envoy-downstream-service-node',
  'x-envoy-expected-rq-timeout-ms',
  'x-envoy-external-address',
  'x-envoy-force-trace',
  'x-envoy-hedge-on-per-try-timeout',
  'x-envoy-internal',
  'x-envoy-ip-tags',
  'x-envoy-max-retries',
  'x-envoy-original-dst-host',
  'x-envoy-original-host',
  'x-envoy-original-path',
  'x-envoy-peer-metadata',
  'x-envoy-peer-metadata-id',
  'x-envoy-retriable-header-names',
  'x-envoy-retriable-status-codes',
  'x-envoy-retry-grpc-on',
  'x-envoy-retry-on',
  'x-envoy-upstream-alt-stat-name',
  'x-envoy-upstream-rq-per-try-timeout-ms',
  'x-envoy-upstream-rq-timeout-alt-response',
  'x-envoy-upstream-rq-timeout-ms',
  // Other trace formats: traceparent is the one that counts, and no second one may contradict it.
  'b3',
  'x-b3-flags',
  'x-b3-parentspanid',
  'x-b3-sampled',
  'x-b3-spanid',
  'x-b3-traceid',
  'x-client-trace-id',
  'x-ot-span-context',
  'x-cloud-trace-context',
  // Another path, host or method than the one that was decided.
  'X-Original-Host',
  'X-Original-Method',
  'X-Original-Uri',
  'X-Original-Url',
  'X-Rewrite-Url',
  'X-Host',
  'X-Forwarded-Method',
  'X-Forwarded-Path',
  'X-Forwarded-Prefix',
  'X-Forwarded-Scheme',
  'X-Forwarded-Server',
  'X-Forwarded-Ssl',
  'X-Forwarded-Uri',
  'X-Http-Method',
  'X-Http-Method-Override',
  'X-Method-Override',
  'X-Url-Scheme',
  'Front-End-Https',
  // Another address.
  'Forwarded',
  'CF-Connecting-IP',
  'Fastly-Client-IP',
  'True-Client-IP',
  'X-Appengine-User-Ip',
  'X-Azure-Clientip',
  'X-Client-IP',
  'X-Cluster-Client-IP',
  'X-Originating-IP',
  'X-ProxyUser-Ip',
  'X-Remote-Addr',
  'X-Remote-IP',
  // The gateway's credential with its proof, and CVE-2016-5385.
  'Authorization',
  'DPoP',
  'Proxy-Authorization',
  'Proxy-Connection',
  'Proxy',
];

/** Names of our own that only the gateway may send. */
export const OWN_HEADERS: readonly string[] = [
  'X-Meshgate-As',
  'X-Meshgate-Assertion',
  'X-Meshgate-Detail',
  'X-Meshgate-Location',
  'X-Meshgate-Method',
  'X-Meshgate-Provider',
  'X-Meshgate-Reason',
  'X-Meshgate-Retry-After',
  'X-Meshgate-Roles',
  'X-Meshgate-Status',
  'X-Meshgate-Url',
  'X-Meshgate-User',
];

/** Every way to write a name with `_` for some or all of its dashes, the name itself left out. */
export function underscoreSpellings(name: string): readonly string[] {
  const [first = '', ...rest] = name.split('-');
  // A name of very many words gets the one spelling that frameworks know.
  if (rest.length > 5) return [name.replaceAll('-', '_')];
  const all = rest.reduce((heads, word) => heads.flatMap((head) => [`${head}-${word}`, `${head}_${word}`]), [first]);
  return all.filter((spelling) => spelling !== name);
}

/**
 * Names to erase where nothing sets them, each once whatever its case.
 *
 * @param named identity headers of the policy; erased in every spelling
 */
export function erasedNames(named: readonly string[], answerHeaders: readonly string[]): readonly string[] {
  const names = new Map<string, string>();
  const add = (name: string) => {
    if (!names.has(name.toLowerCase())) names.set(name.toLowerCase(), name);
  };
  for (const name of named) [name, ...underscoreSpellings(name)].forEach(add);
  for (const name of IDENTITY_HEADERS) [name, name.replaceAll('-', '_')].forEach(add);
  [...TRUSTED_HEADERS, ...OWN_HEADERS, ...answerHeaders].forEach(add);
  return [...names.values()];
}
