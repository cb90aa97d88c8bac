/**
 * A real OpenID provider (oidc-provider) over TLS, with people, groups and service accounts.
 *
 * Tokens without a browser: the token endpoint takes the grant `urn:meshgate:test:persona` (persona, resource) from
 * the client wiki-cli, and client credentials from wiki-index. Access tokens for `api://wiki` are JWTs (RFC 9068).
 * Admin port: GET /keys, POST /keys {alg} (adds one that signs from now on), DELETE /keys?kid=K (withdraws one),
 * POST /mint {subject, client, expiresIn, claims, kind}.
 *
 * People sign in by oidc-provider's own pages: any password, the subject as login; no one is asked for consent. With
 * PEOPLE_PAGE they choose who they are on a page of this service (shared/signin.ts).
 *
 * Environment: ISSUER, PORT, TLS_PEM_FILE, ADMIN_PORT, PEOPLE_PAGE; CALLBACKS: redirect URIs of the gateway's clients,
 * divided by spaces.
 */
import Provider, {
  type AccessToken,
  type Client,
  type Configuration,
  errors,
  type KoaContextWithOIDC,
} from 'oidc-provider';
import { type Action, admin } from './shared/admin.ts';
import { KeyRing } from './shared/keys.ts';
import { listen, plain, secure, setting, stopOnSignals } from './shared/listen.ts';
import { type ClientEntry, clients, people, personaGrant, wikiResource } from './shared/people.ts';
import { interaction, interactionUrl } from './shared/signin.ts';

const issuer = setting('ISSUER', 'https://provider:8443');
const lifetime = 3600;
const callbacks = setting('CALLBACKS', '').split(' ').filter(Boolean);
const peoplePage = setting('PEOPLE_PAGE', '') !== '';
const ring = new KeyRing();
/** Claims that the admin port adds to those of a token's subject. */
const wished = new WeakMap<object, Record<string, unknown>>();

function resourceServer(resource: string, client: Client) {
  if (resource !== wikiResource) throw new errors.InvalidTarget();
  const { algorithm: alg = 'RS256', opaque } = clients.find(({ id }) => id === client.clientId) ?? {};
  const shared = { scope: 'wiki:read wiki:write', audience: wikiResource, accessTokenTTL: lifetime };
  if (opaque) return { ...shared, accessTokenFormat: 'opaque' as const };
  return { ...shared, accessTokenFormat: 'jwt' as const, jwt: { sign: { alg } } };
}

function personClaims(subject: string): Record<string, unknown> {
  const person = people[subject];
  if (person === undefined) return {};
  return { name: person.name, email: person.email, email_verified: true, groups: person.groups };
}

function tokenClaims(token: object): Record<string, unknown> {
  const { accountId, clientId } = token as { accountId?: string; clientId?: string };
  const own = clients.find(({ id }) => id === clientId)?.groups;
  const claims = accountId === undefined ? { ...(own ? { groups: own } : {}) } : personClaims(accountId);
  return { ...claims, ...wished.get(token) };
}

const signsIn = ({ grants }: ClientEntry): boolean => grants.includes('authorization_code');

function registration(client: ClientEntry) {
  const { id, secret, grants, auth = 'client_secret_basic', pushes } = client;
  return {
    client_id: id,
    ...(secret === '' ? {} : { client_secret: secret }),
    grant_types: [...grants],
    redirect_uris: signsIn(client) ? callbacks : [],
    response_types: signsIn(client) ? (['code'] as const).slice() : [],
    token_endpoint_auth_method: auth,
    post_logout_redirect_uris: signsIn(client)
      ? callbacks.map((it) => it.replace(/callback(\/[^/]+)?$/, 'signout'))
      : [],
    ...(pushes && { require_pushed_authorization_requests: true }),
  };
}

/** Ids of grants by client and subject: tabs that sign in at once share one, as they would share a person's consent. */
const grants = new Map<string, string>();

/** A person who signs in is not asked for consent. */
async function grantedTo({ oidc }: KoaContextWithOIDC) {
  const { client, session } = oidc;
  if (!session?.accountId || client === undefined) return undefined;
  const name = `${client.clientId} ${session.accountId}`;
  const known = grants.get(name);
  const before = known === undefined ? undefined : await provider.Grant.find(known);
  if (before !== undefined) return before;
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope('openid profile email groups offline_access');
  grants.set(name, await grant.save());
  return grant;
}

