import { claims, common, type KindTable, miss } from './table.ts';

const issuer = 'https://login.example.org';

/** An access token of RFC 9068. */
export const generic: KindTable = {
  provider: { issuer, audiences: ['https://wiki.example.com'] },
  role: { any: [{ group: 'staff' }, { scope: 'wiki.index' }] },
  header: { typ: 'at+jwt' },
  claims: (now) => ({
    jti: 'pnqYEjLHYeRvdpN5E3lnX',
    sub: 'ann',
    groups: ['staff'],
    iat: now - 60,
    exp: now + 540,
    scope: 'openid wiki.read',
    client_id: 'wiki-web',
    iss: issuer,
    aud: 'https://wiki.example.com',
    auth_time: now - 300,
  }),
  passes: [
    { name: 'of the long type', header: { typ: 'application/AT+JWT' } },
    { name: 'of the old type', header: { typ: 'JWT' } },
    { name: 'without a type', header: { typ: undefined } },
    {
      name: 'of a client itself',
      claims: { sub: 'indexer', client_id: 'indexer', groups: undefined, scope: 'wiki.index', auth_time: undefined },
    },
    // Its type says what it is.
    { name: 'with a nonce', claims: { nonce: 'x' } },
  ],
  misses: [
    ...common(
      'with the "events" of a logout token',
      'with the "nonce" of an ID token',
      'with the "at_hash" of an ID token',
    ),
    claims('of an issuer with a slash', 'issuer_unknown', { iss: `${issuer}/` }),
    claims('of no issuer', 'issuer_unknown', { iss: undefined }),
    miss('of the old type with the nonce of an ID token', 'type_refused', {
      header: { typ: 'JWT' },
      claims: { nonce: 'x' },
    }),
    miss('of the old type with the hash of an ID token', 'type_refused', {
      header: { typ: 'JWT' },
      claims: { at_hash: 'x' },
    }),
    miss('that is a logout token', 'type_refused', { header: { typ: 'logout+jwt' }, says: 'a logout token' }),
    miss('that is an answer about a token', 'type_refused', { header: { typ: 'token-introspection+jwt' } }),
    miss('that is opaque', 'token_malformed', { text: () => 'pnqYEjLHYeRvdpN5E3lnXpnqYEjLHYeRvdpN5E3lnX' }),
    claims('without groups and scopes', 'role_missing', { groups: undefined, scope: undefined }),
    claims('with another group', 'role_missing', { groups: ['staffing'] }),
    claims('with a scope in another claim', 'role_missing', { groups: [], scp: ['wiki.index'] }),
  ],
};
