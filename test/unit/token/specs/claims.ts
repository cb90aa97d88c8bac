import { flip, now, type Spec, spec, usualClaims } from './spec.ts';

/** Claims of a token with a valid signature. */
export const dates: Spec[] = [
  spec('exp within the skew', 'verified', (m) => m.token({ claims: { exp: now - 29 } })),
  spec('exp at the end of the skew', 'token_expired', (m) => m.token({ claims: { exp: now - 30 } }), {
    detail: `expired at ${now - 30}; the time is now ${now}`,
  }),
  spec('exp of a fraction', 'verified', (m) => m.token({ claims: { exp: now + 0.5 } })),
  spec('exp at the end of year 9999', 'verified', (m) => m.token({ claims: { exp: 253402300799 } })),
  spec('exp after that', 'claim_absent', (m) => m.token({ claims: { exp: 253402300800 } }), {
    detail: '"exp" is not a date in seconds',
  }),
  spec('exp in milliseconds', 'claim_absent', (m) => m.token({ claims: { exp: (now + 600) * 1000 } })),
  ...[-1, 0, -1e300].map((exp): Spec => spec(`exp ${exp}`, 'token_expired', (m) => m.token({ claims: { exp } }))),
  spec('exp 1e300', 'claim_absent', (m) => m.token({ claims: { exp: 1e300 } })),
  spec('exp -1e999', 'claim_absent', (m) => m.loaded(JSON.stringify(usualClaims).replace(/"exp":\d+/, '"exp":-1e999'))),
  spec('exp 1e999', 'claim_absent', (m) => m.loaded(JSON.stringify(usualClaims).replace(/"exp":\d+/, '"exp":1e999'))),
  ...[String(now + 600), null, true, [now + 600], {}].map(
    (exp): Spec =>
      spec(`exp ${JSON.stringify(exp)}`, 'claim_absent', (m) => m.token({ claims: { exp } }), {
        detail: '"exp" is not a number',
      }),
  ),
  spec('no exp', 'claim_absent', (m) => m.token({ claims: { exp: undefined } }), { detail: 'the token has no "exp"' }),
  ...['nbf', 'iat'].flatMap((name): Spec[] => [
    spec(`no ${name}`, 'verified', (m) => m.token({ claims: { [name]: undefined } })),
    spec(`${name} at the end of the skew`, 'verified', (m) => m.token({ claims: { [name]: now + 30 } })),
    spec(`${name} beyond the skew`, 'token_not_yet_valid', (m) => m.token({ claims: { [name]: now + 31 } }), {
      detail: `"${name}" is ${now + 31}; the time is now ${now}`,
    }),
    spec(`${name} as text`, 'claim_absent', (m) => m.token({ claims: { [name]: String(now) } })),
    spec(`${name} null`, 'claim_absent', (m) => m.token({ claims: { [name]: null } })),
    spec(`${name} 1e300`, 'claim_absent', (m) => m.token({ claims: { [name]: 1e300 } })),
  ]),
  spec('expired and for another audience: the time comes first', 'token_expired', (m) =>
    m.token({ claims: { exp: 1, aud: 'x' } }),
  ),
  spec(
    'expired with a bad signature says nothing about the time',
    'signature_invalid',
    (m) => m.part(m.token({ claims: { exp: 1 } }), 2, flip),
    { detail: null },
  ),
];

