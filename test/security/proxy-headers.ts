/** Names with which other products name the caller, their certificate or their rights, by the documentation of each. They
 * are written by hand, and never taken from the list that the renderer erases. nginx rejects names with a `$` itself. */
export const PROXY_HEADERS: readonly { readonly by: string; readonly source: string; readonly names: string }[] = [
  {
    by: 'nginx, ingress-nginx',
    source: 'https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/',
    names: `
      ssl-client-cert ssl-client-verify ssl-client-subject-dn ssl-client-issuer-dn
      ssl-client-fingerprint X-SSL-Client-Cert X-SSL-Client-Verify X-SSL-Client-DN
    `,
  },
  {
    by: 'Apache httpd, mod_ssl',
    source: 'https://httpd.apache.org/docs/current/mod/mod_ssl.html',
    names: `
      SSL-Client-S-DN SSL-Client-S-DN-CN SSL-Client-S-DN-O SSL-Client-S-DN-OU SSL-Client-S-DN-UID
      SSL-Client-S-DN-Email SSL-Client-I-DN SSL-Client-I-DN-CN SSL-Client-I-DN-O SSL-Client-M-Serial
      SSL-Client-M-Version SSL-Client-V-Start SSL-Client-V-End SSL-Client-V-Remain
      SSL-Client-SAN-Email-0 SSL-Client-SAN-DNS-0 SSL-Client-SAN-OTHER-msUPN-0
      SSL-Client-Cert-Chain-0 SSL-Client-Cert-Chain-1 SSL-Client-Cert-RFC4523-CEA
      SSL-Client-S-DN-x509 SSL-Server-S-DN
    `,
  },
  {
    by: 'HAProxy',
    source:
      'https://www.haproxy.com/documentation/haproxy-configuration-tutorials/security/ssl-tls/client-certificate-authentication/',
    names: `
      X-SSL-Client-CN X-SSL-Client-SHA1 X-SSL-Client-NotBefore X-SSL-Client-NotAfter X-SSL-Issuer
      X-SSL-Client-Version X-SSL-Client-Serial X-SSL-Client-Der X-SSL-Client-Chain X-SSL-Client-CA
      X-SSL-Client-Cert-Status
    `,
  },
  {
    by: 'Traefik, Envoy, RFC 9440',
    source: 'https://doc.traefik.io/traefik/reference/routing-configuration/http/middlewares/passtlsclientcert/',
    names: `
      X-Forwarded-Tls-Client-Cert X-Forwarded-Tls-Client-Cert-Info X-Forwarded-Client-Cert
      Client-Cert Client-Cert-Chain
    `,
  },
  {
    by: 'AWS',
    source: 'https://docs.aws.amazon.com/elasticloadbalancing/latest/application/mutual-authentication.html',
    names: `
      X-Amzn-Mtls-Clientcert X-Amzn-Mtls-Clientcert-Serial-Number X-Amzn-Mtls-Clientcert-Issuer
      X-Amzn-Mtls-Clientcert-Subject X-Amzn-Mtls-Clientcert-Validity X-Amzn-Mtls-Clientcert-Leaf
      X-Amzn-Oidc-Accesstoken X-Amzn-Oidc-Data X-Amzn-Oidc-Identity X-Amzn-Ava-User-Context
      X-Amzn-Tls-Version X-Amzn-Tls-Cipher-Suite X-Amzn-Request-Context X-Amzn-Lambda-Context
      CloudFront-Viewer-Cert-Subject CloudFront-Viewer-Cert-Pem
    `,
  },
  {
    by: 'Google Cloud',
    source: 'https://cloud.google.com/load-balancing/docs/mtls',
    names: `
      X-Goog-Authenticated-User-Email X-Goog-Authenticated-User-Id X-Goog-Iap-Jwt-Assertion
      X-Serverless-Authorization X-Goog-Iam-Authorization-Token X-Goog-Iam-Authority-Selector
      X-Client-Cert-Leaf X-Client-Cert-Chain X-Client-Cert-Spiffe X-Apigateway-Api-Userinfo
      X-Endpoint-Api-Userinfo X-CloudScheduler X-Appengine-Taskname X-Cloudtasks-QueueName
    `,
  },
  {
    by: 'Cloudflare',
    source: 'https://developers.cloudflare.com/ssl/client-certificates/',
    names: `
      Cf-Access-Jwt-Assertion Cf-Access-Authenticated-User-Email Cf-Access-Client-Id
      Cf-Access-Client-Secret Cf-Access-Token Cf-Client-Cert-Der-Base64 Cf-Client-Cert-Sha256
      Cf-Client-Cert-Subject-Dn Cf-Client-Cert-Issuer-Dn Cf-Client-Cert-Verified Cf-Cert-Presented
      Cf-Cert-Verified Cf-Cert-Revoked Cf-Cert-Issuer-Dn Cf-Cert-Subject-Dn Cf-Cert-Serial
      Cf-Cert-Fingerprint-Sha1 Cf-Cert-Fingerprint-Sha256 Cf-Worker
    `,
  },
  {
    by: 'Azure App Service',
    source: 'https://learn.microsoft.com/en-us/azure/app-service/configure-authentication-user-identities',
    names: `
      X-MS-CLIENT-PRINCIPAL X-MS-CLIENT-PRINCIPAL-ID X-MS-CLIENT-PRINCIPAL-IDP
      X-MS-CLIENT-PRINCIPAL-NAME X-MS-TOKEN-AAD-ACCESS-TOKEN X-MS-TOKEN-AAD-ID-TOKEN
      X-MS-TOKEN-AAD-REFRESH-TOKEN X-MS-TOKEN-AAD-EXPIRES-ON X-MS-TOKEN-GOOGLE-ACCESS-TOKEN
      X-MS-TOKEN-GOOGLE-ID-TOKEN X-MS-TOKEN-FACEBOOK-ACCESS-TOKEN X-MS-TOKEN-GITHUB-ACCESS-TOKEN
      X-MS-TOKEN-TWITTER-ACCESS-TOKEN X-ARR-ClientCert X-ARR-SSL X-ZUMO-AUTH X-MS-Proxy
      X-MS-AUTH-TOKEN
    `,
  },
  {
    by: 'oauth2-proxy',
    source: 'https://oauth2-proxy.github.io/oauth2-proxy/configuration/overview',
    names: `
      X-Auth-Request-User X-Auth-Request-Email X-Auth-Request-Groups
      X-Auth-Request-Preferred-Username X-Forwarded-Preferred-Username X-Forwarded-Access-Token
    `,
  },
  {
    by: 'Authelia, authentik',
    source: 'https://docs.goauthentik.io/add-secure-apps/providers/proxy/',
    names: `
      Remote-User Remote-Name Remote-Email Remote-Groups X-Authentik-Username X-Authentik-Email
      X-Authentik-Groups X-Authentik-Uid X-Authentik-Entitlements
    `,
  },
  {
    by: 'Pomerium, Vouch',
    source: 'https://www.pomerium.com/docs/reference/jwt-claim-headers',
    names: `
      X-Pomerium-Jwt-Assertion X-Pomerium-Claim-Email X-Vouch-User X-Vouch-Success
      X-Vouch-Idp-Claims-Name
    `,
  },
  {
    by: 'Louketo, Gogatekeeper',
    source: 'https://github.com/gogatekeeper/gatekeeper',
    names: `
      X-Auth-Audience X-Auth-Subject X-Auth-Userid X-Auth-Username X-Auth-Email X-Auth-ExpiresIn
      X-Auth-Groups X-Auth-Roles X-Auth-Token X-Auth-Name X-Auth-Given-Name X-Auth-Family-Name
    `,
  },
  {
    by: 'Grafana, Gitea',
    source:
      'https://grafana.com/docs/grafana/latest/setup-grafana/configure-security/configure-authentication/auth-proxy/',
    names: `
      X-WEBAUTH-USER X-WEBAUTH-FULLNAME X-JWT-Assertion X-Grafana-Id X-Grafana-Org-Id
      X-DS-Authorization X-Grafana-User
    `,
  },
  {
    by: 'Kubernetes',
    source: 'https://kubernetes.io/docs/reference/access-authn-authz/authentication/',
    names: `
      X-Remote-User X-Remote-Group X-Remote-Uid X-Remote-Extra-Scopes Impersonate-User
      Impersonate-Group
    `,
  },
  {
    by: 'SonarQube, Nexus, Artifactory, Atlassian',
    source: 'https://docs.sonarsource.com/sonarqube-server/instance-administration/authentication/http-header',
    names: `
      X-Forwarded-User X-Forwarded-Groups X-Forwarded-Login X-Forwarded-Name X-SSO-USER Rut-Auth
      X-Nexus-User X-Artifactory-User X-Atlassian-User X-Crowd-User
    `,
  },
  {
    by: 'Elasticsearch, OpenSearch',
    source: 'https://docs.opensearch.org/latest/security/authentication-backends/proxy/',
    names: `
      es-security-runas-user es-secondary-authorization X-Elastic-Internal-Origin X-Found-Cluster
      X-Proxy-User X-Proxy-Roles securitytenant Sg-Tenant
    `,
  },
  {
    by: 'Splunk, Tableau',
    source: 'https://docs.splunk.com/Documentation/Splunk/latest/Security/ConfigureSSOwithproxy',
    names: `
      X-Splunk-User X-Splunk-Groups REMOTE-USER Remote-Groups X-Tableau-User
    `,
  },
  {
    by: 'SiteMinder, WebSEAL',
    source: 'https://techdocs.broadcom.com/us/en/symantec-security-software/identity-security/siteminder/12-8.html',
    names: `
      SM-User SM-UserDN SM-UniversalId SM-Groups SMUSER SM-AuthType SM-ServerSessionID
      SM-AuthDirName SM-RealM SM-TransactionID iv-user iv-groups iv-creds iv-user-l
      iv-remote-address iv-server-name iv-qop
    `,
  },
  {
    by: 'Oracle',
    source: 'https://docs.oracle.com/cd/E52734_01/oam/AIAAG/GUID-72676FDC-4BDE-42E4-9765-67BF7401509C.htm',
    names: `
      OAM-Remote-User OAM-Remote-User-Groups OAM-Identity-Domain OAM-Last-Reauthentication-Time
      OAM-Remote-User-Email OAM-User-Assertion Osso-User-Dn Osso-User-Guid Osso-Subscriber
      Osso-Subscriber-Dn Osso-Subscriber-Guid Proxy-Remote-User WL-Proxy-Client-Cert
      WL-Proxy-Client-IP WL-Proxy-SSL WL-Proxy-Client-Keysize WL-Proxy-Client-Secretkeysize
    `,
  },
  {
    by: 'Shibboleth',
    source: 'https://shibboleth.atlassian.net/wiki/spaces/SP3/pages/2065335257/AttributeAccess',
    names: `
      Shib-Session-ID Shib-Identity-Provider Shib-Application-ID Shib-Session-Index
      Shib-Authentication-Method Shib-Authentication-Instant Shib-AuthnContext-Class
      Shib-AuthnContext-Decl Shib-Assertion-Count Shib-Handler Shib-Cookie-Name eppn affiliation
      unscoped-affiliation entitlement assurance targeted-id persistent-id pairwise-id subject-id
      displayName givenName surname sn mail uid cn eduPersonPrincipalName eduPersonAffiliation
    `,
  },
  {
    by: 'mod_auth_cas, mod_auth_mellon',
    source: 'https://github.com/latchset/mod_auth_mellon',
    names: `
      CAS-User CAS-Auth-Type Cas-Userdn X-CAS-User Mellon-NAME-ID Mellon-Idp Mellon-Session
    `,
  },
  {
    by: 'mod_auth_openidc',
    source: 'https://github.com/OpenIDC/mod_auth_openidc/blob/master/auth_openidc.conf',
    names: `
      OIDC-Claim-Sub OIDC-Claim-Email OIDC-Claim-Iss OIDC-Claim-Aud OIDC-Claim-Upn
      OIDC-Claim-Given-Name OIDC-Claim-Family-Name OIDC-Access-Token-Expires OIDC-Refresh-Token
      OIDC-Id-Token OIDC-Userinfo-Jwt OIDC-Session
    `,
  },
  {
    by: 'PingAccess, OpenAM, Okta',
    source: 'https://docs.pingidentity.com/pingaccess/',
    names: `
      Ping-User PA-User X-PingAccess-User PF-Auth-Subject X-OpenAM-Username OpenAM-User
      X-OpenIDM-Username X-OpenIDM-Password X-OpenIDM-RunAs X-Okta-User X-Okta-Identity
    `,
  },
  {
    by: 'F5, Citrix, Zscaler, Netskope',
    source:
      'https://techdocs.f5.com/kb/en-us/archived_products/big-ip/manuals/product/bigip4_5features/BIGip_certserialnumber.html',
    names: `
      X-Trusted-User X-Trusted-Client Trusted-User X-Netskope-User X-Zscaler-User X-Authenticated-By
      X-Citrix-User X-F5-User X-APM-User X-Apm-Session X-SSL-Client-Cert-Subject SSLClientCert
      SSLClientCertStatus SSLClientCipher SSLClientCertSubject SSLClientCertIssuer SSLClientCertSN
      SSLClientCertSerial ClientCert X-Client-SSL-Cert NSSSLClientCert Client-Certificate CN
      Subject-DN Issuer-DN SSLClientCertSerialNumber
    `,
  },
  {
    by: 'WebSphere, private headers',
    source: 'https://ibm.com/support/pages/setting-private-headers-websphere-proxy-server-level',
    names: `
      $WSSC $WSCC $WSRU $WSAT $WSIS $WSPR $WSRA $WSRH $WSSN $WSSP $WSSI
    `,
  },
  {
    by: 'applications, by the choice of an administrator',
    source: 'https://hasura.io/docs/latest/auth/authentication/admin-secret-access',
    names: `
      X-User-Token X-User-Claims X-User-Info X-User-Principal X-Userid X-Principal X-Identity
      X-Subject X-Account-Id X-Customer-Id X-Org-Id X-Organization-Id X-Hasura-User-Id X-Hasura-Role
      X-Hasura-Admin-Secret X-Hasura-Allowed-Roles X-Forwarded-Sub X-Forwarded-Subject
      X-Forwarded-Scopes X-Forwarded-Claim-Sub X-Admin X-Is-Admin X-Internal X-Internal-Request
      X-Superuser sso-user-email domino-username User
    `,
  },
  {
    by: 'Dapr, Knative, Databricks, Replit, Sandstorm, YunoHost',
    source: 'https://docs.sandstorm.io/en/latest/developing/auth/',
    names: `
      X-Dapr-Callback dapr-caller-app-id Knative-Serving-Userid X-Rh-Identity X-Rh-Auth-Identity
      X-Databricks-Username X-Databricks-Email X-IBM-User X-Replit-User-Id X-Replit-User-Name
      X-Replit-User-Roles X-Sandstorm-User-Id X-Sandstorm-Username X-Sandstorm-Permissions Cpd-User
      X-Ms-Client-Principal-Email X-Vercel-Oidc-Token X-Vercel-Sc-Headers Fly-Forwarded-For
      Nginx-User X-Yunohost-User Ynh-User Auth-User Ynh-User-Email YNH-User-Fullname Ssowat-User
      X-Ldap-User X-Ldap-Groups
    `,
  },
];

/** All these names. */
export const proxyHeaders = (): readonly string[] => [
  ...new Set(PROXY_HEADERS.flatMap(({ names }) => names.trim().split(/\s+/))),
];

/** Those that reach services; docs/headers.md says why. */
export const PASSING: readonly string[] = [
  ...['X-Auth-Token', 'X-User-Token', 'X-DS-Authorization', 'es-secondary-authorization', 'X-OpenIDM-Username'],
  ...['X-OpenIDM-Password', 'X-Hasura-Admin-Secret', 'X-Serverless-Authorization', 'X-Goog-Iam-Authorization-Token'],
  ...['X-Goog-Iam-Authority-Selector', 'X-Hasura-Role', 'X-Grafana-Org-Id', 'X-Org-Id', 'X-Organization-Id'],
  ...['X-Account-Id', 'X-Customer-Id', 'securitytenant', 'Sg-Tenant', 'X-Elastic-Internal-Origin'],
];
