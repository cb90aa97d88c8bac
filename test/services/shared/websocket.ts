import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/** The server's side of a WebSocket (RFC 6455), as far as an echo needs it: single frames of up to 64 KB. */

const magic = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const opcodes = { close: 0x8, ping: 0x9, pong: 0xa };

/** Accepts the handshake and sends every data frame back. */
export function echoWebSocket(request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const key = request.headers['sec-websocket-key'] ?? '';
  const accept = createHash('sha1')
    .update(key + magic)
    .digest('base64');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  let buffered = head;
  const drain = () => {
    for (let frame = read(buffered); frame !== undefined; frame = read(buffered)) {
      buffered = buffered.subarray(frame.size);
      answer(socket, frame);
    }
  };
  socket.on('data', (chunk: Buffer) => {
    buffered = Buffer.concat([buffered, chunk]);
    drain();
  });
  drain();
}

interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
  /** The number of bytes of the frame, header included. */
  readonly size: number;
}

function answer(socket: Duplex, frame: Frame): void {
  if (frame.opcode === opcodes.close) socket.end(write(opcodes.close, frame.payload));
  else if (frame.opcode === opcodes.ping) socket.write(write(opcodes.pong, frame.payload));
  else if (frame.opcode !== opcodes.pong) socket.write(write(frame.opcode, frame.payload));
}

/** RFC 6455 section 5.2; a client's frames are masked. */
function read(bytes: Buffer): Frame | undefined {
  if (bytes.length < 2) return undefined;
  const short = bytes[1]! & 0x7f;
  const extended = short === 126 ? 2 : 0;
  const start = 2 + extended + 4;
  if (bytes.length < start) return undefined;
  const length = short === 126 ? bytes.readUInt16BE(2) : short;
  if (bytes.length < start + length) return undefined;
  const mask = bytes.subarray(start - 4, start);
  const payload = Buffer.from(bytes.subarray(start, start + length));
  for (let i = 0; i < payload.length; i++) payload[i]! ^= mask[i % 4]!;
  return { opcode: bytes[0]! & 0x0f, payload, size: start + length };
}

function write(opcode: number, payload: Buffer): Buffer {
  const head =
    payload.length < 126 ? Buffer.from([0x80 | opcode, payload.length]) : Buffer.from([0x80 | opcode, 126, 0, 0]);
  if (payload.length >= 126) head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head, payload]);
}