export const audiences: Spec[] = [
  spec('one audience of a list', 'verified', (m) => m.token({ claims: { aud: ['x', 'api://wiki'] } })),
  spec('the second audience of the policy', 'verified', (m) => m.token(), {
    provider: { audiences: ['api://x', 'api://wiki'] },
  }),
  spec('another audience', 'audience_mismatch', (m) => m.token({ claims: { aud: 'api://pay' } }), {
    detail: 'the token is for "api://pay", this route requires "api://wiki"',
  }),
  spec(
    'another audience with a bad signature says nothing about it',
    'signature_invalid',
    (m) => m.part(m.token({ claims: { aud: 'api://pay' } }), 2, flip),
    { detail: null },
  ),
  spec(
    'a long audience with a line feed is cut and quoted',
    'audience_mismatch',
    (m) => m.token({ claims: { aud: `\n${'x'.repeat(100)}` } }),
    { detail: `the token is for "\\n${'x'.repeat(63)}…", this route requires "api://wiki"` },
  ),
  spec('many audiences', 'audience_mismatch', (m) => m.token({ claims: { aud: ['a', 'b', 'c', 'd', 'e', 'f'] } }), {
    detail: 'the token is for "a" or "b" or "c" or "d" and 2 more, this route requires "api://wiki"',
  }),
  ...['API://WIKI', 'api://wiki/', 'api://wik', ' api://wiki', '', 'api://wiki api://pay'].map(
    (aud): Spec =>
      spec(`the audience ${JSON.stringify(aud)}`, 'audience_mismatch', (m) => m.token({ claims: { aud } })),
  ),
  spec('an empty list of audiences', 'audience_mismatch', (m) => m.token({ claims: { aud: [] } })),
  ...[null, 1, {}, [['api://wiki']], ['api://wiki', 1]].map(
    (aud): Spec => spec(`the audience ${JSON.stringify(aud)}`, 'claim_absent', (m) => m.token({ claims: { aud } })),
  ),
  spec('no audience', 'claim_absent', (m) => m.token({ claims: { aud: undefined } }), {
    detail: 'the token has no "aud"',
  }),
];

const clientRule = { clients: ['wiki-app'] };

export const clients: Spec[] = [
  ...['azp', 'client_id', 'cid', 'appid'].map(
    (name): Spec =>
      spec(`the client by ${name}`, 'verified', (m) => m.token({ claims: { [name]: 'wiki-app' } }), {
        provider: clientRule,
      }),
  ),
  spec('another client', 'audience_mismatch', (m) => m.token({ claims: { azp: 'pay-app' } }), {
    provider: clientRule,
    detail: 'the token is for the client "pay-app", this route requires "wiki-app"',
  }),
  spec(
    'another client by azp, ours by client_id',
    'audience_mismatch',
    (m) => m.token({ claims: { azp: 'pay-app', client_id: 'wiki-app' } }),
    { provider: clientRule },
  ),
  spec('no client', 'claim_absent', (m) => m.token(), { provider: clientRule }),
  spec('a list of clients', 'claim_absent', (m) => m.token({ claims: { azp: ['wiki-app'] } }), {
    provider: clientRule,
  }),
  // No policy has to name clients for that: without a client, an agent's token would be a person's.
  ...['azp', 'client_id', 'cid', 'appid'].flatMap((name) =>
    [null, '', [], ['wiki-app'], {}, 7, false].map(
      (value): Spec =>
        spec(`${name} ${JSON.stringify(value)}`, 'claim_absent', (m) => m.token({ claims: { [name]: value } }), {
          detail: `"${name}" is not a non-empty string`,
        }),
    ),
  ),
  spec('a malformed client beside a good one', 'claim_absent', (m) =>
    m.token({ claims: { azp: 'wiki-app', client_id: null } }),
  ),
  spec('any client where the policy names none', 'verified', (m) => m.token({ claims: { azp: 'x' } })),
];

