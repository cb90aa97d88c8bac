import type { Sample } from '../case.ts';

const ann = { claims: { sub: '1', email: 'ann@example.com', email_verified: true } };
const at = (path: string) => `https://grafana.example.com${path}`;

/** Paths without a credential, and addresses without one. */
export const sample: Sample = {
  shape:
    'configurations for Grafana and Prometheus: skip_auth_routes with methods, an old skip_auth_regex without anchors, a negated route, preflights, trusted addresses behind a load balancer',
  command: 'oauth2-proxy',
  files: {
    'oauth2-proxy.cfg': `
provider = "oidc"
oidc_issuer_url = "https://login.example.com"
client_id = "grafana"
client_secret = "open-paths-secret"
cookie_secret = "open-paths-seed"
email_domains = ["example.com"]
redirect_url = "https://grafana.example.com/oauth2/callback"
upstreams = ["http://grafana:3000"]
reverse_proxy = true
trusted_proxy_ips = ["10.0.0.7"]
real_client_ip_header = "X-Forwarded-For"
trusted_ips = ["192.0.2.0/24", "10.0.0.0/8", "0.0.0.0/0"]
skip_auth_preflight = true
skip_auth_routes = [
  "GET=^/api/health$",
  "^/public/",
  "^/avatar(/.*)?$",
  "POST=^/(hooks|callbacks)/git$",
  "^/img/[a-z]+\\\\.png$",
  "GET!=^/private",
]
skip_auth_regex = ["/metrics"]
`,
  },
  cases: [
    { as: 'nobody', url: at('/'), before: 'passes', differs: 'skip_auth_routes' },
    { as: 'nobody', method: 'POST', url: at('/'), before: 'refused' },
    { as: ann, method: 'POST', url: at('/'), before: 'passes' },
    { as: 'nobody', url: at('/api/health'), before: 'passes' },
    { as: 'nobody', method: 'POST', url: at('/api/health'), before: 'refused' },
    { as: 'nobody', method: 'HEAD', url: at('/api/health'), before: 'refused', differs: 'skip_auth_routes' },
    { as: 'nobody', method: 'POST', url: at('/public/app.css'), before: 'passes' },
    // `^/public/` does not match `/public` itself.
    { as: 'nobody', method: 'POST', url: at('/public'), before: 'refused' },
    { as: ann, method: 'POST', url: at('/public'), before: 'passes' },
    { as: 'nobody', method: 'POST', url: at('/publications'), before: 'refused' },
    { as: 'nobody', method: 'PUT', url: at('/avatar'), before: 'passes' },
    { as: 'nobody', method: 'PUT', url: at('/avatar/ann'), before: 'passes' },
    { as: 'nobody', method: 'PUT', url: at('/avatars'), before: 'refused' },
    { as: 'nobody', method: 'POST', url: at('/hooks/git'), before: 'passes' },
    { as: 'nobody', method: 'POST', url: at('/hooks/git/x'), before: 'refused' },
    { as: 'nobody', method: 'POST', url: at('/img/logo.png'), before: 'passes', differs: 'skip_auth_routes' },
    { as: 'nobody', method: 'POST', url: at('/metrics'), before: 'passes' },
    { as: 'nobody', method: 'POST', url: at('/admin/metrics'), before: 'passes', differs: 'skip_auth_regex' },
    { as: 'nobody', method: 'OPTIONS', url: at('/api/x'), before: 'passes' },
    { as: { network: '192.0.2.9' }, method: 'POST', url: at('/api/x'), before: 'passes' },
    // The load balancer is in this range, so any client could claim an address of it.
    { as: { network: '10.1.2.3' }, method: 'POST', url: at('/api/x'), before: 'passes', differs: 'trusted_ips' },
    { as: { network: '203.0.113.9' }, method: 'POST', url: at('/api/x'), before: 'passes', differs: 'trusted_ips' },
  ],
  lists: [
    ['skip_auth_regex', /no \^ at its beginning/],
    ['skip_auth_routes', /opens every path that does not match/],
    ['skip_auth_routes', /no expressions/],
    ['trusted_ips', /contains all addresses/],
    ['trusted_ips', /forge/],
  ],
  secrets: ['open-paths-secret', 'open-paths-seed'],
};
