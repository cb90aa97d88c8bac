// Rendered by meshgate from the policy; do not edit.
export default {
  "policy": "0123456789abcdef0123456789abcdef",
  "check": "/run/meshgate/check.sock",
  "providers": [
    {
      "name": "corp",
      "issuer": "https://sso.example.com/realms/corp"
    }
  ],
  "stale": 86400,
  "assertion": false,
  "identities": [],
  "files": [
    {
      "kind": "policy",
      "name": "",
      "path": "/etc/meshgate/meshgate.yaml"
    },
    {
      "kind": "proof",
      "name": "",
      "path": "/run/secrets/proof.jwks"
    },
    {
      "kind": "listener",
      "name": "gateway",
      "path": "/run/tls/tls.crt",
      "keyPath": "/run/tls/tls.key"
    }
  ]
};
