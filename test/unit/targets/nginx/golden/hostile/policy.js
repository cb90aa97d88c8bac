// Rendered by meshgate from the policy; do not edit.
export default {
  "selection": "4gWTYQwkqzlgx9nlkbsIa_JL-nAm3hLnazNcY888bZ0",
  "clockSkew": 30,
  "tokenCache": 300,
  "keys": {
    "refresh": 300,
    "stale": 86400,
    "coolDown": 10
  },
  "providers": {
    __proto__: null,
    "default": {
      "name": "default",
      "kind": "generic",
      "issuer": "https://login.example.com",
      "audiences": ["\"; return 200; #", "\u003c/script>", "${http_cookie}", "__proto__", "\\", "'", "{{", "\u00e9\u00a0\u0645\u06cc\u200c\u062e"],
      "algorithms": ["RS256", "PS256", "ES256"],
      "subject": {
        "claim": "sub",
        "prefix": ""
      }
    },
    "include": {
      "name": "include",
      "kind": "generic",
      "issuer": "https://login.example.com/a!b&c(d)*",
      "audiences": ["x"],
      "algorithms": ["RS256", "PS256", "ES256"],
      "subject": {
        "claim": "sub",
        "prefix": "x|"
      }
    }
  },
  "roles": [
    [
      "hostnames",
      {
        "op": "group",
        "value": "';} server { listen 1; } #",
        "provider": "default"
      }
    ],
    [
      "volatile",
      {
        "op": "is",
        "claim": "a.\"b\\",
        "value": "$x\u003c/script>",
        "provider": "include"
      }
    ]
  ],
  "claims": ["a$b"],
  "sends": {
    "email": false,
    "name": false,
    "groups": false
  },
  "headerNames": ["Constructor", "If-You-Trust-This-Very-Long-Name-Of-A-Header-Then-Nobody-Else-May-Set-It-In-Any-Spelling-Of-It", "X-Quote"],
  "routes": {
    __proto__: null,
    "a-host-name-that-is-longer-than-the-buckets-of-nginx.example.com/off/*": {
      "providers": ["default"],
      "rules": [
        {
          "id": "a-host-name-that-is-longer-than-the-buckets-of-nginx.example.com/off/*#1",
          "methods": ["POST"],
          "who": {
            "kind": "role",
            "role": "hostnames"
          },
          "service": "wiki",
          "as": "include"
        },
        {
          "id": "a-host-name-that-is-longer-than-the-buckets-of-nginx.example.com/off/*#2",
          "methods": ["GET", "HEAD"],
          "who": {
            "kind": "role",
            "role": "hostnames"
          },
          "service": "wiki",
          "as": "volatile"
        }
      ],
      "headers": {
        "Constructor": "subject",
        "If-You-Trust-This-Very-Long-Name-Of-A-Header-Then-Nobody-Else-May-Set-It-In-Any-Spelling-Of-It": {
          "claim": "a$b"
        },
        "X-Quote": {
          "firstRole": [
            ["hostnames", "\"; evil on; '\\"]
          ],
          "else": "$request_uri"
        }
      }
    },
    "a-host-name-that-is-longer-than-the-buckets-of-nginx.example.com/a(b)!c,d=e+f:g@h~i&j": {
      "providers": ["default"],
      "rules": [
        {
          "id": "a-host-name-that-is-longer-than-the-buckets-of-nginx.example.com/a(b)!c,d=e+f:g@h~i&j#1",
          "who": {
            "kind": "anyone"
          },
          "service": "off",
          "as": "default"
        }
      ],
      "headers": {
        "Constructor": "subject",
        "If-You-Trust-This-Very-Long-Name-Of-A-Header-Then-Nobody-Else-May-Set-It-In-Any-Spelling-Of-It": {
          "claim": "a$b"
        },
        "X-Quote": {
          "firstRole": [
            ["hostnames", "\"; evil on; '\\"]
          ],
          "else": "$request_uri"
        }
      }
    },
    "a-host-name-that-is-longer-than-the-buckets-of-nginx.example.com/~/off": {
      "providers": ["default"],
      "rules": [
        {
          "id": "a-host-name-that-is-longer-than-the-buckets-of-nginx.example.com/~/off#1",
          "who": {
            "kind": "anyone"
          },
          "service": "off",
          "as": "default"
        }
      ],
      "headers": {
        "Constructor": "subject",
        "If-You-Trust-This-Very-Long-Name-Of-A-Header-Then-Nobody-Else-May-Set-It-In-Any-Spelling-Of-It": {
          "claim": "a$b"
        },
        "X-Quote": {
          "firstRole": [
            ["hostnames", "\"; evil on; '\\"]
          ],
          "else": "$request_uri"
        }
      }
    },
    "*.on/~/__proto__/*": {
      "providers": ["include"],
      "rules": [
        {
          "id": "*.on/~/__proto__/*#1",
          "who": {
            "kind": "role",
            "role": "volatile"
          },
          "service": "off",
          "as": "hostnames-and-a-name-as-long-as-names-may-ever-be-in-a-policy-x"
        }
      ],
      "headers": {
        "Constructor": "subject",
        "If-You-Trust-This-Very-Long-Name-Of-A-Header-Then-Nobody-Else-May-Set-It-In-Any-Spelling-Of-It": {
          "claim": "a$b"
        },
        "X-Quote": {
          "firstRole": [
            ["hostnames", "\"; evil on; '\\"]
          ],
          "else": "$request_uri"
        }
      }
    }
  },
  "answerRoom": 31616,
  "egress": "/run/meshgate/egress.sock"
};
