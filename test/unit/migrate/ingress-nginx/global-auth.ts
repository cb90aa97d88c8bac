import type { Sample } from '../case.ts';
import { ingress } from './manifest.ts';

const ann = { claims: { sub: '1', email: 'ann@example.com', email_verified: true } };
const url = (host: string) => `https://${host}.example.com/`;

export const sample: Sample = {
  shape:
    'a cluster with global authentication in the ConfigMap of the controller: an Ingress that says nothing, one that switches it off, one with an authentication service of its own, one with another prefix, and one of another controller',
  command: 'ingress-nginx',
  args: ['--oauth2-proxy', 'oauth2.cfg'],
  files: {
    'ingress.yaml': [
      ingress('quiet', {}, [['quiet.example.com', '/', 'app']]),
      ingress('off', { 'enable-global-auth': 'false' }, [['off.example.com', '/', 'app']]),
      ingress('own', { 'auth-url': 'http://authz.auth.svc.cluster.local/verify' }, [['own.example.com', '/', 'app']]),
      ingress('odd', { 'enable-global-auth': 'false', 'custom.example.com/auth-url': 'http://x/oauth2/auth' }, [
        ['odd.example.com', '/', 'app'],
      ]),
      ingress('elsewhere', {}, [['elsewhere.example.com', '/', 'app']], { ingressClassName: 'traefik' }),
      `---
apiVersion: v1
kind: ConfigMap
metadata: { name: ingress-nginx-controller, namespace: ingress-nginx }
data:
  global-auth-url: https://auth.example.com/oauth2/auth
  global-auth-signin: https://auth.example.com/oauth2/start
  use-forwarded-headers: "true"
  proxy-real-ip-cidr: 10.0.0.7/32
  hsts-max-age: "63072000"
`,
    ].join(''),
  },
  beside: {
    'oauth2.cfg': `provider = "keycloak-oidc"
oidc_issuer_url = "https://sso.example.com/realms/main"
client_id = "cluster"
email_domains = ["example.com"]
`,
  },
  cases: [
    { as: 'nobody', url: url('quiet'), before: 'refused' },
    { as: ann, url: url('quiet'), before: 'passes' },
    { as: 'nobody', url: url('off'), before: 'passes' },
    { as: 'nobody', url: url('own'), before: 'refused' },
    // What the other service answers is not known, so no caller passes.
    { as: ann, url: url('own'), before: 'passes', differs: 'apps/own auth-url' },
    { as: 'nobody', url: url('odd'), before: 'passes', differs: 'apps/odd custom.example.com/auth-url' },
    { as: 'nobody', url: url('elsewhere'), before: 'refused' },
  ],
  lists: [
    ['apps/own auth-url', /no other service/],
    ['apps/odd custom.example.com/auth-url', /--annotations-prefix/],
    ['apps/elsewhere class', /another controller/],
  ],
};
