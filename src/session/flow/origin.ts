import { CALLBACK_PATH, HANDOVER_PATH, SIGNIN_PATH } from '../names.ts';

/** Origin of a host as browsers see it, from the policy and never from a request: always https. */
export function originOf(host: string, publicPort: number): string {
  return publicPort === 443 ? `https://${host}` : `https://${host}:${publicPort}`;
}

/** The one address that a provider has to know of us. */
export function redirectUri(host: string, publicPort: number): string {
  return originOf(host, publicPort) + CALLBACK_PATH;
}

/** Where the sign-in's host takes requests of other hosts. */
export function requestUrl(host: string, publicPort: number, request: string): string {
  return `${originOf(host, publicPort)}${SIGNIN_PATH}?for=${request}`;
}

/** Where a host takes what was signed in for it. */
export function handoverUrl(host: string, publicPort: number, ticket: string): string {
  return `${originOf(host, publicPort)}${HANDOVER_PATH}?ticket=${ticket}`;
}
