/**
 * A TLS server of many made-up issuers: it serves whatever documents it was given, and counts who came.
 * A path without a document is a 404 and is counted as well, which makes every path a trap for `jku` and `x5u`.
 *
 * Admin port: PUT /documents {path: document}, DELETE /documents?path=P, GET /hits, DELETE /hits, POST /release?key=KEY,
 * GET /last?path=P (the last request there).
 * Environment: PORT, TLS_PEM_FILE, ADMIN_PORT.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { type Action, admin } from './shared/admin.ts';
import { readBody } from './shared/body.ts';
import type { Document, Requested } from './shared/document.ts';
import { listen, plain, secure, setting, stopOnSignals } from './shared/listen.ts';

const documents = new Map<string, Document>();
const held = new Map<string, (() => void)[]>();
let hits: Record<string, number> = {};
const last = new Map<string, Requested>();

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? '').split('?')[0] ?? '';
  hits[path] = (hits[path] ?? 0) + 1;
  const { method = '', headers } = request;
  last.set(path, {
    method,
    authorization: headers.authorization ?? '',
    body: (await readBody(request)).toString('utf8'),
  });
  const document = documents.get(path);
  if (document === undefined) {
    response.writeHead(404).end();
    return;
  }
  if (document.hold !== undefined) await hold(document.hold);
  await answer(response, document);
}

function hold(key: string): Promise<void> {
  return new Promise((resolve) => {
    held.set(key, [...(held.get(key) ?? []), resolve]);
  });
}

async function answer(response: ServerResponse, document: Document): Promise<void> {
  const body = bytesOf(document);
  response.writeHead(document.status ?? 200, {
    'content-type': 'application/json',
    'content-length': body.length,
    ...document.headers,
  });
  if (document.cutAt !== undefined) {
    response.write(body.subarray(0, document.cutAt), () => response.destroy());
    return;
  }
  if (document.dripMs !== undefined) {
    for (let at = 0; at < body.length && !response.destroyed; at += 64) {
      response.write(body.subarray(at, at + 64));
      await pause(document.dripMs);
    }
    response.end();
    return;
  }
  response.end(body);
}

function bytesOf(document: Document): Buffer {
  const plainBody =
    document.bodyBase64 === undefined ? (document.body ?? '') : Buffer.from(document.bodyBase64, 'base64');
  const body = Buffer.from(plainBody);
  return Buffer.concat([body, Buffer.alloc(Math.max(0, (document.padTo ?? 0) - body.length), ' ')]);
}

const actions: Record<string, Action> = {
  'PUT /documents': (_, body) => {
    for (const [path, document] of Object.entries(body)) documents.set(path, document as Document);
  },
  'DELETE /documents': (query) => {
    documents.delete(query.get('path') ?? '');
  },
  'GET /hits': () => hits,
  'GET /last': (query) => last.get(query.get('path') ?? '') ?? {},
  'DELETE /hits': () => {
    hits = {};
  },
  'POST /release': (query) => {
    const key = query.get('key') ?? '';
    const waiting = held.get(key) ?? [];
    held.delete(key);
    for (const go of waiting) go();
  },
};

stopOnSignals();
const server = secure((request, response) => {
  handle(request, response).catch((error: unknown) => response.destroy(error as Error));
});
await listen(server, Number(setting('PORT', '8443')), 'issuer');
await listen(plain(admin(actions)), Number(setting('ADMIN_PORT', '9901')), 'admin');
