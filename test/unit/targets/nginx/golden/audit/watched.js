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
  "identities": [],
  "audit": "/var/lib/meshgate/audit",
  "files": [
    {
      "kind": "policy",
      "name": "",
      "path": "/etc/meshgate/meshgate.yaml"
    }
  ]
};
