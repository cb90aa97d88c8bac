import { httpsOrigin } from '../../session/urls.ts';

/** The prefix before a resource's path at which clients get the metadata of the resource (RFC 9728 section 3). */
export const METADATA_PATH = '/.well-known/oauth-protected-resource';

/** Returns the path of a route in a resource identifier. A prefix has no star there, and the root is empty. */
export function resourcePath(path: string): string {
  const base = path.endsWith('/*') ? path.slice(0, -2) : path;
  return base === '/' ? '' : base;
}

/** Returns the identifier of an OAuth 2.0 resource (RFC 9728 section 1.2). `path` is as in a policy: `/rest/*`. */
export const resourceOf = (host: string, path: string, port: number): string =>
  httpsOrigin(host, port) + resourcePath(path);

/** The URL of a route's metadata (RFC 9728 section 3.1). */
export const metadataUrl = (host: string, path: string, port: number): string =>
  httpsOrigin(host, port) + METADATA_PATH + resourcePath(path);

/** Whether the gateway itself answers at a path, even if a route covers it. */
export const isMetadataPath = (path: string): boolean => path === METADATA_PATH || path.startsWith(`${METADATA_PATH}/`);
