// Rendered by meshgate from the policy; do not edit.
export default {
  "policy": "0123456789abcdef0123456789abcdef",
  "check": "/run/meshgate/check.sock",
  "providers": [
    {
      "name": "okta",
      "issuer": "https://example.okta.com/oauth2/default"
    },
    {
      "name": "keycloak",
      "issuer": "https://login.example.com/realms/main"
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
    },
    {
      "kind": "listener",
      "name": "wiki.example.com",
      "path": "/run/tls/wiki.crt",
      "keyPath": "/run/tls/wiki.key"
    }
  ]
};
