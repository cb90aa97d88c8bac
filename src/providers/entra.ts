import type { ClaimHelp, Issuers, Mistaken, ProviderKind } from './types.ts';

/**
 * Microsoft Entra ID. Anybody can put any address into a directory of their own: `email` counts only where Entra says
 * that the domain's owner vouches for it (`xms_edov`), and `preferred_username` and `upn` never do.
 */
export const kind: ProviderKind = {
  name: 'entra',
  groups: 'groups',
  // Of somebody in more than 200.
  leftOut: '_claim_names',
  scopes: ['scp'],
  // Tokens of version 2, and of version 1.
  client: ['azp', 'appid'],
  tellsByClient: true,
  // The optional claim idtyp says so. Without it: what only people's tokens have, is not there, and the subject is the
  // service principal itself.
  alone: [
    [{ claim: 'idtyp', is: 'app' }],
    [
      { claim: 'idtyp', absent: true },
      { claim: 'scp', absent: true },
      { claim: 'sub', as: 'oid' },
    ],
  ],
  // Facets of who acts, and of the subject: 11 is an agent's identity, 13 the account that an agent has of its own, with
  // nobody behind it. Agents alone are of a parent application.
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
    // It is another host's, and has nothing that the ID token has not.
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

/** Names that directories give their people: several forms, none verified, and they pass from one person to another. */
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
