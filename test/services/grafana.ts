/**
 * A stand-in for Grafana, which finds out who sends a request as Grafana's documentation and releases 10 to 13 do:
 * `auth.jwt` first, then tokens of service accounts, then `auth.proxy`, then the session of its own login. If one of
 * these fails, the next one decides. It has Live's WebSocket with its check of the origin, pictures of panels, public
 * dashboards, health, metrics and sign-out. Keys of assertions come from the gateway, by HTTPS.
 *
 * Admin port: GET /requests, DELETE /requests.
 * Environment: SETTINGS (JSON, see Settings), PORT, PROXY_PORT (the same server with auth.proxy), ADMIN_PORT.
 */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose';
import { admin } from './shared/admin.ts';
import { pairs, readForm, sendJson } from './shared/body.ts';
import { html, page, sendPage } from './shared/html.ts';
import { listen, plain, setting, stopOnSignals } from './shared/listen.ts';
import { echoWebSocket } from './shared/websocket.ts';

interface Settings {
  readonly rootUrl: string;
  readonly signoutRedirectUrl: string;
  /** auth.jwt: where the keys are, and what the claims must be. */
  readonly jwt: {
    readonly headerName: string;
    readonly jwkSetUrl: string;
    readonly expectClaims: Readonly<Record<string, string>>;
    readonly usernameClaim: string;
  };
  /** The roles in the claim `roles` that role_attribute_path compares, the highest first. */
  readonly roleAttributePath: readonly (readonly [name: string, role: Role])[];
  /** auth.proxy: addresses that may send its headers begin with this. */
  readonly whitelist: string;
  readonly tokens: Readonly<Record<string, Caller>>;
  readonly passwords: Readonly<Record<string, string>>;
}

type Role = 'Viewer' | 'Editor' | 'Admin' | 'GrafanaAdmin';

interface Caller {
  readonly login: string;
  readonly role: Role;
}

const settings = JSON.parse(setting('SETTINGS', '{}')) as Settings;
const keys = createRemoteJWKSet(new URL(settings.jwt.jwkSetUrl));
const sessions = new Map<string, Caller>();
let received: { method: string; url: string; headers: [string, string][] }[] = [];

const headerOf = (request: IncomingMessage, name: string): string => String(request.headers[name] ?? '');

/** One way to find out who sends a request. `undefined`: it has nothing to say; an error: the credential is not valid. */
type Client = (request: IncomingMessage) => Promise<Caller | undefined> | Caller | undefined;

/** Signature and times, then expect_claims; `typ` is not compared. A role is required. */
const byJwt: Client = async (request) => {
  const given = headerOf(request, settings.jwt.headerName);
  if (given === '') return undefined;
  const { payload } = await jwtVerify(given, keys);
  for (const [claim, expected] of Object.entries(settings.jwt.expectClaims)) {
    if (payload[claim] !== expected) throw new Error(`${claim} claim mismatch`);
  }
  return { login: String(payload[settings.jwt.usernameClaim]), role: roleOf(payload) };
};

/** role_attribute_path with role_attribute_strict. */
function roleOf({ roles }: JWTPayload): Role {
  const [, role] = settings.roleAttributePath.find(([name]) => (roles as string[]).includes(name)) ?? [];
  if (role === undefined) throw new Error('no valid role');
  return role;
}

const byToken: Client = (request) => {
  const token = /^Bearer (.+)$/.exec(headerOf(request, 'authorization'))?.[1];
  if (token === undefined) return undefined;
  const caller = settings.tokens[token];
  if (caller === undefined) throw new Error('Invalid API key');
  return caller;
};

const byHeaders: Client = (request) => {
  const login = headerOf(request, 'x-webauth-user');
  if (login === '') return undefined;
  if (!request.socket.remoteAddress?.startsWith(settings.whitelist)) throw new Error('not in the whitelist');
  return { login, role: headerOf(request, 'x-webauth-role') as Role };
};

const bySession: Client = (request) =>
  sessions.get(/grafana_session=([0-9a-f]+)/.exec(headerOf(request, 'cookie'))?.[1] ?? '');

/** The caller; `undefined`: an anonymous caller; `refused`: there were credentials, and none is valid. */
async function callerOf(request: IncomingMessage, clients: readonly Client[]): Promise<Caller | 'refused' | undefined> {
  let isRefused = false;
  for (const client of clients) {
    try {
      const caller = await client(request);
      if (caller !== undefined) return caller;
    } catch {
      isRefused = true;
    }
  }
  return isRefused ? 'refused' : undefined;
}

interface Requested {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly caller: Caller | 'refused' | undefined;
}

type Route = (requested: Requested) => unknown;

const isCaller = (caller: Requested['caller']): caller is Caller => caller !== undefined && caller !== 'refused';

