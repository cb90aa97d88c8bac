/* The X-Meshgate-… headers that nginx and the JavaScript send to each other, and those that services receive. Both
 * sides take the names from this file: the renderer for the headers that it sets and erases, the JavaScript for those
 * that it reads and writes. docs/contributing/rendered-nginx.md has the table. Bundles contain only the names, as constants: see
 * src/build.mjs. nginx erases all these headers in requests of clients, with one exception: the assertion that a
 * service presents at the inner listener. */

export interface InternalHeader {
  readonly name: `X-Meshgate-${string}`;
  readonly says: string;
  /** When the header is sent; absent: always. */
  readonly when?: string;
  /** Who sets or reads the header, if the direction does not already say it. */
  readonly setBy?: string;
  readonly readBy?: string;
}

/** The headers of one direction, with their sender and their reader. */
export interface Direction {
  readonly setBy: string;
  readonly readBy: string;
  readonly headers: Readonly<Record<string, InternalHeader>>;
}

const directions = <const T extends Readonly<Record<string, Direction>>>(table: T): T => table;

/** All headers, by direction. */
export const DIRECTIONS = directions({
  toCheck: {
    setBy: 'nginx',
    readBy: 'the check',
    headers: {
      method: { name: 'X-Meshgate-Method', says: 'the method of the request' },
      host: { name: 'X-Meshgate-Host', says: 'the requested host', when: 'if the host of the policy is a wildcard' },
      navigation: {
        name: 'X-Meshgate-Navigation',
        says: '`get` or `post` if a browser shows the answer as a page',
        when: 'if browsers sign in at the host',
      },
      origin: {
        name: 'X-Meshgate-Origin',
        says: 'the origin of the page that sends an unsafe method or an `Upgrade`',
        when: 'if a browser sends a session or a client certificate by itself, or a network gives roles',
      },
      address: {
        name: 'X-Meshgate-Address',
        says: 'the address of the client',
        when: 'if anonymous requests or introspection calls are counted by address',
        readBy: 'the check and whoami',
      },
      networks: {
        name: 'X-Meshgate-Networks',
        says: 'for each network of the policy: `1` if the client is in it, else `0`',
        when: 'if a role depends on a network',
        readBy: 'the check and whoami',
      },
      uri: {
        name: 'X-Meshgate-Uri',
        says: 'the raw request target, which DPoP proofs name',
        when: 'if `gateway.proof` is set',
        readBy: 'the check and whoami',
      },
      mcpVersion: {
        name: 'X-Meshgate-Mcp-Version',
        says: '`Mcp-Protocol-Version`',
        when: 'if a rule of the host has `tools`',
      },
      mcpMethod: { name: 'X-Meshgate-Mcp-Method', says: '`Mcp-Method`', when: 'if a rule of the host has `tools`' },
      mcpName: { name: 'X-Meshgate-Mcp-Name', says: '`Mcp-Name`', when: 'if a rule of the host has `tools`' },
      credential: {
        name: 'X-Meshgate-Credential',
        says: 'the header that `gateway.credential_header` names',
        when: 'if a route of the host passes a service’s own credential on',
      },
      assertion: {
        name: 'X-Meshgate-Assertion',
        says: 'the assertion that the calling service shows',
        when: 'at the inner listener',
        setBy: 'the calling service, through nginx',
      },
    },
  },
  fromCheck: {
    setBy: 'the check',
    readBy: 'nginx',
    headers: {
      status: { name: 'X-Meshgate-Status', says: 'the status of the refusal', when: 'if the check refuses' },
      reason: { name: 'X-Meshgate-Reason', says: 'the reason code', when: 'if the check refuses' },
      detail: { name: 'X-Meshgate-Detail', says: 'the detail, escaped for JSON', when: 'if the check refuses' },
      retryAfter: { name: 'X-Meshgate-Retry-After', says: 'seconds', when: 'if the check refuses with 429 or 503' },
      signin: {
        name: 'X-Meshgate-Signin',
        says: 'the query of the sign-in URL before `&to=`',
        when: 'if the check refuses, and signing in would help',
      },
      dpopNonce: { name: 'X-Meshgate-Dpop-Nonce', says: 'the next DPoP nonce', when: 'if `gateway.proof` has `nonce`' },
      setCookie: {
        name: 'X-Meshgate-Set-Cookie',
        says: 'the session cookie for the browser',
        when: 'if a session was renewed or has ended',
      },
      caller: {
        name: 'X-Meshgate-Caller',
        says: 'the data of the caller for the log and the service: the fields of `CALLER_FIELDS` in their order, then the short identity headers of the policy. TABs separate the values, and a dot stands at each end',
      },
      assertion: {
        name: 'X-Meshgate-Assertion',
        says: 'the signed assertion for the service',
        when: 'if `gateway.assertion` is set and the caller is known',
      },
      serviceCredential: {
        name: 'X-Meshgate-Service-Credential',
        says: 'the scheme of the `Authorization` header, in lower case',
        when: 'if the header belongs to the service that receives the request',
      },
      identity: {
        name: 'X-Meshgate-H',
        says: 'the value of identity header N of the policy',
        when: 'if the route sends that identity header, and its value is a list or a claim',
      },
    },
  },
  toService: {
    setBy: 'nginx',
    readBy: 'services',
    headers: {
      route: { name: 'X-Meshgate-Route', says: 'the route' },
      rule: { name: 'X-Meshgate-Rule', says: 'the rule that allowed the request' },
      identity: {
        name: 'X-Meshgate-Identity',
        says: 'the mesh identity that nginx connects with',
        when: 'if the service is in the mesh',
      },
      erased: {
        name: 'X-Meshgate-Erased',
        says: 'the names of these headers',
        when: 'if the client sent identity headers of its own',
      },
      assertion: {
        name: 'X-Meshgate-Assertion',
        says: 'the signed assertion',
        when: 'if `gateway.assertion` is set and the caller is known',
      },
    },
  },
  toHandler: {
    setBy: 'nginx',
    readBy: 'the sign-in and whoami',
    headers: {
      host: { name: 'X-Meshgate-Host', says: 'the host of the policy; for a wildcard host, the requested host' },
      query: { name: 'X-Meshgate-Query', says: 'the query, which is not in the URL, because the error log shows URLs' },
      requestId: { name: 'X-Meshgate-Request-Id', says: 'the request id' },
      navigation: { name: 'X-Meshgate-Navigation', says: '`get` or `post` if a browser shows the answer as a page' },
      serviceCookies: {
        name: 'X-Meshgate-Service-Cookies',
        says: 'the cookies of the request that are not the gateway’s; a sign-in or a sign-out deletes them',
        when: 'at the endpoints of the sign-in',
      },
    },
  },
  toPage: {
    setBy: 'nginx',
    readBy: 'the page of a refusal',
    headers: {
      status: { name: 'X-Meshgate-Status', says: 'the status of the refusal' },
      detail: { name: 'X-Meshgate-Detail', says: 'the detail, escaped for JSON', when: 'if there is one' },
      route: { name: 'X-Meshgate-Route', says: 'the route', when: 'if there is one' },
      signin: {
        name: 'X-Meshgate-Signin',
        says: 'the query of the sign-in URL before `&to=`',
        when: 'if signing in would help',
      },
      target: { name: 'X-Meshgate-Target', says: 'the raw request target' },
      user: { name: 'X-Meshgate-User', says: 'the subject of the caller', when: 'if the caller is known' },
    },
  },
  fromHandler: {
    setBy: 'the sign-in and whoami',
    readBy: 'nginx, for the log',
    headers: {
      reason: { name: 'X-Meshgate-Reason', says: 'the reason in the answer', when: 'if the answer is a refusal' },
    },
  },
  toRenewal: {
    setBy: 'the check',
    readBy: 'the renewal of sessions',
    headers: {
      host: { name: 'X-Meshgate-Host', says: 'the host of the cookie' },
      session: { name: 'X-Meshgate-Session', says: 'the text of the session cookie' },
      wait: {
        name: 'X-Meshgate-Wait',
        says: '`1`: wait for the provider before answering; `0`: answer at once and renew in the background',
      },
    },
  },
  toIntrospection: {
    setBy: 'the check',
    readBy: 'the introspection client',
    headers: { provider: { name: 'X-Meshgate-Provider', says: 'the provider to ask' } },
  },
  toEgress: {
    setBy: 'the JavaScript that calls a provider',
    readBy: 'the egress server',
    headers: {
      url: { name: 'X-Meshgate-Url', says: 'the URL, without secrets, because the error log shows it' },
      method: { name: 'X-Meshgate-Method', says: '`POST`', when: 'if the method is not `GET`' },
      contentType: { name: 'X-Meshgate-Content-Type', says: 'the `Content-Type`', when: 'if there is a body' },
      authorization: { name: 'X-Meshgate-Authorization', says: 'the `Authorization`', when: 'if the call has one' },
      accept: { name: 'X-Meshgate-Accept', says: 'the `Accept`', when: 'if it is not `application/json`' },
    },
  },
  toProbe: {
    setBy: 'the job that probes the mesh',
    readBy: 'the egress server',
    headers: {
      host: { name: 'X-Meshgate-Host', says: 'the authority of the service' },
      probe: { name: 'X-Meshgate-Probe', says: 'the rule that guards the path of the request' },
      assertion: {
        name: 'X-Meshgate-Assertion',
        says: 'an assertion for the connection of another identity',
        when: 'if the mesh must deny the request because of it',
      },
    },
  },
  toMesh: {
    setBy: 'the egress server',
    readBy: 'the logs of the mesh',
    headers: {
      probe: {
        name: 'X-Meshgate-Probe',
        says: 'the rule that guards the path of the request',
        when: 'if the request is a probe of the gateway, which the mesh must deny',
      },
    },
  },
  fromEgress: {
    setBy: 'the egress server',
    readBy: 'the JavaScript that calls a provider',
    headers: {
      reached: {
        name: 'X-Meshgate-Reached',
        says: 'the time to connect; not a number if the connection failed, in which case no request was sent',
      },
      address: { name: 'X-Meshgate-Connected', says: 'the address to which nginx connected' },
    },
  },
  unused: {
    setBy: 'nothing',
    readBy: 'nothing',
    headers: {
      location: { name: 'X-Meshgate-Location', says: 'nothing: reserved', when: 'never' },
      scope: { name: 'X-Meshgate-Scope', says: 'nothing: reserved', when: 'never' },
      as: { name: 'X-Meshgate-As', says: 'nothing: reserved', when: 'never' },
      roles: { name: 'X-Meshgate-Roles', says: 'nothing: reserved', when: 'never' },
      agent: { name: 'X-Meshgate-Agent', says: 'nothing: reserved', when: 'never' },
      actors: { name: 'X-Meshgate-Actors', says: 'nothing: reserved', when: 'never' },
    },
  },
});

