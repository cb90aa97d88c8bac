/**
 * A stand-in for Confluence Data Center with Synchrony, which behaves as Atlassian documents it: Tomcat's connector
 * (proxyName, proxyPort, scheme), the XSRF checks, personal access tokens that fall through to anonymous, application
 * links with OAuth 1, secure administrator sessions, attachments, sign-out, and Synchrony with a WebSocket and its XHR
 * fallback. People are known by the gateway's assertion, which it verifies, or by a local password.
 *
 * Admin port: GET /requests, DELETE /requests.
 * Environment: SETTINGS (JSON, see Settings), PORT, SYNCHRONY_PORT, ADMIN_PORT.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { admin } from './shared/admin.ts';
import { type Caller, Callers, type Connector, isCrossSite, originOf, type Trust } from './shared/atlassian.ts';
import { BodyDigest, pairs, readForm, sendJson } from './shared/body.ts';
import { html, page, sendPage } from './shared/html.ts';
import { listen, plain, setting, stopOnSignals } from './shared/listen.ts';
import { echoWebSocket } from './shared/websocket.ts';

interface Settings extends Trust {
  /** The attributes of the connector; absent: Tomcat believes `Host`. */
  readonly connector?: Connector;
  /** The server base URL in the general configuration. */
  readonly baseUrl: string;
  /** seraph-config.xml: where /logout.action leads afterwards. */
  readonly logoutUrl: string;
}

const settings = JSON.parse(setting('SETTINGS', '{}')) as Settings;
const callers = new Callers(settings);
let received: { method: string; url: string; headers: [string, string][] }[] = [];

const note = (request: IncomingMessage) =>
  received.push({ method: request.method ?? '', url: request.url ?? '', headers: pairs(request.rawHeaders) });

/** One request to Confluence. */
interface Requested {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly origin: string;
  readonly caller: Caller | undefined;
}

const isAdmin = ({ caller }: Requested) => caller?.groups.includes('confluence-administrators') ?? false;

/** Tomcat makes redirects absolute with the connector's address. */
const redirect = ({ response, origin }: Requested, to: string, headers: Record<string, string> = {}) =>
  response.writeHead(302, { location: origin + to, ...headers }).end();

const show = ({ response }: Requested, status: number, title: string, text: ReturnType<typeof html>) =>
  sendPage(response, status, page(title, 'Confluence', '', text));

const askToLogIn = (requested: Requested) =>
  redirect(
    requested,
    `/login.action?os_destination=${encodeURIComponent(requested.request.url ?? '/')}&permissionViolation=true`,
  );

type Route = (requested: Requested) => unknown;

const loginPage: Route = (requested) => {
  const to = requested.query.get('os_destination') ?? '/';
  if (requested.caller !== undefined) return redirect(requested, to.startsWith('/') ? to : '/');
  return show(
    requested,
    200,
    'Log in',
    html`<form id="login" method="post" action="/dologin.action"><input name="os_username"><input name="os_password" type="password">
<input name="os_destination" value="${to}"><input name="atl_token" value="atl-token"><button>Log in</button></form>`,
  );
};

async function logIn(requested: Requested): Promise<unknown> {
  const form = await readForm(requested.request);
  if (isCrossSite(requested.request, requested.origin, form.get('atl_token') ?? undefined)) return xsrf(requested);
  const cookie = callers.signIn(form.get('os_username') ?? '', form.get('os_password') ?? '');
  if (cookie === undefined) return loginPage(requested);
  return redirect(requested, form.get('os_destination') ?? '/', { 'set-cookie': cookie });
}

const xsrf = ({ response }: Requested) => sendJson(response, 403, { statusCode: 403, message: 'XSRF check failed' });

/** A page that says who reads it, and whether the address of the request is the base URL. */
const wikiPage: Route = (requested) => {
  const { caller, origin } = requested;
  if (caller === undefined) return askToLogIn(requested);
  return show(
    requested,
    200,
    'Home',
    html`<p id="user">${caller.user}</p><p id="groups">${caller.groups.join(' ')}</p>
<p id="base">${origin === settings.baseUrl ? 'The base URL matches' : `The base URL is ${settings.baseUrl}, and the request came to ${origin}`}</p>
<form id="comment" method="post" action="/pages/doaddcomment.action"><input name="text"><input name="atl_token" value="atl-token"></form>
<a id="logout" href="/logout.action">Log out</a>`,
  );
};

