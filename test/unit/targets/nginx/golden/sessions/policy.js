// Rendered by meshgate from the policy; do not edit.
export default {
  "selection": "Pl77Yzt6Wq_XevsG2HMngzOa8-3TnH_8iwX_SVjvGNI",
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
      "issuer": "https://sso.example.org/realms/partners",
      "audiences": [],
      "algorithms": ["RS256", "PS256", "ES256"],
      "subject": {
        "claim": "sub",
        "prefix": "partners-"
      }
    },
    "ci": {
      "name": "ci",
      "kind": "generic",
      "issuer": "https://ci.example.com",
      "audiences": ["api://wiki"],
      "algorithms": ["RS256", "PS256", "ES256"],
      "subject": {
        "claim": "sub",
        "prefix": "ci-"
      }
    }
  },
  "roles": [
    [
      "staff",
      {
        "op": "group",
        "value": "staff",
        "provider": "okta"
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
            "op": "max_age",
            "value": 900,
            "provider": "okta"
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
    "wiki.example.com/*": {
      "providers": ["okta", "keycloak"],
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
      "providers": ["okta", "keycloak"],
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
      "accept": ["session"]
    },
    "wiki.example.com/api/*": {
      "providers": ["okta", "keycloak"],
      "rules": [
        {
          "id": "wiki.example.com/api/*#1",
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
      }
    },
    "wiki.example.com/status": {
      "providers": ["okta", "keycloak"],
      "rules": [
        {
          "id": "wiki.example.com/status#1",
          "who": {
            "kind": "anyone"
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
    "wiki.example.com/wiki.Wiki/*": {
      "providers": ["okta", "keycloak"],
      "rules": [
        {
          "id": "wiki.example.com/wiki.Wiki/*#1",
          "who": {
            "kind": "role",
            "role": "staff"
          },
          "service": "calls",
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
    "*.apps.example.com/app/*": {
      "providers": ["okta"],
      "rules": [
        {
          "id": "*.apps.example.com/app/*#1",
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
    "api.example.com/*": {
      "providers": ["ci"],
      "rules": [
        {
          "id": "api.example.com/*#1",
          "who": {
            "kind": "authenticated"
          },
          "service": "wiki",
          "as": ""
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
  "session": {
    "keysFile": "/run/secrets/session.jwks",
    "idle": 28800,
    "absolute": 86400,
    "fresh": 600,
    "keep": {
      "paths": {
        __proto__: null,
        "okta": ["sub", "email", "email_verified"],
        "keycloak": ["sub", "email", "email_verified"]
      },
      "elements": {
        __proto__: null,
        "okta": {
          __proto__: null,
          "groups": ["staff"]
        },
        "keycloak": {
          __proto__: null
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
  "stepUps": {
    __proto__: null,
    "admin": {
      "maxAge": 900
    }
  }
};
