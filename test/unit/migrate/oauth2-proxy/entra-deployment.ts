import type { Sample } from '../case.ts';

const group = '4f6c2f6a-1f0e-4f7d-9a5c-8b1f2c3d4e5f';
const person = (claims: object) => ({
  claims: { sub: '1', oid: 'o1', tid: '8f8b0b2e-4d7c-4b6d-9d60-0f3b8a1a6a55', ...claims },
});
const url = 'https://dashboard.example.com/api/v1/pods';

/** oauth2-proxy with Entra ID, as the Deployment of Kubernetes. */
export const sample: Sample = {
  shape:
    'Deployments for the Kubernetes dashboard with Microsoft Entra ID: one tenant, a group by object id, every e-mail domain, secrets from a Secret, the access token for the upstream, sessions in Redis',
  command: 'oauth2-proxy',
  files: {
    'deployment.yaml': `
apiVersion: apps/v1
kind: Deployment
metadata: { name: oauth2-proxy, namespace: dashboard }
spec:
  template:
    spec:
      containers:
        - name: oauth2-proxy
          image: quay.io/oauth2-proxy/oauth2-proxy:v7.15.3
          args:
            - --provider=entra-id
            - --oidc-issuer-url=https://login.microsoftonline.com/8f8b0b2e-4d7c-4b6d-9d60-0f3b8a1a6a55/v2.0
            - --email-domain=*
            - --allowed-group=${group}
            - --upstream=https://kubernetes-dashboard.dashboard.svc:443
            - --ssl-upstream-insecure-skip-verify=true
            - --http-address=0.0.0.0:4180
            - --pass-access-token=true
            - --scope=openid email profile offline_access
            - --session-store-type=redis
            - --redis-connection-url=redis://:hunter2@redis:6379
            - --redirect-url=https://dashboard.example.com/oauth2/callback
          env:
            - { name: OAUTH2_PROXY_CLIENT_ID, value: 1c2d3e4f-0000-4000-8000-000000000001 }
            - name: OAUTH2_PROXY_CLIENT_SECRET
              valueFrom: { secretKeyRef: { name: oauth2-proxy, key: client-secret } }
            - name: OAUTH2_PROXY_COOKIE_SECRET
              valueFrom: { secretKeyRef: { name: oauth2-proxy, key: cookie-secret } }
        - name: exporter
          image: registry.example.com/exporter:1
          args: [--email-domain=nothing.example]
---
apiVersion: v1
kind: Service
metadata: { name: oauth2-proxy, namespace: dashboard }
spec: { ports: [{ port: 4180 }] }
`,
  },
  cases: [
    { as: 'nobody', url, before: 'refused' },
    { as: person({ groups: [group] }), url, before: 'passes' },
    { as: person({ groups: ['00000000-1f0e-4f7d-9a5c-8b1f2c3d4e5f'] }), url, before: 'refused' },
    { as: person({}), url, before: 'refused' },
  ],
  lists: [
    ['--pass-access-token', /signed assertion/],
    ['--redis-connection-url', /etcd/],
    ['--session-store-type', /etcd/],
    ['OAUTH2_PROXY_CLIENT_SECRET', /\/run\/secrets\/entra/],
    ['--upstream', /ca_file/],
  ],
  secrets: ['hunter2'],
};
