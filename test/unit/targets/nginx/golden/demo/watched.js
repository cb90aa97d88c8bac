// Rendered by meshgate from the policy; do not edit.
export default {
  "policy": "0123456789abcdef0123456789abcdef",
  "check": "/run/meshgate/check.sock",
  "providers": [
    {
      "name": "demo",
      "issuer": "https://provider:9443"
    }
  ],
  "stale": 86400,
  "assertion": false,
  "ca": ["/run/mesh/ca.pem"],
  "identities": [
    {
      "name": "default",
      "spiffe": "spiffe://example.org/ns/edge/sa/gateway",
      "certFile": "/run/mesh/gateway.pem",
      "keyFile": "/run/mesh/gateway.pem"
    },
    {
      "name": "editor",
      "spiffe": "spiffe://example.org/ns/edge/sa/editor",
      "certFile": "/run/mesh/editor.pem",
      "keyFile": "/run/mesh/editor.pem"
    },
    {
      "name": "reader",
      "spiffe": "spiffe://example.org/ns/edge/sa/reader",
      "certFile": "/run/mesh/reader.crt",
      "keyFile": "/run/mesh/reader.key"
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
