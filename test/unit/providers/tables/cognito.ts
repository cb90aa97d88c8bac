import { claims, common, type KindTable } from './table.ts';

const issuer = 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab12CdEf3';
const app = '1example23456789';

export const cognito: KindTable = {
  provider: { issuer, audiences: [app] },
  role: { any: [{ group: 'staff' }, { scope: 'wiki/index' }] },
  header: {},
  claims: (now) => ({
    sub: 'e2752464-3041-70d8-f1a3-5d1b6f0a4c2e',
    'cognito:groups': ['eu-west-1_Ab12CdEf3_Okta', 'staff'],
    iss: issuer,
    version: 2,
    client_id: app,
    origin_jti: '2b3c4d5e-6f70-4a1b-8c2d-3e4f5a6b7c8d',
    event_id: '64f513be-32db-42b0-b78e-b02127b4f463',
    token_use: 'access',
    scope: 'openid profile wiki/read',
    auth_time: now - 300,
    exp: now + 3540,
    iat: now - 60,
    jti: 'b6fd8c5e-4f1b-4b63-a4a3-3a4f6a9c1d2b',
    username: 'ann',
  }),
  passes: [
    {
      name: 'of an app client itself',
      claims: {
        sub: app,
        scope: 'wiki/index',
        username: undefined,
        'cognito:groups': undefined,
        origin_jti: undefined,
      },
    },
    { name: 'for a resource', claims: { aud: app } },
  ],
  misses: [
    ...common('without an audience'),
    claims('without a client', 'claim_absent', { client_id: undefined }, 'the token has no "aud"'),
    claims('of another app client', 'audience_mismatch', { client_id: '2other' }, 'the token is for "2other"'),
    claims('of a list of app clients', 'audience_mismatch', { client_id: ['2other'] }),
    claims('for another resource by our client', 'audience_mismatch', { aud: 'https://pay.example.com' }),
    claims('of another pool', 'issuer_unknown', {
      iss: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Zz98YxWv7',
    }),
    claims('of another region', 'issuer_unknown', {
      iss: 'https://cognito-idp.us-east-1.amazonaws.com/eu-west-1_Ab12CdEf3',
    }),
    claims(
      'that is an ID token',
      'type_refused',
      { token_use: 'id', aud: app, client_id: undefined },
      '"token_use" "id" instead of "access"',
    ),
    claims('that says of itself nothing', 'type_refused', { token_use: undefined }, 'no "token_use"'),
    claims('that says two things of itself', 'type_refused', { token_use: ['access'] }),
    claims('without groups', 'role_missing', { 'cognito:groups': undefined }),
    claims('with groups under another name', 'role_missing', { 'cognito:groups': undefined, groups: ['staff'] }),
    claims('with a role of AWS', 'role_missing', { 'cognito:groups': [], 'cognito:roles': ['staff'] }),
    claims('with a scope of another resource', 'role_missing', { 'cognito:groups': [], scope: 'pay/index' }),
  ],
};
