import { createHash } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { handlerOf } from '../../../src/njs/signin/browser-answer.ts';
import { callback } from '../../../src/njs/signin/callback.ts';
import { handover } from '../../../src/njs/signin/handover.ts';
import { backchannel } from '../../../src/njs/signin/out/backchannel.ts';
import { frontchannel, signout } from '../../../src/njs/signin/out/signout.ts';
import { serveSignin } from '../../../src/njs/signin/signin.ts';
import { type SigninContext, signinContext } from '../../../src/njs/signin/signin-context.ts';
import type { Client, ProviderSignin } from '../../../src/policy/checked/types.ts';
import type { Table } from '../../../src/rules/types.ts';
import { readClaims } from '../../../src/session/cookie-claims.ts';
import type { SigninTable } from '../../../src/session/signin-table.ts';
import type { SessionClaims } from '../../../src/session/types.ts';
import { b64, jwks, makeToken, privateJwk, publicJwk, type TokenParts } from '../token/maker.ts';
import { type FakeNgx, fakeNgx } from './fake-ngx.ts';

/** The whole of a sign-in in Node: the handlers, a provider behind the egress server, and browsers. */

export const ISSUER = 'https://issuer.example.com';

const dir = mkdtempSync(join(tmpdir(), 'meshgate-signin-'));

/** Writes a file that the policy names. */
export function fileOf(name: string, text: string): string {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
}

export const ringText = (...kids: string[]): string =>
  JSON.stringify({
    keys: kids.map((kid) => ({
      kty: 'oct',
      alg: 'A256GCM',
      use: 'enc',
      kid,
      k: createHash('sha256').update(`ring ${kid}`).digest('base64url'),
    })),
  });

/** A request that the provider received. */
export interface Requested {
  readonly path: string;
  readonly method: string;
  readonly authorization: string | undefined;
  readonly params: URLSearchParams;
}

interface Grant {
  readonly params: URLSearchParams;
  used?: true;
}

/** Faults and options of a provider. */
export interface Behaviour {
  metadata?: Record<string, unknown>;
  /** Changes the ID token, or its signature. */
  idToken?: (claims: Record<string, unknown>) => Omit<TokenParts, 'claims'> & { claims?: Record<string, unknown> };
  claims?: Record<string, unknown>;
  userinfo?: Record<string, unknown> | string;
  /** Of the answer of UserInfo; with `application/jwt`, the provider signs it. */
  userinfoType?: string;
  /** Changes the signed answer, or its signature. */
  userinfoToken?: Partial<TokenParts>;
  /** Of UserInfo instead of 200. */
  userinfoStatus?: number | 'hangs up';
  /** Of the token endpoint instead of tokens; a text is the body as it stands. */
  token?: (requested: Requested) => { status: number; body: unknown } | 'hangs up' | 'not reached' | undefined;
  /** Parameters of the callback beside code and state; `null` removes one. */
  answer?: Record<string, string | null>;
  /** Instead of a code. */
  error?: string;
  /** Answers requests that are not pushed with this error, which no document announces. */
  unlessPushed?: string;
  away?: boolean;
  /** Of the revocation endpoint instead of 200. */
  revocation?: { status: number; body: unknown } | 'hangs up';
  refreshToken?: string;
}

export class FakeProvider {
  behaviour: Behaviour = {};
  readonly requested: Requested[] = [];
  readonly #grants = new Map<string, Grant>();
  readonly #pushed = new Map<string, URLSearchParams>();
  readonly accessToken = 'ACCESS-TOKEN-SECRET';

  readonly name: string;
  readonly issuer: string;

  constructor(name: string, issuer: string) {
    this.name = name;
    this.issuer = issuer;
  }

  calls(path: string): Requested[] {
    return this.requested.filter((one) => one.path === path);
  }

