/** How Linkerd's proxy reads the target and the host of a request, before it chooses a route. */

export interface Target {
  /** As it was sent, without the port; '' if there is none. */
  readonly host: string;
  /** Raw, without query and fragment. */
  readonly path: string;
  readonly query: string;
}

/** The host of an authority: nothing after the colon counts, no user information, and no final dot. */
const hostOf = (authority: string): string => authority.replace(/^.*@/s, '').replace(/:.*$/s, '').replace(/\.$/, '');

/** The first bytes of a connection must be a request line, or the connection counts as one without HTTP. */
const isRequestLine = (target: string): boolean => /^[\x21-\x7e]+$/.test(target);

const AUTHORITY = /^[A-Za-z0-9!$&'()*+,;=_.~:@[\]-]+$/;

/** Whether a target is a host and a port, as that of CONNECT must be. */
const isAuthority = (target: string): boolean => AUTHORITY.test(target) && !target.includes('/');

/** Characters that no path and no query may have. */
const FORBIDDEN = /^[^?]*[<>`]|[<>]/;

/**
 * The target of a request. In an absolute form, its host counts, and not the Host header.
 *
 * @returns 'not HTTP' for bytes that are no request line, 'malformed' for a request that is answered with 400
 */
export function targetOf(target: string, authority: string, method: string): Target | 'not HTTP' | 'malformed' {
  if (!isRequestLine(target)) return 'not HTTP';
  const [, own, rest = target] = /^https?:\/\/([^/?#]*)(.*)$/is.exec(target) ?? [];
  const entire = rest.replace(/#.*$/s, '');
  if (own !== undefined && !AUTHORITY.test(own)) return 'malformed';
  if (FORBIDDEN.test(entire)) return 'malformed';
  const host = hostOf(own ?? authority);
  if (target === '*') return { host, path: '*', query: '' };
  if (method === 'CONNECT') return isAuthority(target) ? { host: hostOf(target), path: '/', query: '' } : 'malformed';
  const [, path = '', query = ''] = /^([^?]*)\??(.*)$/s.exec(entire) ?? [];
  if (path === '' && own !== undefined) return { host, path: '/', query };
  return path.startsWith('/') ? { host, path, query } : 'malformed';
}
