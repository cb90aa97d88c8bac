import { createSocket } from 'node:dgram';

/** The name of the issuer: a policy reaches providers by their names. */
export const issuerName = 'issuer.bench.test';

/** A DNS server that answers each question for an IPv4 address with this machine's own (RFC 1035 section 4.1). */
export async function startDns(port: number): Promise<{ close(): void }> {
  const socket = createSocket('udp4');
  socket.on('message', (query, from) => socket.send(answerTo(query), from.port, from.address));
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, '127.0.0.1', resolve);
  });
  return { close: () => void socket.close() };
}

/** Type A, class IN, a minute, 127.0.0.1; the name is that of the question. */
const RECORD = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);

export function answerTo(query: Buffer): Buffer {
  let end = 12;
  while (query[end] !== 0) end += 1 + (query[end] ?? 0);
  const sentQuery = query.subarray(12, end + 5);
  const isA = sentQuery.readUInt16BE(sentQuery.length - 4) === 1;
  const head = Buffer.from([...query.subarray(0, 2), 0x81, 0x80, 0, 1, 0, isA ? 1 : 0, 0, 0, 0, 0]);
  return Buffer.concat(isA ? [head, sentQuery, RECORD] : [head, sentQuery]);
}
