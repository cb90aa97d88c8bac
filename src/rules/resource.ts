import { originOf } from '../session/urls.ts';

/** The path at which clients get the metadata of a resource. The path of the resource follows it (RFC 9728 section
 * 3). */
export const METADATA_PATH = '/.well-known/oauth-protected-resource';

/** The path of a route in a resource identifier. A prefix is written without its star, and the root is empty. */
export function resourcePath(path: string): string {
  const base = path.endsWith('/*') ? path.slice(0, -2) : path;
  return base === '/' ? '' : base;
}

/**
 * The identifier of a route as an OAuth 2.0 resource (RFC 9728 section 1.2, RFC 8707 section 2).
 *
 * @param path as policies write it, e.g. `/mcp` or `/rest/*`
 * @param port the port of the gateway's public URLs
 */
export function resourceOf(host: string, path: string, port: number): string {
  return originOf(host, port) + resourcePath(path);
}

/** The URL of a route's metadata (RFC 9728 section 3.1): the path of the resource follows the well-known path. */
export function metadataUrl(host: string, path: string, port: number): string {
  return originOf(host, port) + METADATA_PATH + resourcePath(path);
}

/** Whether a path is below {@link METADATA_PATH}. The gateway itself answers requests there, even if a route covers the
 * path. */
export function isMetadataPath(path: string): boolean {
  return path === METADATA_PATH || path.startsWith(`${METADATA_PATH}/`);
}
