import type { ProviderKindName } from './kinds.ts';

/** Stands in Entra ID's issuers for the id of a tenant. */
export const TENANT = '{tenantid}';

/** An issuer of this tenant by a template. */
export const fillTenant = (template: string, tenant: string): string => template.split(TENANT).join(tenant);

/** The tenant in an issuer of Entra ID; undefined where there is none. */
export function tenantOf(issuer: unknown): string | undefined {
  return typeof issuer === 'string' ? /^https:\/\/[^/]+\/([^/]+)\//.exec(issuer)?.[1] : undefined;
}

/** What the issuers of a kind look like. */
const ISSUERS: readonly (readonly [kind: ProviderKindName, issuer: RegExp])[] = [
  ['okta', /^https:\/\/[a-z0-9-]+\.(?:okta|oktapreview|okta-emea|okta-gov)\.com(?:\/|$)/],
  [
    'entra',
    /^https:\/\/(?:login\.microsoftonline\.(?:com|us)|login\.partner\.microsoftonline\.cn|sts\.windows\.net)\//,
  ],
  ['entra', /^https:\/\/[a-z0-9-]+\.ciamlogin\.com\//],
  ['keycloak', /^https:\/\/.+\/realms\/[^/]+\/?$/],
  ['auth0', /^https:\/\/[a-z0-9-]+(?:\.[a-z0-9-]+)?\.auth0\.com(?:\/|$)/],
  ['google', /^(?:https:\/\/)?accounts\.google\.com\/?$/],
  ['cognito', /^https:\/\/cognito-idp(?:-fips)?\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?\//],
  ['github-actions', /^https:\/\/token\.actions\.(?:githubusercontent\.com|[a-z0-9-]+\.ghe\.com)(?:\/|$)/],
  ['github-actions', /^https:\/\/.+\/_services\/token\/?$/],
  ['kubernetes', /^https:\/\/kubernetes(?:\.default(?:\.svc(?:\.[a-z0-9.-]+)?)?)?(?::\d+)?\/?$/],
  ['kubernetes', /^https:\/\/(?:oidc\.eks\.[a-z0-9.-]+|container\.googleapis\.com\/v1\/projects)\//],
  ['kubernetes', /^https:\/\/(?:oidc\.prod-aks\.azure\.com|[a-z0-9-]+\.oic\.prod-aks\.azure\.com)\//],
  ['spiffe', /^spiffe:\/\//],
];

/** The kind of provider that an issuer looks like. */
export function kindOfIssuer(issuer: string): ProviderKindName {
  return ISSUERS.find(([, pattern]) => pattern.test(issuer))?.[0] ?? 'generic';
}

/** Whether the issuers of a kind end in a slash; undefined: they may. */
function endsInSlash(kind: ProviderKindName, issuer: string): boolean | undefined {
  switch (kind) {
    case 'auth0':
      return true;
    case 'entra':
      return issuer.startsWith('https://sts.windows.net/');
    case 'generic':
      return undefined;
    default:
      return false;
  }
}

/**
 * What to write instead of an issuer that no token of this kind has; undefined where nothing is wrong. It is compared
 * exactly.
 */
export function issuerProblem(kind: ProviderKindName, issuer: string): string | undefined {
  if (kind === 'google' && issuer !== 'https://accounts.google.com') return 'https://accounts.google.com';
  const wanted = endsInSlash(kind, issuer);
  if (wanted === undefined || issuer.endsWith('/') === wanted) return undefined;
  return wanted ? `${issuer}/` : issuer.replace(/(?<!\/)\/+$/, '');
}

/** Tokens that people send by mistake, by what their issuer looks like: nothing of the policy is in what is said. */
const MISTAKEN: readonly (readonly [issuer: RegExp, help: string])[] = [
  [
    /^https:\/\/[a-z0-9-]+\.(?:okta|oktapreview|okta-emea|okta-gov)\.com\/?$/,
    'it is of Okta’s organisation server, for Okta alone: ask an authorization server, as https://D/oauth2/default',
  ],
  [
    /^https:\/\/sts\.windows\.net\/[^/]+\/$/,
    'it is of version 1 of Entra ID: for version 2 set requestedAccessTokenVersion to 2 in the API’s manifest',
  ],
  [
    /^kubernetes\/serviceaccount$/,
    'it is the token of a Secret, which never ends: project one, or use kubectl create token',
  ],
];

/** What to do with a token of this issuer, which nobody accepts; undefined where nothing is known of it. */
export function issuerHelp(issuer: unknown): string | undefined {
  return typeof issuer === 'string' ? MISTAKEN.find(([pattern]) => pattern.test(issuer))?.[1] : undefined;
}
