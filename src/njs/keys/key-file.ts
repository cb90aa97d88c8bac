import fs from 'fs';
import { SIGNING_KEYS_INTERVAL_S, SIGNING_KEYS_RETRY_S } from '../../base/limits.ts';
import { type Ring, readRing } from '../../session/keys/ring.ts';
import { sayOnce } from '../shared/say-once.ts';
import { emptyErrorQueue } from './openssl.ts';

/** Returns when the first of the keys expires, in seconds since the epoch. The file is read again after that. */
const expiryOf = (keys: object | undefined): number =>
  (keys as { readonly expires?: number } | undefined)?.expires ?? Number.POSITIVE_INFINITY;

/** A file of keys that is read again every few seconds, so that keys can be rotated. No other context has them. */
export class KeyFile<T extends object> {
  readonly #path: string;
  readonly #read: (text: string, now: number) => Promise<T | string>;
  readonly #without: string;
  #text: string | undefined;
  #keys: T | undefined;
  #lookAt = 0;

  /** @param read makes the keys from the file's text, or returns a sentence about the mistake. The sentence contains
   * nothing of the text.
   * @param without what does not work without the keys, for the log */
  constructor(path: string, read: (text: string, now: number) => Promise<T | string>, without: string) {
    this.#path = path;
    this.#read = read;
    this.#without = without;
  }

  #broken(why: string): undefined {
    this.#text = undefined;
    this.#keys = undefined;
    sayOnce(this.#path, ngx.ERR, `${this.#without}: ${this.#path}: ${why}`);
    return undefined;
  }

  async #load(now: number): Promise<T | undefined> {
    let text: string;
    try {
      text = fs.readFileSync(this.#path, 'utf8');
    } catch (error) {
      return this.#broken(`it cannot be read (${(error as { code?: string }).code ?? 'no regular file'})`);
    }
    if (text === this.#text && now < expiryOf(this.#keys)) return this.#keys;
    const keys = await this.#read(text, now);
    if (typeof keys === 'string') {
      await emptyErrorQueue();
      return this.#broken(keys);
    }
    this.#text = text;
    this.#keys = keys;
    return keys;
  }

  /** Returns the keys if they were read recently, without a promise; else call {@link current}. */
  recall(now: number): T | undefined {
    return now < this.#lookAt ? this.#keys : undefined;
  }

  /** Returns the keys, which were read at most a few seconds ago; `undefined` if the file is missing or broken. */
  async current(now: number): Promise<T | undefined> {
    if (now < this.#lookAt) return this.#keys;
    const keys = await this.#load(now);
    const next = now + (keys === undefined ? SIGNING_KEYS_RETRY_S : SIGNING_KEYS_INTERVAL_S);
    this.#lookAt = Math.min(next, expiryOf(keys));
    return keys;
  }

  /** Reads the file even if it was read recently, because a request names an unknown key. */
  again(now: number): Promise<T | undefined> {
    if (now >= this.#lookAt - SIGNING_KEYS_INTERVAL_S + SIGNING_KEYS_RETRY_S) this.#lookAt = 0;
    return this.current(now);
  }
}

/** Makes the reader for the file of session keys. */
export const ringFile = (path: string): KeyFile<Ring> => new KeyFile(path, readRing, 'no session is opened or sealed');
