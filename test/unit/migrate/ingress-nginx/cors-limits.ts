import type { Sample } from '../case.ts';

const url = 'https://api.example.com/v1/items';

export const sample: Sample = {
  shape:
    'manifests of public APIs: CORS with several origins of which one has a star, limits by second and by connection with an exempt range, sizes and time-outs, two certificates',
  command: 'ingress-nginx',
  files: {
    'list.yaml': `apiVersion: v1
kind: List
items:
  - apiVersion: networking.k8s.io/v1
    kind: Ingress
    metadata:
      name: api
      namespace: apps
      annotations:
        nginx.ingress.kubernetes.io/enable-cors: "true"
        nginx.ingress.kubernetes.io/cors-allow-origin: "https://app.example.com, https://*.example.net"
        nginx.ingress.kubernetes.io/cors-allow-methods: "GET, POST, OPTIONS"
        nginx.ingress.kubernetes.io/cors-expose-headers: "ETag"
        nginx.ingress.kubernetes.io/cors-max-age: "600"
        nginx.ingress.kubernetes.io/limit-rps: "20"
        nginx.ingress.kubernetes.io/limit-burst-multiplier: "3"
        nginx.ingress.kubernetes.io/limit-connections: "10"
        nginx.ingress.kubernetes.io/limit-whitelist: "10.0.0.0/8"
        nginx.ingress.kubernetes.io/proxy-body-size: "0"
        nginx.ingress.kubernetes.io/proxy-read-timeout: "3600"
        nginx.ingress.kubernetes.io/proxy-connect-timeout: "300"
        nginx.ingress.kubernetes.io/proxy-buffering: "off"
        nginx.ingress.kubernetes.io/affinity: cookie
        nginx.ingress.kubernetes.io/session-cookie-name: route
        cert-manager.io/cluster-issuer: letsencrypt
    spec:
      ingressClassName: nginx
      tls:
        - { hosts: [api.example.com], secretName: api-tls }
        - { hosts: [old.example.com], secretName: old-tls }
      rules:
        - host: api.example.com
          http: { paths: [{ path: /v1, pathType: Prefix, backend: { service: { name: api, port: { number: 8080 } } } }] }
        - host: old.example.com
          http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: api, port: { number: 8080 } } } }] }
`,
  },
  cases: [
    { as: 'nobody', url, before: 'passes' },
    { as: 'nobody', method: 'POST', url, before: 'passes' },
    { as: 'nobody', url: 'https://api.example.com/v10', before: 'refused' },
    { as: 'nobody', url: 'https://api.example.com/', before: 'refused' },
    { as: 'nobody', url: 'https://old.example.com/', before: 'passes' },
  ],
  lists: [
    ['apps/api cors-allow-origin', /star/],
    ['apps/api limit-connections', /limit_conn/],
    ['apps/api limit-whitelist', /budget/],
    ['apps/api limit-rps', /429/],
    ['apps/api affinity', /sessionAffinity/],
    ['apps/api session-cookie-name', /sessionAffinity/],
    ['apps/api cert-manager.io/cluster-issuer', /does not read it/],
    ['Secret old-tls', /mount it/],
  ],
};
