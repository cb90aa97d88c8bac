/**
 * A stand-in for Confluence: pages to read and edit, its REST content API and its status, all in memory.
 * It believes X-Forwarded-User, as an application behind a gateway does. Its page /dashboard is another service's
 * answer, which it asks for through the gateway, for the reader of the page.
 *
 * Environment: PORT, ADMIN_PORT, ACCESS_LOG; for /dashboard DASHBOARD_URL, GATEWAY, SVID_FILE, GATEWAY_CA_FILE.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { logAccess } from './shared/access-log.ts';
import { admin } from './shared/admin.ts';
import { readForm, readJson, sendJson } from './shared/body.ts';
import { askFor, type Hop, type HopAnswer } from './shared/hop.ts';
import { html, page, sendPage } from './shared/html.ts';
import { listen, plain, setting, stopOnSignals } from './shared/listen.ts';

interface WikiPage {
  readonly id: string;
  title: string;
  text: string;
  author: string;
  version: number;
}

const pages = new Map<string, WikiPage>();
let counter = 0;

function create(title: string, text: string, author: string): WikiPage {
  const made = { id: String(++counter), title, text, author, version: 1 };
  pages.set(made.id, made);
  return made;
}

/** Writes a page; one with an existing title gets a new version, so that scripts may run again. */
function write(title: string, text: string, author: string): WikiPage {
  const known = [...pages.values()].find((other) => other.title === title);
  return known === undefined ? create(title, text, author) : change(known, title, text, author);
}

function change(page: WikiPage, title: string, text: string, author: string): WikiPage {
  return Object.assign(page, { title, text, author, version: page.version + 1 });
}

create('Welcome', 'This wiki stands behind the gateway and the mesh. It knows you by the headers it receives.', 'wiki');
create('On call', 'Who carries the phone this week, and what to do when it rings.', 'wiki');

/** The address of the dashboard; undefined if there is none. */
const dashboard: Hop | undefined =
  process.env.DASHBOARD_URL === undefined
    ? undefined
    : {
        url: process.env.DASHBOARD_URL,
        gateway: setting('GATEWAY', 'gateway'),
        svidFile: setting('SVID_FILE', '/etc/wiki/svid.pem'),
        caFile: setting('GATEWAY_CA_FILE', '/etc/wiki/ca.pem'),
      };

/** The caller, as the wiki believes it. */
function userOf(request: IncomingMessage): string {
  const value = request.headers['x-forwarded-user'];
  return typeof value === 'string' && value !== '' ? value : 'nobody';
}

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? '').split('?')[0] ?? '';
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const user = userOf(request);
  const [, id, edit] = /^\/pages\/(\w+)(\/edit)?$/.exec(path) ?? [];
  const known = id === undefined ? undefined : pages.get(id);
  if (method === 'GET' && path === '/status') sendJson(response, 200, { state: 'RUNNING' });
  else if (path === '/rest/api/content' || path.startsWith('/rest/api/content/'))
    await rest(request, response, path, user);
  else if (method === 'GET' && path === '/dashboard' && dashboard) await passOn(request, response, dashboard, user);
  else if (method === 'GET' && path === '/') sendPage(response, 200, list(user));
  else if (method === 'GET' && path === '/pages/new/edit') sendPage(response, 200, form(user));
  else if (method === 'POST' && path === '/pages/new') await save(request, response, user);
  else if (method === 'GET' && known) sendPage(response, 200, edit ? form(user, known) : view(user, known));
  else if (method === 'POST' && known && !edit) await save(request, response, user, known);
  else
    sendPage(
      response,
      404,
      page('Not found', 'Wiki', user, html`<h1>There is no such page</h1><p><a href="/">All pages</a></p>`),
    );
}

