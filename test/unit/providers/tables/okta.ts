import { claims, common, type KindTable, miss } from './table.ts';

const issuer = 'https://example.okta.com/oauth2/default';
const app = '0oabucvyc38HLL1ef0h7';

export const okta: KindTable = {
  provider: { issuer, audiences: ['api://wiki'], clients: [app] },
  role: { any: [{ group: 'staff' }, { scope: 'wiki.index' }] },
  header: {},
  claims: (now) => ({
    ver: 1,
    jti: 'AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE',
    iss: issuer,
    aud: 'api://wiki',
    iat: now - 60,
    exp: now + 3540,
    cid: app,
    uid: '00u1n0q6lAPPnZRwn0h7',
    scp: ['openid', 'profile', 'wiki.read'],
    auth_time: now - 300,
    sub: 'ann@example.com',
    groups: ['Everyone', 'staff'],
  }),
  passes: [
    {
      name: 'of an application itself',
      claims: { cid: app, sub: app, uid: undefined, auth_time: undefined, groups: undefined, scp: ['wiki.index'] },
    },
  ],
  misses: [
    ...common(),
    claims('of another authorization server', 'issuer_unknown', {
      iss: 'https://example.okta.com/oauth2/aus9o8wzkhckw9TLa0h7',
    }),
    claims('of the organisation', 'issuer_unknown', { iss: 'https://example.okta.com' }, 'Okta’s organisation server'),
    claims('of an issuer with a slash', 'issuer_unknown', { iss: `${issuer}/` }),
    claims('of an issuer in upper case', 'issuer_unknown', { iss: 'https://EXAMPLE.okta.com/oauth2/default' }),
    miss('of the organisation by its type', 'type_refused', {
      header: { typ: 'application/okta-internal-at+jwt' },
      says: 'ask an authorization server',
    }),
    claims(
      'that is an ID token without a nonce',
      'type_refused',
      { cid: undefined, scp: undefined },
      'no cid, so it is an ID token',
    ),
    claims('of another application', 'audience_mismatch', { cid: '0oa2other' }, 'for the client "0oa2other"'),
    claims('of a list of applications', 'claim_absent', { cid: [app] }, '"cid" is not'),
    claims('of an application by a claim of others', 'type_refused', { cid: undefined, azp: app, client_id: app }),
    claims('without groups', 'role_missing', { groups: undefined }),
    claims('with another group', 'role_missing', { groups: ['Everyone', 'staff-guests'] }),
    claims('with a group in upper case', 'role_missing', { groups: ['STAFF'] }),
    claims('with groups as words', 'role_missing', { groups: 'Everyone staff' }),
    claims('with a scope by halves', 'role_missing', { groups: [], scp: ['wiki'] }),
  ],
};
