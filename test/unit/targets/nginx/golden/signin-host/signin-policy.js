// Rendered by meshgate from the policy; do not edit.
export default {
  "session": {
    "keysFile": "/run/secrets/session.jwks",
    "idle": 14400,
    "absolute": 43200,
    "fresh": 300
  },
  "publicPort": 8443,
  "signinHost": "auth.example.com",
  "providers": {
    __proto__: null,
    "entra": {
      "name": "entra",
      "kind": "entra",
      "issuer": "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0",
      "client": {
        "id": "gateway",
        "auth": {
          "kind": "private_key_jwt",
          "keysFile": "/run/secrets/client.jwks"
        }
      },
      "signin": {
        "scopes": ["openid", "profile", "email", "offline_access"],
        "domains": [],
        "userinfo": false,
        "label": "entra"
      },
      "timeout": 8
    }
  },
  "hosts": [
    {
      "name": "wiki.example.com",
      "sessionCookies": [],
      "namesAllCookies": false,
      "providers": ["entra"]
    }
  ],
  "stepUps": {
    __proto__: null
  },
  "routes": {
    __proto__: null
  },
  "pagesDir": "/etc/meshgate/pages",
  "stateDir": "/var/lib/meshgate",
  "egress": "/run/meshgate/egress.sock",
  "store": {
    "endpoints": ["https://etcd-0.example.net:2379", "https://etcd-1.example.net:2379", "https://192.0.2.7:2379"],
    "prefix": "/meshgate/"
  },
  "names": {
    "providers": {
      "entra": [
        ["https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0"],
        "sub",
        "",
        ["https://auth.example.com:8443/.meshgate/callback"]
      ]
    },
    "one": {
      "name": "meshgate",
      "keysFile": "/run/secrets/session.jwks",
      "sessions": "accepted",
      "people": "32 MB for records, 6 MB for revocations, 6 MB for used values",
      "signinHost": "auth.example.com",
      "store": "https://192.0.2.7:2379 https://etcd-0.example.net:2379 https://etcd-1.example.net:2379 /meshgate/"
    },
    "many": {
      "limit": []
    }
  }
};
