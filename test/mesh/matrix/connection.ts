import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { hasSpiffe } from '../../harness/http.ts';
import { HUNG_MS } from '../lab/hung.ts';
import type { Client } from './identities.ts';

/** The request as the service received it, by header name. */
export type Seen = Readonly<Record<string, readonly string[]>>;

export interface Reply {
  readonly status: number;
  /** Name of the service that answered; absent: a proxy before it answered. */
  readonly answered?: string;
  /** The server's own name. */
  readonly server?: string;
  readonly seen: Seen;
  readonly body: string;
}

/** The sent request; nothing in it is normalised. */
export interface RequestSent {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The address of a side. */
export interface Place {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** The server name of the TLS connection. */
  readonly name: string;
  readonly ca: string;
  /** The SPIFFE id that the server's certificate must have, if it has no DNS name. */
  readonly serverSpiffe?: string;
  /** Host and port belong to a network that is reached through here. */
  readonly tunnel?: { readonly host: string; readonly port: number };
}

/** The reason why there is no response: the other end refused or closed the connection. */
export type NoReply = 'no connection';

/** Makes an agent connect through a tunnel. */
function through(
  agent: Agent | HttpAgent,
  tunnel: { host: string; port: number },
  to: string,
  tls?: ConnectionOptions,
) {
  const create = (_: unknown, done: (error: Error | null, socket?: Duplex) => void): undefined => {
    const request = httpRequest({ ...tunnel, method: 'CONNECT', path: to });
    request.on('connect', (_, socket) => {
      done(null, tls === undefined ? socket : connectTls({ ...tls, socket }));
    });
    request.on('error', (error) => done(error));
    request.end();
  };
  agent.createConnection = create as typeof agent.createConnection;
}

/** Kept connections to one place, separate for each client's certificate. */
export class Connection {
  readonly #place: Place;
  readonly #agents = new Map<Client, Agent | HttpAgent>();

  constructor(place: Place) {
    this.#place = place;
  }

  #agent(client: Client): Agent | HttpAgent {
    const known = this.#agents.get(client);
    if (known !== undefined) return known;
    const { ca, name, tunnel, host, port, serverSpiffe } = this.#place;
    // As in the gateway's nginx, TLS sessions are not resumed: Envoy treats the certificate of a resumed one as not
    // verified. No request waits for the connection of another one, because an agent whose connections fail would
    // forget it.
    const keep = { keepAlive: true, maxCachedSessions: 0 };
    const tls = {
      servername: name,
      ca,
      ...(serverSpiffe !== undefined && { checkServerIdentity: hasSpiffe(serverSpiffe) }),
      ...(client !== 'plain' && client.pem !== undefined && { cert: client.pem, key: client.pem }),
    };
    const secure = client !== 'plain' && this.#place.tls;
    const made = secure ? new Agent({ ...keep, ...tls }) : new HttpAgent(keep);
    if (tunnel !== undefined) through(made, tunnel, `${host}:${port}`, secure ? tls : undefined);
    this.#agents.set(client, made);
    return made;
  }

  /** Sends one request; returns `no connection` if there is none, or if it ends before a response. */
  async ask(client: Client, query: RequestSent): Promise<Reply | NoReply> {
    const first = await this.#once(client, query);
    // The other end may just have closed a kept connection.
    const answer = first === 'closed' ? await this.#once(client, query) : first;
    return answer === 'closed' ? 'no connection' : answer;
  }

  #once(client: Client, { method, path, headers }: RequestSent): Promise<Reply | NoReply | 'closed'> {
    const { host, port } = this.#place;
    const options = { host, port, method, path, headers, agent: this.#agent(client) };
    return new Promise((resolve, reject) => {
      const request = client === 'plain' || !this.#place.tls ? httpRequest(options) : httpsRequest(options);
      request.on('response', (response) => read(response).then(resolve, reject));
      // A closed port is a result too: a changed Gateway may open another port.
      request.on('error', () => resolve(request.reusedSocket ? 'closed' : 'no connection'));
      request.setTimeout(HUNG_MS, () => {
        const { socket } = request;
        const state =
          socket === null ? 'without a connection' : `${socket.bytesWritten} bytes out, ${socket.bytesRead} in`;
        reject(new Error(`${host}:${port}: no answer to ${method} ${path} in ${HUNG_MS} ms: ${state}`));
        request.destroy();
      });
      request.end();
    });
  }

  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }
}

async function read(response: IncomingMessage): Promise<Reply> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const { 'x-answered': answered, 'x-seen': seen, server } = response.headers;
  return {
    status: response.statusCode ?? 0,
    ...(typeof answered === 'string' && { answered }),
    ...(typeof server === 'string' && { server }),
    seen: typeof seen === 'string' ? JSON.parse(Buffer.from(seen, 'base64').toString()) : {},
    body: Buffer.concat(chunks).toString(),
  };
}
