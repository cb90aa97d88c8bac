import { claims, common, type KindTable, miss } from './table.ts';

export const spiffe: KindTable = {
  provider: { issuer: 'spiffe://example.org', audiences: ['wiki'] },
  role: { claim: 'sub', like: 'spiffe://example.org/ns/ci/*' },
  header: { typ: 'JWT' },
  claims: (now) => ({
    aud: ['wiki'],
    exp: now + 240,
    iat: now - 60,
    sub: 'spiffe://example.org/ns/ci/sa/deployer',
  }),
  alg: 'ES256',
  key: 'p256',
  // As a bundle endpoint has them.
  keys: { p256: { use: 'jwt-svid' }, rsa: { use: 'x509-svid' } },
  passes: [
    { name: 'of the type JOSE', header: { typ: 'JOSE' } },
    { name: 'without a type', header: { typ: undefined } },
    { name: 'for one audience', claims: { aud: 'wiki' } },
    { name: 'with its trust domain as the issuer', claims: { iss: 'spiffe://example.org' } },
  ],
  misses: [
    ...common('without a subject', 'by a key that is not published', 'without a signature algorithm'),
    claims('without a subject', 'issuer_unknown', { sub: undefined }),
    miss('without a signature algorithm', 'algorithm_refused', { header: { alg: 'none' }, signAs: 'ES256' }),
    miss('by a key that is not published', 'signature_invalid', { key: 'p256b', header: { kid: 'p256' } }),
    miss('by the authority of X.509-SVIDs', 'key_unknown', { key: 'rsa', alg: 'RS256' }),
    claims('of another trust domain', 'issuer_unknown', { sub: 'spiffe://example.com/ns/ci/sa/deployer' }),
    claims('of a trust domain that begins so', 'issuer_unknown', { sub: 'spiffe://example.org.evil.com/ns/ci/sa/x' }),
    claims(
      'of another trust domain under our issuer',
      'issuer_unknown',
      {
        iss: 'spiffe://example.org',
        sub: 'spiffe://example.com/ns/ci/sa/deployer',
      },
      'not a SPIFFE id of the trust domain example.org',
    ),
    claims('of the trust domain itself', 'issuer_unknown', { sub: 'spiffe://example.org' }),
    claims('of a path that leads elsewhere', 'issuer_unknown', { sub: 'spiffe://example.org/ns/ci/../default' }),
    claims('of an empty path', 'issuer_unknown', { sub: 'spiffe://example.org/' }),
    claims('of a scheme in upper case', 'issuer_unknown', { sub: 'SPIFFE://example.org/ns/ci/sa/deployer' }),
    claims('of an id with a query', 'issuer_unknown', { sub: 'spiffe://example.org/ns/ci/sa/deployer?x' }),
    claims('of several', 'issuer_unknown', { sub: ['spiffe://example.org/ns/ci/sa/deployer'] }),
    miss('that is bound to a key of the workload', 'type_refused', {
      header: { typ: 'wit+jwt' },
      says: 'requires a JWT-SVID',
    }),
    claims('of another namespace', 'role_missing', { sub: 'spiffe://example.org/ns/default/sa/deployer' }),
    claims('of a namespace that begins so', 'role_missing', { sub: 'spiffe://example.org/ns/ci2/sa/deployer' }),
  ],
};
