import type { Sample } from '../case.ts';
import { ingress } from './manifest.ts';

const shown = (certificate: string) => ({ certificate });

export const sample: Sample = {
  shape:
    'the example of ingress-nginx for client certificates: a CA in a Secret, any certificate on one host, common names by an expression on another, optional verification on a third',
  command: 'ingress-nginx',
  files: {
    'ingress.yaml': [
      ingress('api', { 'auth-tls-secret': 'apps/ca', 'auth-tls-verify-client': 'on', 'auth-tls-verify-depth': '2' }, [
        ['api.example.com', '/', 'api'],
      ]),
      ingress('ci', { 'auth-tls-secret': 'apps/ca', 'auth-tls-match-cn': 'CN=(ci.example.com|cd\\.example\\.com)' }, [
        ['ci.example.com', '/', 'api'],
      ]),
      ingress(
        'open',
        {
          'auth-tls-secret': 'apps/ca',
          'auth-tls-verify-client': 'optional',
          'auth-tls-pass-certificate-to-upstream': 'true',
        },
        [['open.example.com', '/', 'api']],
      ),
      ingress('odd', { 'auth-tls-secret': 'apps/ca', 'auth-tls-match-cn': 'CN=svc-[0-9]+' }, [
        ['odd.example.com', '/', 'api'],
      ]),
    ].join(''),
  },
  cases: [
    { as: 'nobody', url: 'https://api.example.com/', before: 'refused' },
    { as: shown('any.example.net'), url: 'https://api.example.com/', before: 'passes' },
    { as: 'nobody', url: 'https://ci.example.com/', before: 'refused' },
    { as: shown('ci.example.com'), url: 'https://ci.example.com/', before: 'passes' },
    { as: shown('cd.example.com'), url: 'https://ci.example.com/', before: 'passes' },
    { as: shown('mallory.example.com'), url: 'https://ci.example.com/', before: 'refused' },
    { as: 'nobody', url: 'https://open.example.com/', before: 'passes' },
    // An expression that is no list of names: the role is for a person to write.
    {
      as: shown('svc-1.example.com'),
      url: 'https://odd.example.com/',
      before: 'passes',
      differs: 'apps/odd auth-tls-match-cn',
    },
    { as: 'nobody', url: 'https://odd.example.com/', before: 'refused' },
  ],
  lists: [
    ['apps/api auth-tls-secret', /never the common name/],
    ['apps/api auth-tls-verify-depth', /chain/],
    ['apps/open auth-tls-pass-certificate-to-upstream', /never see the certificate/],
    ['apps/open auth-tls-verify-client', /result of the verification/],
    ['apps/odd auth-tls-match-cn', /DNS names/],
  ],
};
