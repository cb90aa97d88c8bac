import type { Sample } from '../case.ts';
import { ingress } from './manifest.ts';

const url = 'https://prometheus.example.com/';

export const sample: Sample = {
  shape:
    'the example of ingress-nginx for Basic authentication: a Secret with passwords, a realm, and a health path in an Ingress of its own without a password',
  command: 'ingress-nginx',
  files: {
    'ingress.yaml': `${ingress('prometheus', { 'auth-type': 'basic', 'auth-secret': 'basic-auth', 'auth-realm': 'Sign in' }, [['prometheus.example.com', '/', 'prometheus', 9090]])}${ingress('health', {}, [['prometheus.example.com', '/-/healthy', 'prometheus', 9090, 'Exact']])}`,
  },
  cases: [
    { as: 'nobody', url, before: 'refused' },
    {
      as: { claims: { sub: '1', aud: 'FILL-IN', email: 'ann@example.com', email_verified: true } },
      url,
      before: 'refused',
    },
    { as: 'nobody', url: `${url}-/healthy`, before: 'passes' },
    { as: 'nobody', url: `${url}-/healthy/x`, before: 'refused' },
  ],
  lists: [
    ['apps/prometheus auth-type', /no passwords/],
    ['apps/prometheus auth-secret', /accounts at a provider/],
    ['apps/health path', /open to anyone/],
  ],
};
