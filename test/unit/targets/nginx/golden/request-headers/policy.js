// Rendered by meshgate from the policy; do not edit.
export default {
  "selection": "B9JXKElpFfnFNkfWaLDcCGsnk2Ijhf2x5kRpoL40dBU",
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
      "staff",
      {
        "op": "group",
        "value": "staff"
      }
    ]
  ],
  "claims": [],
  "sends": {
    "email": false,
    "name": false,
    "groups": false
  },
  "headerNames": ["X-WEBAUTH-USER", "X-WEBAUTH-ROLE"],
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
        }
      ],
      "headers": {
        "X-WEBAUTH-USER": "subject",
        "X-WEBAUTH-ROLE": {
          "firstRole": [
            ["staff", "Editor"]
          ],
          "else": "Viewer"
        }
      },
      "accept": ["bearer", "session"]
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
        "X-WEBAUTH-USER": "subject",
        "X-WEBAUTH-ROLE": {
          "firstRole": [
            ["staff", "Editor"]
          ],
          "else": "Viewer"
        }
      },
      "accept": ["bearer", "session"]
    },
    "dashboard.example.com/api/*": {
      "providers": ["corp"],
      "rules": [
        {
          "id": "dashboard.example.com/api/*#1",
          "who": {
            "kind": "role",
            "role": "staff"
          },
          "service": "dashboard",
          "as": "default"
        }
      ],
      "headers": {
        "X-WEBAUTH-USER": "subject",
        "X-WEBAUTH-ROLE": {
          "firstRole": [
            ["staff", "Editor"]
          ],
          "else": "Viewer"
        }
      },
      "accept": ["bearer", "session"]
    },
    "dashboard.example.com/assets/*": {
      "providers": ["corp"],
      "rules": [
        {
          "id": "dashboard.example.com/assets/*#1",
          "who": {
            "kind": "authenticated"
          },
          "service": "assets",
          "as": "default"
        }
      ],
      "headers": {
        "X-WEBAUTH-USER": "subject",
        "X-WEBAUTH-ROLE": {
          "firstRole": [
            ["staff", "Editor"]
          ],
          "else": "Viewer"
        }
      },
      "accept": ["bearer", "session"]
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
  },
  "session": {
    "keysFile": "/run/secrets/session.jwks",
    "idle": 28800,
    "absolute": 86400,
    "fresh": 600,
    "keep": {
      "paths": {
        __proto__: null,
        "corp": ["sub"]
      },
      "elements": {
        __proto__: null,
        "corp": {
          __proto__: null,
          "groups": ["staff"]
        }
      }
    },
    "socket": "/run/meshgate/check.sock"
  }
};
