// Rendered by meshgate from the policy; do not edit.
export default {
  "policy": "0123456789abcdef",
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
  "identities": []
};
