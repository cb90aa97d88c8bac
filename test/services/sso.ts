/**
 * A certified OpenID provider (oidc-provider) for sign-in: authorization code with PKCE, PAR, rotating refresh tokens,
 * every client authentication, sign-out (RP-initiated, back-channel), device flow. It asks for no consent.
 *
 * The sign-in form is one POST: `person` (a subject of shared/people.ts; login_hint fills it in), `acr`.
 * Admin port:
 *   GET /calls, DELETE /calls               calls by path
 *   GET /grants                             what the token endpoint granted, by grant type: {good, bad}
 *   PUT /controls?path=P {…}                see shared/controls.ts
 *   PUT /people?id=P {groups, email, …}     changes a person; {disabled: true} lets them in nowhere, and ends their tokens
 *   PUT /settings {person, acr, authAge}    person: signs in without a form; authAge: seconds since, as it will be said
 *   POST /signout?person=P                  ends all sessions of a person and tells every client that wants to hear
 *   POST /keys {alg}, DELETE /keys?kid=K    as of services/provider.ts
 *
 * Environment: ISSUER, PORT, CLIENTS_FILE, TTL (JSON), RESOURCES (JSON: scopes by resource), SLIM=1 (ID tokens with the subject alone), TLS_PEM_FILE,
 * CLIENT_CA_FILE, ADMIN_PORT.
 */
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import Provider, {
  type ClientMetadata,
  type Configuration,
  interactionPolicy,
  type KoaContextWithOIDC,
} from 'oidc-provider';
import { type Action, admin } from './shared/admin.ts';
import { readForm } from './shared/body.ts';
import { type Control, Controls } from './shared/controls.ts';
import { html, type Markup, pageHeaders, sendPage } from './shared/html.ts';
import { KeyRing } from './shared/keys.ts';
import { listen, plain, secure, setting, stopOnSignals } from './shared/listen.ts';
import { people as known, type Person, wikiResource } from './shared/people.ts';
import { claimsOf, formPage, sayPage, signInPage } from './shared/sso-pages.ts';

const issuer = setting('ISSUER', 'https://sso:8443');
const clients = JSON.parse(
  readFileSync(setting('CLIENTS_FILE', '/etc/service/clients.json'), 'utf8'),
) as ClientMetadata[];
const ttl = JSON.parse(setting('TTL', '{}')) as Record<string, number>;
/** Scopes by resource, for clients that name one (RFC 8707); every program may register as its client. */
const resources = JSON.parse(setting('RESOURCES', '{}')) as Record<string, string>;
const ring = new KeyRing();
const controls = new Controls();
const people: Record<string, Person & { readonly disabled?: boolean }> = structuredClone(known);
const sessions = new Map<string, Set<string>>();
const grants: Record<string, { good: number; bad: number }> = {};
let settings: { readonly person?: string; readonly acr?: string; readonly authAge?: number } = {};
/** Redirects of a form lead to the client of the request, whichever that is. */
const anywhere = "'self' https: http:";

const activeOf = (id: string) => (people[id] === undefined || people[id].disabled ? undefined : people[id]);
const certificateOf = (ctx: KoaContextWithOIDC) => (ctx.req.socket as TLSSocket).getPeerX509Certificate();

async function grantOf(ctx: KoaContextWithOIDC) {
  const { client, session, provider } = ctx.oidc;
  const found = session!.grantIdFor(client!.clientId);
  if (found !== undefined) return provider.Grant.find(found);
  const grant = new provider.Grant({ clientId: client!.clientId, accountId: session!.accountId! });
  grant.addOIDCScope('openid profile email groups offline_access');
  grant.addResourceScope(wikiResource, 'wiki:read wiki:write');
  for (const [resource, scopes] of Object.entries(resources)) {
    grant.addOIDCScope(scopes);
    grant.addResourceScope(resource, scopes);
  }
  await grant.save();
  return grant;
}

/** Requires a step up if a client names an acr that it would like and the session has another one. */
function policy() {
  const base = interactionPolicy.base();
  const wanted = new interactionPolicy.Check('acr_values', 'another acr is wanted', (ctx) => {
    const values = (ctx.oidc.params?.acr_values as string | undefined)?.split(' ');
    return (
      ctx.oidc.result?.login === undefined && values !== undefined && !values.includes(ctx.oidc.session?.acr ?? '')
    );
  });
  base.get('login')!.checks.push(wanted);
  return base;
}

