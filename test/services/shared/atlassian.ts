import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';

/** How Atlassian's applications find out who sends a request, as their documentation says. */

/** The address that Tomcat's connector gives to all requests: `proxyName`, `proxyPort`, `scheme`. */
export interface Connector {
  readonly proxyName: string;
  readonly proxyPort: number;
  readonly scheme: string;
}

/** The origin of the application for its own links and checks; without a connector's settings, what the request says. */
export function originOf(connector: Connector | undefined, request: IncomingMessage): string {
  if (connector === undefined) return `http://${request.headers.host ?? ''}`;
  const { proxyName, proxyPort, scheme } = connector;
  const usual = proxyPort === (scheme === 'https' ? 443 : 80);
  return `${scheme}://${proxyName}${usual ? '' : `:${proxyPort}`}`;
}

/** Who sends a request, and how the application knows. */
export interface Caller {
  readonly user: string;
  readonly groups: readonly string[];
  readonly by: 'assertion' | 'session' | 'token' | 'oauth' | 'jwt';
}

export interface Trust {
  /** What the authenticator verifies; absent: it is not installed. */
  readonly assertion?: { readonly issuer: string; readonly audience: string; readonly keys: JSONWebKeySet };
  /** Personal access tokens, by token. */
  readonly tokens: Readonly<Record<string, string>>;
  /** Passwords of local accounts, by name. */
  readonly passwords: Readonly<Record<string, { readonly password: string; readonly groups: readonly string[] }>>;
  /** The signature that stands for a valid one of the application link, and the account of its requests. */
  readonly link: { readonly signature: string; readonly user: string };
}

/** A session of the application itself. */
interface Session {
  readonly user: string;
  /** Whether the password was given again for the administration. */
  sudo: boolean;
}

const COOKIE = 'JSESSIONID';

/** The people and programs that an application knows. */
export class Callers {
  readonly #trust: Trust;
  readonly #sessions = new Map<string, Session>();

  constructor(trust: Trust) {
    this.#trust = trust;
  }

  /**
   * The caller. A personal access token or a signature comes first, then the authenticator, then the session.
   * `undefined`: an anonymous caller; so is a caller whose personal access token is not valid. `refused`: a signature
   * that is not valid.
   */
  async of(request: IncomingMessage): Promise<Caller | 'refused' | undefined> {
    const [scheme = '', value = ''] = (request.headers.authorization ?? '').split(/ (.*)/s);
    const { tokens, link } = this.#trust;
    if (scheme === 'Bearer') {
      const user = tokens[value];
      return user === undefined ? undefined : { user, groups: [], by: 'token' };
    }
    if (scheme === 'OAuth') {
      const isSigned = value.includes(`oauth_signature="${link.signature}"`);
      return isSigned ? { user: link.user, groups: [], by: 'oauth' } : 'refused';
    }
    if (scheme === 'JWT') return value === link.signature ? { user: link.user, groups: [], by: 'jwt' } : 'refused';
    const asserted = await this.#asserted(request);
    if (asserted !== undefined) return asserted;
    const session = this.session(request);
    if (session === undefined) return undefined;
    return { user: session.user, groups: this.#trust.passwords[session.user]?.groups ?? [], by: 'session' };
  }

  /** The person of the gateway's assertion, as the verifier in docs/assertion.md checks it. */
  async #asserted(request: IncomingMessage): Promise<Caller | undefined> {
    const { assertion } = this.#trust;
    const given = request.headers['x-meshgate-assertion'];
    if (assertion === undefined || typeof given !== 'string') return undefined;
    const { payload } = await jwtVerify(given, createLocalJWKSet(assertion.keys), {
      issuer: assertion.issuer,
      audience: assertion.audience,
      typ: 'meshgate+jwt',
      algorithms: ['ES256'],
      requiredClaims: ['exp', 'sub'],
      clockTolerance: 5,
      maxTokenAge: '10m',
    });
    // Only a network gave this caller a role.
    if (payload.provider === 'nobody') return undefined;
    return { user: String(payload.sub), groups: payload.roles as string[], by: 'assertion' };
  }

  session(request: IncomingMessage): Session | undefined {
    const id = new RegExp(`(?:^|; )${COOKIE}=([0-9a-f]+)`).exec(request.headers.cookie ?? '')?.[1];
    return id === undefined ? undefined : this.#sessions.get(id);
  }

  /** Signs a local account in; returns the cookie, or undefined if the password is wrong. */
  signIn(user: string, password: string): string | undefined {
    if (this.#trust.passwords[user]?.password !== password) return undefined;
    const id = randomBytes(16).toString('hex');
    this.#sessions.set(id, { user, sudo: false });
    return `${COOKIE}=${id}; Path=/; HttpOnly; Secure`;
  }

  /** Ends the session; returns the line that removes the cookie. */
  signOut(request: IncomingMessage): string {
    const id = new RegExp(`${COOKIE}=([0-9a-f]+)`).exec(request.headers.cookie ?? '')?.[1];
    if (id !== undefined) this.#sessions.delete(id);
    return `${COOKIE}=; Path=/; Max-Age=0; HttpOnly; Secure`;
  }

  checkPassword(user: string, password: string): boolean {
    return this.#trust.passwords[user]?.password === password;
  }
}

/**
 * Whether the application rejects a request as cross-site: a page of another origin sent it, or a form has no token.
 * `X-Atlassian-Token: no-check` replaces the token of a form; JSON needs none.
 */
export function isCrossSite(request: IncomingMessage, origin: string, formToken?: string): boolean {
  if (['GET', 'HEAD', 'OPTIONS'].includes(request.method ?? '')) return false;
  const from = request.headers.origin ?? new URL(request.headers.referer ?? origin).origin;
  if (from !== origin) return true;
  const type = request.headers['content-type'] ?? '';
  const isForm = /^(?:multipart\/form-data|application\/x-www-form-urlencoded|text\/plain)/.test(type);
  return isForm && request.headers['x-atlassian-token'] !== 'no-check' && formToken !== 'atl-token';
}
