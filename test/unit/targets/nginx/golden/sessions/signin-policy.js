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
        "id": "0oa1",
        "auth": {
          "kind": "client_secret_basic",
          "secretFile": "/run/secrets/okta"
        }
      },
      "signin": {
        "scopes": ["openid", "profile", "email", "offline_access"],
        "domains": ["example.com"],
        "userinfo": true,
        "label": "Example staff"
      }
    },
    "keycloak": {
      "name": "keycloak",
      "kind": "keycloak",
      "issuer": "https://sso.example.org/realms/partners",
      "client": {
        "id": "gateway",
        "auth": {
          "kind": "tls_client_auth",
          "certFile": "/run/secrets/client.crt",
          "keyFile": "/run/secrets/client.key"
        }
      },
      "signin": {
        "scopes": ["openid", "profile", "email"],
        "domains": [],
        "userinfo": true,
        "label": "keycloak"
      }
    }
  },
  "hosts": [
    {
      "name": "wiki.example.com",
      "sessionCookies": [
        ["JSESSIONID", "/"],
        ["wiki.sid", "/"],
        ["JSESSIONID", "/admin"],
        ["wiki.sid", "/admin"],
        ["JSESSIONID", "/api"],
        ["wiki.sid", "/api"],
        ["JSESSIONID", "/status"],
        ["wiki.sid", "/status"]
      ],
      "namesAllCookies": false,
      "providers": ["okta", "keycloak"]
    },
    {
      "name": "*.apps.example.com",
      "sessionCookies": [
        ["JSESSIONID", "/"],
        ["JSESSIONID", "/app"],
        ["wiki.sid", "/"],
        ["wiki.sid", "/app"]
      ],
      "namesAllCookies": true,
      "providers": ["okta"]
    }
  ],
  "stepUps": {
    __proto__: null,
    "admin": {
      "maxAge": 900
    }
  },
  "routes": {
    __proto__: null,
    "wiki.example.com/*": {
      "owner": "wiki-team@example.com"
    },
    "wiki.example.com/admin/*": {
      "owner": "wiki-team@example.com",
      "ask": "https://tickets.example.com/new?reason={reason}"
    },
    "wiki.example.com/api/*": {
      "owner": "wiki-team@example.com"
    },
    "wiki.example.com/status": {
      "owner": "wiki-team@example.com"
    },
    "wiki.example.com/wiki.Wiki/*": {
      "owner": "wiki-team@example.com"
    }
  },
  "stateDir": "/var/lib/meshgate",
  "egress": "/run/meshgate/egress.sock",
  "names": {
    "providers": {
      "okta": [
        ["https://example.okta.com/oauth2/default"],
        "sub",
        "okta-",
        ["https://HOST/.meshgate/callback/okta", "https://HOST/.meshgate/callback"]
      ],
      "keycloak": [
        ["https://sso.example.org/realms/partners"],
        "sub",
        "partners-",
        ["https://HOST/.meshgate/callback/keycloak"]
      ],
      "ci": [
        ["https://ci.example.com"],
        "sub",
        "ci-",
        []
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
