/**
 * A gRPC service (grpc-js) and, on a port of its own, an HTTP/2 one, both over plain TCP; they remember what they received.
 *
 *   /test.Echo/Unary    answers with the message
 *   /test.Echo/Stream   answers three times: `1 MESSAGE`, `2 MESSAGE`, `3 MESSAGE`; the last two when the admin port
 *                       lets them (POST /release)
 *   /test.Echo/Refuse   answers with status 9 and the message as its text
 * HTTP/2: any path, the request as JSON, with the headers of `echo-header=Name:value` in the query.
 * Admin port: GET /requests, DELETE /requests, POST /release.
 *
 * Environment: NAME, PORT (gRPC), HTTP2_PORT, ADMIN_PORT.
 */
import { createServer, type IncomingHttpHeaders } from 'node:http2';
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  type Metadata,
  Server,
  ServerCredentials,
} from '@grpc/grpc-js';
import { type Action, admin } from './shared/admin.ts';
import { listen, plain, setting, stopOnSignals } from './shared/listen.ts';
import type { Received } from './shared/received.ts';

const service = setting('NAME', 'calls');
let received: Received[] = [];
let counter = 0;
let waiting: (() => void)[] = [];

function note(method: string, url: string, headers: [string, string][]): Received {
  const remote = { address: '', port: 0 };
  const entry = { id: ++counter, service, method, url, httpVersion: '2.0', headers, remote, connection: 0 };
  received.push(entry);
  return entry;
}

const pairsOf = (metadata: Metadata): [string, string][] =>
  Object.keys(metadata.getMap()).flatMap((name) =>
    metadata.get(name).map((value): [string, string] => [name, value.toString()]),
  );

const entire = (bytes: Buffer): Buffer => bytes;
const method = (name: string, responseStream: boolean) => ({
  path: `/test.Echo/${name}`,
  requestStream: false,
  responseStream,
  requestSerialize: entire,
  requestDeserialize: entire,
  responseSerialize: entire,
  responseDeserialize: entire,
});

const unary: handleUnaryCall<Buffer, Buffer> = (call, done) => {
  note('POST', call.getPath(), pairsOf(call.metadata));
  done(null, call.request);
};

const stream: handleServerStreamingCall<Buffer, Buffer> = (call) => {
  note('POST', call.getPath(), pairsOf(call.metadata));
  const say = (number: number) => call.write(Buffer.from(`${number} ${call.request.toString()}`));
  say(1);
  waiting.push(() => {
    say(2);
    say(3);
    call.end();
  });
};

const refuse: handleUnaryCall<Buffer, Buffer> = (call, done) => {
  note('POST', call.getPath(), pairsOf(call.metadata));
  done({ code: 9, details: call.request.toString() });
};

const actions: Record<string, Action> = {
  'GET /requests': () => received,
  'DELETE /requests': () => {
    received = [];
  },
  'POST /release': () => {
    const all = waiting;
    waiting = [];
    for (const go of all) go();
    return { released: all.length };
  },
};

/** Of HTTP/2, `:authority` as `host`. */
function fieldsOf(headers: IncomingHttpHeaders): [string, string][] {
  return Object.entries(headers).flatMap(([name, value]) =>
    [value ?? []].flat().map((one): [string, string] => [name === ':authority' ? 'host' : name, String(one)]),
  );
}

stopOnSignals();
const server = new Server();
server.addService(
  { Unary: method('Unary', false), Stream: method('Stream', true), Refuse: method('Refuse', false) },
  { Unary: unary, Stream: stream, Refuse: refuse },
);
const port = setting('PORT', '50051');
await new Promise<void>((resolve, reject) => {
  server.bindAsync(`0.0.0.0:${port}`, ServerCredentials.createInsecure(), (error) =>
    error ? reject(error) : resolve(),
  );
});
console.log(`gRPC listens on ${port}`);
const http2Port = Number(setting('HTTP2_PORT', '8082'));
await new Promise<void>((resolve) => {
  const http2 = createServer((request, response) => {
    const entry = note(request.method, request.url, fieldsOf(request.headers));
    response.setHeader('content-type', 'application/json');
    for (const header of new URLSearchParams(request.url.split('?')[1] ?? '').getAll('echo-header')) {
      const colon = header.indexOf(':');
      response.setHeader(header.slice(0, colon).toLowerCase(), header.slice(colon + 1));
    }
    response.end(`${JSON.stringify(entry)}\n`);
  });
  http2.listen(http2Port, '0.0.0.0', resolve);
});
console.log(`HTTP/2 listens on ${http2Port}`);
await listen(plain(admin(actions)), Number(setting('ADMIN_PORT', '9901')), 'admin');
