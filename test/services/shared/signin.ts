import type { IncomingMessage, ServerResponse } from 'node:http';
import type Provider from 'oidc-provider';
import { readForm } from './body.ts';
import { html, page } from './html.ts';
import { people } from './people.ts';

/** The provider's own page, on which people choose who they are: without passwords, because it is for tests and the
 * demo. */

/** The path of that page. */
export const interactionUrl = (_: unknown, { uid }: { readonly uid: string }): string => `/interaction/${uid}`;

const personas = Object.entries(people);

/**
 * Answers the requests of a sign-in.
 *
 * @returns false for any other request, which is the provider's own
 */
export function interaction(provider: Provider, request: IncomingMessage, response: ServerResponse): boolean {
  const uid = /^\/interaction\/[\w-]+$/.exec(request.url ?? '')?.[0];
  if (uid === undefined) return false;
  void answer(provider, uid, request, response).catch((error: Error) => {
    response.writeHead(400, { 'Content-Type': 'text/plain; charset=utf-8' });
    response.end(`${error.message}\n`);
  });
  return true;
}

async function answer(
  provider: Provider,
  uid: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method === 'POST') {
    const person = (await readForm(request)).get('person') ?? '';
    if (!Object.hasOwn(people, person)) throw new Error('no person of this name');
    return provider.interactionFinished(request, response, { login: { accountId: person } });
  }
  await provider.interactionDetails(request, response);
  // Browsers apply `form-action` to the redirects after a form, and these lead to the gateway: the policy names none.
  response.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    'cache-control': 'no-store',
  });
  const buttons = personas.map(
    ([name, { name: full, groups }]) =>
      html`<li><button name="person" value="${name}">${full}</button> <code>${name}</code> <span class="quiet">${groups.join(', ') || 'in no group'}</span></li>`,
  );
  const body = html`<h1>Who are you?</h1><form method="post" action="${uid}"><ul class="list">${buttons}</ul></form>`;
  response.end(page('Who are you?', 'OpenID provider', 'no passwords here', body).text);
}