  /** The parameters with which a browser returns. */
  authorize(url: URL): string {
    let params = url.searchParams;
    const pushed = params.get('request_uri');
    if (pushed !== null) params = this.#pushed.get(pushed) ?? new URLSearchParams();
    const back = new URL(params.get('redirect_uri') as string);
    const { answer = {}, unlessPushed } = this.behaviour;
    const error = this.behaviour.error ?? (pushed === null ? unlessPushed : undefined);
    if (error !== undefined) back.searchParams.set('error', error);
    else {
      const code = `CODE-${this.#grants.size}-SECRET`;
      this.#grants.set(code, { params });
      back.searchParams.set('code', code);
    }
    back.searchParams.set('state', params.get('state') as string);
    for (const [name, value] of Object.entries(answer)) {
      if (value === null) back.searchParams.delete(name);
      else back.searchParams.set(name, value);
    }
    return back.href;
  }

  async answer(
    url: string,
    headers: Record<string, string>,
    body: string,
  ): Promise<{ status: number; body: string; type?: string }> {
    const { pathname } = new URL(url);
    const requested: Requested = {
      path: pathname,
      method: headers['X-Meshgate-Method'] ?? 'GET',
      authorization: headers['X-Meshgate-Authorization'],
      params: new URLSearchParams(body),
    };
    this.requested.push(requested);
    if (this.behaviour.away) throw new Error('connection refused');
    const json = (value: unknown, status = 200) => ({ status, body: JSON.stringify(value) });
    switch (pathname) {
      case '/.well-known/openid-configuration':
        return json({
          issuer: this.issuer,
          jwks_uri: `${this.issuer}/jwks`,
          authorization_endpoint: `${this.issuer}/authorize`,
          token_endpoint: `${this.issuer}/token`,
          userinfo_endpoint: `${this.issuer}/userinfo`,
          pushed_authorization_request_endpoint: `${this.issuer}/par`,
          ...this.behaviour.metadata,
        });
      case '/jwks':
        return { status: 200, body: jwks(publicJwk('rsa'), publicJwk('p256')) };
      case '/par': {
        const uri = `urn:ietf:params:oauth:request_uri:${this.#pushed.size}`;
        this.#pushed.set(uri, requested.params);
        return json({ request_uri: uri, expires_in: 60 }, 201);
      }
      case '/token':
        return this.#tokens(requested);
      case '/userinfo': {
        const { userinfo = {}, userinfoStatus } = this.behaviour;
        if (userinfoStatus === 'hangs up') throw new Error('the connection was closed');
        if (userinfoStatus !== undefined) return json({ error: 'an error' }, userinfoStatus);
        if (requested.authorization !== `Bearer ${this.accessToken}`) return json({ error: 'invalid_token' }, 401);
        const { userinfoType: type = 'application/json', userinfoToken = {} } = this.behaviour;
        if (typeof userinfo === 'string') return { status: 200, body: userinfo, type };
        const about = { sub: 'ada', ...userinfo };
        if (type !== 'application/jwt') return { ...json(about), type };
        const claims = { iss: this.issuer, aud: 'wiki', ...about, ...userinfoToken.claims };
        return { status: 200, body: makeToken({ ...userinfoToken, claims }), type };
      }
      case '/revoke': {
        const { revocation = { status: 200, body: {} } } = this.behaviour;
        if (revocation === 'hangs up') throw new Error('the connection was closed');
        return json(revocation.body, revocation.status);
      }
      default:
        return json({}, 404);
    }
  }

