import { randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import { Cookie, CookieJar } from 'tough-cookie';
import { headersOf, type Query, sameSiteContext } from './agent-headers.ts';
import { type Hop, Visited } from './agent-page.ts';
import { Answer, send, type Target, tlsOptions } from './http.ts';
import type { Stage } from './stage.ts';

export { type Hop, Visited };

/** A request of a page's script, or a navigation, beside its URL. */
export interface Wish {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | URLSearchParams;
  /** The URL of the page that sends it; without one a person typed the address. */
  readonly from?: string;
}

export interface Navigation extends Wish {
  /** Default: yes; a script's `location = …` is not one. */
  readonly byPerson?: boolean;
  /** `prefetch` or `prefetch;prerender`: ahead of time. */
  readonly purpose?: string;
  /** The highest number of redirects to follow, default 20; one more is an error. `false`: returns the first
   * response. */
  readonly follow?: number | false;
  /** A redirect to a URL like this is not followed; the navigation ends there. */
  readonly until?: RegExp;
}

/** An open connection, or the response that refused it. */
export interface Upgraded {
  readonly answer: Answer;
  readonly socket?: Duplex;
}

/**
 * A browser without a window or scripts: it keeps cookies, follows redirects, and sends what Chromium sends. It reaches
 * the stage's containers by their names in the network and their ports inside, and trusts the stage's CA.
 */
export class UserAgent {
  readonly #stage: Stage;
  #jar = new CookieJar(undefined, { prefixSecurity: 'strict', rejectPublicSuffixes: false });
  /** Cookies that a browser would reject, with the reason. */
  readonly refused: string[] = [];
  /** PEM of a client certificate and its key, sent to each server that requests one. */
  clientPem?: string;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** Another browser with the same cookies. */
  twin(): UserAgent {
    const twin = new UserAgent(this.#stage);
    twin.#jar = CookieJar.deserializeSync(this.#jar.serializeSync()!);
    return twin;
  }

  /** Cookies that a URL receives from its own site. */
  cookies(url: string): Cookie[] {
    return this.#jar.getCookiesSync(url);
  }

  /** All its cookies. */
  allCookies(): Cookie[] {
    const all = this.#jar.serializeSync()!.cookies.map((stored) => Cookie.fromJSON(stored)!);
    return all.filter((cookie) => cookie.TTL() > 0);
  }

  /** Sets a cookie as if this URL had: `name=value; Path=/; Secure`. */
  setCookie(text: string, url: string): void {
    this.#take(text, url, 'strict');
  }

  forgetCookies(): void {
    this.#jar.removeAllCookiesSync();
  }

  /** Goes to a page; redirects are followed with GET, or with the same method for 307 and 308. */
  async visit(url: string, wish: Navigation = {}): Promise<Visited> {
    const hops: Hop[] = [];
    const most = wish.follow === false ? 0 : (wish.follow ?? 20);
    let method = wish.method ?? (wish.body === undefined ? 'GET' : 'POST');
    const { body: first, ...rest } = wish;
    let body = first;
    for (let next = url; ; ) {
      const urls = [...hops.map((hop) => hop.url), next];
      const query: Query = { kind: 'navigation', ...wish, method, urls, form: wish.body instanceof URLSearchParams };
      const answer = await this.#ask(query, body === undefined ? rest : wish);
      hops.push({ method, url: next, answer });
      const visited = new Visited(hops);
      const to = [301, 302, 303, 307, 308].includes(answer.status) ? visited.location : undefined;
      if (to === undefined || wish.follow === false || wish.until?.test(to)) return visited;
      if (hops.length > most) {
        throw new Error(
          `more than ${most} redirects: ${hops.map((hop) => `${hop.answer.status} ${hop.url}`).join(' → ')}`,
        );
      }
      if (![307, 308].includes(answer.status)) {
        if (method !== 'HEAD') method = 'GET';
        body = undefined;
      }
      next = to;
    }
  }

  /** Sends a page's form; typed values replace its fields. */
  submit(page: Visited, typed: Readonly<Record<string, string>> = {}, wish: Navigation & { form?: string } = {}) {
    const { method, url, fields } = page.form(typed, wish.form);
    const to = method === 'POST' ? url : `${url.split('?')[0]}?${fields}`;
    return this.visit(to, { from: page.url, ...wish, ...(method === 'POST' ? { body: fields } : {}) });
  }

  /** Follows a link of a page. */
  click(page: Visited, selector: string, wish: Navigation = {}): Promise<Visited> {
    return this.visit(page.link(selector), { from: page.url, ...wish });
  }

  /** Sends the request of a page's `fetch` or XMLHttpRequest. Redirects are not followed. */
  fetch(url: string, wish: Wish & { readonly from: string }): Promise<Answer> {
    return this.#ask({ kind: 'fetch', ...wish, method: wish.method ?? 'GET', urls: [url] }, wish);
  }

  /** Returns the whole stream of an EventSource, so the stream must end. */
  events(url: string, wish: Wish & { readonly from: string }): Promise<Answer> {
    return this.#ask({ kind: 'events', ...wish, method: 'GET', urls: [url] }, wish);
  }

  /** Opens a WebSocket (`wss://…`); the caller closes the socket. */
  webSocket(url: string, wish: Wish & { readonly from: string }): Promise<Upgraded> {
    const query: Query = { kind: 'websocket', ...wish, method: 'GET', urls: [url] };
    const target = this.#target(url);
    const handshake: [string, string][] = [
      ['Connection', 'Upgrade'],
      ['Upgrade', 'websocket'],
      ['Sec-WebSocket-Version', '13'],
      ['Sec-WebSocket-Key', randomBytes(16).toString('base64')],
    ];
    const { pathname, search } = new URL(url);
    const headers = [...this.#headers(query, wish), ...handshake].flat() as unknown as Record<string, string>;
    const options = { host: target.host, port: target.port, path: pathname + search, headers, agent: false as const };
    return new Promise((resolve, reject) => {
      const request = target.tls ? httpsRequest({ ...options, ...tlsOptions(target) }) : httpRequest(options);
      const pairsOf = (raw: readonly string[]) =>
        raw.flatMap((name, at) => (at % 2 === 0 ? [[name, raw[at + 1]!] as const] : []));
      request.on('upgrade', (response, socket) =>
        resolve({ answer: new Answer(101, pairsOf(response.rawHeaders), Buffer.alloc(0)), socket }),
      );
      request.on('response', async (response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of response) chunks.push(chunk as Buffer);
        resolve({ answer: new Answer(response.statusCode ?? 0, pairsOf(response.rawHeaders), Buffer.concat(chunks)) });
      });
      request.on('error', reject);
      request.end();
    });
  }

  async #ask(query: Query, wish: Wish): Promise<Answer> {
    const url = query.urls.at(-1)!;
    const { pathname, search } = new URL(url);
    const headers = this.#headers(query, wish);
    const body = wish.body === undefined ? {} : { body: String(wish.body) };
    const answer = await send(this.#target(url), { method: query.method, path: pathname + search, headers, ...body });
    for (const cookie of answer.all('Set-Cookie')) this.#take(cookie, url, sameSiteContext(query));
    return answer;
  }

  #headers(query: Query, wish: Wish): [string, string][] {
    const url = query.urls.at(-1)!.replace(/^ws/, 'http');
    const own = Object.entries(wish.headers ?? {});
    const named = new Set(own.map(([name]) => name.toLowerCase()));
    const form = wish.body instanceof URLSearchParams && query.method !== 'GET';
    if (form && !named.has('content-type')) own.push(['Content-Type', 'application/x-www-form-urlencoded']);
    const cookies = this.#jar.getCookieStringSync(url, { sameSiteContext: sameSiteContext(query) });
    return [
      ['Host', new URL(url).host],
      ...headersOf(query).filter(([name]) => !named.has(name.toLowerCase())),
      ...(cookies === '' ? [] : ([['Cookie', cookies]] as [string, string][])),
      ...own,
    ];
  }

  #take(text: string, url: string, context: 'strict' | 'lax' | 'none'): void {
    const [pair = ''] = text.split(';');
    try {
      // Chromium's limit for name and value together.
      if (pair.length > 4097) throw new Error('longer than 4096');
      const cookie = this.#jar.setCookieSync(text, url, { sameSiteContext: context });
      if (cookie === undefined) throw new Error('not as its prefix wants it');
    } catch (error) {
      this.refused.push(`${pair.split('=')[0]} of ${url}: ${(error as Error).message}`);
    }
  }

  /** The container with that name, by the port of this machine that leads to it. */
  #target(url: string): Target {
    const { protocol, hostname, port } = new URL(url);
    const tls = /^(https|wss):$/.test(protocol);
    const box = this.#stage.boxes.find(({ names }) => names.includes(hostname));
    if (box === undefined) throw new Error(`no container of the stage is called ${hostname}: ${url}`);
    const inside = Number(port || (tls ? 443 : 80));
    const client = this.clientPem === undefined ? {} : { clientPem: this.clientPem };
    return { host: box.host, port: inside, tls, name: hostname, ca: this.#stage.ca.cert, ...client };
  }
}

/** A new browser without cookies. */
export function newAgent(stage: Stage): UserAgent {
  return new UserAgent(stage);
}
