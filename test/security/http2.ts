import { createConnection } from 'node:net';
import { type Gateway, waitForWorkers } from '../harness/index.ts';

/** Sends one HTTP/2 request of exactly these fields, which no client library would send; cleartext with prior
 * knowledge. */
export async function sendRawHttp2(
  gateway: Gateway,
  host: string,
  fields: readonly (readonly [name: string, value: string])[],
  path = '/open/x',
): Promise<Record<string, unknown>> {
  const { host: address, port } = gateway.target(host);
  const pseudo = [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':authority', host],
    [':path', path],
  ] as const;
  const block = Buffer.concat([...pseudo, ...fields].map(([name, value]) => literal(name, value)));
  const mark = await waitForWorkers(gateway, host);
  const socket = createConnection(port, address);
  socket.on('error', () => {});
  socket.write(
    Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(4, 0, 0), frame(1, 0x5, 1, block)]),
  );
  try {
    // nginx logs it, whatever its result is.
    const [line] = await gateway.box.logs.waitForJson(1, mark);
    return line!;
  } finally {
    socket.destroy();
  }
}

/** RFC 9113 section 4.1. */
function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A literal field without indexing and without Huffman coding (RFC 7541 section 6.2.2). */
function literal(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.from([0]), string(name), string(value)]);
}

function string(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  if (bytes.length > 126) throw new Error('longer than the seven bits of a length');
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}
