// Rendered by meshgate from the policy; do not edit.
export default {
  "policy": "0123456789abcdef0123456789abcdef",
  "check": "/run/meshgate/check.sock",
  "providers": [
    {
      "name": "okta",
      "issuer": "https://example.okta.com/oauth2/default"
    }
  ],
  "stale": 86400,
  "assertion": false,
  "ca": ["/run/linkerd/trust-anchors.pem"],
  "identities": [
    {
      "name": "default",
      "spiffe": "spiffe://cluster.local/ns/edge/sa/gateway",
      "certFile": "/run/mesh/gateway.pem",
      "keyFile": "/run/mesh/gateway.pem",
      "names": ["gateway.edge.serviceaccount.identity.linkerd.cluster.local", "spiffe://cluster.local/ns/edge/sa/gateway"]
    },
    {
      "name": "editor",
      "spiffe": "spiffe://cluster.local/ns/edge/sa/editor",
      "certFile": "/run/mesh/editor.pem",
      "keyFile": "/run/mesh/editor.pem",
      "names": ["editor.edge.serviceaccount.identity.linkerd.cluster.local", "spiffe://cluster.local/ns/edge/sa/editor"]
    }
  ],
  "files": [
    {
      "kind": "policy",
      "name": "",
      "path": "/etc/meshgate/meshgate.yaml"
    },
    {
      "kind": "listener",
      "name": "gateway",
      "path": "/run/tls/tls.crt",
      "keyPath": "/run/tls/tls.key"
    }
  ]
};