export const types: Spec[] = [
  ...['JWT', 'jwt', 'at+jwt', 'AT+JWT', 'application/at+jwt', 'Application/AT+JWT'].map(
    (typ): Spec => spec(`the type ${typ}`, 'verified', (m) => m.token({ header: { typ } })),
  ),
  ...[
    'id+jwt',
    'logout+jwt',
    'meshgate+jwt',
    'dpop+jwt',
    'secevent+jwt',
    'JOSE',
    'application/jwt+at',
    'at+jwt ',
    '',
    'jwt;x',
  ].map((typ): Spec => spec(`the type ${JSON.stringify(typ)}`, 'type_refused', (m) => m.token({ header: { typ } }))),
  ...['nonce', 'at_hash', 'c_hash', 'events'].flatMap((name): Spec[] => [
    spec(`${name} in it`, 'type_refused', (m) => m.token({ claims: { [name]: null } })),
    spec(`${name} in an at+jwt`, 'verified', (m) => m.token({ header: { typ: 'at+jwt' }, claims: { [name]: 'x' } })),
  ]),
  ...['ID', 'id', 'Refresh', 'Offline', 'Logout'].map(
    (typ): Spec => spec(`the payload's typ ${typ}`, 'type_refused', (m) => m.token({ claims: { typ } })),
  ),
  ...['Bearer', 'DPoP', 7].map(
    (typ): Spec => spec(`the payload's typ ${typ}`, 'verified', (m) => m.token({ claims: { typ } })),
  ),
];

export const subjects: Spec[] = [
  ...['', null, 1, ['alice'], {}].map(
    (sub): Spec =>
      spec(`the subject ${JSON.stringify(sub)}`, 'claim_absent', (m) => m.token({ claims: { sub } }), {
        detail: '"sub" is not a non-empty string',
      }),
  ),
  spec('no subject', 'claim_absent', (m) => m.token({ claims: { sub: undefined } })),
  spec('a subject in another claim', 'verified', (m) => m.token({ claims: { uid: 'a' } }), {
    provider: { subject: { claim: 'uid', prefix: 'x-' } },
  }),
  spec('a nested subject', 'verified', (m) => m.token({ claims: { act: { sub: 'a' } } }), {
    provider: { subject: { claim: 'act.sub', prefix: '' } },
  }),
  spec('a subject in a claim that is not there', 'claim_absent', (m) => m.token(), {
    provider: { subject: { claim: 'constructor.name', prefix: '' } },
  }),
];

const thumbprint = 'bWVzaGdhdGUtbWVzaGdhdGUtbWVzaGdhdGUtbWVzaGc';

/** The claims of a token about the key that it is bound to. */
export const bindings: Spec[] = [
  spec('bound to a DPoP key', 'verified', (m) => m.token({ claims: { cnf: { jkt: thumbprint } } })),
  spec('bound to a certificate', 'verified', (m) => m.token({ claims: { cnf: { 'x5t#S256': thumbprint } } })),
  spec('bound to a DPoP key, as Keycloak says it', 'verified', (m) =>
    m.token({ claims: { cnf: { jkt: thumbprint, 'kc-jkt-type': 'DPoP' } } }),
  ),
  ...[
    null,
    '',
    {},
    [],
    [thumbprint],
    { jkt: thumbprint, 'x5t#S256': thumbprint },
    { jkt: thumbprint, kid: 'a' },
    { jkt: thumbprint.slice(1) },
    { jkt: `${thumbprint.slice(1)}=` },
    { jkt: `${thumbprint.slice(0, -1)}d` },
    { jkt: [thumbprint] },
    { jwk: { kty: 'EC' } },
    { kid: 'a' },
    { JKT: thumbprint },
    { x5t: thumbprint },
    { toString: thumbprint },
    { 'kc-jkt-type': 'DPoP' },
    { jkt: thumbprint, jwk: {} },
    { jkt: thumbprint, 'x5t#S256': null },
  ].map(
    (cnf): Spec =>
      spec(`bound by ${JSON.stringify(cnf)}`, 'proof_invalid', (m) => m.token({ claims: { cnf } }), {
        detail: '"cnf" does not bind the token to exactly one thumbprint, "jkt" or "x5t#S256"',
      }),
  ),
  spec('bound to a key, with a bad signature', 'signature_invalid', (m) =>
    m.part(m.token({ claims: { cnf: {} } }), 2, flip),
  ),
];
