import type { Sample } from '../case.ts';

const person = (claims: object) => ({
  claims: { sub: '1', email: 'ann@example.com', email_verified: true, ...claims },
});
const at = (path: string) => `https://portal.example.com${path}`;

/** The alpha configuration of oauth2-proxy, with the rest in TOML. */
export const sample: Sample = {
  shape:
    'the alpha configuration of oauth2-proxy’s documentation: one provider, headers from claims and from a secret, three upstreams of which one rewrites its path and one is a fixed response',
  command: 'oauth2-proxy',
  files: {
    'alpha.yaml': `
providers:
  - id: keycloak
    provider: keycloak-oidc
    name: Staff
    clientID: portal
    clientSecret: alpha-client-secret
    scope: openid email profile
    allowedGroups: [/portal]
    code_challenge_method: S256
    oidcConfig:
      issuerURL: https://sso.example.com/realms/staff
      audienceClaims: [aud]
      emailClaim: email
      groupsClaim: groups
      insecureSkipNonce: false
upstreamConfig:
  upstreams:
    - { id: portal, path: /, uri: http://portal:8080 }
    - { id: api, path: /api/, uri: http://api:9000, timeout: 2m, passHostHeader: false }
    - { id: old, path: ^/legacy/(.*)$, rewriteTarget: /v1/$1, uri: http://legacy:9000 }
    - { id: hello, path: /hello, static: true, staticCode: 200 }
injectRequestHeaders:
  - name: X-Forwarded-Email
    values: [{ claimSource: { claim: email } }]
  - name: X-Forwarded-Groups
    values: [{ claimSource: { claim: groups } }]
  - name: X-Department
    values: [{ claimSource: { claim: department } }]
  - name: X-Upstream-Key
    values: [{ secretSource: { value: c3VwZXItc2VjcmV0 } }]
  - name: Authorization
    values: [{ claimSource: { claim: id_token, prefix: "Bearer " } }]
server:
  bindAddress: 0.0.0.0:4180
`,
    'core.cfg': `
cookie_secret = "alpha-cookie-seed"
email_domains = ["example.com"]
redirect_url = "https://portal.example.com/oauth2/callback"
`,
  },
  cases: [
    { as: 'nobody', url: at('/'), before: 'refused' },
    { as: person({ groups: ['/portal'] }), url: at('/'), before: 'passes' },
    { as: person({ groups: ['/portal'] }), url: at('/api/items'), before: 'passes' },
    { as: person({ groups: ['/other'] }), url: at('/api/items'), before: 'refused' },
    { as: person({ groups: ['/portal'], email: 'ann@example.net' }), url: at('/'), before: 'refused' },
    { as: 'nobody', url: at('/hello'), before: 'refused' },
  ],
  lists: [
    ['injectRequestHeaders[3] X-Upstream-Key', /fixed values/],
    ['injectRequestHeaders[4] Authorization', /assertion/],
    ['upstreamConfig.upstreams[2] old', /rewrite/],
    ['upstreamConfig.upstreams[3] hello', /fixed response/],
  ],
  secrets: ['alpha-client-secret', 'alpha-cookie-seed', 'c3VwZXItc2VjcmV0'],
};
