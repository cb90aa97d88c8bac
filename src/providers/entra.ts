import type { AboutKind, ClaimHelp, Issuers, Mistaken, ProviderKind } from './types.ts';

/** Microsoft Entra ID (Azure AD). Any administrator of a directory can put any address into it. So `email` counts only
 * if Entra says that the owner of the domain vouches for it (`xms_edov`), and `preferred_username` and `upn` never
 * count. */
export const kind: ProviderKind = {
  name: 'entra',
  groups: 'groups',
  // Entra does so for a person in more than 200 groups.
  leftOut: '_claim_names',
  scopes: ['scp'],
  // Tokens of version 2, and of version 1.
  client: ['azp', 'appid'],
  tellsByClient: true,
  // The optional claim idtyp says it. Without idtyp, a token is software's own if it lacks the claims that only
  // people's tokens have and its subject is the service principal.
  alone: [
    [{ claim: 'idtyp', is: 'app' }],
    [
      { claim: 'idtyp', absent: true },
      { claim: 'scp', absent: true },
      { claim: 'sub', as: 'oid' },
    ],
  ],
  // Facets of the actor and of the subject. 11 is an agent's identity; 13 is an account of the agent itself, with no
  // person behind it. Only agents have a parent application.
  agents: [
    { claim: 'xms_act_fct', has: '11' },
    { claim: 'xms_sub_fct', has: '11', alone: true },
    { claim: 'xms_sub_fct', has: '13', alone: true },
    { claim: 'xms_par_app_azp' },
  ],
  displayName: 'name',
  email: 'email',
  emailVerified: 'xms_edov',
  verifiedAs: [true, 1, '1'],
  refusedTypes: [],
  keysNameIssuer: true,
  nonceInHeader: 'Microsoft Graph',
  signin: {
    scopes: ['openid', 'profile', 'email', 'offline_access'],
    // The endpoint is on another host and has no claim that the ID token lacks.
    userinfo: false,
  },
};

export const issuers: Issuers = {
  looksLike: [
    /^https:\/\/(?:login\.microsoftonline\.(?:com|us)|login\.partner\.microsoftonline\.cn|sts\.windows\.net)\//,
    /^https:\/\/[a-z0-9-]+\.ciamlogin\.com\//,
  ],
  endsInSlash: (issuer) => issuer.startsWith('https://sts.windows.net/'),
};

export const mistaken: Mistaken = {
  issuer: /^https:\/\/sts\.windows\.net\/[^/]+\/$/,
  help: 'it is of version 1 of Entra ID: for version 2 set requestedAccessTokenVersion to 2 in the API’s manifest',
};

/** Names of people in directories. They have several forms, none is verified, and they can pass from one person to
 * another. */
export const unverified: readonly string[] = ['preferred_username', 'upn', 'unique_name'];

export const help: ClaimHelp = {
  aud: 'ask Entra for a scope of this API, as api://…/.default, and not of Microsoft Graph',
  groups: 'at Entra: Token configuration > Add groups claim > Groups assigned to the application',
  roles: 'at Entra: App roles of the API, assigned under Enterprise applications > Users and groups',
  scp: 'only tokens for a person have scopes; applications have app roles, in "roles"',
  email: 'at Entra: Token configuration > Optional claims > Access > email, and xms_edov',
  xms_edov: 'at Entra: Token configuration > Optional claims > Access > xms_edov',
  idtyp: 'at Entra: Token configuration > Optional claims > Access > idtyp',
  auth_time: 'at Entra: Token configuration > Optional claims > Access > auth_time',
  acr: 'tokens of version 2 have no "acr": ask for the optional claim acrs',
  upn: 'at Entra: Token configuration > Optional claims > Access > upn',
};

export const about: AboutKind = {
  title: 'Microsoft Entra ID',
  registering: [
    'Entra, App registrations > New registration, accounts in this directory only; redirect URI of the platform Web.',
    'Certificates & secrets: a client secret. Token configuration: the optional claims email and xms_edov, and groups (those assigned to the application).',
  ],
};
