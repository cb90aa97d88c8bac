import { CALLBACK_PATH, HANDOVER_PATH, SIGNIN_PATH } from './names.ts';

/** Origin of a host as browsers write it (RFC 6454 section 6.2), made from the policy and never from a request. It is
 * always https, also if a proxy ends TLS before the gateway. */
export const originOf = (host: string, publicPort: number): string =>
  `https://${host}${publicPort === 443 ? '' : `:${publicPort}`}`;

/** Path of the redirect URI: of a host's only provider, or of one of several. */
export const callbackPath = (one?: string): string => (one === undefined ? CALLBACK_PATH : `${CALLBACK_PATH}/${one}`);

/** The provider's name in a callback path; `undefined` for the callback of a single provider. */
export function callbackName(path: string): string | undefined {
  return path.startsWith(`${CALLBACK_PATH}/`) ? path.slice(CALLBACK_PATH.length + 1) : undefined;
}

/** The redirect URI. If a host has several providers, each has its own URI, so that an answer shows which provider gave
 * it, with or without `iss` (RFC 9700 section 4.4.2.2).
 *
 * @param one the provider's name, if it is one of several
 */
export function redirectUri(host: string, publicPort: number, one?: string): string {
  return originOf(host, publicPort) + callbackPath(one);
}

/** The URL at which the sign-in host accepts requests of other hosts. */
export function requestUrl(host: string, publicPort: number, request: string): string {
  return `${originOf(host, publicPort)}${SIGNIN_PATH}?for=${request}`;
}

/** The URL at which a host accepts the ticket of a sign-in that was completed for it. */
export function handoverUrl(host: string, publicPort: number, ticket: string): string {
  return `${originOf(host, publicPort)}${HANDOVER_PATH}?ticket=${ticket}`;
}