/** Confluence's content API, as far as scripts use it. */
async function rest(request: IncomingMessage, response: ServerResponse, path: string, user: string): Promise<void> {
  const shape = ({ id, title, text, author, version }: WikiPage) => ({
    id,
    type: 'page',
    status: 'current',
    title,
    version: { number: version, by: { username: author } },
    body: { storage: { value: text, representation: 'storage' } },
  });
  const found = pages.get(path.slice('/rest/api/content/'.length));
  if (path !== '/rest/api/content') {
    if (found === undefined) sendJson(response, 404, { statusCode: 404, message: 'No content found' });
    else sendJson(response, 200, shape(found));
    return;
  }
  if (request.method === 'POST') {
    const body = await readJson(request);
    const storage = (body.body as { storage?: { value?: unknown } } | undefined)?.storage;
    sendJson(response, 200, shape(write(String(body.title ?? 'Untitled'), String(storage?.value ?? ''), user)));
    return;
  }
  const results = [...pages.values()].map(shape);
  sendJson(response, 200, { results, start: 0, limit: 25, size: results.length });
}

/** The dashboard's answer for the reader of this page; scripts receive it unchanged. */
async function passOn(request: IncomingMessage, response: ServerResponse, hop: Hop, user: string): Promise<void> {
  const answer = await askFor(request, hop).catch((error: Error) => ({
    status: 502,
    text: JSON.stringify(String(error)),
  }));
  if (/text\/html/.test(request.headers.accept ?? '')) sendPage(response, answer.status, told(user, answer));
  else sendJson(response, answer.status, JSON.parse(answer.text));
}

function told(user: string, { status, text }: HopAnswer) {
  const reported = JSON.parse(text) as Record<string, unknown>;
  const rows = ['user', 'email', 'roles', 'actor', 'rule', 'reason', 'detail'].flatMap((name) =>
    reported[name] === undefined
      ? []
      : [html`<dt>${name}</dt><dd><code>${[reported[name]].flat().join(', ')}</code></dd>`],
  );
  return page(
    'Dashboard',
    'Wiki',
    user,
    html`<h1>What the dashboard says to ${user}</h1>
<p class="quiet">The wiki asked it through the gateway, for you: with the assertion that came with your request, and its
own certificate. It has no account there, and did not see your token.</p>
<section aria-labelledby="said"><h2 id="said">It answered ${status}</h2><dl>${rows}</dl></section>
<p><a href="/">All pages</a></p>`,
  );
}

async function save(request: IncomingMessage, response: ServerResponse, user: string, known?: WikiPage): Promise<void> {
  const form = await readForm(request);
  const title = form.get('title') || 'Untitled';
  const text = form.get('text') ?? '';
  const { id } = known === undefined ? create(title, text, user) : change(known, title, text, user);
  response.writeHead(303, { location: `/pages/${id}` }).end();
}

function list(user: string) {
  const entries = [...pages.values()].map(
    ({ id, title, author }) =>
      html`<li><a href="/pages/${id}">${title}</a> <span class="quiet">last changed by ${author}</span></li>`,
  );
  return page(
    'Pages',
    'Wiki',
    user,
    html`<h1>Pages</h1><section><ul class="list">${entries}</ul></section><p><a href="/pages/new/edit">Write a page</a></p>${
      dashboard && html`<p><a href="/dashboard">What the dashboard says to you</a></p>`
    }`,
  );
}

function view(user: string, { id, title, text, author, version }: WikiPage) {
  return page(
    title,
    'Wiki',
    user,
    html`<h1>${title}</h1><section><p>${text}</p></section>
<p class="quiet">Version ${version}, by ${author}. <a href="/pages/${id}/edit">Edit</a></p>`,
  );
}

function form(user: string, known?: WikiPage) {
  return page(
    known ? `Edit ${known.title}` : 'Write a page',
    'Wiki',
    user,
    html`<h1>${known ? 'Edit the page' : 'Write a page'}</h1>
<section><form method="post" action="/pages/${known?.id ?? 'new'}">
<label for="title">Title</label><input id="title" name="title" required value="${known?.title}">
<label for="text">Text</label><textarea id="text" name="text" rows="10">${known?.text}</textarea>
<button>Save</button>
</form></section>`,
  );
}

stopOnSignals();
const server = plain((request, response) => {
  logAccess(request, response);
  handle(request, response).catch((error: unknown) =>
    sendJson(response, 400, { statusCode: 400, message: String(error) }),
  );
});
await listen(server, Number(setting('PORT', '8080')), 'wiki');
await listen(plain(admin({ 'GET /pages': () => [...pages.values()] })), Number(setting('ADMIN_PORT', '9901')), 'admin');
