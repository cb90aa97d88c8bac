// Rendered by meshgate from the policy; do not edit.
export default {
  "providers": {
    __proto__: null,
    "corp": {
      "name": "corp",
      "kind": "generic",
      "issuer": "https://corp.example.com",
      "client": {
        "id": "gateway",
        "auth": {
          "kind": "private_key_jwt",
          "keysFile": "/run/secrets/corp.jwks"
        }
      },
      "introspection": {
        "timeout": 4
      }
    },
    "legacy": {
      "name": "legacy",
      "kind": "generic",
      "issuer": "legacy",
      "client": {
        "id": "gateway",
        "auth": {
          "kind": "tls_client_auth",
          "certFile": "/run/secrets/client.crt",
          "keyFile": "/run/secrets/client.key"
        }
      },
      "introspection": {
        "endpoint": "https://legacy.example.com/introspect",
        "timeout": 2
      }
    }
  },
  "egress": "/run/meshgate/egress.sock",
  "keys": {
    "stale": 86400
  }
};
