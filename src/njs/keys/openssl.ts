/** Bytes that are not a point of any curve. */
const noPoint = new Uint8Array([1, 2, 3]);

/** Empties OpenSSL's error queue. An invalid signature leaves errors there, which nginx would log at `alert` for the
 * next TLS connection. njs removes all errors when it reports one of its own, so this function causes one (9 µs). */
export async function emptyErrorQueue(): Promise<void> {
  const curve = { name: 'ECDSA', namedCurve: 'P-256' } as const;
  await crypto.subtle.importKey('raw', noPoint, curve, false, ['verify']).catch(() => undefined);
}
