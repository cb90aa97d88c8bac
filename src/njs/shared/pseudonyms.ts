import fs from 'fs';
import { SIGNING_KEYS_INTERVAL_S } from '../../base/limits.ts';
import { type PseudonymKey, pseudonymKeys, pseudonymOf } from '../../caller/pseudonym.ts';

/** Stands for every person in the log while there is no key, so that the log never has the subject itself. */
const UNKNOWN = '?';

/** The file of the keys; undefined: the log has subjects. */
let pseudonymFile: string | undefined;
let pseudonymKey: PseudonymKey | undefined;
let nextReading = 0;

/** Makes the log name people by keyed hashes, with the first key of this file. */
export function usePseudonyms(file: string | undefined): void {
  pseudonymFile = file;
  nextReading = 0;
}

/** Reads the file every few seconds, only for new tokens. */
function readPseudonymKey(file: string): void {
  const now = Date.now() / 1000;
  if (now < nextReading) return;
  nextReading = now + SIGNING_KEYS_INTERVAL_S;
  try {
    [pseudonymKey] = pseudonymKeys(fs.readFileSync(file, 'utf8'));
  } catch {
    // The text of the error could contain a part of the file.
    pseudonymKey = undefined;
    ngx.log(ngx.ERR, `meshgate: the log names no people: ${file} is no JWKS of "meshgate keys new --session"`);
  }
}

/** Returns the name of a person in the log; undefined if the log has the subject itself. */
export function pseudonym(provider: string, subject: string): string | undefined {
  if (pseudonymFile === undefined) return undefined;
  readPseudonymKey(pseudonymFile);
  return pseudonymKey === undefined ? UNKNOWN : pseudonymOf(pseudonymKey, provider, subject);
}
