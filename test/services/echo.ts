/**
 * An upstream that answers with exactly what it received, and remembers it.
 *
 * The query of a request asks for another answer:
 *   echo-status=404             this status
 *   echo-header=Name:value      a header more (may be given several times)
 *   echo-size=1000000           a body of so many bytes
 *   echo-events=3               an event stream of so many events
 *   echo-hold=KEY               held open until POST /release?key=KEY on the admin port
 *                               (with echo-events: after the events)
 *   echo-abort=1                the connection is reset after the headers of the request
 *   echo-raw=BASE64URL          exactly these bytes, and then the end of the connection
 * Admin port: GET /requests, DELETE /requests, GET /malformed, GET /held, POST /release?key=KEY.
 *
 * Environment: ACCESS_LOG (one line for each request: `json`, or `tomcat` as Confluence writes it), NAME, PORT, TLS_PORT (with TLS_PEM_FILE, CLIENT_CA_FILE), ADMIN_PORT, ADDRESS ("::": IPv6, too).
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Duplex, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { TLSSocket } from 'node:tls';
import { logAccess } from './shared/access-log.ts';
import { type Action, admin } from './shared/admin.ts';
import { BodyDigest, pairs } from './shared/body.ts';
import { listen, plain, secure, setting, stopOnSignals } from './shared/listen.ts';
import type { Received } from './shared/received.ts';
import { echoWebSocket } from './shared/websocket.ts';

const service = setting('NAME', 'echo');
const connections = new WeakMap<object, number>();
const held = new Map<string, (() => void)[]>();
let received: Received[] = [];
let malformed: string[] = [];
let counter = 0;
let connectionCounter = 0;

function note(request: IncomingMessage, upgrade?: string): Received {
  const { socket } = request;
  const connection = connections.get(socket) ?? ++connectionCounter;
  connections.set(socket, connection);
  const entry: Received = {
    id: ++counter,
    service,
    method: request.method ?? '',
    url: request.url ?? '',
    httpVersion: request.httpVersion,
    headers: pairs(request.rawHeaders),
    remote: { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 },
    connection,
    ...('encrypted' in socket ? { tls: peer(socket as TLSSocket) } : {}),
    ...(upgrade === undefined ? {} : { upgrade }),
  };
  received.push(entry);
  return entry;
}

function peer(socket: TLSSocket): NonNullable<Received['tls']> {
  const names = socket.getPeerCertificate().subjectaltname ?? '';
  const clientUris = names
    .split(', ')
    .filter((name) => name.startsWith('URI:'))
    .map((name) => name.slice(4));
  const serverName = (socket as { servername?: string | false }).servername || '';
  return { clientUris, resumed: socket.isSessionReused(), serverName };
}

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const entry = note(request);
  response.on('close', () => {
    if (!response.writableFinished) entry.aborted = true;
  });
  const wish = new URLSearchParams((request.url ?? '').split('?')[1] ?? '');
  if (wish.has('echo-abort')) {
    request.socket.destroy();
    return;
  }
  const digest = new BodyDigest();
  for await (const chunk of request) digest.add(chunk as Buffer);
  entry.body = digest.done();
  entry.trailers = pairs(request.rawTrailers);
  for (const header of wish.getAll('echo-header')) {
    const colon = header.indexOf(':');
    response.appendHeader(header.slice(0, colon), header.slice(colon + 1));
  }
  const raw = wish.get('echo-raw');
  if (raw !== null) return void request.socket.end(Buffer.from(raw, 'base64url'));
  response.statusCode = Number(wish.get('echo-status') ?? 200);
  if (wish.has('echo-events')) return events(response, wish);
  await hold(wish.get('echo-hold'), response);
  if (wish.has('echo-size')) return big(response, Number(wish.get('echo-size')));
  const text = JSON.stringify(entry) + '\n';
  if (!response.hasHeader('content-type')) response.setHeader('content-type', 'application/json');
  response.end(text);
}

/** Waits until the admin port releases the key, or the client disconnects. */
function hold(key: string | null, response: ServerResponse): Promise<void> | undefined {
  if (key === null) return undefined;
  return new Promise((resolve) => {
    const waiting = held.get(key) ?? [];
    held.set(key, [...waiting, resolve]);
    response.on('close', () => {
      held.set(
        key,
        (held.get(key) ?? []).filter((other) => other !== resolve),
      );
      resolve();
    });
  });
}

async function events(response: ServerResponse, wish: URLSearchParams): Promise<void> {
  response.setHeader('content-type', 'text/event-stream');
  for (let i = 1; i <= Number(wish.get('echo-events')); i++) response.write(`data: ${i}\n\n`);
  await hold(wish.get('echo-hold'), response);
  response.end();
}

async function big(response: ServerResponse, size: number): Promise<void> {
  response.setHeader('content-type', 'application/octet-stream');
  response.setHeader('content-length', size);
  await pipeline(Readable.from(chunksOf(size)), response);
}

function* chunksOf(size: number): Generator<Buffer> {
  const chunk = Buffer.alloc(64 * 1024, 'x');
  for (let left = size; left > 0; left -= chunk.length) yield chunk.subarray(0, Math.min(left, chunk.length));
}

/** A WebSocket is echoed frame by frame; any other protocol receives its 101 as well, and its bytes back. */
function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const protocol = request.headers.upgrade ?? request.method ?? '';
  const entry = note(request, protocol);
  socket.on('error', () => {
    entry.aborted = true;
  });
  if (protocol.toLowerCase() === 'websocket') {
    echoWebSocket(request, socket, head);
    return;
  }
  const first = request.method === 'CONNECT' ? '200 Connection established' : '101 Switching Protocols';
  socket.write(`HTTP/1.1 ${first}\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`);
  socket.write(head);
  socket.pipe(socket);
}

const actions: Record<string, Action> = {
  'GET /requests': () => received,
  'DELETE /requests': () => {
    received = [];
    malformed = [];
  },
  'GET /malformed': () => malformed,
  'GET /held': () => Object.fromEntries([...held].map(([key, list]) => [key, list.length])),
  'POST /release': (query) => {
    const key = query.get('key') ?? '';
    const waiting = held.get(key) ?? [];
    held.delete(key);
    for (const go of waiting) go();
    return { released: waiting.length };
  },
};

function serve(make: typeof plain | typeof secure) {
  const server = make((request, response) => {
    logAccess(request, response);
    handle(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  server.on('upgrade', upgrade);
  server.on('connect', upgrade);
  server.on('clientError', (error: Error & { rawPacket?: Buffer }, socket) => {
    if (error.rawPacket !== undefined) malformed.push(error.rawPacket.toString('latin1'));
    socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
  });
  return server;
}

stopOnSignals();
await listen(serve(plain), Number(setting('PORT', '8080')), 'echo');
if (process.env.TLS_PORT !== undefined) await listen(serve(secure), Number(process.env.TLS_PORT), 'echo (TLS)');
await listen(plain(admin(actions)), Number(setting('ADMIN_PORT', '9901')), 'admin');
