/** An HTTP server of the command. Only Node can listen; njs cannot. */

/** A request that was read to its end. */
export interface Received {
  readonly method: string;
  /** The path, without a query. */
  readonly path: string;
  readonly body: Uint8Array;
}

export interface Served {
  readonly status: number;
  readonly type?: string;
  readonly body: string;
}

export interface Listening {
  /** The address, as in 127.0.0.1:8080. */
  readonly at: string;
  close(): Promise<void>;
}

/** Listens until {@link Listening.close}. A body that is too long is refused with 413, and a request that comes too slowly
 * is ended.
 * @throws Error with the system's code */
export type Serve = (
  at: { readonly address: string; readonly port: number; readonly maxBody: number },
  answer: (request: Received) => Promise<Served>,
) => Promise<Listening>;

/** Time for one request, from its first byte to its last, in milliseconds. */
const REQUEST_MS = 10_000;

/** Connections at once. */
const MAX_CONNECTIONS = 256;

interface NodeServer {
  maxConnections: number;
  listen(port: number, address: string): void;
  address(): { readonly address: string; readonly port: number; readonly family: string };
  once(event: 'listening' | 'error', listener: (error: unknown) => void): void;
  close(done: () => void): void;
  closeAllConnections(): void;
}

interface NodeRequest extends AsyncIterable<Uint8Array> {
  readonly method: string;
  readonly url: string;
}

interface NodeResponse {
  writeHead(status: number, headers: Readonly<Record<string, string>>): void;
  end(body: string): void;
}

interface NodeHttp {
  createServer(options: object, listener: (request: NodeRequest, response: NodeResponse) => void): NodeServer;
}

async function read(request: NodeRequest, maxBody: number): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of request) {
    length += part.length;
    if (length > maxBody) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** Returns the function that listens; undefined if the engine has no such server. */
export function systemServe(): Serve | undefined {
  const { getBuiltinModule } = process as { getBuiltinModule?(name: string): unknown };
  if (getBuiltinModule === undefined) return undefined;
  const { createServer } = getBuiltinModule('node:http') as NodeHttp;
  return async ({ address, port, maxBody }, answer) => {
    const respond = async (request: NodeRequest): Promise<Served> => {
      const body = await read(request, maxBody);
      if (body === undefined) return { status: 413, body: `a request has at most ${maxBody} bytes\n` };
      return answer({ method: request.method, path: request.url.replace(/\?.*$/s, ''), body });
    };
    const server = createServer(
      { requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS, connectionsCheckingInterval: 1000 },
      (request, response) => {
        respond(request).then(
          ({ status, type = 'text/plain', body }) => {
            // The rest of a body that was not read cannot be a next request.
            response.writeHead(status, { 'Content-Type': type, ...(status === 413 && { Connection: 'close' }) });
            response.end(body);
          },
          // The client has closed the connection, or was too slow.
          () => {},
        );
      },
    );
    server.maxConnections = MAX_CONNECTIONS;
    await new Promise((resolve, reject) => {
      server.once('listening', resolve);
      server.once('error', reject);
      server.listen(port, address);
    });
    const bound = server.address();
    return {
      at: `${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`,
      close: () =>
        new Promise((resolve) => {
          server.close(resolve);
          server.closeAllConnections();
        }),
    };
  };
}
