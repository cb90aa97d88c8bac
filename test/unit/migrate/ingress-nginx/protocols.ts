import type { Sample } from '../case.ts';
import { ingress } from './manifest.ts';

export const sample: Sample = {
  shape:
    'manifests for gRPC and HTTPS backends with a canary: backend-protocol GRPC and HTTPS, a virtual host, a certificate for the backend, a canary by header and weight, a mirror, an alias',
  command: 'ingress-nginx',
  files: {
    'ingress.yaml': [
      ingress('grpc', { 'backend-protocol': 'GRPC' }, [['grpc.example.com', '/', 'greeter', 50051]]),
      ingress(
        'secure',
        {
          'backend-protocol': 'HTTPS',
          'proxy-ssl-secret': 'apps/backend',
          'proxy-ssl-name': 'backend.internal',
          'upstream-vhost': 'backend.internal',
          'server-alias': 'www.example.com, ~^x.*$',
          'mirror-target': 'https://test.example.net$request_uri',
        },
        [['shop.example.com', '/', 'backend', 8443]],
      ),
      ingress('canary', { canary: 'true', 'canary-by-header': 'X-Canary', 'canary-weight': '10' }, [
        ['shop.example.com', '/', 'backend-canary', 8443],
      ]),
    ].join(''),
  },
  cases: [
    { as: 'nobody', method: 'POST', url: 'https://grpc.example.com/helloworld.Greeter/SayHello', before: 'passes' },
    { as: 'nobody', url: 'https://shop.example.com/', before: 'passes' },
    { as: 'nobody', url: 'https://www.example.com/', before: 'passes' },
    { as: 'nobody', url: 'https://xyz.example.com/', before: 'passes', differs: 'apps/secure server-alias' },
  ],
  lists: [
    ['apps/canary canary', /by the caller/],
    ['apps/canary canary-weight', /weights/],
    ['apps/secure mirror-target', /one service only/],
    ['apps/secure backend-protocol', /verifies/],
  ],
};
