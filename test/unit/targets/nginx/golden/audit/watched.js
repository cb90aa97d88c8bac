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
  "witnesses": {
    "egress": "/run/meshgate/egress.sock",
    "all": [
      {
        "url": "https://witness.example.com",
        "key": "witness.example.com/w+0040556d+BG6v45DyocJMgw1GfYrb84SURBg4I1lFDX6vFovqgwA/"
      },
      {
        "url": "https://other.example.com",
        "key": "other.example.com/w+3bc3adc7+BNE++Utsfce4yClun0hS/SEaa/NHUA3n7Q3f4MEvJ93i"
      }
    ]
  },
  "files": [
    {
      "kind": "policy",
      "name": "",
      "path": "/etc/meshgate/meshgate.yaml"
    }
  ]
};
