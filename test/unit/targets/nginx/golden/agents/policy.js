// Rendered by meshgate from the policy; do not edit.
export default {
  "selection": "Fm936F5P3P9SHlUfdbWVTiWKhOTHD7c9ilwb0Mbmijg",
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
    ],
    [
      "staff",
      {
        "op": "group",
        "value": "staff"
      }
    ]
  ],
  "claims": ["team"],
  "sends": {
    "email": true,
    "name": false,
    "groups": false
  },
  "headerNames": ["X-Forwarded-User", "X-Forwarded-Email", "X-Forwarded-Actor", "X-Team"],
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
          "as": "default"
        },
        {
          "id": "wiki.example.com/*#2",
          "who": {
            "kind": "role",
            "role": "editor"
          },
          "service": "wiki",
          "as": "default"
        }
      ],
      "headers": {
        "X-Forwarded-User": "subject",
        "X-Forwarded-Email": "email",
        "X-Forwarded-Actor": "actor",
        "X-Team": {
          "claim": "team"
        }
      }
    },
    "dashboard.example.com/*": {
      "providers": ["corp"],
      "rules": [
        {
          "id": "dashboard.example.com/*#1",
          "who": {
            "kind": "role",
            "role": "staff"
          },
          "service": "dashboard",
          "as": "default"
        },
        {
          "id": "dashboard.example.com/*#2",
          "methods": ["GET", "HEAD"],
          "who": {
            "kind": "agent",
            "agent": "wiki-pages",
            "actsFor": ["staff"]
          },
          "service": "dashboard",
          "as": "default"
        }
      ],
      "headers": {
        "X-Forwarded-User": "subject",
        "X-Forwarded-Email": "email",
        "X-Forwarded-Actor": "actor",
        "X-Team": {
          "claim": "team"
        }
      }
    },
    "dashboard.example.com/admin/*": {
      "providers": ["corp"],
      "rules": [
        {
          "id": "dashboard.example.com/admin/*#1",
          "who": {
            "kind": "role",
            "role": "editor"
          },
          "service": "dashboard",
          "as": "default"
        }
      ],
      "headers": {
        "X-Forwarded-User": "subject",
        "X-Forwarded-Email": "email",
        "X-Forwarded-Actor": "actor",
        "X-Team": {
          "claim": "team"
        }
      }
    },
    "dashboard.example.com/plain": {
      "providers": ["corp"],
      "rules": [
        {
          "id": "dashboard.example.com/plain#1",
          "who": {
            "kind": "role",
            "role": "staff"
          },
          "service": "dashboard",
          "as": "default"
        },
        {
          "id": "dashboard.example.com/plain#2",
          "who": {
            "kind": "agent",
            "agent": "wiki-pages",
            "actsFor": ["staff"]
          },
          "service": "dashboard",
          "as": "default"
        }
      ],
      "headers": {
        "X-Forwarded-User": "subject",
        "X-Forwarded-Email": "email",
        "X-Forwarded-Actor": "actor"
      }
    }
  },
  "answerRoom": 31616,
  "egress": "/run/meshgate/egress.sock",
  "assertion": {
    "issuer": "https://wiki.example.com",
    "keysFile": "/run/secrets/assertion.jwks",
    "lifetime": 60
  },
  "hop": {
    "selection": "5MDxA5vpVwl4hWESf7-g-9mRSH3GxHGydch4PCUPXLA",
    "agents": {
      __proto__: null,
      "spiffe://example.org/ns/wiki/sa/wiki": {
        "name": "wiki-pages",
        "service": "wiki",
        "actsFor": ["staff"],
        "hops": 1
      }
    }
  }
};
