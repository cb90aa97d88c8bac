import type { Page } from 'playwright-core';
import type { Control } from '../services/shared/controls.ts';
import type { Navigation, UserAgent, Visited } from './agent.ts';
import type { Box } from './container.ts';
import { type Answer, type Sent, send } from './http.ts';
import { callAdmin, startService } from './services.ts';
import { type ClientsOptions, ssoClients, ssoSecret } from './sso-clients.ts';
import type { Stage } from './stage.ts';

export { ssoSecret } from './sso-clients.ts';
export type { Control };

const port = 8443;

/** RFC 6749 2.3.1: both parts are form-encoded first. */
function basic(client: string): string {
  const [name, secret] = [client, ssoSecret].map((part) => new URLSearchParams({ part }).toString().slice(5));
  return `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`;
}

/** A certified OpenID provider for sign-in; people are in test/services/shared/people.ts. */
export class Sso {
  readonly box: Box;
  readonly issuer: string;
  readonly #ca: string;

  constructor(box: Box, ca: string) {
    this.box = box;
    this.#ca = ca;
    this.issuer = `https://${box.alias}:${port}`;
  }

  /** Calls an endpoint as a server does: no headers of a browser, no cookies. */
  send(path: string, sent: Sent = {}, clientPem?: string): Promise<Answer> {
    const client = clientPem === undefined ? {} : { clientPem };
    const { host, alias } = this.box;
    const target = { host, port, tls: true, name: alias, ca: this.#ca, ...client };
    const headers = Array.isArray(sent.headers) ? sent.headers : Object.entries(sent.headers ?? {});
    return send(target, { path, ...sent, headers: [['Host', `${alias}:${port}`], ...headers] });
  }

  /** Sends a form to an endpoint; `client` authenticates by its secret, and a certificate may be sent. */
  post(
    path: string,
    form: Readonly<Record<string, string>>,
    {
      client,
      clientPem,
      proof,
    }: { readonly client?: string; readonly clientPem?: string; readonly proof?: string } = {},
  ): Promise<Answer> {
    const headers = {
      ...(proof === undefined ? {} : { DPoP: proof }),
      'Content-Type': 'application/x-www-form-urlencoded',
      ...(client === undefined ? {} : { Authorization: basic(client) }),
    };
    return this.send(path, { method: 'POST', headers, body: new URLSearchParams(form).toString() }, clientPem);
  }

  /** Sends the sign-in form that a user agent shows, and follows its redirects. */
  signIn(agent: UserAgent, page: Visited, person: string, wish: Navigation = {}): Promise<Visited> {
    return agent.submit(page, { person }, { form: '#signin', ...wish });
  }

  /** The same in Chromium; the caller waits for the result. */
  async signInAt(page: Page, person: string): Promise<void> {
    await page.fill('#person', person);
    await page.click('#submit');
  }

  /** Confirms the sign-out on the provider's page. */
  confirm(agent: UserAgent, page: Visited, wish: Navigation = {}): Promise<Visited> {
    return agent.submit(page, {}, wish);
  }

  /** Confirms a device: from `verification_uri_complete` to the end. */
  async approve(agent: UserAgent, url: string, person: string): Promise<Visited> {
    let page = await agent.visit(url);
    for (let steps = 0; page.status === 200 && page.document.querySelector('form') !== null; steps += 1) {
      if (steps > 5) throw new Error(`no end of forms: ${page.url}\n${page.text}`);
      const requested = page.document.querySelector('#signin') !== null;
      page = await (requested ? this.signIn(agent, page, person) : agent.submit(page));
    }
    return page;
  }

  /** Calls by path (`/token`, `/auth`, `/request`, `/me`, `/jwks`, `/session/end`, …) since the last {@link forget}. */
  calls(): Promise<Record<string, number>> {
    return callAdmin(this.box, 'GET', '/calls');
  }

  /** Numbers of granted and refused requests of the token endpoint, by grant type, since the last {@link forget}. */
  grants(): Promise<Record<string, { good: number; bad: number }>> {
    return callAdmin(this.box, 'GET', '/grants');
  }

  async forget(): Promise<void> {
    await callAdmin(this.box, 'DELETE', '/calls');
  }

  /** Slows, fails or loses the calls of a path from now on; without a control it works again. */
  async control(path: string, control: Control = {}): Promise<void> {
    await callAdmin(this.box, 'PUT', `/controls?path=${encodeURIComponent(path)}`, control);
  }

  /** Changes a person's groups or e-mail, or disables them; an unknown person is added. */
  async change(
    person: string,
    change: { readonly groups?: readonly string[]; readonly email?: string; readonly disabled?: boolean },
  ): Promise<void> {
    await callAdmin(this.box, 'PUT', `/people?id=${encodeURIComponent(person)}`, change);
  }

  /**
   * The sign-ins from now on: `person` without a form; `acr` as the response will have it, whatever was requested;
   * `authAge` seconds ago. Missing settings are as at the start.
   */
  async settings(settings: {
    readonly person?: string;
    readonly acr?: string;
    readonly authAge?: number;
  }): Promise<void> {
    await callAdmin(this.box, 'PUT', '/settings', settings);
  }

  /** Ends a person's sessions and tokens; returns how many clients were notified over their back channel. */
  async signOut(person: string): Promise<number> {
    return (await callAdmin(this.box, 'POST', `/signout?person=${encodeURIComponent(person)}`)).told;
  }

  /** Adds a key that signs from now on; the old ones stay published. Returns its kid. */
  async addKey(alg = 'RS256'): Promise<string> {
    return (await callAdmin(this.box, 'POST', '/keys', { alg })).kid;
  }

  async withdrawKey(kid: string): Promise<void> {
    await callAdmin(this.box, 'DELETE', `/keys?kid=${encodeURIComponent(kid)}`);
  }
}

export interface SsoOptions extends ClientsOptions {
  /** Name in the network, default `sso`; the issuer is `https://ALIAS:8443`. */
  readonly alias?: string;
  /** Lifetimes in seconds: AccessToken, IdToken, RefreshToken, Session, … */
  readonly ttl?: Readonly<Record<string, number>>;
  /** ID tokens have only the subject, so that groups come from UserInfo. */
  readonly slim?: boolean;
  /** Scopes by resource; with them clients may register themselves. */
  readonly resources?: Readonly<Record<string, string>>;
}

/** Starts the provider. It trusts the stage's CA, for clients' certificates and for the back channels that it calls. */
export async function startSso(stage: Stage, options: SsoOptions): Promise<Sso> {
  const alias = options.alias ?? 'sso';
  const { pem } = await stage.ca.server(alias);
  const box = await startService(stage, 'sso', {
    alias,
    files: {
      '/etc/service/tls.pem': pem,
      '/etc/service/ca.pem': stage.ca.cert,
      '/etc/service/clients.json': JSON.stringify(await ssoClients(options)),
    },
    env: {
      ISSUER: `https://${alias}:${port}`,
      TTL: JSON.stringify(options.ttl ?? {}),
      RESOURCES: JSON.stringify(options.resources ?? {}),
      SLIM: options.slim ? '1' : '',
      CLIENT_CA_FILE: '/etc/service/ca.pem',
      CLIENT_CERT: 'optional',
      NODE_EXTRA_CA_CERTS: '/etc/service/ca.pem',
    },
  });
  return new Sso(box, stage.ca.cert);
}
