/** Minimal objects, written by hand, that use everything that the lab must enforce. */

export interface MeshContext {
  /** The issuer of the assertions. */
  readonly issuer: string;
  /** The keys: `jwks` or `jwksUri` of a rule. */
  readonly keys: string;
  readonly trustDomain: string;
}

/** At the ingress: mutual TLS, an assertion in the gateway's header, a rule by identity, role, method and path. */
export function ingressObjects({ issuer, keys, trustDomain }: MeshContext): string {
  const reader = `${trustDomain}/ns/edge/sa/reader`;
  const editor = `${trustDomain}/ns/edge/sa/editor`;
  return `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: edge, namespace: ingress }
spec:
  selector: { app: ingress }
  servers:
    - port: { number: 8443, name: https, protocol: HTTPS }
      hosts: ["*"]
      tls:
        mode: MUTUAL
        credentialName: ingress-cert
        subjectAltNames: ["spiffe://${reader}", "spiffe://${editor}"]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: wiki, namespace: ingress }
spec:
  hosts: [wiki.test]
  gateways: [edge]
  http: [{ route: [{ destination: { host: wiki.apps.svc.cluster.local, port: { number: 8080 } } }] }]
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: assertion, namespace: ingress }
spec:
  selector: { matchLabels: { app: ingress } }
  jwtRules:
    - issuer: ${issuer}
      audiences: [wiki]
      fromHeaders: [{ name: x-meshgate-assertion }]
      forwardOriginalToken: true
      ${keys}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: readers, namespace: ingress }
spec:
  selector: { matchLabels: { app: ingress } }
  rules:
    - from: [{ source: { principals: ["${reader}"] } }]
      to: [{ operation: { hosts: [wiki.test], methods: [GET], paths: ["/rest/*"] } }]
      when: [{ key: "request.auth.claims[roles]", values: [reader] }]
    - from: [{ source: { principals: ["${editor}"] } }]
      to: [{ operation: { hosts: [wiki.test], paths: ["/rest/*"] } }]
      when: [{ key: "request.auth.claims[roles]", values: [editor] }]
`;
}

/** At the workload: only the ingress calls it, and with an assertion. */
export function workloadObjects({ issuer, keys, trustDomain }: MeshContext): string {
  return `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: wiki, namespace: apps }
spec:
  selector: { matchLabels: { app: wiki } }
  mtls: { mode: STRICT }
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: wiki, namespace: apps }
spec:
  selector: { matchLabels: { app: wiki } }
  jwtRules:
    - issuer: ${issuer}
      audiences: [wiki]
      fromHeaders: [{ name: x-meshgate-assertion }]
      forwardOriginalToken: true
      ${keys}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: wiki, namespace: apps }
spec:
  selector: { matchLabels: { app: wiki } }
  rules:
    - from: [{ source: { principals: ["${trustDomain}/ns/ingress/sa/ingress"] } }]
      when: [{ key: "request.auth.claims[roles]", values: [reader, editor] }]
`;
}
