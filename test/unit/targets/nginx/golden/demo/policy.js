// Rendered by meshgate from the policy; do not edit.
export default {
  "selection": "XewHcSo7o4p2nW6P0igPKVATJlB76xHT2j_reN1owxU",
  "clockSkew": 30,
  "tokenCache": 300,
  "keys": {
    "refresh": 300,
    "stale": 86400,
    "coolDown": 10
  },
  "providers": {
    __proto__: null,
    "demo": {
      "name": "demo",
      "kind": "generic",
      "issuer": "https://provider:9443",
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
      "reader",
      {
        "op": "group",
        "value": "readers"
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
    "wiki.localhost/*": {
      "providers": ["demo"],
      "rules": [
        {
          "id": "wiki.localhost/*#1",
          "who": {
            "kind": "role",
            "role": "editor"
          },
          "service": "wiki",
          "as": "editor"
        },
        {
          "id": "wiki.localhost/*#2",
          "methods": ["GET", "HEAD"],
          "who": {
            "kind": "role",
            "role": "reader"
          },
          "service": "wiki",
          "as": "reader"
        }
      ],
      "headers": {
        "X-Forwarded-User": "subject",
        "X-Forwarded-Email": "email",
        "X-Forwarded-Roles": "roles"
      }
    },
    "wiki.localhost/rest/*": {
      "providers": ["demo"],
      "rules": [
        {
          "id": "wiki.localhost/rest/*#1",
          "who": {
            "kind": "role",
            "role": "editor"
          },
          "service": "wiki",
          "as": "editor"
        }
      ],
      "headers": {
        "X-Forwarded-User": "subject",
        "X-Forwarded-Email": "email",
        "X-Forwarded-Roles": "roles"
      }
    },
    "wiki.localhost/status": {
      "providers": ["demo"],
      "rules": [
        {
          "id": "wiki.localhost/status#1",
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
    "dashboard.localhost/": {
      "providers": ["demo"],
      "rules": [
        {
          "id": "dashboard.localhost/#1",
          "who": {
            "kind": "authenticated"
          },
          "service": "dashboard",
          "as": "default"
        }
      ],
      "headers": {
        "X-Forwarded-User": "subject",
        "X-Forwarded-Email": "email",
        "X-Forwarded-Roles": "roles"
      }
    },
    "dashboard.localhost/app/*": {
      "providers": ["demo"],
      "rules": [
        {
          "id": "dashboard.localhost/app/*#1",
          "who": {
            "kind": "authenticated"
          },
          "service": "dashboard",
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
  "egress": "/run/meshgate/egress.sock"
};
