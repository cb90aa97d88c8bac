import type { ImportedKey } from '../token/import.ts';

/** What an assertion says besides the caller: the service that it is for, and the mesh identity that the request is
 * sent with. */
export interface Grant {
  readonly service: string;
  /** Empty if nginx connects to the service directly. */
  readonly as: string;
  /** Whether it contains the e-mail address and the name: only if the service may act for the caller and receives them
   * in headers too. */
  readonly email?: boolean;
  readonly name?: boolean;
  /** The host that verified a client certificate, and the roles that require one; absent: no service acts for
   * callers. */
  readonly certificate?: { readonly host: string; readonly roles: readonly string[] };
}

/** The gateway's signing keys, as read from one text of the file. */
export interface SigningKeys {
  /** Of the key that signs: the first one in the file. */
  readonly kid: string;
  readonly key: ImportedKey;
  /** JWKS of the public halves of all keys. */
  readonly published: string;
}