/** The fields of `X-Meshgate-Caller`, in order: the rule that allows the request or, if none does, the rule that came
 * closest; the mesh identity with which nginx connects; subject, provider and roles of the caller; the agent that acts;
 * the actor chain; 1 if the agent is alone; and, only for the log, the claims that roles read, and the pseudonym of the
 * caller. A field that does not apply is empty. nginx stores each field in `$meshgate_NAME`. */
export const CALLER_FIELDS: readonly string[] = [
  ...['rule', 'as', 'user', 'provider', 'roles', 'agent', 'actors', 'alone', 'claims', 'pseudonym'],
];

type NamesOf<T extends Readonly<Record<string, InternalHeader>>> = { readonly [Key in keyof T]: T[Key]['name'] };

const namesOf = <T extends Readonly<Record<string, InternalHeader>>>({
  headers,
}: {
  readonly headers: T;
}): NamesOf<T> => Object.fromEntries(Object.entries(headers).map(([key, { name }]) => [key, name])) as NamesOf<T>;

// The names of each direction, for code.
export const TO_CHECK = namesOf(DIRECTIONS.toCheck);
/** The index of an identity header follows the name `identity`. */
export const FROM_CHECK = namesOf(DIRECTIONS.fromCheck);
export const TO_SERVICE = namesOf(DIRECTIONS.toService);
export const TO_HANDLER = namesOf(DIRECTIONS.toHandler);
export const TO_PAGE = namesOf(DIRECTIONS.toPage);
export const FROM_HANDLER = namesOf(DIRECTIONS.fromHandler);
export const TO_RENEWAL = namesOf(DIRECTIONS.toRenewal);
export const TO_INTROSPECTION = namesOf(DIRECTIONS.toIntrospection);
export const TO_EGRESS = namesOf(DIRECTIONS.toEgress);
export const TO_PROBE = namesOf(DIRECTIONS.toProbe);
export const TO_MESH = namesOf(DIRECTIONS.toMesh);
export const FROM_EGRESS = namesOf(DIRECTIONS.fromEgress);

/** The headers of a sidecar's answer to an ingress: that the request is allowed; and of a refusal, for an ingress that
 * passes no status other than 401 and 403, and no body: the status and the body that the gateway would send, the reason,
 * and the challenge of a refusal with 403. In a request nothing reads them. */
export const TO_INGRESS = {
  allowed: 'X-Meshgate-Allowed',
  status: 'X-Meshgate-Status',
  problem: 'X-Meshgate-Problem',
  reason: 'X-Meshgate-Reason',
  challenge: 'X-Meshgate-Challenge',
} as const;

/** All names, each once. The names of identity headers are left out, because they are numbered. */
export const INTERNAL_NAMES: readonly string[] = [
  ...new Set(
    Object.values(DIRECTIONS).flatMap(({ headers }) => Object.values<InternalHeader>(headers).map((it) => it.name)),
  ),
]
  .filter((name) => name !== FROM_CHECK.identity)
  .sort();
