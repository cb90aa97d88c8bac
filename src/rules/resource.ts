import { originOf } from '../session/urls.ts';

/** Where clients ask what a resource wants of them, before its path (RFC 9728 section 3). */
export const METADATA_PATH = '/.well-known/oauth-protected-resource';

/** The path of a route as a resource's identifier has it: of a prefix without its star, and none for the root. */
export function resourcePath(path: string): string {
  const base = path.endsWith('/*') ? path.slice(0, -2) : path;
  return base === '/' ? '' : base;
}

/**
 * The identifier of a route as an OAuth 2.0 resource (RFC 9728 section 1.2, RFC 8707 section 2).
 *
 * @param path as policies write it, e.g. `/mcp` or `/rest/*`
 * @param port of the gateway's own URLs
 */
export function resourceOf(host: string, path: string, port: number): string {
  return originOf(host, port) + resourcePath(path);
}

/** Where the metadata of a route is (RFC 9728 section 3.1): the resource's path stands behind the well-known one. */
export function metadataUrl(host: string, path: string, port: number): string {
  return originOf(host, port) + METADATA_PATH + resourcePath(path);
}

/** Whether a path is below {@link METADATA_PATH}: the gateway answers there itself, whatever the routes say. */
export function isMetadataPath(path: string): boolean {
  return path === METADATA_PATH || path.startsWith(`${METADATA_PATH}/`);
}
