import type { Sample } from '../case.ts';
import { ingress } from './manifest.ts';

const ann = { claims: { sub: '1', email: 'ann@example.com', email_verified: true } };
const inside = '192.0.2.9';
const outside = '198.51.100.9';
const auth = {
  'auth-url': 'http://oauth2-proxy.auth.svc.cluster.local:4180/oauth2/auth',
  'whitelist-source-range': '192.0.2.0/24',
};
const url = (host: string) => `https://${host}.example.com/`;

export const sample: Sample = {
  shape:
    'the documentation of satisfy: an allow list and external authentication, of which any is enough on one host and both are needed on another; the check over plain HTTP inside the cluster',
  command: 'ingress-nginx',
  args: ['--oauth2-proxy', 'oauth2.env'],
  files: {
    'ingress.yaml': `${ingress('any', { ...auth, satisfy: 'any' }, [['any.example.com', '/', 'app']])}${ingress('both', auth, [['both.example.com', '/', 'app']])}`,
  },
  beside: {
    'oauth2.env': `OAUTH2_PROXY_PROVIDER=oidc
OAUTH2_PROXY_OIDC_ISSUER_URL=https://login.example.com
OAUTH2_PROXY_CLIENT_ID=app
OAUTH2_PROXY_EMAIL_DOMAINS=example.com
`,
  },
  cases: [
    { as: { network: inside }, url: url('any'), before: 'passes' },
    { as: { network: outside }, url: url('any'), before: 'refused' },
    { as: { ...ann, network: outside }, url: url('any'), before: 'passes' },
    { as: { ...ann, network: inside }, url: url('any'), before: 'passes' },
    { as: { network: inside }, url: url('both'), before: 'refused' },
    { as: { ...ann, network: outside }, url: url('both'), before: 'refused' },
    { as: { ...ann, network: inside }, url: url('both'), before: 'passes' },
  ],
  lists: [['apps/any auth-url', /plain HTTP/]],
};
