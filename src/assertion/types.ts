import type { ImportedKey } from '../token/import.ts';

/** What an assertion says beside who asks: for which service, and over which mesh identity it travels. */
export interface Grant {
  readonly service: string;
  /** Empty when the service is reached directly. */
  readonly as: string;
  /** The address and the name go along, where the service may act for the caller and is told them anyway. */
  readonly email?: boolean;
  readonly name?: boolean;
  /** The host, where it verifies certificates of clients, and the roles that rest on one; absent: no service acts. */
  readonly certificate?: { readonly host: string; readonly roles: readonly string[] };
}

/** The gateway's signing keys as one text of the file had them. */
export interface SigningKeys {
  /** Of the key that signs, the first of the file. */
  readonly kid: string;
  readonly key: ImportedKey;
  /** JWKS of the public halves of all keys. */
  readonly published: string;
}
