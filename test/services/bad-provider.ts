/**
 * An OpenID provider that works correctly until a test tells it what to do wrong (shared/alterations.ts). It shows no
 * form: every person is signed in. It checks the requests of relying parties, refuses wrong ones, and remembers every
 * call.
 *
 * Admin port: PUT /alter {…} (instead of all before), GET /calls, DELETE /calls, POST /rotate (the other key signs and is
 * published from now on), GET /last (the session that began last), POST /logout-token {claims, header, signer}.
 *
 * Environment: ISSUER, PORT, CLIENT_ID, CLIENT_SECRET, TLS_PEM_FILE, ADMIN_PORT.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Action, admin } from './shared/admin.ts';
import { type Alterations, altered, type Members, type TokenAlteration } from './shared/alterations.ts';
import { readForm, sendJson } from './shared/body.ts';
import { listen, plain, secure, setting, stopOnSignals } from './shared/listen.ts';
import { people } from './shared/people.ts';
import { Signers } from './shared/signers.ts';
import { claimsOf } from './shared/sso-pages.ts';

/** One call of an endpoint, with the parameters of query and form. */
export interface Call {
  readonly path: string;
  readonly method: string;
  readonly params: Readonly<Record<string, string>>;
  /** How the client authenticated, or `bearer`. */
  readonly by?: string;
  readonly status: number;
}

interface Granted {
  readonly params: Readonly<Record<string, string>>;
  readonly person: string;
  readonly sid: string;
  readonly authTime: number;
}

const issuer = setting('ISSUER', 'https://bad:8443');
const client = { id: setting('CLIENT_ID', 'wiki'), secret: setting('CLIENT_SECRET', 'wiki-secret') };
const signers = await Signers.create(client.secret);
const codes = new Map<string, Granted>();
const refreshTokens = new Map<string, Granted>();
const accessTokens = new Map<string, Granted>();
const pushed = new Map<string, Record<string, string>>();
let alterations: Alterations = {};
let calls: Call[] = [];
let last: Granted | undefined;

const random = () => randomBytes(24).toString('base64url');
const seconds = () => Math.floor(Date.now() / 1000);

class Refused extends Error {
  readonly status: number;

  constructor(error: string, status = 400) {
    super(error);
    this.status = status;
  }
}

function discovery(): Members {
  const document = {
    issuer,
    authorization_endpoint: `${issuer}/auth`,
    token_endpoint: `${issuer}/token`,
    userinfo_endpoint: `${issuer}/userinfo`,
    jwks_uri: `${issuer}/jwks`,
    end_session_endpoint: `${issuer}/logout`,
    pushed_authorization_request_endpoint: `${issuer}/par`,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    code_challenge_methods_supported: ['S256'],
    scopes_supported: ['openid', 'profile', 'email'],
    authorization_response_iss_parameter_supported: true,
    backchannel_logout_supported: true,
    backchannel_logout_session_supported: true,
    frontchannel_logout_supported: true,
    frontchannel_logout_session_supported: true,
  };
  return altered(document, alterations.discovery);
}

async function jwks(): Promise<Members> {
  const { keys = [signers.main], kids = true } = alterations.jwks ?? {};
  return { keys: await Promise.all(keys.map((name) => signers.published(name, kids))) };
}

/** The callback's URL with changed parameters. */
function answer(uri: string, params: Record<string, string>, changes: Alterations['callback'] = {}): string {
  const url = new URL(uri);
  const all: Record<string, string | readonly string[] | null> = { ...params, ...changes };
  if (changes.error !== undefined) all.code = null;
  for (const [name, value] of Object.entries(all))
    for (const one of value === null ? [] : [value].flat()) url.searchParams.append(name, one);
  return url.href;
}

function authorize(given: Record<string, string>): string {
  const params = given.request_uri === undefined ? given : pushed.get(given.request_uri);
  if (params === undefined) throw new Refused('invalid_request_uri');
  const { client_id, response_type, scope = '', redirect_uri, state, code_challenge_method } = params;
  if (client_id !== client.id || redirect_uri === undefined) throw new Refused('invalid_request');
  if (response_type !== 'code' || !scope.split(' ').includes('openid') || code_challenge_method !== 'S256') {
    throw new Refused('invalid_request');
  }
  const code = random();
  last = { params, person: alterations.person ?? 'ada', sid: random(), authTime: seconds() };
  codes.set(code, last);
  const right = { code, iss: issuer, ...(state === undefined ? {} : { state }) };
  return answer(redirect_uri, right, alterations.callback);
}

/** Checks the client's secret; returns how it was sent. */
function authenticate(request: IncomingMessage, params: Record<string, string>): string {
  const [, encoded = ''] = /^Basic (.+)$/.exec(request.headers.authorization ?? '') ?? [];
  const decode = (part = '') => decodeURIComponent(part.replaceAll('+', ' '));
  const [id, secret] = Buffer.from(encoded, 'base64').toString().split(':').map(decode);
  if (id === client.id && secret === client.secret) return 'client_secret_basic';
  if (encoded === '' && params.client_id === client.id && params.client_secret === client.secret)
    return 'client_secret_post';
  throw new Refused('invalid_client', 401);
}