function configuration(): Configuration {
  return {
    jwks: { keys: [...ring.keys] as NonNullable<Configuration['jwks']>['keys'] },
    clients: clients.filter((client) => !signsIn(client) || callbacks.length > 0).map(registration),
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'], groups: ['groups'] },
    features: {
      devInteractions: { enabled: callbacks.length > 0 && !peoplePage },
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        // A person who signs in at the gateway receives a token for this provider's own UserInfo.
        defaultResource: (_, { clientId }) => (clientId.startsWith('gateway') ? [] : wikiResource),
        getResourceServerInfo: (_, resource, client) => resourceServer(resource, client),
      },
    },
    ...(peoplePage && { interactions: { url: interactionUrl } }),
    ...(callbacks.length > 0 && { loadExistingGrant: grantedTo }),
    scopes: ['openid', 'offline_access', 'profile', 'email', 'groups'],
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256'] },
    extraTokenClaims: (_, token) => tokenClaims(token),
    findAccount: (_, sub) =>
      people[sub] === undefined ? undefined : { accountId: sub, claims: () => ({ sub, ...personClaims(sub) }) },
  };
}

/** Makes an access token through oidc-provider's own code, which signs it and decides its form. */
function accessToken(subject: string, client: Client, expiresIn: number): AccessToken {
  const token = new provider.AccessToken({
    accountId: subject,
    client,
    gty: personaGrant,
    scope: 'wiki:read wiki:write',
  } as never);
  const info = resourceServer(wikiResource, client);
  token.resourceServer = new provider.ResourceServer(wikiResource, info);
  (token as { expiresIn?: number }).expiresIn = expiresIn;
  return token;
}

async function grantToPersona(context: KoaContextWithOIDC): Promise<void> {
  const { client, params } = context.oidc;
  const persona = String(params?.persona ?? '');
  if (people[persona] === undefined) throw new errors.InvalidGrant(`no person "${persona}"`);
  const token = accessToken(persona, client!, lifetime);
  context.body = { access_token: await token.save(), expires_in: lifetime, token_type: 'Bearer', scope: token.scope };
}

/** A provider with the keys of the ring; its stored data survives it. */
function build(): Provider {
  const made = new Provider(issuer, configuration());
  made.registerGrantType(personaGrant, grantToPersona, ['persona', 'resource', 'scope']);
  made.on('server_error', (_, error) => console.error(error));
  callback = made.callback();
  return made;
}

async function mint(body: Record<string, unknown>): Promise<{ token: string }> {
  const client = await provider.Client.find(String(body.client ?? 'wiki-cli'));
  if (client === undefined) throw new Error(`no client ${body.client}`);
  const subject = String(body.subject ?? 'ada');
  if (body.kind === 'id_token') {
    const idToken = new provider.IdToken(
      { sub: subject, ...personClaims(subject) },
      { client, ctx: undefined as never },
    );
    idToken.set('sub', subject);
    return { token: await idToken.issue({ use: 'idtoken' }) };
  }
  const token = accessToken(subject, client, Number(body.expiresIn ?? lifetime));
  wished.set(token, (body.claims ?? {}) as Record<string, unknown>);
  return { token: await token.save() };
}

const actions: Record<string, Action> = {
  'GET /keys': () => ring.keys.map(({ kid, alg }) => ({ kid, alg })),
  'POST /keys': async (_, body) => {
    const kid = await ring.add(String(body.alg ?? 'RS256'));
    provider = build();
    return { kid };
  },
  'DELETE /keys': (query) => {
    ring.withdraw(query.get('kid') ?? '');
    provider = build();
  },
  'POST /mint': (_, body) => mint(body),
};

stopOnSignals();
await ring.add('RS256');
await ring.add('ES256');
let callback: ReturnType<Provider['callback']>;
let provider = build();
await listen(
  secure((request, response) => {
    if (!peoplePage || !interaction(provider, request, response)) callback(request, response);
  }),
  Number(setting('PORT', '8443')),
  issuer,
);
await listen(plain(admin(actions)), Number(setting('ADMIN_PORT', '9901')), 'admin');
