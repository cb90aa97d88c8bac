import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { Agent, request as httpsRequest } from 'node:https';
import { connect as connectTcp } from 'node:net';
import type { PeerCertificate } from 'node:tls';

/** The address of a server, and how to verify it. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** Server name for TLS; also the default `Host`. */
  readonly name: string;
  /** CA to verify the server with, PEM. */
  readonly ca?: string;
  /** Client certificate and key, PEM in one. */
  readonly clientPem?: string;
  /** The SPIFFE id that the server's certificate must have, if it has no DNS name. */
  readonly serverSpiffe?: string;
  /** The server's certificate may have any name: the test uses a server name that no certificate has. */
  readonly anyName?: true;
}

/** A request as it is sent; nothing in it is normalised. */
export interface Sent {
  readonly method?: string;
  /** The raw request target. */
  readonly path?: string;
  /** Names and values; a list keeps order and duplicates. */
  readonly headers?: Readonly<Record<string, string>> | readonly (readonly [string, string])[];
  readonly body?: string | Buffer;
  /** Sent as `Authorization: Bearer …`. */
  readonly token?: string;
  /** Keeps and reuses connections. */
  readonly agent?: Agent | HttpAgent;
}

/** A response, with its headers in the order and spelling in which they came. */
export class Answer {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer;
  readonly httpVersion: string;

  constructor(status: number, headers: readonly (readonly [string, string])[], body: Buffer, httpVersion = '1.1') {
    this.status = status;
    this.headers = headers;
    this.body = body;
    this.httpVersion = httpVersion;
  }

  /** All values of a header. */
  all(name: string): string[] {
    const lower = name.toLowerCase();
    return this.headers.filter(([other]) => other.toLowerCase() === lower).map(([, value]) => value);
  }

  header(name: string): string | undefined {
    return this.all(name)[0];
  }

  get text(): string {
    return this.body.toString('utf8');
  }

  // biome-ignore lint/suspicious/noExplicitAny: what a test expects of a body is its own matter
  json(): any {
    return JSON.parse(this.text);
  }
}

/** Headers as pairs, with `Host` first and the token where there is one. */
export function headerPairs(name: string, sent: Sent): [string, string][] {
  const given = Array.isArray(sent.headers) ? sent.headers : Object.entries(sent.headers ?? {});
  const pairs = given.map(([key, value]: readonly [string, string]): [string, string] => [key, value]);
  if (!pairs.some(([key]) => key.toLowerCase() === 'host')) pairs.unshift(['Host', name]);
  if (sent.token !== undefined) pairs.push(['Authorization', `Bearer ${sent.token}`]);
  const sized = pairs.some(([key]) => /^(content-length|transfer-encoding)$/i.test(key));
  if (sent.body !== undefined && !sized) pairs.push(['Content-Length', String(Buffer.byteLength(sent.body))]);
  return pairs;
}

/** The certificates that Node's TLS trusts and sends. */
export function tlsOptions(target: Target) {
  return {
    servername: target.name,
    ...(target.ca === undefined ? {} : { ca: target.ca }),
    ...(target.clientPem === undefined ? {} : { cert: target.clientPem, key: target.clientPem }),
    ...(target.serverSpiffe === undefined ? {} : { checkServerIdentity: hasSpiffe(target.serverSpiffe) }),
    ...(target.anyName && { checkServerIdentity: () => undefined }),
  };
}

/** Compares a server's certificate with a SPIFFE id instead of a name. */
export function hasSpiffe(id: string) {
  return (_: string, { subjectaltname = '' }: PeerCertificate): Error | undefined =>
    subjectaltname.split(', ').includes(`URI:${id}`)
      ? undefined
      : new Error(`the server is ${subjectaltname}, not ${id}`);
}

/** Sends one HTTP/1.1 request. Without an agent it has its own connection. */
export function send(target: Target, sent: Sent = {}): Promise<Answer> {
  const shared = {
    host: target.host,
    port: target.port,
    method: sent.method ?? 'GET',
    path: sent.path ?? '/',
    headers: headerPairs(target.name, sent).flat() as unknown as Record<string, string>,
    agent: sent.agent ?? (false as const),
  };
  return new Promise((resolve, reject) => {
    const request = target.tls ? httpsRequest({ ...shared, ...tlsOptions(target) }) : httpRequest(shared);
    request.on('response', (response) => read(response).then(resolve, reject));
    request.on('error', reject);
    request.end(sent.body);
  });
}

async function read(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const headers: [string, string][] = [];
  const raw = response.rawHeaders;
  for (let i = 0; i + 1 < raw.length; i += 2) headers.push([raw[i]!, raw[i + 1]!]);
  return new Answer(response.statusCode ?? 0, headers, Buffer.concat(chunks), response.httpVersion);
}

/** Connections that are kept and reused, to one target. */
export function keepAlive(target: Target, maxSockets = 8): Agent | HttpAgent {
  return target.tls
    ? new Agent({ keepAlive: true, maxSockets, ...tlsOptions(target) })
    : new HttpAgent({ keepAlive: true, maxSockets });
}

/** Sends requests over one HTTP/2 connection, one after the other; cleartext with prior knowledge without TLS. */
export async function sendHttp2(target: Target, sents: readonly Sent[]): Promise<Answer[]> {
  const origin = `${target.tls ? 'https' : 'http'}://${target.name}:${target.port}`;
  const session = target.tls
    ? connectHttp2(origin, { host: target.host, ...tlsOptions(target) })
    : connectHttp2(origin, { createConnection: () => connectTcp(target.port, target.host) });
  const failed = new Promise<never>((_, reject) => session.on('error', reject));
  failed.catch(() => {});
  try {
    const answers: Answer[] = [];
    for (const sent of sents) answers.push(await Promise.race([stream(session, target, sent), failed]));
    return answers;
  } finally {
    session.destroy();
  }
}

function stream(session: ReturnType<typeof connectHttp2>, target: Target, sent: Sent): Promise<Answer> {
  const headers: Record<string, string | string[]> = {
    ':method': sent.method ?? 'GET',
    ':path': sent.path ?? '/',
    ':scheme': target.tls ? 'https' : 'http',
  };
  for (const [key, value] of headerPairs(target.name, sent)) {
    const name = key.toLowerCase() === 'host' ? ':authority' : key.toLowerCase();
    const before = headers[name];
    headers[name] = before === undefined ? value : [...[before].flat(), value];
  }
  return new Promise((resolve, reject) => {
    const request = session.request(headers, { endStream: sent.body === undefined });
    let status = 0;
    let received: [string, string][] = [];
    const chunks: Buffer[] = [];
    request.on('response', (response) => {
      status = Number(response[':status']);
      received = Object.entries(response)
        .filter(([name]) => !name.startsWith(':'))
        .flatMap(([name, value]) => [value ?? ''].flat().map((one): [string, string] => [name, String(one)]));
    });
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => resolve(new Answer(status, received, Buffer.concat(chunks), '2.0')));
    request.on('error', reject);
    if (sent.body !== undefined) request.end(sent.body);
  });
}
