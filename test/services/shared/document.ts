/** What is answered at one path of the issuer service; what is left out is plain and at once. */
export interface Document {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Instead of `body`: any bytes. */
  readonly bodyBase64?: string;
  /** Milliseconds between chunks of 64 bytes: an answer that drips. */
  readonly dripMs?: number;
  /** Held until the admin port releases this key. */
  readonly hold?: string;
  /** The connection is cut after so many bytes of the body. */
  readonly cutAt?: number;
  /** The body is filled with spaces up to this size. */
  readonly padTo?: number;
}

/** What the issuer service was asked at a path. */
export interface Asked {
  readonly method: string;
  readonly authorization: string;
  readonly body: string;
}
