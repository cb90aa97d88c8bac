// Rendered by meshgate from the policy; do not edit.
export default {
  "selection": "vOJ7TXPcgRRyhVmgrlgnx0c598wCzoZt_qXyEZaFJzo",
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
        "prefix": "okta-"
      }
    },
    "keycloak": {
      "name": "keycloak",
      "kind": "keycloak",
      "issuer": "https://login.example.com/realms/main",
      "audiences": ["wiki"],
      "algorithms": ["RS256", "PS256", "ES256"],
      "subject": {
        "claim": "sub",
        "prefix": "kc-"
      }
    }
  },
  "roles": [
    [
      "staff",
      {
        "op": "any",
        "facts": [
          {
            "op": "group",
            "value": "staff",
            "provider": "okta"
          },
          {
            "op": "has",
            "claim": "realm_access.roles",
            "value": "staff",
            "provider": "keycloak"
          }
        ]
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
            "op": "scope",
            "value": "wiki.admin",
            "provider": "keycloak"
          }
        ]
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
    "wiki.example.com/docs/*": {
      "providers": ["okta"],
      "rules": [
        {
          "id": "wiki.example.com/docs/*#1",
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
    "wiki.example.com/docs": {
      "providers": ["okta"],
      "rules": [
        {
          "id": "wiki.example.com/docs#1",
          "who": {
            "kind": "anyone"
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
    "wiki.example.com/docs/api/*": {
      "providers": ["okta"],
      "rules": [
        {
          "id": "wiki.example.com/docs/api/*#1",
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
    "wiki.example.com/docs/api/v1/health": {
      "providers": ["okta"],
      "rules": [
        {
          "id": "wiki.example.com/docs/api/v1/health#1",
          "who": {
            "kind": "anyone"
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
    "*.example.com/*": {
      "providers": ["okta", "keycloak"],
      "rules": [
        {
          "id": "*.example.com/*#1",
          "who": {
            "kind": "authenticated"
          },
          "service": "tenant",
          "as": "default"
        }
      ],
      "headers": {
        "X-Forwarded-User": "subject",
        "X-Forwarded-Email": "email",
        "X-Forwarded-Roles": "roles"
      }
    },
    "*.example.com/admin/*": {
      "providers": ["okta", "keycloak"],
      "rules": [
        {
          "id": "*.example.com/admin/*#1",
          "who": {
            "kind": "role",
            "role": "admin"
          },
          "service": "tenant",
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
  "egress": "/run/meshgate/egress.sock",
  "scopes": {
    __proto__: null,
    "admin": "wiki.admin"
  }
};
