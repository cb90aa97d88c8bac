// Rendered by meshgate from the policy; do not edit.
export default {
  "session": {
    "keysFile": "/run/secrets/session.jwks",
    "idle": 28800,
    "absolute": 86400,
    "fresh": 600
  },
  "publicPort": 443,
  "providers": {
    __proto__: null,
    "corp": {
      "name": "corp",
      "kind": "generic",
      "issuer": "https://login.example.com",
      "client": {
        "id": "gateway",
        "auth": {
          "kind": "client_secret_basic",
          "secretFile": "/run/secrets/client"
        }
      },
      "signin": {
        "scopes": ["openid", "profile", "email"],
        "domains": [],
        "userinfo": true,
        "label": "corp"
      }
    }
  },
  "hosts": [
    {
      "name": "wiki.example.com",
      "sessionCookies": [],
      "namesAllCookies": false,
      "providers": ["corp"]
    },
    {
      "name": "dashboard.example.com",
      "sessionCookies": [],
      "namesAllCookies": false,
      "providers": ["corp"]
    }
  ],
  "stepUps": {
    __proto__: null
  },
  "routes": {
    __proto__: null
  },
  "stateDir": "/var/lib/meshgate",
  "egress": "/run/meshgate/egress.sock",
  "names": {
    "providers": {
      "corp": [
        ["https://login.example.com"],
        "sub",
        "",
        ["https://HOST/.meshgate/callback"]
      ]
    },
    "one": {
      "name": "meshgate",
      "keysFile": "/run/secrets/session.jwks",
      "sessions": "accepted",
      "people": "32 MB for records, 6 MB for revocations, 6 MB for used values",
      "signinHost": "each host",
      "assertion": "https://wiki.example.com"
    },
    "many": {
      "limit": []
    }
  }
};
