/** The answer at one path of the issuer service; without any setting it is sent at once. */
export interface Document {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Instead of `body`: any bytes. */
  readonly bodyBase64?: string;
  /** Milliseconds between chunks of 64 bytes: a slow answer. */
  readonly dripMs?: number;
  /** Held until the admin port releases this key. */
  readonly hold?: string;
  /** The connection is closed after this many bytes of the body. */
  readonly cutAt?: number;
  /** The body is filled with spaces up to this size. */
  readonly padTo?: number;
}

/** The requests that the issuer service received at a path. */
export interface Requested {
  readonly method: string;
  readonly authorization: string;
  readonly body: string;
}
