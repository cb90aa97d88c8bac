import { readFileSync } from 'node:fs';
import {
  createServer as createHttpServer,
  type Server as HttpServer,
  type RequestListener,
  type ServerOptions,
} from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';

/**
 * Large enough for everything that the gateway allows; larger requests must be refused before. Idle connections are not
 * closed: Envoy keeps its own for an hour, and a request on a connection that is being closed is lost.
 */
export const options: ServerOptions = {
  maxHeaderSize: 256 * 1024,
  requestTimeout: 0,
  headersTimeout: 0,
  keepAliveTimeout: 0,
};

/** Reads a setting from the environment. */
export function setting(name: string, otherwise: string): string {
  return process.env[name] ?? otherwise;
}

/** A plain HTTP server. */
export function plain(handler: RequestListener): HttpServer {
  return createHttpServer(options, handler);
}

/**
 * A TLS server with the certificate of the environment: TLS_PEM_FILE has certificate and key. With CLIENT_CA_FILE it
 * requires a valid client certificate, or with CLIENT_CERT=optional accepts any or none: the handler reads the socket.
 */
export function secure(handler: RequestListener): HttpsServer {
  const pem = readFileSync(setting('TLS_PEM_FILE', '/etc/service/tls.pem'));
  const clientCa = process.env.CLIENT_CA_FILE;
  const mutual =
    clientCa === undefined
      ? {}
      : {
          ca: readFileSync(clientCa),
          requestCert: true,
          rejectUnauthorized: setting('CLIENT_CERT', 'required') === 'required',
        };
  return createHttpsServer({ ...options, cert: pem, key: pem, ...mutual }, handler);
}

/** Listens on all addresses; one line on standard output says so, which is what the harness waits for. */
export function listen(server: HttpServer | HttpsServer, port: number, what: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, setting('ADDRESS', '0.0.0.0'), () => {
      const address = server.address();
      const bound = typeof address === 'object' && address !== null ? address.port : port;
      console.log(`${what} listens on ${bound}`);
      resolve(bound);
    });
  });
}

/** Ends at once when the container is stopped: process 1 has no default action for signals. */
export function stopOnSignals(): void {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) process.on(signal, () => process.exit(0));
}
