import type { EventEmitter } from 'node:events';

/**
 * Resolves once a socket is closed, by either side. A peer that ends while data is on its way resets the connection:
 * `once` of node:events would reject because of that error.
 */
export function closed(socket: EventEmitter): Promise<void> {
  socket.on('error', () => {});
  return new Promise((resolve) => socket.once('close', () => resolve()));
}
