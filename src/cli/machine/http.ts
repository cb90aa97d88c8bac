import { CALL_DEADLINE_MS } from '../../base/limits.ts';

/** HTTP requests of the command. Only Node can send them; njs cannot. */

/** A request to one address. Host, path and headers are sent exactly as given. */
export interface Outgoing {
  readonly address: string;
  readonly port: number;
  readonly tls: boolean;
  /** The server name for TLS. */
  readonly name: string;
  /** The value of the Host header. */
  readonly authority: string;
  readonly method: string;
  /** The request target, sent exactly as given. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Maximum number of characters of the body to read; default: {@link MAX_BODY}. */
  readonly maxBody?: number;
  /** A CA bundle as PEM; absent: the CAs of the system. */
  readonly ca?: string;
  /** The client certificate and its key, as PEM. */
  readonly client?: { readonly cert: string; readonly key: string };
}

/** The response, or the error code of the system. */
export type Incoming =
  | { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string }
  | { readonly error: string };

export type Ask = (request: Outgoing) => Promise<Incoming>;

/** The parts of Node's modules that this module uses. */
interface NodeHttp {
  request(options: object, answered: (message: NodeMessage) => void): NodeRequest;
}

interface NodeMessage {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  on(event: 'data' | 'end' | 'error', listener: (chunk: Uint8Array) => void): void;
}

interface NodeRequest {
  on(event: 'error', listener: (error: unknown) => void): void;
  end(body?: string): void;
  destroy(): void;
}

interface NodeTimers {
  setTimeout(fire: () => void, milliseconds: number): unknown;
  clearTimeout(timer: unknown): void;
}

/** Default limit of a body in characters. Every refusal of the gateway is shorter. */
const MAX_BODY = 16 * 1024;

const UNKNOWN_CA = 'no known CA signed its certificate: name the CA with --ca-file';

/** What the codes of the system and of OpenSSL mean to the user of a command. */
const MEANINGS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'it closed the connection',
  ENOTFOUND: 'DNS does not know this name',
  EAI_AGAIN: 'DNS gives no answer',
  EHOSTUNREACH: 'no way leads to this address',
  ETIMEDOUT: 'the connection was not accepted in time',
  EPROTO: 'the TLS handshake failed: it may have no certificate for this name, or speak plain HTTP',
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_CA,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_CA,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_CA,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_CA,
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
};

function errorText(error: unknown): string {
  const { code, message } = (error ?? {}) as { code?: string; message?: string };
  const meaning = MEANINGS[code ?? ''];
  return meaning === undefined ? (code ?? message ?? 'it failed') : `${meaning} (${code})`;
}

function optionsOf(request: Outgoing): object {
  const { address, port, tls, name, authority, method, target, headers, body, ca, client } = request;
  const length = body === undefined ? {} : { 'Content-Length': String(new TextEncoder().encode(body).length) };
  return {
    host: address,
    port,
    method,
    path: target,
    headers: { Host: authority, ...length, ...headers },
    agent: false,
    ...(tls && { servername: name, ...(ca !== undefined && { ca }), ...client }),
  };
}

function single(headers: NodeMessage['headers']): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value ?? ''].flat().join(', ')]));
}

/** Reads a body, and cuts it at a maximum number of characters. */
function readBody(message: NodeMessage, max: number, done: (body: string) => void): void {
  const decoder = new TextDecoder();
  let body = '';
  message.on('data', (chunk) => {
    body += decoder.decode(chunk as unknown as ArrayBuffer, { stream: true });
    if (body.length >= max) done(body.slice(0, max));
  });
  message.on('end', () => done(body));
}

/** Returns a function that sends each request over its own connection, with Node's HTTP client; undefined if the engine
 * has no such client. A body that is longer than its limit is cut. At the deadline the result is an error.
 * @param deadline milliseconds for one request, from the DNS lookup to the end of the response */
export function systemAsk(deadline = CALL_DEADLINE_MS): Ask | undefined {
  const { getBuiltinModule } = process as { getBuiltinModule?(name: string): unknown };
  if (getBuiltinModule === undefined) return undefined;
  const { setTimeout, clearTimeout } = getBuiltinModule('node:timers') as NodeTimers;
  return (outgoing) =>
    new Promise((resolve) => {
      let request: NodeRequest | undefined;
      const end = (incoming: Incoming) => {
        clearTimeout(timer);
        resolve(incoming);
        request?.destroy();
      };
      const failed = (error: unknown) => end({ error: errorText(error) });
      const timer = setTimeout(() => failed({ code: `no complete response in ${deadline / 1000} seconds` }), deadline);
      try {
        const http = getBuiltinModule(outgoing.tls ? 'node:https' : 'node:http') as NodeHttp;
        request = http.request(optionsOf(outgoing), (message) => {
          const { statusCode: status, headers } = message;
          message.on('error', failed);
          readBody(message, outgoing.maxBody ?? MAX_BODY, (body) => end({ status, headers: single(headers), body }));
        });
        request.on('error', failed);
        request.end(outgoing.body);
      } catch (error) {
        failed(error);
      }
    });
}
