// Rendered by meshgate from the policy; do not edit.
export default {
  "selection": "Zzfp_wrRmBiRHid6Hu0LYnoKvnaLpk1X5ibXSLGE5LU",
  "clockSkew": 30,
  "tokenCache": 300,
  "keys": {
    "refresh": 300,
    "stale": 86400,
    "coolDown": 10
  },
  "providers": {
    __proto__: null,
    "corp": {
      "name": "corp",
      "kind": "generic",
      "issuer": "https://login.example.com",
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
      "providers": ["corp"],
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
          "methods": ["GET", "HEAD"],
          "who": {
            "kind": "authenticated"
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
    "wiki.example.com/status": {
      "providers": ["corp"],
      "rules": [
        {
          "id": "wiki.example.com/status#1",
          "who": {
            "kind": "anyone"
          },
          "service": "status",
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
  "answerRoom": 31616,
  "egress": "/run/meshgate/egress.sock",
  "assertion": {
    "issuer": "https://wiki.example.com",
    "keysFile": "/run/secrets/assertion.jwks",
    "lifetime": 120
  }
};
