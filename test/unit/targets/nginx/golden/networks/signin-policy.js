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
    "okta": {
      "name": "okta",
      "kind": "okta",
      "issuer": "https://example.okta.com/oauth2/default",
      "client": {
        "id": "wiki",
        "auth": {
          "kind": "none"
        }
      },
      "signin": {
        "scopes": ["openid", "profile", "email", "offline_access"],
        "domains": [],
        "userinfo": true,
        "label": "okta"
      }
    }
  },
  "hosts": [
    {
      "name": "wiki.example.com",
      "sessionCookies": [],
      "namesAllCookies": false,
      "providers": ["okta"]
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
      "okta": [
        ["https://example.okta.com/oauth2/default"],
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
      "signinHost": "each host"
    },
    "many": {
      "limit": []
    }
  }
};
