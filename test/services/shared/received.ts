/** One request exactly as a service received it. */
export interface Received {
  readonly id: number;
  /** Name of the service. */
  readonly service: string;
  readonly method: string;
  /** The raw request target. */
  readonly url: string;
  readonly httpVersion: string;
  /** Names and values in the order and spelling in which they came; bytes read as Latin-1. */
  readonly headers: [string, string][];
  /** Set when the body is complete. */
  body?: { length: number; sha256: string; text?: string };
  trailers?: [string, string][];
  readonly remote: { readonly address: string; readonly port: number };
  /** Number of the TCP connection, counted from 1. */
  readonly connection: number;
  /** Present if the service itself ended TLS. */
  readonly tls?: { readonly clientUris: string[]; readonly resumed: boolean; readonly serverName: string };
  /** The protocol after a switch. */
  readonly upgrade?: string;
  /** The client disconnected before the response was complete. */
  aborted?: boolean;
}