const show = (ctx: KoaContextWithOIDC, markup: Markup) => {
  ctx.set(pageHeaders(anywhere));
  ctx.body = markup.text;
};

function configuration(): Configuration {
  return {
    jwks: { keys: [...ring.keys] as NonNullable<Configuration['jwks']>['keys'] },
    clients,
    acrValues: ['pwd', 'phr'],
    claims: {
      openid: ['sub', 'sid', 'acr', 'auth_time'],
      email: ['email', 'email_verified'],
      profile: ['name', 'groups'],
      groups: ['groups'],
    },
    conformIdTokenClaims: setting('SLIM', '') === '1',
    cookies: { keys: ['a key of the tests'] },
    clientAuthMethods: [
      ...(['none', 'client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt'] as const),
      ...(['tls_client_auth', 'self_signed_tls_client_auth'] as const),
    ],
    ttl: { AccessToken: 300, IdToken: 300, RefreshToken: 3600, Session: 3600, Grant: 3600, Interaction: 600, ...ttl },
    pkce: { required: () => true },
    scopes: [
      ...['openid', 'offline_access', 'profile', 'email', 'groups'],
      ...Object.values(resources).flatMap((scopes) => scopes.split(' ')),
    ],
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256'], userinfoSigningAlgValues: ['RS256'] },
    rotateRefreshToken: true,
    issueRefreshToken: async (_, client) => client.grantTypeAllowed('refresh_token'),
    loadExistingGrant: grantOf,
    extraTokenClaims: (_, token) => {
      const { accountId = '' } = token as { accountId?: string };
      return people[accountId] === undefined ? {} : claimsOf(people[accountId]);
    },
    findAccount: (_, id) => {
      const person = activeOf(id);
      return person === undefined ? undefined : { accountId: id, claims: () => ({ sub: id, ...claimsOf(person) }) };
    },
    interactions: { policy: policy(), url: (_, interaction) => `/interaction/${interaction.uid}` },
    // The receivers of back-channel messages are in the stage's network, at private addresses.
    fetch: (url, options) => fetch(url, { ...options, dispatcher: undefined as never }),
    features: {
      devInteractions: { enabled: false },
      pushedAuthorizationRequests: { enabled: true },
      revocation: { enabled: true },
      introspection: { enabled: true },
      backchannelLogout: { enabled: true },
      jwtUserinfo: { enabled: true },
      registration: { enabled: Object.keys(resources).length > 0 },
      dPoP: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) =>
          show(ctx, formPage('Sign out?', form, html`<input type="hidden" name="logout" value="yes">`, 'Sign out')),
        postLogoutSuccessSource: (ctx) => show(ctx, sayPage('Signed out', 'Your sessions here are over.')),
      },
      deviceFlow: {
        enabled: true,
        userCodeInputSource: (ctx, form) => {
          const code = String(ctx.oidc.params?.user_code ?? '');
          const field = html`<label for="code">Code</label><input id="code" name="user_code" value="${code}">`;
          show(ctx, formPage('Connect a device', form, field, 'Go on'));
        },
        userCodeConfirmSource: (ctx, form) => show(ctx, formPage('Is this your device?', form, html``, 'Yes')),
        successSource: (ctx) => show(ctx, sayPage('Connected', 'Go back to your device.')),
      },
      mTLS: {
        enabled: true,
        certificateBoundAccessTokens: true,
        tlsClientAuth: true,
        selfSignedTlsClientAuth: true,
        getCertificate: (ctx) => certificateOf(ctx as KoaContextWithOIDC)?.toString(),
        certificateAuthorized: (ctx) => (ctx.req.socket as TLSSocket).authorized,
        certificateSubjectMatches: (ctx, property, expected) =>
          property === 'tls_client_auth_subject_dn' && certificateOf(ctx as KoaContextWithOIDC)?.subject === expected,
      },
      resourceIndicators: {
        enabled: true,
        // A device needs a token for the gateway; a gateway that signs people in needs one for UserInfo.
        defaultResource: (ctx) => (ctx.oidc.client?.clientId === 'wiki-cli' ? wikiResource : []),
        useGrantedResource: () => true,
        getResourceServerInfo: (_, resource) => ({
          scope: resources[resource] ?? 'wiki:read wiki:write',
          audience: resources[resource] === undefined ? wikiResource : resource,
          accessTokenFormat: 'jwt' as const,
          jwt: { sign: { alg: 'RS256' as const } },
        }),
      },
    },
  };
}