  #tokens(requested: Requested): { status: number; body: string } {
    const own = this.behaviour.token?.(requested);
    // As the egress server answers, without a connection.
    if (own === 'not reached') return { status: 502, body: '' };
    if (own === 'hangs up') throw new Error('the connection was closed');
    if (own !== undefined) {
      return { status: own.status, body: typeof own.body === 'string' ? own.body : JSON.stringify(own.body) };
    }
    const { params } = requested;
    const grant = this.#grants.get(params.get('code') ?? '');
    const challenge = createHash('sha256')
      .update(params.get('code_verifier') ?? '')
      .digest('base64url');
    const fits =
      grant !== undefined &&
      !grant.used &&
      params.get('redirect_uri') === grant.params.get('redirect_uri') &&
      challenge === grant.params.get('code_challenge');
    if (!fits) return { status: 400, body: '{"error":"invalid_grant"}' };
    grant.used = true;
    const now = Math.floor(Date.now() / 1000);
    const half = createHash('sha256').update(this.accessToken).digest().subarray(0, 16);
    const claims: Record<string, unknown> = {
      iss: this.issuer,
      sub: 'ada',
      aud: grant.params.get('client_id'),
      exp: now + 300,
      iat: now,
      auth_time: now,
      sid: 'op-session',
      nonce: grant.params.get('nonce'),
      at_hash: b64(half),
      email: 'ada@example.com',
      groups: ['staff', 'others'],
      ...this.behaviour.claims,
    };
    const parts = this.behaviour.idToken?.(claims) ?? {};
    return {
      status: 200,
      body: JSON.stringify({
        id_token: makeToken({ ...parts, claims: { ...claims, ...parts.claims } }),
        access_token: this.accessToken,
        token_type: 'Bearer',
        expires_in: 300,
        ...(this.behaviour.refreshToken !== undefined && { refresh_token: this.behaviour.refreshToken }),
      }),
    };
  }
}

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly location: string | undefined;
  readonly setCookies: readonly string[];
}

export interface LabOptions {
  readonly client?: Client;
  readonly signin?: Partial<ProviderSignin>;
  readonly signinHost?: string;
  /** Minimum number of seconds between two fetches of a provider's keys that tokens cause. */
  readonly coolDown?: number;
  /** Whether replicas share revocations. */
  readonly shared?: boolean;
  /** More providers of wiki.example.com. */
  readonly more?: Readonly<Record<string, Partial<ProviderSignin>>>;
  /** Those of {@link more} with the issuer of the first, each as a client with its own name. */
  readonly sameIssuer?: readonly string[];
  readonly stepUps?: SigninTable['stepUps'];
  /** Agents that are recognised by their tokens; the claims that sessions keep include `team`, by which they may be
   * known. */
  readonly agents?: Table['agents'];
  /** The providers leave groups out, and return them on request, by a person's object id. */
  readonly groups?: (oid: string) => { status: number; body: string };
}

export const HOST = 'wiki.example.com';
export const OTHER = 'dash.example.com';

/** One for all tests of a file: the modules under test look their zones up once. */
export const labNgx = fakeNgx();

export class Lab {
  readonly ngx: FakeNgx;
  readonly context: SigninContext;
  readonly provider: FakeProvider;
  readonly providers: Map<string, FakeProvider>;
  readonly #handlers: Record<string, (r: NginxHTTPRequest) => Promise<void>>;

