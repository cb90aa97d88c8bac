import { describe, expect, test } from 'vitest';
import {
  fillTenant,
  issuerHelp,
  issuerProblem,
  kindOfIssuer,
  type ProviderKindName,
  tenantOf,
} from '../../../src/providers/index.ts';
import { tables } from './tables/index.ts';

test.each<[issuer: string, kind: ProviderKindName]>([
  ['https://example.okta.com/oauth2/default', 'okta'],
  ['https://login.microsoftonline.com/{tenantid}/v2.0', 'entra'],
  ['https://sts.windows.net/8f8b0b2e/', 'entra'],
  ['https://login.example.com/realms/main', 'keycloak'],
  ['https://login.example.com/realms/main/', 'keycloak'],
  ['https://login.example.com/realms/main/x', 'generic'],
  ['https://example.auth0.com/', 'auth0'],
  ['https://example.eu.auth0.com', 'auth0'],
  ['https://auth0.com.evil.com/', 'generic'],
  ['https://accounts.google.com', 'google'],
  ['accounts.google.com', 'google'],
  ['https://accounts.google.com.evil.com', 'generic'],
  ['https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_a', 'cognito'],
  ['https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_a', 'cognito'],
  ['https://token.actions.githubusercontent.com', 'github-actions'],
  ['https://token.actions.githubusercontent.com/example', 'github-actions'],
  ['https://github.example.com/_services/token', 'github-actions'],
  ['https://token.actions.example.ghe.com', 'github-actions'],
  ['https://kubernetes.default.svc', 'kubernetes'],
  ['https://kubernetes.default.svc.cluster.local', 'kubernetes'],
  ['https://kubernetes.default.svc:6443', 'kubernetes'],
  ['https://kubernetes.defaults.example.com', 'generic'],
  ['https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE', 'kubernetes'],
  ['https://container.googleapis.com/v1/projects/p/locations/l/clusters/c', 'kubernetes'],
  ['https://westeurope.oic.prod-aks.azure.com/t/c/', 'kubernetes'],
  ['spiffe://example.org', 'spiffe'],
  ['https://login.example.com', 'generic'],
])('%s looks like %s', (issuer, kind) => {
  expect(kindOfIssuer(issuer)).toBe(kind);
});

test.each(Object.entries(tables))('the issuer of the table of %s is one of its kind', (kind, { provider }) => {
  expect(kindOfIssuer(provider.issuer as string)).toBe(kind);
  expect(issuerProblem(kind as ProviderKindName, provider.issuer as string)).toBeUndefined();
});

test.each<[kind: ProviderKindName, issuer: string, instead: string]>([
  ['auth0', 'https://login.example.com', 'https://login.example.com/'],
  ['google', 'accounts.google.com', 'https://accounts.google.com'],
  ['okta', 'https://example.okta.com/oauth2/default/', 'https://example.okta.com/oauth2/default'],
  ['entra', 'https://sts.windows.net/t', 'https://sts.windows.net/t/'],
  ['entra', 'https://login.microsoftonline.com/t/v2.0/', 'https://login.microsoftonline.com/t/v2.0'],
])('of %s must not be %s, but %s', (kind, issuer, instead) => {
  expect(issuerProblem(kind, issuer)).toBe(instead);
  expect(issuerProblem(kind, instead)).toBeUndefined();
});

test('an issuer of no kind may end in any way', () => {
  expect(issuerProblem('generic', 'https://a.example.com')).toBeUndefined();
  expect(issuerProblem('generic', 'https://a.example.com/')).toBeUndefined();
});

test.each([
  ['https://example.okta.com', /Okta’s organisation server/],
  ['https://sts.windows.net/t/', /requestedAccessTokenVersion/],
  ['kubernetes/serviceaccount', /stored in a Secret/],
])('help for a token of %s', (issuer, help) => {
  expect(issuerHelp({ iss: issuer, aud: 'api' })).toMatch(help);
});

test.each([
  'https://example.okta.com/oauth2/default',
  'https://login.example.com',
  '',
  7,
  undefined,
  ['https://a.okta.com'],
])('has no help for %j', (issuer) => expect(issuerHelp({ iss: issuer })).toBeUndefined());

describe('a token of version 1 for Microsoft Graph', () => {
  const iss = 'https://sts.windows.net/8f8b0b2e-4d7c-4b6d-9d60-0f3b8a1a6a55/';
  test.each(['00000003-0000-0000-c000-000000000000', 'https://graph.microsoft.com', 'https://graph.microsoft.com/'])(
    'for the audience %s: the help is to request another audience',
    (aud) => {
      expect(issuerHelp({ iss, aud })).toMatch(/^this token is for Microsoft Graph.*: request a scope of this API/);
    },
  );

  test.each([['https://graph.microsoft.com.evil.example'], [undefined], [['https://graph.microsoft.com']]])(
    'another audience is no Graph: %j',
    (aud) => expect(issuerHelp({ iss, aud })).toMatch(/requestedAccessTokenVersion/),
  );
});

describe('tenants', () => {
  test.each([
    ['https://login.microsoftonline.com/abc/v2.0', 'abc'],
    ['https://sts.windows.net/abc/', 'abc'],
    ['https://contoso-1.ciamlogin.com/abc/v2.0', 'abc'],
    ['https://login.microsoftonline.com/abc', undefined],
    ['http://login.microsoftonline.com/abc/v2.0', undefined],
    [7, undefined],
  ])('of %s: %s', (issuer, tenant) => expect(tenantOf(issuer)).toBe(tenant));

  test('a template is filled with the tenant, which is not a pattern', () => {
    expect(fillTenant('https://a.example.com/{tenantid}/v2.0', '$&')).toBe('https://a.example.com/$&/v2.0');
  });
});
