/**
 * Shows what the gateway and the mesh said about a request: who asked, by which rule it passed, over which mesh
 * identity, which headers were erased on the way. A page for browsers, JSON for all other clients.
 *
 * Environment: PORT, ADMIN_PORT.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { admin } from './shared/admin.ts';
import { sendJson } from './shared/body.ts';
import { html, page, sendPage } from './shared/html.ts';
import { listen, plain, setting, stopOnSignals } from './shared/listen.ts';

/** The facts that a service can know of one request; missing values are absent. */
interface Seen {
  readonly user?: string;
  readonly email?: string;
  readonly roles: readonly string[];
  /** SPIFFE id of the service that acts for the person. */
  readonly actor?: string;
  readonly route?: string;
  readonly rule?: string;
  /** Name of the mesh identity in the policy. */
  readonly identity?: string;
  /** SPIFFE id of the connection, as the mesh ingress saw it. */
  readonly spiffe?: string;
  /** Headers that the client tried to set and the gateway erased. */
  readonly erased: readonly string[];
  readonly traceId?: string;
  readonly method: string;
  readonly path: string;
  readonly host: string;
}

function see(request: IncomingMessage): Seen {
  const text = (name: string): string | undefined => {
    const value = request.headers[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const list = (name: string) => (text(name) ?? '').split(/[ ,]+/).filter((item) => item !== '');
  const optional = {
    user: text('x-forwarded-user'),
    email: text('x-forwarded-email'),
    actor: text('x-forwarded-actor'),
    route: text('x-meshgate-route'),
    rule: text('x-meshgate-rule'),
    identity: text('x-meshgate-identity'),
    // Envoy's x-forwarded-client-cert: key=value pairs of the client certificate.
    spiffe: /(?:^|;)URI=([^;,]+)/.exec(text('x-forwarded-client-cert') ?? '')?.[1],
    traceId: /^00-([0-9a-f]{32})-/.exec(text('traceparent') ?? '')?.[1],
  };
  return {
    ...(Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)) as Partial<Seen>),
    roles: list('x-forwarded-roles'),
    erased: list('x-meshgate-erased'),
    method: request.method ?? '',
    path: request.url ?? '',
    host: text('host') ?? '',
  };
}

function show(seen: Seen) {
  const tags = (items: readonly string[], none: string) =>
    items.length === 0
      ? html`<span class="quiet">${none}</span>`
      : items.map((item) => html`<span class="tag">${item}</span>`);
  const code = (value: string | undefined, none: string) =>
    value === undefined ? html`<span class="quiet">${none}</span>` : html`<code>${value}</code>`;
  return page(
    'Who am I',
    'Dashboard',
    seen.user ?? 'nobody',
    html`<h1>${seen.user === undefined ? 'The gateway does not know you' : html`The gateway says you are ${seen.user}`}</h1>
<p class="quiet">${
      seen.user === undefined
        ? 'This route is open to anyone. Send a token to be known.'
        : 'It took your token, checked it, and told this service only what stands below.'
    }</p>
<section aria-labelledby="you"><h2 id="you">You</h2><dl>
<dt>User</dt><dd>${code(seen.user, 'not signed in')}</dd>
<dt>Email</dt><dd>${code(seen.email, 'not given')}</dd>
<dt>Roles</dt><dd>${tags(seen.roles, 'none')}</dd>
<dt>Asked by</dt><dd>${code(seen.actor, 'yourself')}</dd>
</dl></section>
<section aria-labelledby="why"><h2 id="why">Why you are here</h2><dl>
<dt>Route</dt><dd>${code(seen.route, 'not said')}</dd>
<dt>Rule</dt><dd>${code(seen.rule, 'not said')}</dd>
<dt>Request</dt><dd><code>${seen.method} ${seen.path}</code></dd>
</dl></section>
<section aria-labelledby="how"><h2 id="how">How you came through the mesh</h2><dl>
<dt>Identity</dt><dd>${code(seen.identity, 'not said')}</dd>
<dt>SPIFFE id</dt><dd>${code(seen.spiffe, 'not over the mesh')}</dd>
<dt>Trace id</dt><dd>${code(seen.traceId, 'none')}</dd>
</dl></section>
<section aria-labelledby="erased"><h2 id="erased">What was erased</h2>
${
  seen.erased.length === 0
    ? html`<p class="quiet">You sent no header that only the gateway may set.</p>`
    : html`<p>You sent headers that only the gateway may set. They did not arrive:</p><p>${tags(seen.erased, '')}</p>`
}
</section>`,
  );
}

function handle(request: IncomingMessage, response: ServerResponse): void {
  const seen = see(request);
  if (/text\/html/.test(request.headers.accept ?? '')) sendPage(response, 200, show(seen));
  else sendJson(response, 200, seen);
}

stopOnSignals();
await listen(plain(handle), Number(setting('PORT', '8080')), 'dashboard');
await listen(plain(admin({})), Number(setting('ADMIN_PORT', '9901')), 'admin');
