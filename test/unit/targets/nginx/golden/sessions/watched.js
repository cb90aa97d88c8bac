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
      "issuer": "https://sso.example.org/realms/partners"
    },
    {
      "name": "ci",
      "issuer": "https://ci.example.com"
    }
  ],
  "stale": 86400,
  "assertion": false,
  "sessions": "own",
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
      "kind": "client_secret",
      "name": "okta",
      "path": "/run/secrets/okta"
    },
    {
      "kind": "client_certificate",
      "name": "keycloak",
      "path": "/run/secrets/client.crt",
      "keyPath": "/run/secrets/client.key"
    },
    {
      "kind": "listener",
      "name": "gateway",
      "path": "/run/tls/tls.crt",
      "keyPath": "/run/tls/tls.key"
    }
  ]
};