  constructor(options: LabOptions = {}) {
    this.ngx = labNgx;
    labNgx.logged.splice(0);
    for (const zone of Object.values(labNgx.zones)) zone.clear();
    const keysFile = fileOf(`ring-${Math.random()}`, ringText('k1'));
    const names = ['okta', ...Object.keys(options.more ?? {})];
    this.providers = new Map(
      names.map((name, i) => {
        const isFirst = i === 0 || options.sameIssuer?.includes(name);
        return [name, new FakeProvider(name, isFirst ? ISSUER : `https://${name}.example.com`)];
      }),
    );
    this.provider = this.providers.get('okta') as FakeProvider;
    const client = options.client ?? {
      id: 'wiki',
      auth: { kind: 'client_secret_basic', secretFile: fileOf('secret', 'S3CRET\n') },
    };
    const session = { keysFile, idle: 28_800, absolute: 86_400, fresh: 600 };
    const table = {
      selection: 'SELECTION',
      clockSkew: 30,
      tokenCache: 300,
      keys: { refresh: 300, stale: 86_400, coolDown: options.coolDown ?? 0 },
      providers: Object.fromEntries(
        names.map((name) => [
          name,
          {
            name,
            kind: 'generic',
            issuer: this.providers.get(name)?.issuer,
            audiences: [],
            algorithms: ['RS256', 'ES256'],
            subject: { claim: 'sub', prefix: '' },
            ...(options.groups && { kind: 'entra', asksGroups: true }),
          },
        ]),
      ),
      ...(options.groups && { asking: '/run/check.sock' }),
      ...(options.agents && { agents: options.agents }),
      roles: [],
      claims: [],
      sends: { email: true, name: true, groups: false },
      egress: '/run/egress.sock',
      session: {
        ...session,
        publicPort: 443,
        socket: '/run/check.sock',
        ...(options.shared && { shared: true }),
        keep: {
          paths: Object.fromEntries(names.map((name) => [name, ['sub', 'email', ...(options.agents ? ['team'] : [])]])),
          elements: Object.fromEntries(names.map((name) => [name, { groups: ['staff'] }])),
        },
      },
    } as unknown as Table;
    const signinTable = {
      session,
      publicPort: 443,
      ...(options.signinHost !== undefined && { signinHost: options.signinHost }),
      providers: Object.fromEntries(
        names.map((name) => [
          name,
          {
            name,
            kind: 'generic',
            issuer: this.providers.get(name)?.issuer,
            client: options.sameIssuer?.includes(name) ? { ...client, id: name } : client,
            signin: {
              scopes: ['openid', 'email'],
              domains: [],
              userinfo: true,
              label: name,
              ...options.signin,
              ...options.more?.[name],
            },
          },
        ]),
      ),
      hosts: [
        { name: HOST, providers: names },
        { name: OTHER, providers: ['okta'] },
        { name: '*.apps.example.com', providers: ['okta'] },
      ].map((host) => ({ ...host, sessionCookies: [], namesAllCookies: false })),
      stepUps: options.stepUps ?? {},
      routes: {},
      stateDir: '/state',
      egress: '/run/egress.sock',
    } as unknown as SigninTable;
    this.context = signinContext(table, signinTable);
    this.#handlers = {
      '/.meshgate/signin': handlerOf(this.context, 'signin', serveSignin),
      '/.meshgate/callback': handlerOf(this.context, 'callback', callback),
      '/.meshgate/handover': handlerOf(this.context, 'handover', handover),
      '/.meshgate/signout': handlerOf(this.context, 'signout', signout),
      '/.meshgate/frontchannel': handlerOf(this.context, 'frontchannel', frontchannel),
      '/.meshgate/backchannel': handlerOf(this.context, 'backchannel', backchannel),
    };
    this.ngx.fetch = async (socket, init) => {
      const { headers, body } = init as unknown as { headers: Record<string, string>; body?: string };
      if (socket.endsWith('check.sock:/.meshgate/groups')) {
        const reported = options.groups?.(body ?? '') ?? { status: 503, body: '' };
        return { status: reported.status, text: async () => reported.body };
      }
      const provider = this.providers.get(socket.slice(socket.lastIndexOf('/') + 1)) as FakeProvider;
      const answer = await provider.answer(headers['X-Meshgate-Url'] as string, headers, body ?? '');
      const sent = new Headers(answer.type === undefined ? {} : { 'Content-Type': answer.type });
      return { status: answer.status, headers: sent, text: async () => answer.body };
    };
  }

  /** The response of a handler; any other path is a page of the host. */
  async ask(
    url: string,
    cookies: string,
    more: { method?: string; headers?: Record<string, string>; body?: string; gone?: () => void } = {},
  ): Promise<Answer> {
    const { hostname, pathname, search } = new URL(url);
    const isCallback = pathname.startsWith('/.meshgate/callback/');
    const handler = this.#handlers[isCallback ? '/.meshgate/callback' : pathname];
    let answer: Pick<Answer, 'status' | 'body'> = { status: 200, body: 'the page' };
    const headersOut: Answer['headers'] = {};
    await handler?.({
      method: more.method ?? 'GET',
      uri: pathname,
      headersIn: {
        'X-Meshgate-Host': hostname,
        'X-Meshgate-Query': search.slice(1),
        'X-Meshgate-Request-Id': 'REQUEST-ID',
        'X-Meshgate-Navigation': 'get',
        ...(cookies !== '' && { Cookie: cookies }),
        ...more.headers,
      },
      headersOut,
      requestText: more.body,
      return: (status: number, body = '') => {
        more.gone?.();
        answer = { status, body: String(body) };
      },
    } as unknown as NginxHTTPRequest);
    const set = headersOut['Set-Cookie'];
    return {
      ...answer,
      headers: headersOut,
      location: answer.status === 303 ? answer.body : undefined,
      setCookies: set === undefined ? [] : Array.isArray(set) ? set : [set],
    };
  }

  async session(host: string, text: string): Promise<SessionClaims | undefined> {
    const plain = await this.context.keyring.openFor('session', host, text, Date.now() / 1000);
    return plain === undefined ? undefined : readClaims(plain);
  }

  /** A browser of its own. */
  browser(): FakeBrowser {
    return new FakeBrowser(this);
  }

  /** No log may have a secret of a sign-in. */
  get logged(): string {
    return this.ngx.logged.join('\n');
  }
}

