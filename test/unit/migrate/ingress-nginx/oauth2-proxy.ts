import type { Sample } from '../case.ts';
import { ingress } from './manifest.ts';

const person = (groups: readonly string[], more: object = {}) => ({
  claims: { sub: '1', email: 'ann@example.com', email_verified: true, groups, ...more },
});
const at = (path: string) => `https://dashboard.example.com${path}`;
const auth = {
  'auth-url': 'https://$host/oauth2/auth?allowed_groups=ops,sre',
  'auth-signin': 'https://$host/oauth2/start?rd=$escaped_request_uri',
  'auth-response-headers': 'X-Auth-Request-User, X-Auth-Request-Email, X-Auth-Request-Access-Token, X-Team',
};

export const sample: Sample = {
  shape:
    'the example of ingress-nginx for external OAuth: an Ingress that asks oauth2-proxy, with groups in the address of the check, and a second Ingress that leads /oauth2 to oauth2-proxy; the configuration of oauth2-proxy beside them',
  command: 'ingress-nginx',
  args: ['--oauth2-proxy', 'oauth2.cfg'],
  files: {
    'ingress.yaml': `${ingress('dashboard', auth, [['dashboard.example.com', '/', 'dashboard', 'https']])}${ingress('oauth2-proxy', {}, [['dashboard.example.com', '/oauth2', 'oauth2-proxy', 4180]])}---
apiVersion: v1
kind: Service
metadata: { name: dashboard, namespace: apps }
spec: { ports: [{ name: https, port: 9443 }] }
`,
  },
  beside: {
    'oauth2.cfg': `provider = "oidc"
oidc_issuer_url = "https://login.example.com"
client_id = "dashboard"
client_secret = "not-for-the-policy"
cookie_secret = "a-seed"
email_domains = ["example.com"]
skip_auth_routes = ["^/healthz$"]
upstreams = ["static://202"]
`,
  },
  cases: [
    { as: 'nobody', url: at('/'), before: 'refused' },
    { as: person(['ops']), url: at('/'), before: 'passes' },
    { as: person(['x', 'sre']), url: at('/api'), before: 'passes' },
    { as: person(['dev']), url: at('/'), before: 'refused' },
    { as: person(['ops'], { email: 'ann@example.net' }), url: at('/'), before: 'refused' },
    // oauth2-proxy sees the path of the check, so this route of its configuration has no effect.
    { as: 'nobody', url: at('/healthz'), before: 'refused' },
  ],
  lists: [
    ['apps/dashboard auth-response-headers X-Auth-Request-Access-Token', /tokens/],
    ['apps/dashboard auth-response-headers X-Team', /headers/],
    ['skip_auth_routes', /auth-url/],
    ['client_secret', /\/run\/secrets\/sso/],
    ['sign-in at dashboard.example.com', /callback/],
  ],
  secrets: ['not-for-the-policy', 'a-seed'],
};
