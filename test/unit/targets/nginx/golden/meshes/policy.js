// Rendered by meshgate from the policy; do not edit.
export default {
  "selection": "GMC67VnKyTnOxEoOn5TggPU_2Akutmf7zqFEy8Ol12M",
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
      "beta",
      {
        "op": "group",
        "value": "beta"
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
            "role": "beta"
          },
          "service": "wiki",
          "as": "beta"
        },
        {
          "id": "wiki.example.com/*#2",
          "who": {
            "kind": "role",
            "role": "staff"
          },
          "service": "wiki",
          "as": "default"
        }
      ],
      "headers": {
        "X-Forwarded-User": "subject",
        "X-Forwarded-Email": "email",
        "X-Forwarded-Roles": "roles"
      }
    },
    "wiki.example.com/search/*": {
      "providers": ["okta"],
      "rules": [
        {
          "id": "wiki.example.com/search/*#1",
          "who": {
            "kind": "role",
            "role": "beta"
          },
          "service": "search",
          "as": "beta"
        },
        {
          "id": "wiki.example.com/search/*#2",
          "who": {
            "kind": "role",
            "role": "staff"
          },
          "service": "search",
          "as": "default"
        }
      ],
      "headers": {
        "X-Forwarded-User": "subject",
        "X-Forwarded-Email": "email",
        "X-Forwarded-Roles": "roles"
      }
    },
    "wiki.example.com/both/*": {
      "providers": ["okta"],
      "rules": [
        {
          "id": "wiki.example.com/both/*#1",
          "who": {
            "kind": "role",
            "role": "beta"
          },
          "service": "notes",
          "as": "beta"
        },
        {
          "id": "wiki.example.com/both/*#2",
          "methods": ["GET", "HEAD"],
          "who": {
            "kind": "anyone"
          },
          "service": "status",
          "as": ""
        },
        {
          "id": "wiki.example.com/both/*#3",
          "who": {
            "kind": "role",
            "role": "staff"
          },
          "service": "search",
          "as": "default"
        }
      ],
      "headers": {
        "X-Forwarded-User": "subject",
        "X-Forwarded-Email": "email",
        "X-Forwarded-Roles": "roles"
      }
    },
    "notes.example.com/*": {
      "providers": ["okta"],
      "rules": [
        {
          "id": "notes.example.com/*#1",
          "who": {
            "kind": "role",
            "role": "beta"
          },
          "service": "notes",
          "as": "beta"
        },
        {
          "id": "notes.example.com/*#2",
          "who": {
            "kind": "role",
            "role": "staff"
          },
          "service": "notes",
          "as": "default"
        }
      ],
      "headers": {
        "X-Forwarded-User": "subject",
        "X-Forwarded-Email": "email",
        "X-Forwarded-Roles": "roles"
      }
    },
    "notes.example.com/reports/*": {
      "providers": ["okta"],
      "rules": [
        {
          "id": "notes.example.com/reports/*#1",
          "who": {
            "kind": "role",
            "role": "staff"
          },
          "service": "reports",
          "as": "default"
        }
      ],
      "headers": {
        "X-Forwarded-User": "subject",
        "X-Forwarded-Email": "email",
        "X-Forwarded-Roles": "roles"
      }
    }
  },
  "answerRoom": 896,
  "egress": "/run/meshgate/egress.sock"
};
