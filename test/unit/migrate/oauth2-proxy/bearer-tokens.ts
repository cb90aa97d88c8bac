import type { Sample } from '../case.ts';

const url = 'https://api.example.com/v1/items';
const okta = (claims: object, scp = ['api']) => ({
  provider: 'okta',
  claims: { sub: 'ann', uid: 'u1', scp, cid: 'app', ...claims },
});

/** Bearer tokens of the provider and of a further issuer. */
export const sample: Sample = {
  shape:
    'configurations that let scripts send JWTs: skip_jwt_bearer_tokens with Okta, an extra issuer (a cluster’s service accounts), an extra audience, API routes without redirects, TLS of its own',
  command: 'oauth2-proxy',
  files: {
    'oauth2-proxy.cfg': `
provider = "oidc"
oidc_issuer_url = "https://example.okta.com/oauth2/default"
client_id = "0oa1example"
client_secret_file = "/run/secrets/okta"
cookie_secret_file = "/run/secrets/cookie"
email_domains = ["*"]
redirect_url = "https://api.example.com/oauth2/callback"
skip_jwt_bearer_tokens = true
oidc_extra_audiences = ["api://items"]
extra_jwt_issuers = ["https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE=api"]
api_routes = ["^/v1/"]
tls_cert_file = "/etc/tls/tls.crt"
tls_key_file = "/etc/tls/tls.key"
https_address = ":8443"
upstreams = ["http://items:8080"]
pass_host_header = false
`,
  },
  cases: [
    { as: 'nobody', url, before: 'refused' },
    { as: okta({ aud: 'api://items', email: 'ann@example.com', email_verified: true }), url, before: 'passes' },
    { as: okta({ aud: 'api://other', email: 'ann@example.com', email_verified: true }), url, before: 'refused' },
    { as: okta({ aud: 'api://items', email: 'ann@example.com', email_verified: false }), url, before: 'refused' },
    // oauth2-proxy uses the subject as the address of a token that has no address.
    { as: okta({ aud: 'api://items' }), url, before: 'passes', differs: 'email_domains' },
    {
      as: {
        provider: 'kubernetes-tokens',
        claims: { sub: 'system:serviceaccount:ci:deployer', aud: ['api'], 'kubernetes.io': { namespace: 'ci' } },
      },
      url,
      before: 'passes',
    },
    // A token that a program got for itself (client credentials).
    {
      as: {
        provider: 'okta',
        claims: {
          sub: '0oa9program',
          cid: '0oa9program',
          scp: ['api'],
          aud: 'api://items',
          email: 'a@example.com',
          email_verified: true,
        },
      },
      url,
      before: 'passes',
    },
    {
      as: {
        provider: 'kubernetes-tokens',
        claims: {
          sub: 'system:serviceaccount:ci:deployer',
          aud: ['api'],
          email: 'a@example.com',
          email_verified: false,
        },
      },
      url,
      before: 'refused',
      differs: 'extra_jwt_issuers',
    },
  ],
  lists: [['skip_jwt_bearer_tokens', /access tokens/]],
};
