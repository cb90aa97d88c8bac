import { claims, common, type KindTable, miss } from './table.ts';

const contoso = '8f8b0b2e-4d7c-4b6d-9d60-0f3b8a1a6a55';
const fabrikam = '2c1d3a4b-7e8f-4a5b-8c6d-9e0f1a2b3c4d';
const other = '5b973f99-77df-4beb-b27d-aa0c70b8482c';
/** The tenant of personal accounts. */
const personal = '9188040d-6c67-4c5b-b112-36a304b66dad';
const issuer = (tenant: string) => `https://login.microsoftonline.com/${tenant}/v2.0`;
const api = 'b14a7505-96e9-4927-91e8-0601d0fc9caa';
const group = '9c2a5f1d-3b7e-4f0a-8d6c-1e5b7a9c0d2e';
const principal = 'b4e7c1a0-6d2f-4c3b-9a8e-5f7d1c0b2a3e';

export const entra: KindTable = {
  provider: { issuer: issuer('{tenantid}'), tenants: [contoso, fabrikam], audiences: [api] },
  role: { any: [{ group }, { claim: 'roles', has: 'Wiki.Index' }] },
  header: { typ: 'JWT', x5t: 'nOo3ZDrODXEK1jKWhXslHR_KXEg' },
  claims: (now) => ({
    aud: api,
    iss: issuer(contoso),
    iat: now - 60,
    nbf: now - 60,
    exp: now + 4000,
    aio: 'ATQAy/8VAAAAeXd3dGVzdA==',
    azp: '6e74172b-be56-4843-9ff4-e66a39bb12e3',
    azpacr: '0',
    groups: ['1f0c6d2b-8a7e-4b5d-9c3f-2e1d0b9a8c7f', group],
    name: 'Ann Example',
    oid: '690222be-ff1a-4d56-abd1-7e4f7d38e474',
    preferred_username: 'ann@contoso.example',
    rh: 'I',
    scp: 'access_as_user',
    sub: 'HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ',
    tid: contoso,
    uti: 'fqiBqXLPj0eQa82S-IYFAA',
    ver: '2.0',
  }),
  keys: { rsa: { issuer: issuer('{tenantid}') }, rsa2: { issuer: issuer(personal) }, pss: { issuer: issuer(contoso) } },
  passes: [
    { name: 'of the other tenant', claims: { iss: issuer(fabrikam), tid: fabrikam } },
    { name: 'by a key of its tenant', key: 'pss' },
    {
      name: 'of an application itself',
      claims: {
        ...{ idtyp: 'app', azpacr: '1', oid: principal, sub: principal, roles: ['Wiki.Index'] },
        ...{ scp: undefined, groups: undefined, name: undefined, preferred_username: undefined },
      },
    },
    { name: 'whose other groups were left out', claims: { groups: [group], _claim_names: { groups: 'src1' } } },
  ],
  misses: [
    ...common(),
    claims('of a tenant that is not ours', 'issuer_unknown', { iss: issuer(other), tid: other }),
    claims('of personal accounts', 'issuer_unknown', { iss: issuer(personal), tid: personal }),
    claims('of the template itself', 'issuer_unknown', { iss: issuer('{tenantid}'), tid: '{tenantid}' }),
    claims('of all organisations', 'issuer_unknown', { iss: issuer('organizations'), tid: contoso }),
    claims(
      'of version 1',
      'issuer_unknown',
      { iss: `https://sts.windows.net/${contoso}/`, ver: '1.0', appid: 'a', azp: undefined },
      'set requestedAccessTokenVersion to 2',
    ),
    claims(
      'of version 1 for Microsoft Graph',
      'issuer_unknown',
      { iss: `https://sts.windows.net/${contoso}/`, ver: '1.0', aud: 'https://graph.microsoft.com' },
      'this token is for Microsoft Graph, and only Graph can verify it: request a scope of this API',
    ),
    claims('whose tenant is another than its issuer’s', 'key_unknown', { tid: fabrikam }, 'belongs to another issuer'),
    claims('whose tenant is not said', 'key_unknown', { tid: undefined }, 'belongs to another issuer'),
    miss('by the key of personal accounts', 'key_unknown', { key: 'rsa2', says: 'belongs to another issuer' }),
    miss('by a key of the other tenant', 'key_unknown', {
      key: 'pss',
      claims: { iss: issuer(fabrikam), tid: fabrikam },
    }),
    miss('of Microsoft Graph', 'type_refused', {
      header: { nonce: 'kKqzC2J0r4XzqYk0N9v1' },
      claims: { aud: '00000003-0000-0000-c000-000000000000' },
      text: (token) => token.replace(/[^.]*$/, (signature) => `AAAA${signature.slice(4)}`),
      says: 'the token is for Microsoft Graph; request a scope of this API from Entra',
    }),
    miss('of Microsoft Graph whose signature holds', 'type_refused', {
      header: { nonce: 'x' },
      says: 'Microsoft Graph',
    }),
    claims(
      'for Microsoft Graph',
      'audience_mismatch',
      { aud: '00000003-0000-0000-c000-000000000000' },
      'request a scope of this API from Entra',
    ),
    claims('for the API by its URI', 'audience_mismatch', { aud: `api://${api}` }),
    claims(
      'that is an ID token without a nonce',
      'type_refused',
      { azp: undefined, scp: undefined },
      'no azp nor appid',
    ),
    claims(
      'whose groups were left out',
      'claim_absent',
      {
        groups: undefined,
        _claim_names: { groups: 'src1' },
        _claim_sources: { src1: { endpoint: 'https://graph.windows.net/x' } },
      },
      'the provider left out the groups',
    ),
    claims('without groups', 'role_missing', { groups: undefined }),
    claims('with a group by its name', 'role_missing', { groups: ['Wiki staff'] }),
    claims('with another app role', 'role_missing', { groups: [], roles: ['Wiki.Read'] }),
  ],
};
