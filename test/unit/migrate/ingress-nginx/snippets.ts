import type { Sample } from '../case.ts';
import { ingress } from './manifest.ts';

const url = (host: string) => `https://${host}.example.com/x`;

export const sample: Sample = {
  shape:
    'manifests with snippets: headers for security, a key that a request must have, a server snippet that denies, a redirect, ModSecurity; whoever may write snippets decides there what nginx does',
  command: 'ingress-nginx',
  files: {
    'ingress.yaml': [
      ingress(
        'plain',
        { 'configuration-snippet': 'more_set_headers "X-Frame-Options: DENY";\nproxy_set_header X-A b;\n' },
        [['plain.example.com', '/', 'app']],
      ),
      ingress('key', { 'configuration-snippet': 'if ($http_x_api_key != "4711-secret") { return 403; }' }, [
        ['key.example.com', '/', 'app'],
      ]),
      ingress('server', { 'server-snippet': 'location /x { deny all; }' }, [['server.example.com', '/', 'app']]),
      ingress('other', {}, [['server.example.com', '/other', 'app']]),
      ingress('moved', { 'permanent-redirect': 'https://new.example.com' }, [['moved.example.com', '/', 'app']]),
      ingress('waf', { 'enable-modsecurity': 'true', 'auth-snippet': 'proxy_set_header Foo 42;' }, [
        ['waf.example.com', '/', 'app'],
      ]),
    ].join(''),
  },
  cases: [
    { as: 'nobody', url: url('plain'), before: 'passes' },
    { as: 'nobody', url: url('key'), before: 'refused' },
    { as: 'nobody', url: url('server'), before: 'refused' },
    { as: 'nobody', url: 'https://server.example.com/other', before: 'passes', differs: 'apps/server server-snippet' },
    { as: 'nobody', url: url('moved'), before: 'refused' },
    { as: 'nobody', url: url('waf'), before: 'passes' },
  ],
  lists: [
    ['apps/plain configuration-snippet', /directive/],
    ['apps/key configuration-snippet', /closed/],
    ['apps/server server-snippet', /server\.example\.com is closed/],
    ['apps/moved permanent-redirect', /redirects/],
    ['apps/waf enable-modsecurity', /firewall/],
    ['apps/waf auth-snippet', /not carried over/],
  ],
  secrets: ['4711-secret'],
};
