import type { Document, Requested } from '../services/shared/document.ts';
import type { Box } from './container.ts';
import { callAdmin, startService } from './services.ts';
import type { Stage } from './stage.ts';
import { createKey, type KeyOptions, type SigningKey, type SignOptions, signToken } from './tokens.ts';

export type { Document };

/** A server of many made-up issuers. */
export class IssuerServer {
  readonly box: Box;
  readonly origin: string;

  constructor(box: Box, origin: string) {
    this.box = box;
    this.origin = origin;
  }

  /** Serves documents, by path. */
  async put(documents: Readonly<Record<string, Document>>): Promise<void> {
    await callAdmin(this.box, 'PUT', '/documents', documents);
  }

  async remove(path: string): Promise<void> {
    await callAdmin(this.box, 'DELETE', `/documents?path=${encodeURIComponent(path)}`);
  }

  /** Number of requests so far by path, including paths without a document. */
  hits(): Promise<Record<string, number>> {
    return callAdmin(this.box, 'GET', '/hits');
  }

  /** The last request to a path. */
  last(path: string): Promise<Requested> {
    return callAdmin(this.box, 'GET', `/last?path=${encodeURIComponent(path)}`);
  }

  async clearHits(): Promise<void> {
    await callAdmin(this.box, 'DELETE', '/hits');
  }

  /** Releases the requests that are held under `hold: key`. */
  async release(key: string): Promise<void> {
    await callAdmin(this.box, 'POST', `/release?key=${encodeURIComponent(key)}`);
  }

  /** Adds an issuer with one key, its discovery document and JWKS. */
  async create(name: string, options: KeyOptions & { readonly alg?: string } = {}): Promise<Issuer> {
    const issuer = new Issuer(this, name, await createKey(options.alg, options));
    await issuer.publish(issuer.key);
    return issuer;
  }
}

/** One issuer; its tokens are signed in the test's own process. */
export class Issuer {
  readonly url: string;
  readonly discoveryPath: string;
  readonly jwksPath: string;
  /** The key that signs by default. */
  key: SigningKey;
  readonly #server: IssuerServer;

  constructor(server: IssuerServer, name: string, key: SigningKey) {
    this.#server = server;
    this.url = `${server.origin}/${name}`;
    this.discoveryPath = `/${name}/.well-known/openid-configuration`;
    this.jwksPath = `/${name}/jwks`;
    this.key = key;
  }

  /** Publishes exactly these keys (public JWKs or signing keys). */
  async publish(...keys: readonly (SigningKey | Readonly<Record<string, unknown>>)[]): Promise<void> {
    const jwks = { keys: keys.map((key) => ('jwk' in key ? key.jwk : key)) };
    const discovery = { issuer: this.url, jwks_uri: `${this.#server.origin}${this.jwksPath}` };
    await this.#server.put({
      [this.discoveryPath]: { body: JSON.stringify(discovery) },
      [this.jwksPath]: { body: JSON.stringify(jwks) },
    });
  }

  /** Serves another document at the address of the keys. */
  async serveJwks(document: Document): Promise<void> {
    await this.#server.put({ [this.jwksPath]: document });
  }

  async serveDiscovery(document: Document): Promise<void> {
    await this.#server.put({ [this.discoveryPath]: document });
  }

  /** Signs an access token of this issuer: `iss` is set, the other claims are given (`aud`, `sub`, `groups`, …). */
  sign(
    claims: Readonly<Record<string, unknown>>,
    options: SignOptions & { readonly key?: SigningKey } = {},
  ): Promise<string> {
    return signToken(options.key ?? this.key, { iss: this.url, ...claims }, options);
  }
}

export interface IssuerOptions {
  /** Name in the network, default `issuers`; TLS on port 8443. */
  readonly alias?: string;
  readonly aliases?: readonly string[];
  /** Another certificate than one of the stage's CA for its names: certificate and key in one PEM. */
  readonly pem?: string;
}

export async function startIssuer(stage: Stage, options: IssuerOptions = {}): Promise<IssuerServer> {
  const alias = options.alias ?? 'issuers';
  const aliases = options.aliases ?? [];
  const pem = options.pem ?? (await stage.ca.server([alias, ...aliases])).pem;
  const box = await startService(stage, 'issuer', {
    alias,
    aliases,
    files: { '/etc/service/tls.pem': pem },
  });
  return new IssuerServer(box, `https://${alias}:8443`);
}
