// Rendered by meshgate from the policy; do not edit.
export default {
  "policy": "0123456789abcdef0123456789abcdef",
  "check": "/run/meshgate/check.sock",
  "providers": [
    {
      "name": "corp",
      "issuer": "https://corp.example.com"
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
      "kind": "client_keys",
      "name": "corp",
      "path": "/run/secrets/corp.jwks"
    },
    {
      "kind": "client_certificate",
      "name": "legacy",
      "path": "/run/secrets/client.crt",
      "keyPath": "/run/secrets/client.key"
    }
  ]
};
