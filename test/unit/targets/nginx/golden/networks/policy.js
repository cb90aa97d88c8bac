// Rendered by meshgate from the policy; do not edit.
export default {
  "selection": "ordSOiW0Qm55vQez1-9Brq0p1rJg-yU_TQMVxMWn3uc",
  "clockSkew": 30,
  "tokenCache": 300,
  "keys": {
    "refresh": 300,
    "stale": 86400,
    "coolDown": 10
  },
  "providers": {
    __proto__: null,
    "okta": {
      "name": "okta",
      "kind": "okta",
      "issuer": "https://example.okta.com/oauth2/default",
      "audiences": ["api://wiki"],
      "algorithms": ["RS256", "PS256", "ES256"],
      "subject": {
        "claim": "sub",
        "prefix": ""
      }
    }
  },
  "roles": [
    [
      "staff",
      {
        "op": "group",
        "value": "staff"
      }
    ],
    [
      "probe",
      {
        "op": "network",
        "value": ["192.0.2.0/24", "2001:db8:9::/48"]
      }
    ],
    [
      "admin",
      {
        "op": "all",
        "facts": [
          {
            "op": "role",
            "value": "staff"
          },
          {
            "op": "network",
            "value": ["192.0.2.128/25"]
          },
          {
            "op": "none",
            "facts": [
              {
                "op": "network",
                "value": ["198.51.100.0/24", "2001:db8::/32"]
              }
            ]
          }
        ]
      }
    ],
    [
      "deployer",
      {
        "op": "certificate",
        "value": "spiffe://example.org/ns/ci/sa/deployer"
      }
    ]
  ],
  "claims": [],
  "sends": {
    "email": true,
    "name": false,
    "groups": false
  },
  "headerNames": ["X-Forwarded-User", "X-Forwarded-Email", "X-Forwarded-Roles"],
  "routes": {
    __proto__: null,
    "wiki.example.com/*": {
      "providers": ["okta"],
      "rules": [
        {
          "id": "wiki.example.com/*#1",
          "who": {
            "kind": "role",
            "role": "staff"
          },
          "service": "wiki",
          "as": ""
        }
      ],
      "headers": {
        "X-Forwarded-User": "subject",
        "X-Forwarded-Email": "email",
        "X-Forwarded-Roles": "roles"
      },
      "accept": ["bearer", "session"]
    },
    "wiki.example.com/admin/*": {
      "providers": ["okta"],
      "rules": [
        {
          "id": "wiki.example.com/admin/*#1",
          "who": {
            "kind": "role",
            "role": "admin"
          },
          "service": "wiki",
          "as": ""
        }
      ],
      "headers": {
        "X-Forwarded-User": "subject",
        "X-Forwarded-Email": "email",
        "X-Forwarded-Roles": "roles"
      },
      "accept": ["bearer", "session"]
    },
    "wiki.example.com/healthz": {
      "providers": ["okta"],
      "rules": [
        {
          "id": "wiki.example.com/healthz#1",
          "who": {
            "kind": "role",
            "role": "probe"
          },
          "service": "wiki",
          "as": ""
        }
      ],
      "headers": {
        "X-Forwarded-User": "subject",
        "X-Forwarded-Email": "email",
        "X-Forwarded-Roles": "roles"
      },
      "accept": ["bearer", "session"]
    },
    "wiki.example.com/deploy/*": {
      "providers": ["okta"],
      "rules": [
        {
          "id": "wiki.example.com/deploy/*#1",
          "who": {
            "kind": "role",
            "role": "deployer"
          },
          "service": "wiki",
          "as": ""
        }
      ],
      "headers": {
        "X-Forwarded-User": "subject",
        "X-Forwarded-Email": "email",
        "X-Forwarded-Roles": "roles"
      },
      "accept": ["certificate"]
    }
  },
  "answerRoom": 896,
  "egress": "/run/meshgate/egress.sock",
  "session": {
    "keysFile": "/run/secrets/session.jwks",
    "idle": 28800,
    "absolute": 86400,
    "fresh": 600,
    "keep": {
      "paths": {
        __proto__: null,
        "okta": ["sub", "email", "email_verified"]
      },
      "elements": {
        __proto__: null,
        "okta": {
          __proto__: null,
          "groups": ["staff"]
        }
      }
    },
    "socket": "/run/meshgate/check.sock",
    "help": {
      __proto__: null,
      "okta": [
        ["groups", "at Okta: Security > API > the authorization server > Claims > \"groups\", in ID tokens, always"]
      ]
    }
  },
  "request": {
    "networks": ["192.0.2.0/24 2001:db8:9::/48", "192.0.2.128/25", "198.51.100.0/24 2001:db8::/32"],
    "certificates": ["spiffe://example.org/ns/ci/sa/deployer"]
  },
  "certificates": true
};
