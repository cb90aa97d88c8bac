import { getPublicSuffix } from 'tough-cookie';

/** The kinds of requests in a browser. */
export type Kind = 'navigation' | 'fetch' | 'events' | 'websocket';

/** One request of a browser, as far as its headers depend on it. */
export interface Query {
  readonly kind: Kind;
  readonly method: string;
  /** URLs of this request so far: the first one, each redirect, and the current one. */
  readonly urls: readonly string[];
  /** The page that it comes from; without one, a person typed the URL or opened a bookmark. */
  readonly from?: string | undefined;
  /** A sent form, or a redirect after it. */
  readonly form?: boolean | undefined;
  /** It was caused by a person's click or key, not by a script. */
  readonly byPerson?: boolean | undefined;
  /** A navigation ahead of time: `prefetch`, or `prefetch;prerender`. */
  readonly purpose?: string | undefined;
}

const html =
  'text/html,application/xhtml+xml,application/xml;q=0.9,image/jxl,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7';

/** The site of a URL: scheme and registrable domain (a name of one label is its own). */
function siteOf(url: string): string {
  const { protocol, hostname } = new URL(url);
  return `${protocol}//${getPublicSuffix(hostname, { allowSpecialUseDomain: true, ignoreError: true }) ?? hostname}`;
}

/** The relation of two URLs, as Sec-Fetch-Site names it. */
export function relation(one: string, other: string): 'same-origin' | 'same-site' | 'cross-site' {
  const [a, b] = [new URL(one.replace(/^ws/, 'http')), new URL(other.replace(/^ws/, 'http'))];
  if (a.origin === b.origin) return 'same-origin';
  return siteOf(a.href) === siteOf(b.href) ? 'same-site' : 'cross-site';
}

/** Over all redirects: the most distant relation of this request to its page; `none` if a person typed it. */
export function fetchSite({ from, urls }: Query): 'none' | 'same-origin' | 'same-site' | 'cross-site' {
  if (from === undefined) return 'none';
  const relations = urls.map((url) => relation(from, url));
  return (['cross-site', 'same-site'] as const).find((far) => relations.includes(far)) ?? 'same-origin';
}

/** The SameSite values of the cookies that are sent. */
export function sameSiteContext(query: Query): 'strict' | 'lax' | 'none' {
  if (fetchSite(query) !== 'cross-site') return 'strict';
  return query.kind === 'navigation' && ['GET', 'HEAD'].includes(query.method) ? 'lax' : 'none';
}

/** Origin, as Chromium sends it: for all methods except GET and HEAD, and for scripts' requests to another origin. */
function originOf(query: Query): string | undefined {
  const { from, kind, method, urls } = query;
  if (from === undefined) return ['GET', 'HEAD'].includes(method) ? undefined : 'null';
  const { origin } = new URL(from);
  if (kind === 'websocket' || !['GET', 'HEAD'].includes(method)) return origin;
  return kind !== 'navigation' && urls.some((url) => relation(from, url) !== 'same-origin') ? origin : undefined;
}

/** Referer by the default policy, strict-origin-when-cross-origin: once it is shortened it stays so. */
function refererOf(query: Query): string | undefined {
  const { from } = query;
  if (from === undefined) return undefined;
  return fetchSite(query) === 'same-origin' ? from.split('#')[0] : `${new URL(from).origin}/`;
}

/** Streams of scripts bypass every cache; a sent form asks caches to revalidate, and so do its redirects. */
function cacheControlOf({ kind, form }: Query): string | undefined {
  if (kind === 'events' || kind === 'websocket') return 'no-cache';
  return form === true ? 'max-age=0' : undefined;
}

const secure = (url: string) => /^(https|wss):/.test(url);

/** The headers that Chromium adds to a request beside `Host`, `Cookie` and the page's own, in no special order. */
export function headersOf(query: Query): [string, string][] {
  const { kind, byPerson, purpose, urls } = query;
  const navigation = kind === 'navigation';
  const accept = { navigation: html, fetch: '*/*', events: 'text/event-stream', websocket: undefined }[kind];
  const fetched = secure(urls.at(-1)!) && kind !== 'websocket';
  const all: Record<string, string | undefined> = {
    'User-Agent':
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36',
    'Accept-Language': 'en-GB',
    Accept: accept,
    'Upgrade-Insecure-Requests': navigation ? '1' : undefined,
    'Cache-Control': cacheControlOf(query),
    Pragma: kind === 'events' || kind === 'websocket' ? 'no-cache' : undefined,
    Origin: originOf(query),
    Referer: kind === 'websocket' ? undefined : refererOf(query),
    'Sec-Purpose': purpose,
    'Sec-Fetch-Site': fetched ? fetchSite(query) : undefined,
    'Sec-Fetch-Mode': fetched ? (navigation ? 'navigate' : 'cors') : undefined,
    'Sec-Fetch-User': fetched && navigation && (byPerson ?? true) && purpose === undefined ? '?1' : undefined,
    'Sec-Fetch-Dest': fetched ? (navigation ? 'document' : 'empty') : undefined,
  };
  return Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
}
