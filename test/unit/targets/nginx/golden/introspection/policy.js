// Rendered by meshgate from the policy; do not edit.
export default {
  "selection": "ijBsJRefEnQklkO3ueJa6gpRmZtfymGr-kAGDm3Z_yg",
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
      "issuer": "https://corp.example.com",
      "audiences": ["api://wiki"],
      "algorithms": ["RS256", "PS256", "ES256"],
      "subject": {
        "claim": "sub",
        "prefix": "corp-"
      },
      "introspection": {
        "cache": 30,
        "negative": 10,
        "stale": 300,
        "jwts": true
      }
    },
    "legacy": {
      "name": "legacy",
      "kind": "generic",
      "issuer": "legacy",
      "audiences": ["api://dashboard"],
      "algorithms": ["RS256", "PS256", "ES256"],
      "subject": {
        "claim": "sub",
        "prefix": "legacy-"
      },
      "introspection": {
        "cache": 60,
        "negative": 10,
        "stale": 0,
        "anyType": true
      },
      "keyless": true
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
      "providers": ["corp"],
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
      }
    },
    "dashboard.example.com/*": {
      "providers": ["legacy"],
      "rules": [
        {
          "id": "dashboard.example.com/*#1",
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
  "asking": "/run/meshgate/check.sock"
};
