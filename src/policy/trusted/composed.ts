/* Administrators of proxies choose the names of identity headers freely, and compose them: who says it, and what it says,
 * as in `X-SSO-User-Email`. nginx erases whole names only, so all combinations of these words are listed. */

/** Names that consist of a beginning and of words about the caller. */
export interface Composed {
  readonly by: string;
  /** Documentation with names of this form. */
  readonly source: string;
  readonly heads: readonly string[];
  readonly words: readonly string[];
}

const words = (text: string): readonly string[] => Object.freeze(text.trim().split(/\s+/));

/** Products whose name is at the beginning of a header with their user. */
const PRODUCTS = words(`
  Grafana Nexus Artifactory Atlassian Crowd Jira Confluence Splunk Tableau Okta Auth0 Keycloak Azure Entra Google GitHub
  GitLab Gitea Jenkins SonarQube Kibana Elastic OpenSearch Airflow Superset JupyterHub Rancher Netskope Zscaler Citrix F5
  APM IBM Databricks Replit Sandstorm Domino Yunohost YNH Ping PingAccess OpenAM Apache Nginx Traefik Envoy Kong
`);

export const COMPOSED_IDENTITY: readonly Composed[] = [
  {
    by: 'any application, by names that an administrator composes',
    source: 'https://doc.traefik.io/traefik/reference/routing-configuration/http/middlewares/forwardauth/',
    heads: words(`
      X X-Forwarded X-Auth X-Auth-Request X-Authenticated X-Remote Remote X-SSO X-Trusted X-Proxy X-IdP X-OIDC OIDC X-SAML
      X-LDAP X-JWT X-Claim X-Webauth
    `),
    words: words(`
      User User-Id Userid User-Name Username User-Email User-Groups User-Roles User-Claims User-Info User-Principal Email
      Full-Name Display-Name Preferred-Username Login Sub Subject Uid Upn Principal Group Groups Role Roles Permissions
      Scopes Identity Admin Is-Admin
    `),
  },
  {
    by: 'products, by names that begin with theirs',
    source: 'https://docs.sandstorm.io/en/latest/developing/auth/',
    heads: PRODUCTS.map((name) => `X-${name}`),
    words: words('User Username User-Id Email Groups'),
  },
];

export const COMPOSED_CERTIFICATES: readonly Composed[] = [
  {
    by: 'any application, by names of the certificate’s parts',
    source: 'https://nginx.org/en/docs/http/ngx_http_ssl_module.html#variables',
    heads: words(`
      SSL-Client X-SSL-Client X-SSL X-TLS-Client TLS-Client X-Mtls X-Client-Cert Client-Cert X-Client-Certificate
      X-Forwarded-Client-Cert X-Forwarded-Tls-Client X-Cert Cf-Cert CloudFront-Viewer-Cert
    `),
    words: words(`
      Cert Chain CA Pem CN DN S-DN S-DN-CN S-DN-O S-DN-OU S-DN-UID I-DN I-DN-CN I-DN-O Subject Subject-DN Issuer Issuer-DN
      Serial Serial-Number M-Version Verify Verified Status Cert-Status Presented Revoked Fingerprint Fingerprint-SHA1
      Fingerprint-SHA256 SHA256 V-Remain SAN Spiffe-Id Version
    `),
  },
];

/** The names of a head with each word. */
export const namesWith = (head: string, { words }: Pick<Composed, 'words'>): readonly string[] =>
  words.map((word) => `${head}-${word}`);