/** Pages lead to the login, and the API answers 401. */
const signedIn =
  (route: (requested: Requested & { readonly caller: Caller }) => unknown): Route =>
  (requested) => {
    const { request, response, caller } = requested;
    if (isCaller(caller)) return route({ ...requested, caller });
    if (request.url?.startsWith('/api/')) return sendJson(response, 401, { message: 'Unauthorized' });
    return response.writeHead(302, { location: '/login' }).end();
  };

const onlyAdmins = (route: Route): Route =>
  signedIn((requested) =>
    requested.caller.role === 'Admin' || requested.caller.role === 'GrafanaAdmin'
      ? route(requested)
      : sendJson(requested.response, 403, { message: "You'll need additional permissions to perform this action" }),
  );

const dashboard = signedIn(({ response, caller }) =>
  sendPage(
    response,
    200,
    page(
      'Dashboard',
      'Grafana',
      '',
      html`<p id="user">${caller.login}</p><p id="role">${caller.role}</p><a id="logout" href="/logout">Sign out</a>`,
    ),
  ),
);

const loginPage: Route = ({ response, caller }) => {
  if (isCaller(caller)) return response.writeHead(302, { location: '/' }).end();
  const form = html`<form id="login" method="post" action="/login"><input name="user"><input name="password"></form>`;
  return sendPage(response, 200, page('Welcome to Grafana', 'Grafana', '', form));
};

async function logIn({ request, response }: Requested): Promise<unknown> {
  const form = await readForm(request);
  const login = form.get('user') ?? '';
  if (settings.passwords[login] !== form.get('password')) return sendJson(response, 401, { message: 'Invalid' });
  const id = randomBytes(16).toString('hex');
  sessions.set(id, { login, role: 'GrafanaAdmin' });
  const cookie = `grafana_session=${id}; Path=/; HttpOnly; Secure; SameSite=Lax`;
  return response.writeHead(302, { location: '/', 'set-cookie': cookie }).end();
}

const png = Buffer.from('89504e470d0a1a0a', 'hex');
const shared = '/public-dashboards/0123456789abcdef0123456789abcdef';

const routes: Readonly<Record<string, Route>> = {
  'GET /': (requested) => dashboard(requested),
  'GET /d/abc/home': dashboard,
  'GET /login': loginPage,
  'POST /login': logIn,
  'GET /logout': ({ response }) => response.writeHead(302, { location: settings.signoutRedirectUrl }).end(),
  'GET /api/user': signedIn(({ response, caller }) => sendJson(response, 200, caller)),
  'POST /api/ds/query': signedIn(({ response, caller }) => sendJson(response, 200, { results: {}, by: caller.login })),
  'GET /api/serviceaccounts/search': onlyAdmins(({ response }) => sendJson(response, 200, { serviceAccounts: [] })),
  'GET /render/d-solo/abc/home': signedIn(({ response }) =>
    response.writeHead(200, { 'content-type': 'image/png' }).end(png),
  ),
  'GET /api/health': ({ response }) => sendJson(response, 200, { database: 'ok' }),
  'GET /metrics': ({ response }) => response.end('grafana_build_info 1\n'),
  [`GET ${shared}`]: ({ response }) =>
    sendPage(response, 200, page('Shared', 'Grafana', '', html`<p id="shared">1</p>`)),
  'GET /public-dashboards/list': dashboard,
};

/** Live's check: the origin is the request's host or root_url; a request without an origin is no browser's. */
function isOwnOrigin(request: IncomingMessage): boolean {
  const { origin, host } = request.headers;
  return origin === undefined || new URL(origin).host === host || origin === new URL(settings.rootUrl).origin;
}

function serve(clients: readonly Client[]) {
  const note = (request: IncomingMessage) =>
    received.push({ method: request.method ?? '', url: request.url ?? '', headers: pairs(request.rawHeaders) });
  const server = plain(async (request, response) => {
    note(request);
    const caller = await callerOf(request, clients);
    const route = routes[`${request.method} ${request.url?.split('?')[0]}`];
    if (route === undefined) sendJson(response, 404, { message: 'Not found' });
    else await route({ request, response, caller });
  });
  server.on('upgrade', async (request, socket, head) => {
    note(request);
    socket.on('error', () => socket.destroy());
    const end = (status: string) => socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
    if (!isCaller(await callerOf(request, clients))) end('401 Unauthorized');
    else if (request.url !== '/api/live/ws') end('404 Not Found');
    else if (isOwnOrigin(request)) echoWebSocket(request, socket, head);
    else end('403 Forbidden');
  });
  return server;
}

stopOnSignals();
await listen(serve([byJwt, byToken, bySession]), Number(setting('PORT', '3000')), 'grafana');
await listen(serve([byToken, byHeaders, bySession]), Number(setting('PROXY_PORT', '3001')), 'grafana with auth.proxy');
const actions = {
  'GET /requests': () => received,
  'DELETE /requests': () => {
    received = [];
  },
};
await listen(plain(admin(actions)), Number(setting('ADMIN_PORT', '9901')), 'admin');
