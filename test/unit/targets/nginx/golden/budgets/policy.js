// Rendered by meshgate from the policy; do not edit.
export default {
  "selection": "FO-43zrCvAGXH8ymi4q9aRr9xLZz6Y-MLukiXLUi4GU",
  "clockSkew": 30,
  "tokenCache": 300,
  "keys": {
    "refresh": 300,
    "stale": 86400,
    "coolDown": 10
  },
  "providers": {
    __proto__: null,
    "okta": {
      "name": "okta",
      "kind": "generic",
      "issuer": "https://login.example.com",
      "audiences": ["wiki"],
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
    "email": true,
    "name": false,
    "groups": false
  },
  "headerNames": ["X-Forwarded-User", "X-Forwarded-Email", "X-Forwarded-Roles"],
  "routes": {
    __proto__: null,
    "wiki.example.com/*": {
      "providers": ["okta"],
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
            "kind": "agent",
            "agent": "dash-pages",
            "actsFor": ["staff"]
          },
          "service": "wiki",
          "as": ""
        }
      ],
      "headers": {
        "X-Forwarded-User": "subject",
        "X-Forwarded-Email": "email",
        "X-Forwarded-Roles": "roles"
      },
      "budgets": {
        "callers": {
          "rate": 10,
          "burst": 200,
          "of": "",
          "says": "600/m, burst 200 for each caller, on all routes together"
        },
        "agents": [
          [
            "dash-pages",
            [
              {
                "rate": 1,
                "burst": 60,
                "of": "",
                "says": "60/m, burst 60 for this agent and each person that it acts for, on all routes together"
              }
            ]
          ]
        ]
      }
    },
    "wiki.example.com/open/*": {
      "providers": ["okta"],
      "rules": [
        {
          "id": "wiki.example.com/open/*#1",
          "who": {
            "kind": "anyone"
          },
          "service": "wiki",
          "as": ""
        }
      ],
      "headers": {
        "X-Forwarded-User": "subject",
        "X-Forwarded-Email": "email",
        "X-Forwarded-Roles": "roles"
      },
      "budgets": {
        "callers": {
          "rate": 10,
          "burst": 200,
          "of": "",
          "says": "600/m, burst 200 for each caller, on all routes together"
        },
        "anonymous": {
          "rate": 0.16666666666666666,
          "burst": 5,
          "of": "",
          "says": "10/m, burst 5 for each address, on all routes together"
        }
      }
    },
    "wiki.example.com/status": {
      "providers": ["okta"],
      "rules": [
        {
          "id": "wiki.example.com/status#1",
          "who": {
            "kind": "anyone"
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
    "dash.example.com/*": {
      "providers": ["okta"],
      "rules": [
        {
          "id": "dash.example.com/*#1",
          "who": {
            "kind": "role",
            "role": "staff"
          },
          "service": "dash",
          "as": ""
        },
        {
          "id": "dash.example.com/*#2",
          "who": {
            "kind": "agent",
            "agent": "wiki-pages",
            "actsFor": ["staff"]
          },
          "service": "dash",
          "as": ""
        }
      ],
      "headers": {
        "X-Forwarded-User": "subject",
        "X-Forwarded-Email": "email",
        "X-Forwarded-Roles": "roles"
      },
      "budgets": {
        "callers": {
          "rate": 0.2777777777777778,
          "burst": 50,
          "of": "dash.example.com",
          "says": "1000/h, burst 50 for each caller of dash.example.com"
        },
        "agents": [
          [
            "wiki-pages",
            [
              {
                "rate": 0.2777777777777778,
                "burst": 50,
                "of": "dash.example.com",
                "says": "1000/h, burst 50 for this agent and each person that it acts for of dash.example.com"
              },
              {
                "rate": 2,
                "burst": 2,
                "of": "",
                "says": "2/s, burst 2 for this agent and each person that it acts for, on all routes together"
              }
            ]
          ]
        ]
      }
    },
    "dash.example.com/search": {
      "providers": ["okta"],
      "rules": [
        {
          "id": "dash.example.com/search#1",
          "who": {
            "kind": "role",
            "role": "staff"
          },
          "service": "dash",
          "as": ""
        }
      ],
      "headers": {
        "X-Forwarded-User": "subject",
        "X-Forwarded-Email": "email",
        "X-Forwarded-Roles": "roles"
      },
      "budgets": {
        "callers": {
          "rate": 1,
          "burst": 3,
          "of": "dash.example.com/search",
          "says": "1/s, burst 3 for each caller of dash.example.com/search"
        }
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
    "selection": "qTOIC3mTTTULU24WFpYuw_hnE1-FMt2upFyqOe_3Tyk",
    "agents": {
      __proto__: null,
      "spiffe://example.org/wiki": {
        "name": "wiki-pages",
        "service": "wiki",
        "actsFor": ["staff"],
        "hops": 1
      },
      "spiffe://example.org/dash": {
        "name": "dash-pages",
        "service": "dash",
        "actsFor": ["staff"],
        "hops": 1
      }
    }
  },
  "passWhenFull": true
};
