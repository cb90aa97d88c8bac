import { CERTIFICATES } from './certificates.ts';
import { IDENTITY } from './identity.ts';
import { REQUESTS } from './requests.ts';
import type { Trusted } from './types.ts';

export type { Trusted } from './types.ts';

/* Request headers that applications, meshes and frameworks trust when a proxy sets them. nginx erases every copy from a
 * client. The list of erased headers and docs/headers.md come from these rows. */

/** Rows by meaning. Those of {@link IDENTITY} and {@link CERTIFICATES} say who the caller is. */
export const TRUSTED: Readonly<Record<'identity' | 'certificates' | 'requests', readonly Trusted[]>> = Object.freeze({
  identity: IDENTITY,
  certificates: CERTIFICATES,
  requests: REQUESTS,
});

const namesOf = (rows: readonly Trusted[]): readonly string[] => [...new Set(rows.flatMap(({ names }) => names))];

/** Headers that say who the caller is; nginx also erases them in CGI's spelling, with `_` for `-`. */
export const IDENTITY_HEADERS: readonly string[] = namesOf([...IDENTITY, ...CERTIFICATES]);

/** Families of headers whose names an administrator chooses, such as `X-WEBAUTH-*`: only the documented names are
 * erased. */
export const OPEN_FAMILIES: readonly string[] = [
  ...new Set([...IDENTITY, ...CERTIFICATES, ...REQUESTS].flatMap(({ family }) => family ?? [])),
];

/** Headers that control a mesh or a service, or say where a request came from. */
export const REQUEST_HEADERS: readonly string[] = namesOf(REQUESTS);
