import type { Sample } from '../case.ts';
import { ingress } from './manifest.ts';

const at = (path: string) => `https://shop.example.com${path}`;
const inside = { network: '192.0.2.9' };

export const sample: Sample = {
  shape:
    'the examples of ingress-nginx for rewrites and expressions: a prefix that is stripped with /$2, the whole path with /$1, expressions with use-regex, an application root; on such a host every path is an expression without case',
  command: 'ingress-nginx',
  files: {
    'ingress.yaml': [
      ingress('stripped', { 'rewrite-target': '/$2', 'use-regex': 'true' }, [
        ['shop.example.com', '/cart(/|$)(.*)', 'cart', 8080, 'ImplementationSpecific'],
      ]),
      ingress('admin', { 'whitelist-source-range': '192.0.2.0/24' }, [['shop.example.com', '/admin', 'shop']]),
      ingress('versions', { 'whitelist-source-range': '192.0.2.0/24', 'use-regex': 'true' }, [
        ['shop.example.com', '/api/v[0-9]+/internal', 'shop', 80, 'ImplementationSpecific'],
      ]),
      ingress('whole', { 'app-root': '/home' }, [['shop.example.com', '/', 'shop']]),
      ingress('same', { 'rewrite-target': '/$1' }, [
        ['same.example.com', '/(.*)', 'shop', 80, 'ImplementationSpecific'],
      ]),
    ].join(''),
  },
  cases: [
    { as: 'nobody', url: at('/home'), before: 'passes' },
    { as: 'nobody', url: at('/cart/1'), before: 'passes', differs: 'apps/stripped rewrite-target' },
    { as: 'nobody', url: at('/admin/users'), before: 'refused' },
    { as: inside, url: at('/admin/users'), before: 'passes' },
    { as: 'nobody', url: at('/api/v2/internal'), before: 'refused' },
    { as: inside, url: at('/api/v2/internal'), before: 'passes' },
    // All below /api/ has the rules of the expression, because a policy cannot name it.
    { as: 'nobody', url: at('/api/items'), before: 'passes', differs: 'apps/versions path' },
    // Expressions of ingress-nginx have no case, and no end.
    { as: 'nobody', url: at('/administrator'), before: 'refused', differs: 'apps/admin path' },
    { as: 'nobody', url: at('/ADMIN/users'), before: 'refused', differs: 'apps/admin path' },
    { as: 'nobody', url: 'https://same.example.com/x/y', before: 'passes' },
  ],
  lists: [
    ['apps/stripped rewrite-target', /accept/],
    ['apps/whole app-root', /redirects/],
    ['apps/versions path', /all paths below \/api\//],
  ],
};
