/**
 * Headers that a client forges. They are written by hand, from the documentation of what trusts them and from attacks that
 * worked, and never taken from the list that the renderer erases.
 */

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/** Headers for the caller, their certificate, their address, or the request that they sent. */
export const FORGED: readonly string[] = words(`
  X-Forwarded-User X-Forwarded-Email X-Forwarded-Groups X-Forwarded-Roles X-Forwarded-Preferred-Username
  X-Forwarded-Access-Token X-Auth-Request-User X-Auth-Request-Email X-Auth-Request-Groups X-Auth-Request-Roles
  X-Auth-Request-Preferred-Username X-Auth-Request-Access-Token X-Auth-Request-Redirect X-Remote-User
  X-Remote-Groups X-Real-User X-User X-User-Id X-User-Email X-Username X-Email X-Groups X-Roles
  X-Authenticated-User X-Authenticated-Userid X-Authenticated-Groups X-Userinfo X-Id-Token X-Access-Token
  Remote-User Remote-Name Remote-Email Remote-Groups X-WEBAUTH-USER X-WEBAUTH-NAME X-WEBAUTH-EMAIL
  X-WEBAUTH-LOGIN X-WEBAUTH-GROUPS X-WEBAUTH-ROLE X-WEBAUTH-ROLES X-WEBAUTH-ORGS X-Amzn-Oidc-Accesstoken
  X-Amzn-Oidc-Data X-Amzn-Oidc-Identity X-Goog-Authenticated-User-Email X-Goog-Authenticated-User-Id
  X-Goog-Iap-Jwt-Assertion Cf-Access-Jwt-Assertion Cf-Access-Authenticated-User-Email Cf-Access-Client-Id
  Cf-Access-Client-Secret X-MS-CLIENT-PRINCIPAL X-MS-CLIENT-PRINCIPAL-ID X-MS-CLIENT-PRINCIPAL-IDP
  X-MS-CLIENT-PRINCIPAL-NAME X-MS-TOKEN-AAD-ACCESS-TOKEN X-MS-TOKEN-AAD-ID-TOKEN Tailscale-User-Login
  Tailscale-User-Name X-Authentik-Username X-Authentik-Groups X-Authentik-Email X-Authentik-Name
  X-Authentik-Uid X-Authentik-Jwt X-Consumer-Id X-Consumer-Username X-Consumer-Custom-Id X-Consumer-Groups
  X-Credential-Identifier X-Pomerium-Jwt-Assertion X-Pomerium-Claim-Email X-Pomerium-Claim-User
  X-Pomerium-Claim-Groups X-Vouch-User X-Jwt-Assertion X-Jwt-Payload OIDC-Claim-Sub OIDC-Claim-Email
  OIDC-Claim-Groups OIDC-Access-Token X-Forwarded-Client-Cert X-Forwarded-Tls-Client-Cert
  X-Forwarded-Tls-Client-Cert-Info X-Client-Cert X-Client-Dn X-Client-Verify X-ARR-ClientCert Client-Cert
  Client-Cert-Chain SSL-Client-Cert X-SSL-Cert X-SSL-Client-Cert X-SSL-Client-Cn X-SSL-Client-Dn
  X-SSL-Client-S-Dn X-SSL-Client-I-Dn X-SSL-Client-Issuer X-SSL-Client-Serial X-SSL-Client-Sha1
  X-SSL-Client-Subject X-SSL-Client-Verify l5d-client-id l5d-dst-override l5d-dst-canonical l5d-remote-ip
  l5d-server-id x-envoy-attempt-count x-envoy-decorator-operation x-envoy-downstream-service-cluster
  x-envoy-downstream-service-node x-envoy-expected-rq-timeout-ms x-envoy-external-address x-envoy-force-trace
  x-envoy-hedge-on-per-try-timeout x-envoy-internal x-envoy-ip-tags x-envoy-max-retries
  x-envoy-original-dst-host x-envoy-original-host x-envoy-original-path x-envoy-peer-metadata
  x-envoy-peer-metadata-id x-envoy-retriable-header-names x-envoy-retriable-status-codes x-envoy-retry-grpc-on
  x-envoy-retry-on x-envoy-upstream-alt-stat-name x-envoy-upstream-rq-per-try-timeout-ms
  x-envoy-upstream-rq-timeout-alt-response x-envoy-upstream-rq-timeout-ms b3 x-b3-flags x-b3-parentspanid
  x-b3-sampled x-b3-spanid x-b3-traceid x-client-trace-id x-ot-span-context x-cloud-trace-context
  X-Original-Host X-Original-Method X-Original-Uri X-Original-Url X-Rewrite-Url X-Host X-Forwarded-Method
  X-Forwarded-Path X-Forwarded-Prefix X-Forwarded-Scheme X-Forwarded-Server X-Forwarded-Ssl X-Forwarded-Uri
  X-Http-Method X-Http-Method-Override X-Method-Override X-Url-Scheme Front-End-Https Forwarded
  CF-Connecting-IP Fastly-Client-IP True-Client-IP X-Appengine-User-Ip X-Azure-Clientip X-Client-IP
  X-Cluster-Client-IP X-Originating-IP X-ProxyUser-Ip X-Remote-Addr X-Remote-IP Authorization DPoP
  Proxy-Authorization Proxy-Connection Proxy
  X-Amzn-Mtls-Clientcert X-Amzn-Mtls-Clientcert-Leaf X-Amzn-Mtls-Clientcert-Subject SSL-Client-Verify
  SSL-Client-S-DN X-Client-Certificate X-Client-Cert-Spiffe X-Client-Cert-Present X-Client-Cert-Chain-Verified
  X-Client-Cert-Subject-DN X-SSL-Subject X-SSL-Issuer X-SSL-User X-SSL-Client-Fingerprint X-TLS-Client-Subject
  X-TLS-Client-Verify Cf-Client-Cert-Sha256 X-Spiffe-Id X-Subject-DN X-Remote-Group X-Proxy-User X-Proxy-Roles
  X-WEBAUTH-FULLNAME X-Forwarded-Login X-Forwarded-Name X-Forwarded-DisplayName Impersonate-User
  Impersonate-Group Impersonate-Uid Impersonate-Extra-Scopes X-Remote-Extra-Scopes X-Remote-Uid
  es-security-runas-user X-Auth-User X-Auth-Username X-Auth-Email X-Auth-Name X-Auth-Groups X-Auth-Roles
  X-Auth-Subject X-Auth-CouchDB-UserName X-Auth-CouchDB-Roles X-SSO-USER X-AKHQ-USER X-AKHQ-GROUP
  X-Alfresco-Remote-User X-Scope-OrgID X-ProxiedEntitiesChain X-ProxiedEntityGroups X-Forwarded-Uuid
  X-Forwarded-Remote-User Remote-User-Group X-Identity-Status X-User-Name X-Project-Id X-Trino-User
  Kubeflow-Userid X-SPINNAKER-USER SM-User iv-user OAM-Remote-User Shib-Session-ID Argocd-Username
  Argocd-User-Groups X-Remote-User-Email Gitlab-Workhorse-Api-Request X-Token-User-Email Teleport-Jwt-Assertion
  X-Authentik-Entitlements X-Vouch-IdP-AccessToken WL-Proxy-Client-Cert X-User-Role Client-IP X-Forwarded
  Forwarded-For X-Original-Forwarded-For X-Originally-Forwarded-For X-Forwarded-Client-Ip X-Client-Real-IP
  WL-Proxy-Client-IP Proxy-Client-IP CF-Connecting-IPv6 Fly-Client-IP DO-Connecting-IP
  X-NF-Client-Connection-IP X-Vercel-Forwarded-For X-Original-Remote-Addr X-Forwarded-Protocol X-Scheme
  X-Script-Name X-Ingress-Path X-Original-Path X-Path-Info X-Forwarded-Base-Path X-Override-URL X-Proxy-URL
  X-Real-URL X-Http-Verb HTTP-Method X-Method X-Requested-Method Destination X-Copy-From X-Amz-Copy-Source
  X-Forwarded-Mail opendistro-security-impersonate-as X-Service-Roles X-Service-User-Id X-Service-Project-Id
  X-Service-Identity-Status X-First-Name X-Last-Name X-Authenticated-Name X-Remote-User-Display-Name Remote-Role
  X-Forwarded-User-Roles X-Forwarded-User-Groups X-Forwarded-User-Email-Verified X-Forwarded-User-Mfa
  X-Forwarded-User-Admin X-Forwarded-User-Teams X-Forwarded-User-Service-Account Tailscale-User Tailscale-Login
  X-WEBAUTH-TAILNET X-Client-Cert-CN X-Client-Cert-Subject X-Client-Cert-Verified
  X-Forwarded-SSL-Client-Cert X-Certificate-Subject X-Nginx-Client-Cert X-Certificate X-Cert X-Mtls-Client-Cert
  X-Auth-First-Name X-Auth-Last-Name X-Auth-RSC-Role X-RStudio-Username X-OpenWebUI-User-Id X-OpenWebUI-User-Email
  X-OpenWebUI-User-Role X-OpenWebUI-User-Name THANOS-TENANT X-Forwarded-Script-Name X-Traversal-Path
  X-HTTP-Host-Override X-Forwarded-HTTPS X-HTTPS x-ms-copy-source x-ms-rename-source x-goog-copy-source
  x-oss-copy-source X-Symlink-Target X-Object-Manifest
`);

/** The gateway's own headers, after `X-Meshgate-`. */
export const INTERNAL: readonly string[] = words(`
  Accept Actors Address Agent As Assertion Authorization Caller Connected Content-Type Credential Detail Dpop-Nonce Erased H0 H1
  H7 Host Identity Location Mcp-Method Mcp-Name Mcp-Version Method Navigation Networks Origin Provider Query
  Probe Reached Reason Request-Id Retry-After Roles Route Rule Scope Service-Cookies Service-Credential Session Set-Cookie Signin Status Target Uri Url
  User Wait
`).map((name) => `X-Meshgate-${name}`);
