// Rendered by meshgate from the policy; do not edit.
export default {
  "policy": "0123456789abcdef0123456789abcdef",
  "check": "/run/meshgate/check.sock",
  "providers": [
    {
      "name": "default",
      "issuer": "https://login.example.com"
    },
    {
      "name": "include",
      "issuer": "https://login.example.com/a!b&c(d)*"
    }
  ],
  "stale": 86400,
  "assertion": false,
  "ca": ["/run/mesh/ca.pem"],
  "identities": [
    {
      "name": "default",
      "spiffe": "spiffe://example.org/d",
      "certFile": "/run/mesh/d.pem",
      "keyFile": "/run/mesh/d.pem"
    },
    {
      "name": "include",
      "spiffe": "spiffe://example.org/i",
      "certFile": "/run/mesh/i.pem",
      "keyFile": "/run/mesh/i.pem"
    },
    {
      "name": "volatile",
      "spiffe": "spiffe://example.org/v",
      "certFile": "/run/mesh/a=b,c~d@e:f.pem",
      "keyFile": "/run/mesh/a=b,c~d@e:f.pem"
    },
    {
      "name": "hostnames-and-a-name-as-long-as-names-may-ever-be-in-a-policy-x",
      "spiffe": "spiffe://example.org/h",
      "certFile": "/run/mesh/h.pem",
      "keyFile": "/run/mesh/h.pem"
    }
  ],
  "files": [
    {
      "kind": "policy",
      "name": "",
      "path": "/etc/meshgate/meshgate.yaml"
    },
    {
      "kind": "listener",
      "name": "gateway",
      "path": "/run/tls/a=b,c~d.crt",
      "keyPath": "/run/tls/key@host:1.pem"
    }
  ]
};
