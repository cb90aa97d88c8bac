const OFFSET = 0xcbf29ce484222325n;
const PRIME = 0x100000001b3n;
const MASK = 0xffffffffffffffffn;

/** FNV-1a with 64 bits over the UTF-16 units of a text, as 16 hex digits. It tells names of rendered objects apart; it
 * is not a cryptographic hash. */
export function hash(text: string): string {
  let value = OFFSET;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    for (const byte of [unit & 0xff, unit >> 8]) value = ((value ^ BigInt(byte)) * PRIME) & MASK;
  }
  return value.toString(16).padStart(16, '0');
}
