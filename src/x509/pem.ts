export interface PemBlock {
  /** The label, such as `CERTIFICATE` or `PRIVATE KEY`. */
  readonly label: string;
  readonly bytes: Uint8Array;
}

/** Returns the blocks of a PEM text (RFC 7468), without the text between them; undefined if a block is broken. */
export function readPem(text: string): readonly PemBlock[] | undefined {
  const blocks: PemBlock[] = [];
  const begin = /-----BEGIN ([A-Z0-9 ]{1,40})-----/g;
  for (let found = begin.exec(text); found !== null; found = begin.exec(text)) {
    const label = found[1] as string;
    const end = text.indexOf(`-----END ${label}-----`, begin.lastIndex);
    if (end < 0) return undefined;
    const base64 = text.slice(begin.lastIndex, end).replace(/\s+/g, '');
    if (base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return undefined;
    blocks.push({ label, bytes: Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)) });
    begin.lastIndex = end;
  }
  return blocks;
}
