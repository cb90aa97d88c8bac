// Rendered by meshgate from the policy; do not edit.
export default {
  "selection": "cW94cbyl4qnEA64dv9QyFYYEvJNFkpeJSxJTD6sV8tc",
  "clockSkew": 10,
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
      "kind": "keycloak",
      "issuer": "https://sso.example.com/realms/corp",
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
      "bot",
      {
        "op": "all",
        "facts": [
          {
            "op": "group",
            "value": "bots"
          },
          {
            "op": "bound",
            "value": "dpop"
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
      "providers": ["corp"],
      "rules": [
        {
          "id": "wiki.example.com/*#1",
          "who": {
            "kind": "role",
            "role": "staff"
          },
          "service": "wiki",
          "as": ""
        },
        {
          "id": "wiki.example.com/*#2",
          "who": {
            "kind": "role",
            "role": "bot"
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
    "wiki.example.com/app/*": {
      "providers": ["corp"],
      "rules": [
        {
          "id": "wiki.example.com/app/*#1",
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
    "*.tools.example.com/*": {
      "providers": ["corp"],
      "rules": [
        {
          "id": "*.tools.example.com/*#1",
          "who": {
            "kind": "role",
            "role": "bot"
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
  "proof": {
    "age": 30,
    "nonce": true,
    "keysFile": "/run/secrets/proof.jwks",
    "perCaller": 250
  },
  "publicPort": 8443
};
