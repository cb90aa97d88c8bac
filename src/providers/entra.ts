import type { AboutKind, ClaimHelp, Issuers, Mistaken, ProviderKind } from './types.ts';

/** Microsoft Entra ID (Azure AD). The administrators of a directory can enter any e-mail address there. So `email`
 * counts only if Entra says that the owner of the domain has verified the address (`xms_edov`). `preferred_username`
 * and `upn` never count. */
export const kind: ProviderKind = {
  name: 'entra',
  groups: 'groups',
  // Entra leaves out the groups of a person who is in more than 200 groups.
  leftOut: '_claim_names',
  scopes: ['scp'],
  // `azp` is in tokens of version 2, `appid` in tokens of version 1.
  client: ['azp', 'appid'],
  tellsByClient: true,
  // The optional claim idtyp says whether a token belongs to a person. Without idtyp, a token is the software's own if
  // it lacks the claims that only people's tokens have, and if its subject is the service principal.
  alone: [
    [{ claim: 'idtyp', is: 'app' }],
    [
      { claim: 'idtyp', absent: true },
      { claim: 'scp', absent: true },
      { claim: 'sub', as: 'oid' },
    ],
  ],
  // The claims contain the facets of the actor and of the subject. Facet 11 is the identity of an agent. Facet 13 is an
  // account of the agent itself, without a person. Only agents have a parent application.
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
    // The UserInfo endpoint is on another host, and its response has no claim that the ID token lacks.
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
  help: 'this token is of version 1 of Entra ID: for version 2, set requestedAccessTokenVersion to 2 in the API’s manifest',
  other: {
    // The ids and names of Microsoft Graph, whose tokens are always of version 1.
    audiences: [
      '00000003-0000-0000-c000-000000000000',
      'https://graph.microsoft.com',
      'https://graph.microsoft.com/',
      'https://graph.microsoft.us',
      'https://microsoftgraph.chinacloudapi.cn',
    ],
    help: 'this token is for Microsoft Graph, and only Graph can verify it: request a scope of this API from Entra, such as api://…/.default',
  },
};

/** Claims with names of people. The names are unverified, have several forms, and can pass to another person. */
export const unverified: readonly string[] = ['preferred_username', 'upn', 'unique_name'];

export const help: ClaimHelp = {
  aud: 'request a scope of this API from Entra, such as api://…/.default, and not a scope of Microsoft Graph',
  groups: 'at Entra: Token configuration > Add groups claim > Groups assigned to the application',
  roles: 'at Entra: App roles of the API, assigned under Enterprise applications > Users and groups',
  scp: 'only tokens for a person have scopes; applications have app roles, in "roles"',
  email: 'at Entra: Token configuration > Optional claims > Access > email, and xms_edov',
  xms_edov: 'at Entra: Token configuration > Optional claims > Access > xms_edov',
  idtyp: 'at Entra: Token configuration > Optional claims > Access > idtyp',
  auth_time: 'at Entra: Token configuration > Optional claims > Access > auth_time',
  acr: 'tokens of version 2 have no "acr": add the optional claim acrs',
  upn: 'at Entra: Token configuration > Optional claims > Access > upn',
};

export const about: AboutKind = {
  title: 'Microsoft Entra ID',
  registering: [
    'Entra, App registrations > New registration, accounts in this directory only; redirect URI of the platform Web.',
    'Certificates & secrets: a client secret. Token configuration: the optional claims email and xms_edov, and groups (those assigned to the application).',
  ],
};
