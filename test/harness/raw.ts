import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Answer, headerPairs, type Sent, type Target } from './http.ts';
import { PATIENCE_MS } from './until.ts';

/** The answer on a connection over which exact bytes were sent. */
export interface RawExchange {
  readonly answers: readonly Answer[];
  /** All bytes, read as Latin-1. */
  readonly text: string;
  /** Bytes after the last whole response: the start of a tunnel, or of a broken response. */
  readonly rest: Buffer;
  /** The server closed the connection. */
  readonly closed: boolean;
}

export interface RawOptions {
  /** Ends after this many responses; default 1. */
  readonly answers?: number;
  /** Waits for the server to close. */
  readonly untilClosed?: boolean;
  /** Ends when the bytes have this text. */
  readonly untilText?: string;
  /** Methods of the requests in order, since an answer to HEAD has no body; default GET. */
  readonly methods?: readonly string[];
  /** For a response that does not come; default {@link PATIENCE_MS}. */
  readonly timeoutMs?: number;
}

/** Sends exact bytes over TCP or TLS; several parts are sent one after the other as they are. */
export function sendRaw(
  target: Target,
  bytes: string | Buffer | readonly (string | Buffer)[],
  options: RawOptions = {},
): Promise<RawExchange> {
  const parts = (Array.isArray(bytes) ? bytes : [bytes]) as readonly (string | Buffer)[];
  return new Promise((resolve, reject) => {
    const socket = openRaw(target);
    let received = Buffer.alloc(0);
    const finish = (closed: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ ...parse(received, closed, options.methods), text: received.toString('latin1'), closed });
    };
    const timer = setTimeout(() => {
      socket.destroy();
      reject(
        new Error(
          `no complete response in time; received ${JSON.stringify(received.toString('latin1').slice(0, 500))}`,
        ),
      );
    }, options.timeoutMs ?? PATIENCE_MS);
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (options.untilClosed) return;
      const enough =
        options.untilText === undefined
          ? parse(received, false, options.methods).answers.length >= (options.answers ?? 1)
          : received.includes(options.untilText, 0, 'latin1');
      if (enough) finish(false);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') return finish(true);
      clearTimeout(timer);
      reject(error);
    });
    socket.on('end', () => finish(true));
    for (const part of parts) socket.write(typeof part === 'string' ? Buffer.from(part, 'latin1') : part);
  });
}

/** The bytes of a request with exactly this first line and these headers; nothing is added but the empty line. */
export function rawRequest(firstLine: string, headers: readonly (readonly [string, string])[] = [], body = ''): string {
  return [firstLine, ...headers.map(([name, value]) => `${name}: ${value}`), '', body].join('\r\n');
}

/** The bytes of a plain HTTP/1.1 request, `Host` and length added. */
export function plainRequest(name: string, sent: Sent): string {
  const body = sent.body === undefined ? '' : sent.body.toString('latin1');
  return rawRequest(`${sent.method ?? 'GET'} ${sent.path ?? '/'} HTTP/1.1`, headerPairs(name, sent), body);
}

/** A connection to a target, for exact bytes that a test writes and reads itself. */
export function openRaw(target: Target): Socket {
  if (!target.tls) return connectTcp(target.port, target.host);
  return connectTls({
    host: target.host,
    port: target.port,
    servername: target.name,
    ...(target.ca === undefined ? {} : { ca: target.ca }),
    ...(target.clientPem === undefined ? {} : { cert: target.clientPem, key: target.clientPem }),
  });
}

/** Whole responses at the start of the bytes (RFC 9112). */
function parse(bytes: Buffer, closed: boolean, methods: readonly string[] = []): { answers: Answer[]; rest: Buffer } {
  const answers: Answer[] = [];
  let rest = bytes;
  for (;;) {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) return { answers, rest };
    const [first = '', ...lines] = rest.subarray(0, end).toString('latin1').split('\r\n');
    const match = /^HTTP\/(\d\.\d) (\d{3})/.exec(first);
    if (match === null) return { answers, rest };
    const status = Number(match[2]);
    const headers = lines.map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    });
    const body = readBody(rest.subarray(end + 4), status, headers, methods[answers.length] ?? 'GET', closed);
    if (body === undefined) return { answers, rest };
    rest = rest.subarray(end + 4 + body.size);
    if (status === 100) continue;
    answers.push(new Answer(status, headers, body.content, match[1]));
    if (status === 101) return { answers, rest };
  }
}

function readBody(
  bytes: Buffer,
  status: number,
  headers: readonly [string, string][],
  method: string,
  closed: boolean,
) {
  const value = (name: string) => headers.find(([other]) => other.toLowerCase() === name)?.[1];
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304)
    return { content: Buffer.alloc(0), size: 0 };
  if (/chunked/i.test(value('transfer-encoding') ?? '')) return readChunks(bytes);
  const length = value('content-length');
  if (length !== undefined) {
    const size = Number(length);
    return bytes.length < size ? undefined : { content: bytes.subarray(0, size), size };
  }
  return closed ? { content: bytes, size: bytes.length } : undefined;
}

function readChunks(bytes: Buffer): { content: Buffer; size: number } | undefined {
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.subarray(at, lineEnd).toString('latin1'), 16);
    if (bytes.length < lineEnd + 2 + size + 2) return undefined;
    if (size === 0) return { content: Buffer.concat(chunks), size: lineEnd + 4 };
    chunks.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
}
