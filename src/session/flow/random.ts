import hash from 'crypto';

/** Returns random bytes of the engine's CSPRNG as base64url. */
export function randomText(bytes: number): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString('base64url');
}

/** Returns the SHA-256 of a text or of bytes as base64url, for the PKCE challenge (RFC 7636 section 4.2), to bind a
 * cookie, or to recognise a file. */
export function sha256(text: string | Uint8Array): string {
  return hash.createHash('sha256').update(text).digest('base64url');
}

/** Whether two texts are equal. The time that this takes does not show where they differ. */
export function sameText(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let differs = 0;
  for (let i = 0; i < a.length; i++) differs |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return differs === 0;
}
