// Rendered by meshgate from the policy; do not edit.
export default {
  "selection": "fIAILt0X32jDm24N1_7v2D9cx32K-UdGI05fBnUOQ8A",
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
        "value": "wiki-beta"
      }
    ],
    [
      "legacy",
      {
        "op": "group",
        "value": "wiki-legacy"
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
          "service": "wiki-canary",
          "as": "wiki-beta"
        },
        {
          "id": "wiki.example.com/*#2",
          "methods": ["GET", "HEAD"],
          "who": {
            "kind": "role",
            "role": "legacy"
          },
          "service": "wiki-old",
          "as": ""
        },
        {
          "id": "wiki.example.com/*#3",
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
    "wiki.example.com/static/*": {
      "providers": ["okta"],
      "rules": [
        {
          "id": "wiki.example.com/static/*#1",
          "who": {
            "kind": "role",
            "role": "beta"
          },
          "service": "wiki-old",
          "as": ""
        },
        {
          "id": "wiki.example.com/static/*#2",
          "who": {
            "kind": "anyone"
          },
          "service": "wiki-plain",
          "as": ""
        }
      ],
      "headers": {
        "X-Forwarded-User": "subject",
        "X-Forwarded-Email": "email",
        "X-Forwarded-Roles": "roles"
      }
    },
    "wiki.example.com/same/*": {
      "providers": ["okta"],
      "rules": [
        {
          "id": "wiki.example.com/same/*#1",
          "who": {
            "kind": "role",
            "role": "beta"
          },
          "service": "wiki",
          "as": "wiki-beta"
        },
        {
          "id": "wiki.example.com/same/*#2",
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
    }
  },
  "answerRoom": 31616,
  "egress": "/run/meshgate/egress.sock",
  "assertion": {
    "issuer": "https://wiki.example.com",
    "keysFile": "/run/secrets/assertion.jwks",
    "lifetime": 60
  }
};