export class FakeBrowser {
  readonly #lab: Lab;
  readonly jars = new Map<string, Map<string, string>>();

  constructor(lab: Lab) {
    this.#lab = lab;
  }

  jar(host = HOST): Map<string, string> {
    let jar = this.jars.get(host);
    if (jar === undefined) {
      jar = new Map();
      this.jars.set(host, jar);
    }
    return jar;
  }

  /** Names of the cookies of attempts. */
  attempts(host = HOST): string[] {
    return [...this.jar(host).keys()].filter((name) => name.startsWith('__Host-Http-meshgate-a-'));
  }

  /** Sends one request with cookies; follows no redirect. */
  async get(url: string, more: Parameters<Lab['ask']>[2] = {}): Promise<Answer> {
    const { hostname } = new URL(url);
    const jar = this.jar(hostname);
    const line = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await this.#lab.ask(url, line, more);
    for (const text of answer.setCookies) {
      const [pair = '', ...attributes] = text.split('; ');
      const equals = pair.indexOf('=');
      if (attributes.includes('Max-Age=0')) jar.delete(pair.slice(0, equals));
      else jar.set(pair.slice(0, equals), pair.slice(equals + 1));
    }
    return answer;
  }

  /** Begins a sign-in; returns the address of the provider. */
  async begin(to = '/page?x=1', mode = 'in', host = HOST): Promise<URL> {
    const { location, status, body } = await this.get(`https://${host}/.meshgate/signin?${mode}&to=${to}`);
    if (location === undefined) throw new Error(`no redirect but ${status}: ${body}`);
    return new URL(location);
  }

  /** Follows redirects of the gateway and of providers until there is a page. */
  async visit(url: string): Promise<Answer & { readonly url: string; readonly hops: readonly string[] }> {
    const hops: string[] = [];
    for (let next = url; hops.length < 20; ) {
      hops.push(next);
      const { origin, pathname } = new URL(next);
      const provider = [...this.#lab.providers.values()].find(({ issuer }) => issuer === origin);
      if (provider !== undefined && pathname === '/authorize') {
        next = provider.authorize(new URL(next));
        continue;
      }
      const answer = await this.get(next);
      if (answer.location === undefined) return { ...answer, url: next, hops };
      next = answer.location;
    }
    throw new Error(`too many redirects: ${hops.join(' ')}`);
  }

  signIn(to = '/page?x=1', mode = 'in', host = HOST) {
    return this.visit(`https://${host}/.meshgate/signin?${mode}&to=${to}`);
  }

  session(host = HOST): Promise<SessionClaims | undefined> {
    return this.#lab.session(host, this.jar(host).get('__Host-Http-meshgate') ?? '');
  }
}

export const clientKeys = (): string => fileOf('client.jwks', JSON.stringify({ keys: [privateJwk('p256')] }));

/** An agent that is recognised by the claim `team`, for the option `agents`. */
export const ROBOTS: NonNullable<Table['agents']>[number] = {
  name: 'robots',
  match: { kind: 'claim', fact: { op: 'is', claim: 'team', value: 'robots', at: { file: '', line: 1, column: 1 } } },
  actsFor: ['staff'],
  hops: 1,
  bound: 'dpop',
};
