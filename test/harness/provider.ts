import { CALLBACK_PATH } from '../../src/session/names.ts';
import { clients, personaGrant, wikiResource } from '../services/shared/people.ts';
import type { Box } from './container.ts';
import { type Answer, send } from './http.ts';
import { callAdmin, startService } from './services.ts';
import type { Stage } from './stage.ts';

/** The real OpenID provider of the tests; people and clients are in test/services/shared/people.ts. */
export class Provider {
  readonly box: Box;
  readonly issuer: string;
  readonly #ca: string;

  constructor(box: Box, issuer: string, ca: string) {
    this.box = box;
    this.issuer = issuer;
    this.#ca = ca;
  }

  /** An access token from the token endpoint for a person (`ada`, `ben`, `cleo`). */
  token(persona: string, client = 'wiki-cli'): Promise<string> {
    return this.#ask(client, { grant_type: personaGrant, persona });
  }

  /** An access token from the token endpoint for a service account. */
  serviceToken(client = 'wiki-index'): Promise<string> {
    return this.#ask(client, { grant_type: 'client_credentials' });
  }

  /** A token with other claims or another lifetime (seconds), signed by the provider as any other. */
  async mint(wish: {
    readonly subject?: string;
    readonly client?: string;
    readonly expiresIn?: number;
    readonly claims?: Readonly<Record<string, unknown>>;
    readonly kind?: 'access_token' | 'id_token';
  }): Promise<string> {
    return (await callAdmin(this.box, 'POST', '/mint', wish)).token;
  }

  /** Keys that are published, the ones that sign first. */
  keys(): Promise<{ kid: string; alg: string }[]> {
    return callAdmin(this.box, 'GET', '/keys');
  }

  /** Adds a key that signs from now on; the old ones stay published. Returns its kid. */
  async addKey(alg = 'RS256'): Promise<string> {
    return (await callAdmin(this.box, 'POST', '/keys', { alg })).kid;
  }

  async withdrawKey(kid: string): Promise<void> {
    await callAdmin(this.box, 'DELETE', `/keys?kid=${encodeURIComponent(kid)}`);
  }

  /** Revokes an opaque token (RFC 7009), as the client that it was issued to. */
  async revoke(token: string, client: string): Promise<void> {
    await this.#post('/token/revocation', client, { token });
  }

  async #ask(id: string, grant: Record<string, string>): Promise<string> {
    return (await this.#post('/token', id, { ...grant, resource: wikiResource })).json().access_token;
  }

  async #post(path: string, id: string, form: Record<string, string>): Promise<Answer> {
    const secret = clients.find((client) => client.id === id)?.secret ?? '';
    const { hostname, port } = new URL(this.issuer);
    const target = { host: this.box.host, port: Number(port || 443), tls: true, name: hostname, ca: this.#ca };
    const answer = await send(target, {
      method: 'POST',
      path,
      headers: {
        Authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
        'Content-Type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams(form).toString(),
    });
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.text}`);
    return answer;
  }
}

export interface ProviderOptions {
  /** Name in the network, default `provider`; the issuer is `https://ALIAS:PORT`, without the port if it is 443. */
  readonly alias?: string;
  /** Default 8443. */
  readonly port?: number;
  /** Origins whose gateways people sign in to; without one no sign-in is possible. */
  readonly origins?: readonly string[];
  /** Its name in the policy, if a host has several providers: each has its own redirect URI. */
  readonly name?: string;
}

export async function startProvider(stage: Stage, options: ProviderOptions = {}): Promise<Provider> {
  const alias = options.alias ?? 'provider';
  const port = options.port ?? 8443;
  const issuer = port === 443 ? `https://${alias}` : `https://${alias}:${port}`;
  const { pem } = await stage.ca.server(alias);
  const box = await startService(stage, 'provider', {
    alias,
    files: { '/etc/service/tls.pem': pem },
    env: {
      ISSUER: issuer,
      PORT: String(port),
      CALLBACKS: (options.origins ?? [])
        .map((origin) => `${origin}${CALLBACK_PATH}${options.name === undefined ? '' : `/${options.name}`}`)
        .join(' '),
    },
  });
  return new Provider(box, issuer, stage.ca.cert);
}