async function comment(requested: Requested): Promise<unknown> {
  const form = await readForm(requested.request);
  if (isCrossSite(requested.request, requested.origin, form.get('atl_token') ?? undefined)) return xsrf(requested);
  if (requested.caller === undefined) return askToLogIn(requested);
  return redirect(requested, '/display/HOME');
}

/** The administration. A session with a password asks for it again; the gateway's callers have no password. */
const administration: Route = (requested) => {
  if (requested.caller === undefined) return askToLogIn(requested);
  if (!isAdmin(requested)) return show(requested, 403, 'Not permitted', html`<p>You are not an administrator.</p>`);
  if (requested.caller.by === 'session' && !callers.session(requested.request)?.sudo) {
    return redirect(requested, `/authenticate.action?destination=${encodeURIComponent(requested.path)}`);
  }
  return show(requested, 200, 'Administration', html`<p id="user">${requested.caller.user}</p>`);
};

const askAgain: Route = (requested) =>
  show(
    requested,
    200,
    'Administrator Access',
    html`<form id="sudo" method="post" action="/doauthenticate.action"><input name="password" type="password">
<input name="destination" value="${requested.query.get('destination') ?? '/'}"><input name="atl_token" value="atl-token"></form>`,
  );

async function authenticate(requested: Requested): Promise<unknown> {
  const form = await readForm(requested.request);
  const session = callers.session(requested.request);
  if (session && callers.checkPassword(session.user, form.get('password') ?? '')) session.sudo = true;
  return redirect(requested, form.get('destination') ?? '/');
}

/** Anonymous callers get 200 with what they may see, which is nothing here. */
const space: Route = ({ response, caller }) => {
  response.setHeader('X-AUSERNAME', caller?.user ?? 'anonymous');
  sendJson(response, 200, { results: caller === undefined ? [] : [{ key: 'HOME' }], by: caller?.by });
};

/** The groups, two on a page at most, whatever the request asks for. */
const groups: Route = ({ response, query, caller }) => {
  response.setHeader('X-AUSERNAME', caller?.user ?? 'anonymous');
  if (caller === undefined) return sendJson(response, 403, { message: 'Not permitted' });
  const [start, limit] = [Number(query.get('start')), Math.min(2, Number(query.get('limit')))];
  const all = ['confluence-administrators', 'confluence-users', 'wiki-guests'].map((name) => ({ type: 'group', name }));
  const results = all.slice(start, start + limit);
  const next = start + limit < all.length ? { next: `/rest/api/group?limit=${limit}&start=${start + limit}` } : {};
  return sendJson(response, 200, { results, start, limit, size: results.length, _links: next });
};

async function attach(requested: Requested): Promise<unknown> {
  if (isCrossSite(requested.request, requested.origin)) return xsrf(requested);
  if (requested.caller === undefined)
    return sendJson(requested.response, 401, { message: 'Client must be authenticated' });
  const digest = new BodyDigest();
  for await (const chunk of requested.request) digest.add(chunk as Buffer);
  const { length, sha256 } = digest.done();
  return sendJson(requested.response, 200, { results: [{ title: 'large.bin' }], length, sha256 });
}

async function download({ response, query, caller }: Requested): Promise<void> {
  if (caller === undefined) return void response.writeHead(404).end();
  const size = Number(query.get('size'));
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': size });
  const chunk = Buffer.alloc(64 * 1024, 'x');
  const chunks = function* () {
    for (let left = size; left > 0; left -= chunk.length) yield chunk.subarray(0, Math.min(left, chunk.length));
  };
  await pipeline(Readable.from(chunks()), response);
}

const signedOnly: Route = ({ response, caller }) =>
  caller === undefined
    ? response.writeHead(401, { 'www-authenticate': 'OAuth realm="confluence"' }).end()
    : sendJson(response, 200, { user: caller.user, by: caller.by });

const tokenAuth: Route = ({ response, caller }) =>
  sendJson(response, caller?.by === 'jwt' ? 200 : 401, { user: caller?.user ?? 'anonymous' });

