// Rendered by meshgate from the policy; do not edit.
export default {
  "policy": "0123456789abcdef",
  "check": "/run/meshgate/check.sock",
  "providers": [
    {
      "name": "okta",
      "issuer": "https://example.okta.com/oauth2/default"
    }
  ],
  "stale": 86400,
  "assertion": false,
  "clientCa": ["/run/clients/ca.pem"],
  "sessions": "own",
  "identities": []
};
