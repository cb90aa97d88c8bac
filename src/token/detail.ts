/** Writes claim values into details as short JSON strings, so that no value looks like the gateway's own words. */

const MAX_SHOWN = 64;
const MAX_LISTED = 4;

/** Returns a value of a token for a detail: quoted, and cut after 64 characters. */
export function quoted(value: unknown): string {
  const text = typeof value === 'string' ? value : typeof value;
  return JSON.stringify(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text);
}

/** Returns a text from outside for a line of the log: quoted, only printable ASCII, and cut after some characters.
 * @param secrets texts that must not appear in the log, even if the text contains them */
export function forLog(text: string, most: number, secrets: readonly string[] = []): string {
  const hidden = secrets.reduce((kept, secret) => (secret === '' ? kept : kept.split(secret).join('…')), text);
  const cut = hidden.length > most ? `${hidden.slice(0, most)}…` : hidden;
  return JSON.stringify(cut).replace(
    /[^\x20-\x7e]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Returns a list of values for a detail, cut after four values. */
export function quotedList(values: readonly unknown[]): string {
  if (values.length === 0) return 'none';
  const some = values.slice(0, MAX_LISTED).map(quoted).join(' or ');
  return values.length > MAX_LISTED ? `${some} and ${values.length - MAX_LISTED} more` : some;
}
