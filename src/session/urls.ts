import { CALLBACK_PATH, HANDOVER_PATH, SIGNIN_PATH } from './names.ts';

/** Returns the origin of a host as browsers write it (RFC 6454 section 6.2), computed from the policy and never from a
 * request. It is always https, even if a proxy in front of the gateway terminates TLS. */
export const httpsOrigin = (host: string, publicPort: number): string =>
  `https://${host}${publicPort === 443 ? '' : `:${publicPort}`}`;

/** Returns the path of the redirect URI. It contains the provider's name only if the host has several providers. */
export const callbackPath = (one?: string): string => (one === undefined ? CALLBACK_PATH : `${CALLBACK_PATH}/${one}`);

/** Returns the provider's name in a callback path; `undefined` if the path contains no name. */
export function callbackName(path: string): string | undefined {
  return path.startsWith(`${CALLBACK_PATH}/`) ? path.slice(CALLBACK_PATH.length + 1) : undefined;
}

/** Returns the redirect URI. If a host has several providers, each has its own URI, so that a response shows which
 * provider sent it, even without `iss` (RFC 9700 section 4.4.2.2).
 * @param one the provider's name, if the host has several providers */
export const redirectUri = (host: string, publicPort: number, one?: string): string =>
  httpsOrigin(host, publicPort) + callbackPath(one);

/** Returns the URL at which the sign-in host accepts requests of other hosts. */
export const requestUrl = (host: string, publicPort: number, request: string): string =>
  `${httpsOrigin(host, publicPort)}${SIGNIN_PATH}?for=${request}`;

/** Returns the URL at which a host accepts the ticket of a completed sign-in. */
export const handoverUrl = (host: string, publicPort: number, ticket: string): string =>
  `${httpsOrigin(host, publicPort)}${HANDOVER_PATH}?ticket=${ticket}`;
