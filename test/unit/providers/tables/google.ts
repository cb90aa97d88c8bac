import { claims, common, type KindTable, miss } from './table.ts';

const email = 'indexer@example-prod.iam.gserviceaccount.com';

export const google: KindTable = {
  provider: { issuer: 'https://accounts.google.com', audiences: ['https://wiki.example.com'] },
  role: {
    all: [
      { claim: 'email', is: email },
      { claim: 'email_verified', is: true },
    ],
  },
  header: { typ: 'JWT' },
  claims: (now) => ({
    aud: 'https://wiki.example.com',
    azp: '115634918271354829071',
    email,
    email_verified: true,
    exp: now + 3540,
    iat: now - 60,
    iss: 'https://accounts.google.com',
    sub: '115634918271354829071',
  }),
  passes: [
    { name: 'of an issuer without its scheme', claims: { iss: 'accounts.google.com' } },
    {
      name: 'from the metadata server',
      claims: { google: { compute_engine: { project_id: 'example-prod', zone: 'europe-west1-b' } } },
    },
  ],
  misses: [
    ...common('with the "nonce" of an ID token', 'with the "at_hash" of an ID token'),
    claims('of an issuer with a slash', 'issuer_unknown', { iss: 'https://accounts.google.com/' }),
    claims('of an issuer without its scheme, with a slash', 'issuer_unknown', { iss: 'accounts.google.com/' }),
    claims('of another service of Google', 'issuer_unknown', { iss: 'https://cloud.google.com/iap' }),
    claims('of plain HTTP', 'issuer_unknown', { iss: 'http://accounts.google.com' }),
    claims(
      'of a person who signed in by gcloud',
      'type_refused',
      {
        ...{ azp: '32555940559.apps.googleusercontent.com', aud: '32555940559.apps.googleusercontent.com' },
        ...{ sub: '104852839481034857201', email: 'ann@example.com', hd: 'example.com', at_hash: 'dN2hO1rVzg8' },
      },
      'this route requires an ID token of a service account',
    ),
    claims('of a browser', 'type_refused', { nonce: 'n-0S6_WzA2Mj' }, 'of a service account'),
    claims(
      'for gcloud',
      'audience_mismatch',
      { aud: '32555940559.apps.googleusercontent.com' },
      'request an ID token for this audience from Google',
    ),
    claims('for the service with a slash', 'audience_mismatch', { aud: 'https://wiki.example.com/' }),
    miss('that is opaque', 'token_malformed', { text: () => 'ya29.c.c0ASRK0Gb9hVqk2rNn' }),
    claims('of a foreign service account', 'role_missing', { email: 'indexer@evil.iam.gserviceaccount.com' }),
    claims('without an address', 'role_missing', { email: undefined }),
    claims('with an address that is not theirs', 'role_missing', { email_verified: false }),
    claims('with an address of an unknown owner', 'role_missing', { email_verified: undefined }),
  ],
};