const routes: Readonly<Record<string, Route>> = {
  'GET /': (requested) => redirect(requested, '/display/HOME'),
  'GET /status': ({ response }) => sendJson(response, 200, { state: 'RUNNING' }),
  'GET /login.action': loginPage,
  'POST /dologin.action': logIn,
  'GET /logout.action': (requested) =>
    redirect(requested, settings.logoutUrl, { 'set-cookie': callers.signOut(requested.request) }),
  'GET /display/HOME': wikiPage,
  'POST /pages/doaddcomment.action': comment,
  'GET /admin/console.action': administration,
  'GET /authenticate.action': askAgain,
  'POST /doauthenticate.action': authenticate,
  // As in a version that an attacker could set up again.
  'GET /setup/setupstart.action': (requested) => show(requested, 200, 'Set up Confluence', html`<p>Welcome</p>`),
  'GET /rest/api/space': space,
  'GET /rest/api/group': groups,
  'POST /rest/api/content/1/child/attachment': attach,
  'GET /download/attachments/1/large.bin': download,
  'GET /rest/applinks/1.0/manifest': ({ response }) => sendJson(response, 200, { typeId: 'confluence' }),
  'GET /plugins/servlet/oauth/consumer-info': ({ response }) => sendJson(response, 200, { key: 'Confluence:1' }),
  'POST /plugins/servlet/oauth/request-token': signedOnly,
  'GET /plugins/servlet/oauth/authorize': wikiPage,
  'GET /plugins/servlet/applinks/whoami': signedOnly,
  'GET /rest/token-auth/api/content/1': tokenAuth,
};

/** Requests of the XHR fallback that wait for an event, by their session. */
const waiting = new Map<string, ServerResponse>();

/** Synchrony, also behind Confluence at /synchrony-proxy: `xhr` waits for what `xhr_send` says. */
async function synchrony(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [, session, action] = /\/sockjs\/v1\/(\w+)\/(xhr|xhr_send)$/.exec(request.url ?? '') ?? [];
  if (request.url === '/synchrony/heartbeat') response.end('OK');
  else if (session === undefined || request.method !== 'POST') response.writeHead(404).end();
  else if (action === 'xhr')
    waiting.set(session, response.writeHead(200, { 'content-type': 'application/javascript' }));
  else {
    const digest = new BodyDigest();
    for await (const chunk of request) digest.add(chunk as Buffer);
    waiting.get(session)?.end(`a${digest.done().text}\n`);
    waiting.delete(session);
    response.writeHead(204).end();
  }
}

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  note(request);
  const [path = '', query] = (request.url ?? '').split('?');
  if (path.startsWith('/synchrony-proxy/')) return synchrony(request, response);
  const caller = await callers.of(request);
  const origin = originOf(settings.connector, request);
  const found = routes[`${request.method === 'HEAD' ? 'GET' : request.method} ${path}`];
  if (caller === 'refused') {
    response
      .writeHead(401, { 'www-authenticate': 'OAuth realm="confluence", oauth_problem="signature_invalid"' })
      .end();
  } else if (found === undefined) response.writeHead(404).end();
  else await found({ request, response, path, query: new URLSearchParams(query), origin, caller });
}

function serve(handler: typeof handle) {
  const server = plain((request, response) => {
    handler(request, response).catch((error: unknown) => {
      if (!response.headersSent) sendJson(response, 500, { message: String(error) });
      else response.destroy();
    });
  });
  server.on('upgrade', (request, socket, head) => {
    note(request);
    socket.on('error', () => socket.destroy());
    if (/^\/synchrony(?:-proxy)?\//.test(request.url ?? '')) echoWebSocket(request, socket, head);
    else socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
  });
  return server;
}

stopOnSignals();
await listen(serve(handle), Number(setting('PORT', '8090')), 'confluence');
const noted = async (request: IncomingMessage, response: ServerResponse) => {
  note(request);
  await synchrony(request, response);
};
await listen(serve(noted), Number(setting('SYNCHRONY_PORT', '8091')), 'synchrony');
const actions = {
  'GET /requests': () => received,
  'DELETE /requests': () => {
    received = [];
  },
};
await listen(plain(admin(actions)), Number(setting('ADMIN_PORT', '9901')), 'admin');
