/** Bytes that are not a point of any curve. */
const noPoint = new Uint8Array([1, 2, 3]);

/** Empties OpenSSL's error queue. An invalid signature leaves errors in it, which nginx would log at `alert` for the
 * next TLS connection. njs removes all of them when it makes an error message of its own, so one is caused here (9
 * µs). */
export async function emptyErrorQueue(): Promise<void> {
  const curve = { name: 'ECDSA', namedCurve: 'P-256' } as const;
  await crypto.subtle.importKey('raw', noPoint, curve, false, ['verify']).catch(() => undefined);
}
