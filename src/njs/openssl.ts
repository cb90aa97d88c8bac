/** Bytes that are not a point of any curve. */
const noPoint = new Uint8Array([1, 2, 3]);

/** Empties OpenSSL's error queue. An invalid signature leaves errors in the queue, and nginx would log them at `alert`
 * for the next TLS connection. When njs reports an error of its own, it removes all errors from the queue. So this
 * function causes such an error (9 µs). */
export async function emptyErrorQueue(): Promise<void> {
  const curve = { name: 'ECDSA', namedCurve: 'P-256' } as const;
  await crypto.subtle.importKey('raw', noPoint, curve, false, ['verify']).catch(() => undefined);
}
