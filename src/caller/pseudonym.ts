import hash from 'crypto';

/* A pseudonym stands for a person in the log: the id of a key, a dot, and a keyed hash of provider and subject. Anyone
 * with the key can compute the pseudonym of a person and find the lines; without the key, no caller can be found. */

/** A key of pseudonyms. It is derived from a key of the file, so that it serves no other purpose. */
export interface PseudonymKey {
  readonly kid: string;
  readonly key: Buffer;
}

/** Number of characters of a hash: 132 bits. */
const HASH_LENGTH = 22;

const LEAST_BYTES = 32;

const KID_FORM = /^[\w-]{1,16}$/;

const PSEUDONYM = 'pseudonyms of the log';

const hmacOf = (key: Buffer, text: string) => hash.createHmac('sha256', key).update(text);

/** Reads the keys of a file: a JWKS of 256-bit keys, as for sessions.
 * @throws an error if the text has no such keys */
export const pseudonymKeys = (text: string): readonly PseudonymKey[] =>
  (JSON.parse(text) as { keys: readonly { kid: string; k: string }[] }).keys.map(({ kid, k }) => {
    const bytes = Buffer.from(k, 'base64url');
    if (typeof kid !== 'string' || !KID_FORM.test(kid) || bytes.length < LEAST_BYTES) throw new Error('no key');
    return { kid, key: hmacOf(bytes, PSEUDONYM).digest() };
  });

/** Returns the pseudonym of a person, or of an actor. Each provider has its own people: the
 * name of a provider has no line break. */
export const pseudonymOf = ({ kid, key }: PseudonymKey, provider: string, subject: string): string =>
  `${kid}.${hmacOf(key, `${provider}\n${subject}`).digest('base64url').slice(0, HASH_LENGTH)}`;
