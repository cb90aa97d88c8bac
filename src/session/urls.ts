import { CALLBACK_PATH, HANDOVER_PATH, SIGNIN_PATH } from './names.ts';

/**
 * Origin of a host as browsers write it (RFC 6454 section 6.2), from the policy and never from a request. It is always
 * https: whatever ends TLS before the gateway does not change it.
 */
export const originOf = (host: string, publicPort: number): string =>
  `https://${host}${publicPort === 443 ? '' : `:${publicPort}`}`;

/** Path that a provider's answers come to: of the only provider of a host, or of one of several. */
export const callbackPath = (one?: string): string => (one === undefined ? CALLBACK_PATH : `${CALLBACK_PATH}/${one}`);

/** The name in the path that an answer came to; `undefined` where a single provider's answers come to. */
export function callbackName(path: string): string | undefined {
  return path.startsWith(`${CALLBACK_PATH}/`) ? path.slice(CALLBACK_PATH.length + 1) : undefined;
}

/**
 * The address that a provider sends browsers back to. Where a host has several providers each has its own, so that an
 * answer says who gave it, whether or not it has `iss` (RFC 9700 section 4.4.2.2).
 *
 * @param one the provider's name, if it is one of several
 */
export function redirectUri(host: string, publicPort: number, one?: string): string {
  return originOf(host, publicPort) + callbackPath(one);
}

/** Where the sign-in's host takes requests of other hosts. */
export function requestUrl(host: string, publicPort: number, request: string): string {
  return `${originOf(host, publicPort)}${SIGNIN_PATH}?for=${request}`;
}

/** Where a host takes what was signed in for it. */
export function handoverUrl(host: string, publicPort: number, ticket: string): string {
  return `${originOf(host, publicPort)}${HANDOVER_PATH}?ticket=${ticket}`;
}
