import { request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import {
  type OAuthClientProvider,
  StreamableHTTPClientTransport,
  type StreamableHTTPClientTransportOptions,
} from '@modelcontextprotocol/client';
import { newAgent, type UserAgent } from './agent.ts';
import type { Box } from './container.ts';
import { tlsOptions } from './http.ts';
import { callAdmin, startService } from './services.ts';
import type { Sso } from './sso.ts';
import type { Stage } from './stage.ts';

export interface ToolCall {
  readonly tool: string;
  readonly user?: string;
  readonly authorization?: string;
}

/** The MCP server of the tests, see test/services/mcp.ts. */
export class McpService {
  readonly box: Box;

  constructor(box: Box) {
    this.box = box;
  }

  calls(): Promise<ToolCall[]> {
    return callAdmin(this.box, 'GET', '/calls');
  }

  async forget(): Promise<void> {
    await callAdmin(this.box, 'DELETE', '/calls');
  }

  async release(): Promise<void> {
    await callAdmin(this.box, 'POST', '/release');
  }
}

/** Plain HTTP on port 8080 of its alias. */
export async function startMcp(stage: Stage, alias = 'mcp.internal'): Promise<McpService> {
  return new McpService(await startService(stage, 'mcp', { alias }));
}

/** A sent request, and the status of its response. */
export interface Exchange {
  readonly method: string;
  readonly url: string;
  readonly status: number;
  readonly challenge?: string;
}

/** A `fetch` that reaches the stage's containers by their names, with streamed bodies; it records the requests. */
export function stageFetch(stage: Stage, exchanges: Exchange[] = []) {
  return async (to: string | URL, init: RequestInit = {}): Promise<Response> => {
    const url = new URL(to);
    const box = stage.boxes.find(({ names }) => names.includes(url.hostname));
    if (box === undefined) throw new Error(`no container of the stage is called ${url.hostname}: ${url}`);
    const request = new Request(url, init);
    const body = request.body === null ? undefined : Buffer.from(await request.arrayBuffer());
    const headers = { ...Object.fromEntries(request.headers), host: url.host };
    const { signal } = init;
    const answer = await new Promise<Response>((resolve, reject) => {
      const outgoing = httpsRequest({
        ...{ host: box.host, port: Number(url.port || 443), agent: false, method: request.method },
        ...{ path: url.pathname + url.search, headers, ...(signal ? { signal } : {}) },
        ...tlsOptions({ host: box.host, port: 0, tls: true, name: url.hostname, ca: stage.ca.cert }),
      });
      outgoing.on('error', reject);
      outgoing.on('response', (incoming) => {
        const { statusCode: status = 0 } = incoming;
        const empty = [204, 304].includes(status) || request.method === 'HEAD';
        const stream = empty ? null : (Readable.toWeb(incoming) as ReadableStream<Uint8Array>);
        const pairs = Object.entries(incoming.headers).flatMap(([name, value]) =>
          [value ?? []].flat().map((one): [string, string] => [name, one]),
        );
        resolve(new Response(stream, { status, headers: pairs }));
      });
      outgoing.end(body);
    });
    const challenge = answer.headers.get('www-authenticate');
    const seen = { method: request.method, url: String(url), status: answer.status };
    exchanges.push(challenge === null ? seen : { ...seen, challenge });
    return answer;
  };
}

type Held<Key extends 'clientInformation' | 'tokens'> = Awaited<ReturnType<OAuthClientProvider[Key]>>;

const redirectUrl = 'https://client.test/callback';

/** A person's client: it knows a URL, and a function that signs its person in. */
export class PersonsClient implements OAuthClientProvider {
  readonly redirectUrl = redirectUrl;
  readonly clientMetadata = {
    client_name: 'a client of the tests',
    redirect_uris: [redirectUrl],
    grant_types: ['authorization_code'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  };
  readonly #agent: UserAgent;
  readonly #sso: Sso;
  readonly #person: string;
  #known: Held<'clientInformation'>;
  #tokens: Held<'tokens'>;
  #verifier = '';
  /** The pages to which its person was sent, in order. */
  readonly requested: URL[] = [];
  /** The provider's last redirect to {@link redirectUrl}. */
  returned?: URLSearchParams;

  constructor(stage: Stage, sso: Sso, person: string) {
    this.#agent = newAgent(stage);
    this.#sso = sso;
    this.#person = person;
  }

  /** Registers again before its next request: its registration names the scopes of its first token, and some providers
   * issue no others. */
  forget() {
    this.#known = undefined;
  }

  clientInformation() {
    return this.#known;
  }

  saveClientInformation(information: NonNullable<Held<'clientInformation'>>) {
    this.#known = information;
  }

  tokens() {
    return this.#tokens;
  }

  saveTokens(tokens: NonNullable<Held<'tokens'>>) {
    this.#tokens = tokens;
  }

  saveCodeVerifier(verifier: string) {
    this.#verifier = verifier;
  }

  codeVerifier() {
    return this.#verifier;
  }

  /** The person signs in, if the provider has no session of theirs yet. */
  async redirectToAuthorization(url: URL) {
    this.requested.push(url);
    const until = /^https:\/\/client\.test\/callback/;
    const first = await this.#agent.visit(String(url), { until });
    const last = first.status === 200 ? await this.#sso.signIn(this.#agent, first, this.#person, { until }) : first;
    if (last.location === undefined) throw new Error(`no way back to the client: ${last.status} ${last.text}`);
    this.returned = new URL(last.location).searchParams;
  }
}

export function mcpTransport(stage: Stage, url: string, options: StreamableHTTPClientTransportOptions) {
  return new StreamableHTTPClientTransport(new URL(url), { fetch: stageFetch(stage), ...options });
}
