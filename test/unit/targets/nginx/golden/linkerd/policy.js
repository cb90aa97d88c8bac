// Rendered by meshgate from the policy; do not edit.
export default {
  "selection": "dlFR4iBDzdYbuJYXDBRVc8W6W131LyNXt_sjL8rSYgE",
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
      "reader",
      {
        "op": "group",
        "value": "readers"
      }
    ],
    [
      "editor",
      {
        "op": "group",
        "value": "editors"
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
            "role": "editor"
          },
          "service": "wiki",
          "as": "editor"
        },
        {
          "id": "wiki.example.com/*#2",
          "who": {
            "kind": "role",
            "role": "reader"
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
            "role": "reader"
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
    "wiki.example.com/canary/*": {
      "providers": ["okta"],
      "rules": [
        {
          "id": "wiki.example.com/canary/*#1",
          "who": {
            "kind": "role",
            "role": "editor"
          },
          "service": "search",
          "as": "default"
        },
        {
          "id": "wiki.example.com/canary/*#2",
          "who": {
            "kind": "role",
            "role": "reader"
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
    }
  },
  "answerRoom": 896,
  "egress": "/run/meshgate/egress.sock"
};