/** A provider with the keys of the ring; its stored data survives it. */
function build(): Provider {
  const made = new Provider(issuer, configuration());
  made.on('server_error', (_, error) => console.error(error));
  made.on('authorization.success', ({ oidc: { session } }) => {
    const own = sessions.get(session?.accountId ?? '') ?? new Set();
    sessions.set(session?.accountId ?? '', own.add(session?.uid ?? ''));
  });
  const count = (good: boolean) => (ctx: KoaContextWithOIDC) => {
    const type = String(ctx.oidc.params?.grant_type ?? 'none');
    const counted = grants[type] ?? { good: 0, bad: 0 };
    grants[type] = good ? { ...counted, good: counted.good + 1 } : { ...counted, bad: counted.bad + 1 };
  };
  made.on('grant.success', count(true));
  made.on('grant.error', count(false));
  callback = made.callback();
  return made;
}

/** The form, and the data that it sends. */
async function interact(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { params, uid } = await provider.interactionDetails(request, response);
  const acr = settings.acr ?? String(params.acr_values ?? 'pwd').split(' ')[0]!;
  const sent = request.method === 'POST' ? await readForm(request) : undefined;
  const person = sent?.get('person') ?? settings.person;
  if (person === undefined || activeOf(person) === undefined) {
    const trouble = person === undefined ? undefined : `No person called ${person} may sign in.`;
    const hint = String(params.login_hint ?? '');
    const markup = signInPage(`/interaction/${uid}`, String(params.client_id), hint, acr, trouble);
    return sendPage(response, trouble === undefined ? 200 : 403, markup, anywhere);
  }
  const ts = Math.floor(Date.now() / 1000) - (settings.authAge ?? 0);
  const login = { accountId: person, acr: sent?.get('acr') ?? acr, amr: ['pwd'], ts, remember: true };
  await provider.interactionFinished(request, response, { login }, { mergeWithLastSubmission: false });
}

async function signOut(person: string): Promise<{ told: number }> {
  let told = 0;
  for (const uid of sessions.get(person) ?? []) {
    const session = await provider.Session.findByUid(uid);
    for (const [id, { sid, grantId }] of Object.entries(session?.authorizations ?? {})) {
      const client = await provider.Client.find(id);
      if (grantId !== undefined) await end(grantId);
      if (client?.backchannelLogoutUri === undefined) continue;
      await (client as unknown as { backchannelLogout(sub: string, sid: string): Promise<void> }).backchannelLogout(
        person,
        sid!,
      );
      told += 1;
    }
    await session?.destroy();
  }
  sessions.delete(person);
  return { told };
}

async function end(grantId: string): Promise<void> {
  await Promise.all([provider.AccessToken, provider.RefreshToken].map((model) => model.revokeByGrantId(grantId)));
}

const actions: Record<string, Action> = {
  'GET /calls': () => controls.calls,
  'DELETE /calls': () => {
    controls.forget();
    for (const type of Object.keys(grants)) delete grants[type];
  },
  'GET /grants': () => grants,
  'PUT /controls': (query, body) => controls.set(query.get('path') ?? '', body as Control),
  'PUT /people': (query, body) => {
    const id = query.get('id') ?? '';
    people[id] = { name: id, email: `${id}@example.org`, groups: [], ...people[id], ...body };
  },
  'PUT /settings': (_, body) => {
    settings = body;
  },
  'POST /signout': (query) => signOut(query.get('person') ?? ''),
  'POST /keys': async (_, body) => {
    const kid = await ring.add(String(body.alg ?? 'RS256'));
    provider = build();
    return { kid };
  },
  'DELETE /keys': (query) => {
    ring.withdraw(query.get('kid') ?? '');
    provider = build();
  },
};

stopOnSignals();
await ring.add('ES256');
await ring.add('RS256');
let callback: ReturnType<Provider['callback']>;
let provider = build();
const server = secure(
  controls.around((request, response) => {
    if (!(request.url ?? '').startsWith('/interaction/')) return callback(request, response);
    interact(request, response).catch((error: unknown) =>
      sendPage(response, 400, sayPage('This did not work', String(error))),
    );
  }),
);
await listen(server, Number(setting('PORT', '8443')), issuer);
await listen(plain(admin(actions)), Number(setting('ADMIN_PORT', '9901')), 'admin');
