/** No point of any curve. */
const noPoint = new Uint8Array([1, 2, 3]);

/**
 * Empties OpenSSL's error queue. A signature that does not hold leaves errors in it, and nginx writes them to its log at
 * `alert` with whatever TLS connection it goes on with. njs takes them all out for the message of an error of its own,
 * so one is made (9 µs).
 */
export async function emptyErrorQueue(): Promise<void> {
  const curve = { name: 'ECDSA', namedCurve: 'P-256' } as const;
  await crypto.subtle.importKey('raw', noPoint, curve, false, ['verify']).catch(() => undefined);
}
