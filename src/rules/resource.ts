import { originOf } from '../session/urls.ts';

/** Path at which clients get the metadata of a resource, followed by the resource's path (RFC 9728 section 3). */
export const METADATA_PATH = '/.well-known/oauth-protected-resource';

/** The path of a route in a resource identifier: of a prefix without its star, and empty for the root. */
export function resourcePath(path: string): string {
  const base = path.endsWith('/*') ? path.slice(0, -2) : path;
  return base === '/' ? '' : base;
}

/** The identifier of a route as an OAuth 2.0 resource (RFC 9728 section 1.2, RFC 8707 section 2).
 *
 * @param path as policies write it, e.g. `/mcp` or `/rest/*`
 * @param port of the gateway's public URLs
 */
export function resourceOf(host: string, path: string, port: number): string {
  return originOf(host, port) + resourcePath(path);
}

/** URL of a route's metadata (RFC 9728 section 3.1): the resource's path follows the well-known one. */
export function metadataUrl(host: string, path: string, port: number): string {
  return originOf(host, port) + METADATA_PATH + resourcePath(path);
}

/** Whether a path is below {@link METADATA_PATH}. The gateway itself answers there, whatever the routes are. */
export function isMetadataPath(path: string): boolean {
  return path === METADATA_PATH || path.startsWith(`${METADATA_PATH}/`);
}
