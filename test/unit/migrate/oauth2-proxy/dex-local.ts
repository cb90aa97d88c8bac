import type { Sample } from '../case.ts';

const ann = { claims: { sub: '1', email: 'ann@example.com', email_verified: true } };
const mallory = { claims: { sub: '2', email: 'mallory@example.net', email_verified: true } };
const unverified = { claims: { sub: '3', email: 'ann@example.com', email_verified: false } };

/** oauth2-proxy in front of one service, with Dex, as a TOML file. */
export const sample: Sample = {
  shape:
    'the local environment of oauth2-proxy’s own repository: provider oidc (Dex), one e-mail domain, one upstream, a cookie that is not Secure, plain HTTP behind no proxy',
  command: 'oauth2-proxy',
  files: {
    'oauth2-proxy.cfg': `
http_address = "0.0.0.0:4180"
cookie_secret = "a-seed-of-32-bytes-for-this-test"
cookie_secure = "false"
cookie_domains = [".localtest.example"]
email_domains = ["example.com"]
provider = "oidc"
client_id = "oauth2-proxy"
client_secret = "not-a-real-client-secret"
oidc_issuer_url = "https://dex.localtest.example/dex"
redirect_url = "https://app.localtest.example/oauth2/callback"
upstreams = "http://httpbin:8080"
whitelist_domains = [".localtest.example"]
`,
  },
  cases: [
    { as: 'nobody', url: 'https://app.localtest.example/', before: 'refused' },
    { as: ann, url: 'https://app.localtest.example/', before: 'passes' },
    { as: ann, method: 'DELETE', url: 'https://app.localtest.example/any/path', before: 'passes' },
    { as: mallory, url: 'https://app.localtest.example/', before: 'refused' },
    { as: unverified, url: 'https://app.localtest.example/', before: 'refused' },
    // oauth2-proxy lowers the case of addresses.
    {
      as: { claims: { sub: '1', email: 'Ann@Example.com', email_verified: true } },
      url: 'https://app.localtest.example/',
      before: 'passes',
      differs: 'email_domains',
    },
    // A provider may say nothing about the verification.
    {
      as: { claims: { sub: '1', email: 'ann@example.com' } },
      url: 'https://app.localtest.example/',
      before: 'passes',
      differs: 'email_domains',
    },
  ],
  lists: [
    ['client_secret', /write the client secret into \/run\/secrets\/sso/],
    ['cookie_secret', /meshgate keys new --session/],
    ['cookie_secure', /Secure/],
    ['cookie_domains', /gateway\.signin\.host/],
    ['whitelist_domains', /same host/],
    ['http_address', /TLS/],
  ],
  secrets: ['a-seed-of-32-bytes-for-this-test', 'not-a-real-client-secret'],
};
