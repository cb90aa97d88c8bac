import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Reads a whole body. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Reads a body as JSON; an empty one is `{}`. */
export async function readJson(request: IncomingMessage): Promise<Record<string, unknown>> {
  const text = (await readBody(request)).toString('utf8');
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
}

/** Reads a form body. */
export async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  return new URLSearchParams((await readBody(request)).toString('utf8'));
}

/** Answers with JSON. */
export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const text = JSON.stringify(value) + '\n';
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

/** Pairs of name and value in their order, from a flat list (`rawHeaders`, `rawTrailers`). */
export function pairs(flat: readonly string[]): [string, string][] {
  const list: [string, string][] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) list.push([flat[i]!, flat[i + 1]!]);
  return list;
}

/** Length and digest of a body, and its text if it is short. */
export class BodyDigest {
  length = 0;
  readonly #hash = createHash('sha256');
  readonly #head: Buffer[] = [];
  static readonly #shown = 4096;

  add(chunk: Buffer): void {
    this.length += chunk.length;
    this.#hash.update(chunk);
    if (this.length <= BodyDigest.#shown) this.#head.push(chunk);
  }

  done(): { length: number; sha256: string; text?: string } {
    const sha256 = this.#hash.digest('hex');
    if (this.length > BodyDigest.#shown) return { length: this.length, sha256 };
    return { length: this.length, sha256, text: Buffer.concat(this.#head).toString('utf8') };
  }
}