function granted(params: Record<string, string>): Granted {
  const { grant_type, code = '', refresh_token = '', redirect_uri, code_verifier = '' } = params;
  const store = grant_type === 'refresh_token' ? refreshTokens : codes;
  const key = grant_type === 'refresh_token' ? refresh_token : code;
  const found = store.get(key);
  store.delete(key);
  if (found === undefined) throw new Refused('invalid_grant');
  if (store === refreshTokens) return found;
  const challenge = createHash('sha256').update(code_verifier).digest('base64url');
  if (challenge !== found.params.code_challenge || redirect_uri !== found.params.redirect_uri)
    throw new Refused('invalid_grant');
  return found;
}

async function tokens(params: Record<string, string>): Promise<Members> {
  const grant = granted(params);
  const [access, refresh] = [random(), random()];
  accessTokens.set(access, grant);
  refreshTokens.set(refresh, grant);
  const again = params.grant_type === 'refresh_token';
  const half = createHash('sha256').update(access).digest().subarray(0, 16).toString('base64url');
  const { nonce } = grant.params;
  const claims = {
    ...{ iss: issuer, sub: grant.person, aud: client.id, iat: seconds(), exp: seconds() + 300 },
    ...{
      auth_time: grant.authTime,
      sid: grant.sid,
      at_hash: half,
      ...(people[grant.person] && claimsOf(people[grant.person]!)),
    },
    ...(nonce === undefined || again ? {} : { nonce }),
  };
  const { idToken, refreshed } = alterations;
  const alteration = again && refreshed !== undefined ? { ...idToken, ...refreshed } : idToken;
  const answered = {
    access_token: access,
    token_type: 'Bearer',
    expires_in: 300,
    refresh_token: refresh,
    scope: 'openid profile email',
    id_token: await signers.token(claims, 'JWT', alteration),
  };
  return altered(answered, alterations.token?.members);
}

function userinfo(request: IncomingMessage): Members {
  const [, token = ''] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? [];
  const grant = accessTokens.get(token);
  if (grant === undefined) throw new Refused('invalid_token', 401);
  const person = people[grant.person];
  return altered({ sub: grant.person, ...(person && claimsOf(person)) }, alterations.userinfo?.claims);
}

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [path = '', query] = (request.url ?? '').split('?');
  const form = request.method === 'POST' ? await readForm(request) : [];
  const params = Object.fromEntries([...new URLSearchParams(query), ...form]);
  const call = { path, method: request.method ?? '', params };
  const note = (status: number, by?: string) => calls.push({ ...call, status, ...(by === undefined ? {} : { by }) });
  const json = (body: Members, status = 200, by?: string, text?: string) => {
    note(status, by);
    if (text === undefined) return sendJson(response, status, body);
    response.writeHead(status, { 'content-type': 'application/json' }).end(text);
  };
  const redirect = (to: string) => {
    note(303);
    response.writeHead(303, { location: to }).end();
  };
  try {
    switch (path) {
      case '/.well-known/openid-configuration':
        return json(discovery());
      case '/jwks':
        return json(await jwks());
      case '/auth':
        return redirect(authorize(params));
      case '/par': {
        const by = authenticate(request, params);
        const uri = `urn:ietf:params:oauth:request_uri:${random()}`;
        pushed.set(uri, params);
        return json({ request_uri: uri, expires_in: 60 }, 201, by);
      }
      case '/token': {
        const by = authenticate(request, params);
        const { status = 200, text } = alterations.token ?? {};
        return json(await tokens(params), status, by, text);
      }
      case '/userinfo': {
        const body = userinfo(request);
        return json(body, alterations.userinfo?.status ?? 200, 'bearer', alterations.userinfo?.text);
      }
      case '/logout': {
        const { post_logout_redirect_uri: uri, state } = params;
        if (uri === undefined) return json({ signed: 'out' });
        return redirect(answer(uri, state === undefined ? {} : { state }, alterations.signedOut));
      }
      default:
        return json({ error: 'not_found' }, 404);
    }
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    json({ error: error.message }, error.status);
  }
}

/** A logout token for the newest session. */
async function logoutToken(alteration: TokenAlteration): Promise<{ token: string }> {
  const claims = {
    ...{ iss: issuer, aud: client.id, iat: seconds(), exp: seconds() + 120, jti: random() },
    ...{ sub: last?.person ?? 'ada', sid: last?.sid ?? 'none' },
    events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
  };
  return { token: await signers.token(claims, 'logout+jwt', alteration) };
}

const actions: Record<string, Action> = {
  'PUT /alter': (_, body) => {
    alterations = body as Alterations;
  },
  'GET /calls': () => calls,
  'DELETE /calls': () => {
    calls = [];
  },
  'POST /rotate': () => {
    signers.main = signers.main === 'main' ? 'next' : 'main';
  },
  'GET /last': () => ({ person: last?.person, sid: last?.sid }),
  'POST /logout-token': (_, body) => logoutToken(body as TokenAlteration),
};

stopOnSignals();
const server = secure((request, response) => {
  handle(request, response).catch((error: unknown) => response.destroy(error as Error));
});
await listen(server, Number(setting('PORT', '8443')), issuer);
await listen(plain(admin(actions)), Number(setting('ADMIN_PORT', '9901')), 'admin');
