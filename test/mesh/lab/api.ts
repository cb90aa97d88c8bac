import { Agent, request as httpsRequest } from 'node:https';

/** An API server's answer. */
export interface ApiAnswer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: each kind of object has a shape of its own
  readonly body: any;
}

export interface ApiTarget {
  readonly host: string;
  readonly port: number;
  readonly ca: string;
  readonly token: string;
}

const JSON_TYPE = 'application/json';

/** A client of the API server that reuses its connections: an object is applied in a few milliseconds. */
export class Api {
  readonly #target: ApiTarget;
  readonly #agent: Agent;

  constructor(target: ApiTarget) {
    this.#target = target;
    this.#agent = new Agent({ keepAlive: true, maxSockets: 8, ca: target.ca });
  }

  /** Sends one request; JSON is parsed, and any other answer is text. */
  request(method: string, path: string, body?: string, type = JSON_TYPE, accept = JSON_TYPE): Promise<ApiAnswer> {
    const { host, port, token } = this.#target;
    const headers = {
      authorization: `Bearer ${token}`,
      accept,
      ...(body === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(body) }),
    };
    return new Promise((resolve, reject) => {
      const request = httpsRequest({ host, port, method, path, headers, agent: this.#agent, servername: 'localhost' });
      request.on('error', reject);
      request.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          const json = /json/.test(response.headers['content-type'] ?? '');
          resolve({ status: response.statusCode ?? 0, body: json ? JSON.parse(text) : text });
        });
      });
      request.end(body);
    });
  }

  /** The same; an answer from 400 on is an error with the server's message. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  async ask(method: string, path: string, body?: string, type?: string): Promise<any> {
    const answer = await this.request(method, path, body, type);
    if (answer.status >= 400) throw new Error(`${method} ${path}: ${wordsOf(answer)}`);
    return answer.body;
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** The server's reason for a refusal. */
export function wordsOf({ status, body }: ApiAnswer): string {
  return `${status} ${typeof body === 'string' ? body.slice(0, 400) : (body.message ?? JSON.stringify(body))}`;
}
