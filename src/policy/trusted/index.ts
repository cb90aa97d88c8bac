import { CERTIFICATES } from './certificates.ts';
import { IDENTITY } from './identity.ts';
import { REQUESTS } from './requests.ts';
import type { Trusted } from './types.ts';

export type { Trusted } from './types.ts';

/* Request headers that applications, meshes and frameworks trust because a proxy sets them. nginx erases every such
 * header that a client sends. The list of erased headers and docs/headers.md are made from these rows. */

/** The headers by meaning. The rows of {@link IDENTITY} and {@link CERTIFICATES} say who the caller is. */
export const TRUSTED: Readonly<Record<'identity' | 'certificates' | 'requests', readonly Trusted[]>> = Object.freeze({
  identity: IDENTITY,
  certificates: CERTIFICATES,
  requests: REQUESTS,
});

const namesOf = (rows: readonly Trusted[]): readonly string[] => [...new Set(rows.flatMap(({ names }) => names))];

/** Headers that say who the caller is. nginx also erases them in CGI's spelling, with `_` instead of `-`. */
export const IDENTITY_HEADERS: readonly string[] = namesOf([...IDENTITY, ...CERTIFICATES]);

/** Families of headers whose names are chosen by the administrator of an application, such as `X-WEBAUTH-*`. nginx
 * erases only the names in the application's documentation. */
export const OPEN_FAMILIES: readonly string[] = [
  ...new Set([...IDENTITY, ...CERTIFICATES, ...REQUESTS].flatMap(({ family }) => family ?? [])),
];

/** Headers that control a mesh or a service, or say where a request comes from. */
export const REQUEST_HEADERS: readonly string[] = namesOf(REQUESTS);
