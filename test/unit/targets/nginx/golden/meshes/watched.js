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
  "ca": ["/run/mesh/ca.pem", "/run/consul/ca.pem"],
  "identities": [
    {
      "name": "north/default",
      "spiffe": "spiffe://north.example.org/ns/edge/sa/gateway",
      "certFile": "/run/north/gateway.pem",
      "keyFile": "/run/north/gateway.pem"
    },
    {
      "name": "north/beta",
      "spiffe": "spiffe://north.example.org/ns/edge/sa/beta",
      "certFile": "/run/north/beta.pem",
      "keyFile": "/run/north/beta.pem"
    },
    {
      "name": "north-west/default",
      "spiffe": "spiffe://cluster.local/ns/edge/sa/gateway",
      "certFile": "/run/linkerd/gateway.pem",
      "keyFile": "/run/linkerd/gateway.pem"
    },
    {
      "name": "north-west/beta",
      "spiffe": "spiffe://cluster.local/ns/edge/sa/beta",
      "certFile": "/run/linkerd/beta.pem",
      "keyFile": "/run/linkerd/beta.pem"
    },
    {
      "name": "consul/default",
      "spiffe": "spiffe://11111111-2222-3333-4444-555555555555.consul/gateway",
      "certFile": "/run/consul/gateway.pem",
      "keyFile": "/run/consul/gateway.pem"
    }
  ],
  "files": [
    {
      "kind": "policy",
      "name": "",
      "path": "/etc/meshgate/meshgate.yaml"
    }
  ]
};
