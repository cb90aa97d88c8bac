import type { ProviderKindName } from '../providers/index.ts';

/** How to register the gateway at a provider, one step per line. */
export const REGISTERING: Readonly<Record<ProviderKindName, readonly string[]>> = {
  okta: [
    'Okta, Applications > Create App Integration > OIDC, Web Application; grant types: Authorization Code, Refresh Token.',
    'For groups: Security > API > the authorization server > Claims: "groups", in ID tokens, always, groups by filter.',
  ],
  entra: [
    'Entra, App registrations > New registration, accounts in this directory only; redirect URI of the platform Web.',
    'Certificates & secrets: a client secret. Token configuration: the optional claims email and xms_edov, and groups (those assigned to the application).',
  ],
  keycloak: [
    'Keycloak, Clients > Create client > OpenID Connect; client authentication on, standard flow alone.',
    'For groups: the client’s dedicated scope > Add mapper > Group Membership, token claim name "groups", full path off.',
    'For roles: Client scopes > roles > Mappers > "realm roles" and "client roles": "Add to ID token". As installed they are in access tokens alone, and no sign-in brings them.',
  ],
  auth0: [
    'Auth0, Applications > Create Application > Regular Web Application; grant types: Authorization Code, Refresh Token.',
    'For roles: Actions > Triggers > post-login: api.idToken.setCustomClaim("https://example.com/roles", event.authorization.roles).',
  ],
  google: [
    'Google Cloud console, Google Auth Platform > Clients > Create client > Web application.',
    'It has no groups: compare "hd" (the organisation) or "email".',
  ],
  cognito: [
    'Amazon Cognito, the user pool > App clients > Create app client > Traditional web application, with a client secret.',
    'Login pages: Authorization code grant; the scopes openid, profile and email.',
  ],
  'github-actions': ['Nobody signs in through GitHub Actions: its jobs send tokens of their own.'],
  kubernetes: ['Nobody signs in through a cluster: its workloads send tokens of their service accounts.'],
  spiffe: ['Nobody signs in through a trust domain: its workloads send JWT-SVIDs.'],
  generic: ['At the provider: a confidential web client with the authorization code flow and PKCE (S256).'],
};

/** The name of a provider's kind for people. */
export const KIND_TITLES: Readonly<Record<ProviderKindName, string>> = {
  okta: 'Okta',
  entra: 'Microsoft Entra ID',
  keycloak: 'Keycloak',
  auth0: 'Auth0',
  google: 'Google',
  cognito: 'Amazon Cognito',
  'github-actions': 'GitHub Actions',
  kubernetes: 'a Kubernetes cluster',
  spiffe: 'a SPIFFE trust domain',
  generic: 'an OpenID provider',
};
