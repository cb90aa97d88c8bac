// Rendered by meshgate from the policy; do not edit.
export default {
  "selection": "z9yU-W_3LVcC_UCxtQU-xjgJPSv8d3WZb6YEA_85w1k",
  "clockSkew": 30,
  "tokenCache": 300,
  "keys": {
    "refresh": 300,
    "stale": 86400,
    "coolDown": 10
  },
  "providers": {
    __proto__: null,
    "entra": {
      "name": "entra",
      "kind": "entra",
      "issuer": "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0",
      "audiences": [],
      "algorithms": ["RS256", "PS256", "ES256"],
      "subject": {
        "claim": "sub",
        "prefix": ""
      }
    }
  },
  "roles": [],
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
      "providers": ["entra"],
      "rules": [
        {
          "id": "wiki.example.com/*#1",
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
      },
      "accept": ["session"]
    }
  },
  "answerRoom": 896,
  "egress": "/run/meshgate/egress.sock",
  "session": {
    "keysFile": "/run/secrets/session.jwks",
    "idle": 14400,
    "absolute": 43200,
    "fresh": 300,
    "keep": {
      "paths": {
        __proto__: null,
        "entra": ["sub", "email", "xms_edov"]
      },
      "elements": {
        __proto__: null,
        "entra": {
          __proto__: null
        }
      }
    },
    "socket": "/run/meshgate/check.sock",
    "shared": true
  },
  "publicPort": 8443
};
