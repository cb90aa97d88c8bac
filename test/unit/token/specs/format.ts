import { bytes, flip, looseEnd, type Spec, spec, usualClaims } from './spec.ts';

/** Nested so deeply that an engine may fail, in less than the size of the largest token. */
const deep = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

/** The checks before any key. */
export const format: Spec[] = [
  ...['', '.', '..', 'a', 'a.b', '.b.c', 'a..c', 'a.b.', 'YWJj.YWJj.YWJj.YWJj', 'Bearer a.b.c', 'a.b.c\n'].map(
    (text): Spec => spec(`the text ${JSON.stringify(text)}`, 'token_malformed', () => text),
  ),
  spec('five parts, a JWE', 'token_malformed', (m) => `${m.token()}.YWJj.YWJj`),
  spec('a space before it', 'token_malformed', (m) => ` ${m.token()}`),
  spec('a line feed after it', 'token_malformed', (m) => `${m.token()}\n`),
  spec('a space in the signature', 'token_malformed', (m) =>
    m.part(m.token(), 2, (s) => `${s.slice(0, 9)} ${s.slice(9)}`),
  ),
  spec('padding after the signature', 'token_malformed', (m) => `${m.token()}==`),
  spec('padding after the payload', 'token_malformed', (m) => m.part(m.token(), 1, (s) => `${s}=`)),
  spec('base64 in place of base64url', 'token_malformed', (m) => m.part(m.token(), 2, (s) => `+/${s.slice(2)}`)),
  spec('a letter outside ASCII', 'token_malformed', (m) => m.part(m.token(), 2, (s) => `é${s.slice(1)}`)),
  spec('unused bits of the signature set', 'token_malformed', (m) => m.part(m.token(), 2, looseEnd), {
    detail: 'the token is not three parts of canonical base64url',
  }),
  spec('unused bits of the payload set', 'token_malformed', (m) => m.part(m.loaded('{}'), 1, looseEnd), {
    detail: 'the token is not three parts of canonical base64url',
  }),
  spec('unused bits of the header set', 'token_malformed', (m) => m.part(m.headed('{"alg":"RS256"}  '), 0, looseEnd), {
    detail: 'the token is not three parts of canonical base64url',
  }),
  spec('a length that base64url does not have', 'token_malformed', (m) => m.part(m.token(), 2, (s) => `${s}AAA`), {
    detail: 'the token is not three parts of canonical base64url',
  }),
  spec('100 KB', 'token_malformed', (m) => m.token({ claims: { pad: 'x'.repeat(75_000) } }), {
    detail: 'the token is too long',
  }),
  spec('16 KB and a good signature', 'verified', (m) => m.token({ claims: { pad: 'x'.repeat(11_700) } })),
];

export const headers: Spec[] = [
  ...[
    '',
    'x',
    'null',
    '"x"',
    '1',
    '[]',
    '[{"alg":"RS256"}]',
    '{"alg":"RS256"',
    '{"alg":"RS256"} x',
    '{}',
    '{"alg":1}',
    '{"alg":null}',
    '{"alg":["RS256"]}',
    '{"alg":"RS256","kid":1}',
    '{"alg":"RS256","kid":null}',
    '{"alg":"RS256","typ":1}',
    '{"alg":"RS256","crit":[]}',
    '{"alg":"RS256","crit":["exp"]}',
    '{"alg":"RS256","crit":["b64"],"b64":false}',
    '{"alg":"RS256","b64":false}',
    '{"alg":"RS256","b64":true}',
    '{"alg":"RS256","zip":"DEF"}',
    "{'alg':'RS256'}",
    '\ufeff{"alg":"RS256"}',
    '{"__proto__":{"alg":"RS256"}}',
  ].map((text): Spec => spec(`the header ${text}`, 'token_malformed', (m) => m.headed(text))),
  spec('a header of invalid UTF-8', 'token_malformed', (m) =>
    m.headed(bytes(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)),
  ),
  spec('a header in UTF-16', 'token_malformed', (m) => m.headed(bytes(0xff, 0xfe, 0x7b, 0, 0x7d, 0))),
  spec('a header nested 4,000 deep', 'token_malformed', (m) => m.headed(deep(4000))),
  spec('crit beside a good signature', 'token_malformed', (m) => m.token({ header: { crit: ['kid'] } }), {
    detail: 'the header has "crit", which is not supported',
  }),
  spec('jku, x5u, x5c and an unknown member beside a good signature', 'verified', (m) =>
    m.token({
      header: {
        jku: 'https://trap.example.com/jwks',
        x5u: 'https://trap.example.com/x5u',
        x5c: ['MIIB'],
        'https://x': { y: 1 },
      },
    }),
  ),
];

export const payloads: Spec[] = [
  ...['foo', 'null', '"x"', '7', '[]', '{"iss":', '{"iss":"https://issuer.example.com"} {}', '\ufeff{}', '\u0000'].map(
    (text): Spec =>
      spec(`the payload ${JSON.stringify(text)}`, 'token_malformed', (m) => m.loaded(text), {
        detail: 'the payload is not a claims set',
      }),
  ),
  spec(
    'a payload of invalid UTF-8',
    'token_malformed',
    (m) => m.loaded(bytes(0x7b, 0x22, 0xc3, 0x22, 0x3a, 0x31, 0x7d)),
    { detail: 'the payload is not a claims set' },
  ),
  ...[
    ['an encoded surrogate', [0xed, 0xa0, 0x80]],
    ['an encoded pair of surrogates', [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80]],
    ['an overlong NUL', [0xc0, 0x80]],
    ['a byte alone', [0x80]],
    ['a character cut short', [0xe2, 0x82]],
    ['a character beyond Unicode', [0xf4, 0x90, 0x80, 0x80]],
  ].map(
    ([name, inside]): Spec =>
      spec(
        `a payload with ${name}`,
        'token_malformed',
        (m) => m.loaded(bytes(0x7b, 0x22, ...(inside as number[]), 0x22, 0x3a, 0x31, 0x7d)),
        { detail: 'the payload is not a claims set' },
      ),
  ),
  spec('a payload with umlaut, emoji and U+FFFD', 'verified', (m) => m.token({ claims: { name: 'Jürgen 😀 \ufffd' } })),
  spec('a payload nested 5,500 deep', 'token_malformed', (m) => m.loaded(deep(5500)), {
    detail: 'the payload is not a claims set',
  }),
  spec('no claims set and a bad signature', 'signature_invalid', (m) => m.part(m.loaded('foo'), 2, flip), {
    detail: null,
  }),
  spec('no claims set, two providers', 'token_malformed', (m) => m.loaded('foo'), { second: {}, detail: null }),
  spec('duplicate members: the last counts', 'verified', (m) =>
    m.loaded(`{"exp":1,${JSON.stringify(usualClaims).slice(1, -1)},"sub":"a","sub":"b"}`),
  ),
  spec('duplicate members: the last is wrong', 'token_expired', (m) =>
    m.loaded(`{${JSON.stringify(usualClaims).slice(1, -1)},"exp":1}`),
  ),
];
