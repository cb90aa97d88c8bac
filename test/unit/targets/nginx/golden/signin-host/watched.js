// Rendered by meshgate from the policy; do not edit.
export default {
  "policy": "0123456789abcdef",
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
  "identities": []
};
