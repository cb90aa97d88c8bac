// Rendered by meshgate from the policy; do not edit.
export default {
  "policy": "0123456789abcdef0123456789abcdef",
  "check": "/run/meshgate/check.sock",
  "providers": [
    {
      "name": "entra",
      "issuer": "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0"
    }
  ],
  "stale": 86400,
  "assertion": false,
  "sessions": "shared",
  "identities": [],
  "files": [
    {
      "kind": "policy",
      "name": "",
      "path": "/etc/meshgate/meshgate.yaml"
    },
    {
      "kind": "session",
      "name": "",
      "path": "/run/secrets/session.jwks"
    },
    {
      "kind": "client_keys",
      "name": "entra",
      "path": "/run/secrets/client.jwks"
    },
    {
      "kind": "listener",
      "name": "gateway",
      "path": "/run/tls/tls.crt",
      "keyPath": "/run/tls/tls.key"
    },
    {
      "kind": "listener",
      "name": "gateway.signin",
      "path": "/run/tls/auth.crt",
      "keyPath": "/run/tls/auth.key"
    }
  ]
};
