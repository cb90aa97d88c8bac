/**
 * A TCP balancer: each connection goes to the next backend.
 *
 * Environment: PORT, BACKENDS (`host:port`, divided by spaces), ADMIN_PORT.
 */
import { connect, createServer } from 'node:net';
import { admin } from './shared/admin.ts';
import { listen, plain, setting, stopOnSignals } from './shared/listen.ts';

const backends = setting('BACKENDS', '').split(' ');
const port = Number(setting('PORT', '8443'));
let turn = 0;

const server = createServer((client) => {
  const [host = '', to = ''] = (backends[turn++ % backends.length] ?? '').split(':');
  const backend = connect(Number(to), host);
  client.pipe(backend).pipe(client);
  for (const [one, other] of [
    [client, backend],
    [backend, client],
  ] as const) {
    one.on('error', () => other.destroy());
    one.on('close', () => other.destroy());
  }
});

stopOnSignals();
await new Promise<void>((resolve) => server.listen(port, resolve));
await listen(plain(admin({})), Number(setting('ADMIN_PORT', '9901')), 'admin');
