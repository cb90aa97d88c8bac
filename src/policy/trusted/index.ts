import { CERTIFICATES } from './certificates.ts';
import { IDENTITY } from './identity.ts';
import { REQUESTS } from './requests.ts';
import type { Trusted } from './types.ts';

export type { Trusted } from './types.ts';

/*
 * Request headers that applications, meshes and frameworks trust when a proxy sets them. No client's copy passes the
 * gateway. What it erases and docs/headers.md come from these rows.
 */

/** Rows by what the headers say. Those of {@link IDENTITY} and {@link CERTIFICATES} say who the caller is. */
export const TRUSTED: Readonly<Record<'identity' | 'certificates' | 'requests', readonly Trusted[]>> = Object.freeze({
  identity: IDENTITY,
  certificates: CERTIFICATES,
  requests: REQUESTS,
});

const namesOf = (rows: readonly Trusted[]): readonly string[] => [...new Set(rows.flatMap(({ names }) => names))];

/** Headers that say who the caller is: also erased as CGI spells them, with `_` for `-`. */
export const IDENTITY_HEADERS: readonly string[] = namesOf([...IDENTITY, ...CERTIFICATES]);

/** Families whose members an administrator chooses, as `X-WEBAUTH-*`: only the documented members are erased. */
export const OPEN_FAMILIES: readonly string[] = [
  ...new Set([...IDENTITY, ...CERTIFICATES, ...REQUESTS].flatMap(({ family }) => family ?? [])),
];

/** Headers that steer a mesh or a service, or say where a request came from. */
export const REQUEST_HEADERS: readonly string[] = namesOf(REQUESTS);
