// Rendered by meshgate from the policy; do not edit.
export default {
  "selection": "6jwJTQoEE9rX-LxXv8ZR9_O5vUgITV18jZoOxe8yKGo",
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
      }
    },
    "wiki.example.com/rest/*": {
      "providers": ["okta"],
      "rules": [
        {
          "id": "wiki.example.com/rest/*#1",
          "methods": ["GET", "HEAD"],
          "who": {
            "kind": "role",
            "role": "staff"
          },
          "service": "canary",
          "as": ""
        },
        {
          "id": "wiki.example.com/rest/*#2",
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
      "serviceCredential": {
        "schemes": ["basic", "oauth"],
        "bearer": "opaque",
        "services": ["wiki"]
      }
    },
    "grafana.example.com/api/*": {
      "providers": ["okta"],
      "rules": [
        {
          "id": "grafana.example.com/api/*#1",
          "who": {
            "kind": "role",
            "role": "staff"
          },
          "service": "grafana",
          "as": ""
        }
      ],
      "headers": {
        "X-Forwarded-User": "subject",
        "X-Forwarded-Email": "email",
        "X-Forwarded-Roles": "roles"
      },
      "serviceCredential": {
        "schemes": [],
        "bearer": ["glsa_"],
        "services": ["grafana"]
      }
    },
    "grafana.example.com/*": {
      "providers": ["okta"],
      "rules": [
        {
          "id": "grafana.example.com/*#1",
          "who": {
            "kind": "role",
            "role": "staff"
          },
          "service": "grafana",
          "as": ""
        }
      ],
      "headers": {
        "X-Forwarded-User": "subject",
        "X-Forwarded-Email": "email",
        "X-Forwarded-Roles": "roles"
      }
    },
    "grafana.example.com/calls/*": {
      "providers": ["okta"],
      "rules": [
        {
          "id": "grafana.example.com/calls/*#1",
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
      "serviceCredential": {
        "schemes": ["token"],
        "services": ["calls"]
      }
    },
    "other.example.com/*": {
      "providers": ["okta"],
      "rules": [
        {
          "id": "other.example.com/*#1",
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
    }
  },
  "answerRoom": 896,
  "egress": "/run/meshgate/egress.sock",
  "credentialHeader": "X-Gateway-Authorization"
};
