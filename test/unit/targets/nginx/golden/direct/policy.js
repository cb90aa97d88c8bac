// Rendered by meshgate from the policy; do not edit.
export default {
  "selection": "n7H5cbvncEIKn6dNbLEQAhP4VYhY9978KTh9_9uNRao",
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
      "audiences": ["apps"],
      "algorithms": ["RS256", "PS256", "ES256"],
      "subject": {
        "claim": "sub",
        "prefix": ""
      }
    }
  },
  "roles": [
    [
      "admin",
      {
        "op": "group",
        "value": "admins"
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
  "claims": ["org.department"],
  "sends": {
    "email": true,
    "name": false,
    "groups": false
  },
  "headerNames": ["X-Forwarded-User", "X-Forwarded-Email", "X-WEBAUTH-USER", "X-WEBAUTH-ROLE", "X-Department-Code"],
  "routes": {
    __proto__: null,
    "grafana.example.com/*": {
      "providers": ["corp"],
      "rules": [
        {
          "id": "grafana.example.com/*#1",
          "who": {
            "kind": "role",
            "role": "admin"
          },
          "service": "grafana",
          "as": ""
        },
        {
          "id": "grafana.example.com/*#2",
          "who": {
            "kind": "role",
            "role": "editor"
          },
          "service": "grafana",
          "as": ""
        }
      ],
      "headers": {
        "X-Forwarded-User": "subject",
        "X-Forwarded-Email": "email",
        "X-WEBAUTH-USER": "subject",
        "X-WEBAUTH-ROLE": {
          "firstRole": [
            ["admin", "Admin"],
            ["editor", "Editor"]
          ],
          "else": "Viewer"
        }
      }
    },
    "grafana.example.com/public/*": {
      "providers": ["corp"],
      "rules": [
        {
          "id": "grafana.example.com/public/*#1",
          "who": {
            "kind": "anyone"
          },
          "service": "grafana",
          "as": ""
        }
      ],
      "headers": {
        "X-Forwarded-User": "subject",
        "X-WEBAUTH-USER": "subject"
      }
    },
    "legacy.example.com/*": {
      "providers": ["corp"],
      "rules": [
        {
          "id": "legacy.example.com/*#1",
          "who": {
            "kind": "authenticated"
          },
          "service": "legacy",
          "as": ""
        }
      ],
      "headers": {
        "X-Forwarded-User": "subject",
        "X-Forwarded-Email": "email",
        "X-Department-Code": {
          "claim": "org.department"
        }
      }
    }
  },
  "answerRoom": 31616,
  "egress": "/run/meshgate/egress.sock"
};
