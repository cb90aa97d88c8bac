import type { Page } from 'playwright-core';
import type { Navigation, UserAgent, Visited } from './agent.ts';
import { type Box, startContainer } from './container.ts';
import { type Answer, send, type Target } from './http.ts';
import { keycloakImage } from './images.ts';
import { keycloakSecret, type RealmOptions, realm } from './keycloak-realm.ts';
import type { Stage } from './stage.ts';

export { keycloakSecret, type RealmOptions, realm, strictSecret } from './keycloak-realm.ts';

const port = 8443;
const credentials = { client_id: 'wiki', client_secret: keycloakSecret };

/** A real Keycloak with one realm; keycloak-realm.ts defines its people and clients. */
export class Keycloak {
  readonly box: Box;
  readonly issuer: string;
  readonly realm: string;
  readonly #target: Target;

  constructor(box: Box, name: string, ca: string) {
    this.box = box;
    this.realm = name;
    this.issuer = `https://${box.alias}:${port}/realms/${name}`;
    this.#target = { host: box.host, port, tls: true, name: box.alias, ca };
  }

  /** A person's tokens by password, from the client `wiki`. */
  async tokens(person: string, more: Readonly<Record<string, string>> = {}): Promise<Record<string, string>> {
    const grant = { grant_type: 'password', username: person, password: person, scope: 'openid', ...more };
    return (
      await this.#post(`/realms/${this.realm}/protocol/openid-connect/token`, { ...credentials, ...grant })
    ).json();
  }

  /** A person's access token. */
  async token(person: string): Promise<string> {
    return (await this.tokens(person)).access_token!;
  }

  /** A token of an agent: for the person whose token of the client `wiki` it exchanges (RFC 8693), or for itself. */
  async agentToken(agent: string, subjectToken?: string): Promise<string> {
    const grant =
      subjectToken === undefined
        ? { grant_type: 'client_credentials' }
        : {
            grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
            subject_token: subjectToken,
            subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
          };
    const path = `/realms/${this.realm}/protocol/openid-connect/token`;
    const answer = await this.#post(path, { client_id: agent, client_secret: keycloakSecret, ...grant });
    return answer.json().access_token;
  }

  /** Calls an endpoint of OpenID Connect (`token`, `auth/device`, `ext/par/request`, …) as a server does. */
  post(
    endpoint: string,
    form: Readonly<Record<string, string>>,
    clientPem?: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    return this.#send(`/realms/${this.realm}/protocol/openid-connect/${endpoint}`, form, clientPem, headers);
  }

  /** Fills in the sign-in form that a user agent shows, and follows its redirects. */
  signIn(agent: UserAgent, page: Visited, person: string, wish: Navigation = {}): Promise<Visited> {
    return agent.submit(page, { username: person, password: person }, { form: '#kc-form-login', ...wish });
  }

  /** The same in Chromium; the caller waits for the result. */
  async signInAt(page: Page, person: string): Promise<void> {
    await page.fill('#username', person);
    await page.fill('#password', person);
    await page.click('#kc-login');
  }

  /** Enables or disables a person. */
  async enable(person: string, enabled: boolean): Promise<void> {
    await this.admin('PUT', `/users/${person}`, { enabled });
  }

  /** Ends a person's sessions; clients with a back-channel URL are notified before it returns. */
  async signOut(person: string): Promise<void> {
    await this.admin('POST', `/users/${person}/logout`);
  }

  /** Adds a person to a group of the realm, or removes them. */
  async member(person: string, group: string, member: boolean): Promise<void> {
    const found = await this.admin('GET', `/groups?exact=true&search=${encodeURIComponent(group)}`);
    const id = found.find(({ name }: { name: string }) => name === group)?.id;
    if (id === undefined) throw new Error(`the realm ${this.realm} has no group ${group}`);
    await this.admin(member ? 'PUT' : 'DELETE', `/users/${person}/groups/${id}`);
  }

  /** A person's sessions here. */
  sessions(person: string): Promise<{ id: string; start: number; lastAccess: number }[]> {
    return this.admin('GET', `/users/${person}/sessions`);
  }

  /** Waits until its log has all lines of earlier requests: they come before the line of a sign-in that is made now. */
  async settle(): Promise<void> {
    const mark = this.box.logs.mark();
    await this.token('cleo');
    await this.box.logs.waitFor(/type="LOGIN".* grant_type="password".* username="cleo"/, mark);
  }

  /** Lines of its log about an event (`LOGIN`, `CODE_TO_TOKEN`, `REFRESH_TOKEN`, `LOGOUT`, … with `_ERROR` if it
   * failed); {@link waitForWorkers} comes first. */
  events(type: string, mark = 0): string[] {
    return this.box.logs.since(mark).filter((line) => line.includes(`type="${type}"`));
  }

  /** Calls the admin API of the realm; returns the parsed answer. */
  // biome-ignore lint/suspicious/noExplicitAny: Keycloak's own answers
  async admin(method: string, path: string, body?: unknown): Promise<any> {
    const login = { client_id: 'admin-cli', grant_type: 'password', username: 'admin', password: 'admin' };
    const { access_token } = (await this.#post('/realms/master/protocol/openid-connect/token', login)).json();
    const answer = await send(this.#target, {
      method,
      path: `/admin/realms/${this.realm}${path}`,
      token: access_token,
      headers: { Host: `${this.box.alias}:${port}`, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (answer.status >= 300) throw new Error(`Keycloak: ${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.text === '' ? undefined : answer.json();
  }

  #send(
    path: string,
    form: Readonly<Record<string, string>>,
    clientPem?: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    return send(clientPem === undefined ? this.#target : { ...this.#target, clientPem }, {
      method: 'POST',
      path,
      headers: { Host: `${this.box.alias}:${port}`, 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
      body: new URLSearchParams(form).toString(),
    });
  }

  async #post(path: string, form: Readonly<Record<string, string>>): Promise<Answer> {
    const answer = await this.#send(path, form);
    if (answer.status !== 200) throw new Error(`Keycloak: POST ${path}: ${answer.status} ${answer.text}`);
    return answer;
  }
}

export interface KeycloakOptions extends RealmOptions {
  /** Name in the network, default `keycloak`. */
  readonly alias?: string;
  /** More realms, by name, as Keycloak imports them. */
  readonly realms?: Readonly<Record<string, unknown>>;
}

/** Starts Keycloak, which takes some ten seconds of a core and 450 MB: at most one for each test file, and only for
 * tests that need the real Keycloak. */
export async function startKeycloak(stage: Stage, options: KeycloakOptions = {}): Promise<Keycloak> {
  const alias = options.alias ?? 'keycloak';
  const { cert, key } = await stage.ca.server(alias);
  const name = options.name ?? 'corp';
  const box = await startContainer(stage, {
    image: keycloakImage,
    alias,
    files: {
      '/etc/keycloak/tls.crt': cert,
      '/etc/keycloak/tls.key': key,
      '/etc/keycloak/ca.pem': stage.ca.cert,
      ...Object.fromEntries(
        Object.entries({ ...options.realms, [name]: realm(options) }).map(([file, it]) => [
          `/opt/keycloak/data/import/${file}.json`,
          JSON.stringify(it),
        ]),
      ),
    },
    env: { KC_HOSTNAME: `https://${alias}:${port}` },
    memory: 900,
    ready: /started in .*Listening on/,
    startMs: 240_000,
  });
  return new Keycloak(box, name, stage.ca.cert);
}
