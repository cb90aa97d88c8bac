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
  "ca": ["/run/mesh/ca.pem", "/run/mesh/nw.pem"],
  "identities": [
    {
      "name": "default",
      "spiffe": "spiffe://example.org/ns/edge/sa/gateway",
      "certFile": "/run/mesh/gateway.pem",
      "keyFile": "/run/mesh/gateway.pem"
    },
    {
      "name": "beta",
      "spiffe": "spiffe://example.org/ns/edge/sa/beta",
      "certFile": "/run/mesh/beta.pem",
      "keyFile": "/run/mesh/beta.pem"
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
