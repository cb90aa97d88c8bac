import fs from 'fs';
import { composed } from '../composed.ts';
import { SIGNING_KEYS_INTERVAL_S, SIGNING_KEYS_RETRY_S } from '../limits.ts';
import { locksDict } from './dicts.ts';
import { emptyErrorQueue } from './openssl.ts';

/** Shortest time between two lines about a broken file, for all contexts and workers. */
const BROKEN_LINE_MS = 60_000;

/** When the first of some keys expires, seconds since the epoch. After that their text is read again. */
const expiryOf = (keys: object | undefined): number =>
  (keys as { readonly expires?: number } | undefined)?.expires ?? Number.POSITIVE_INFINITY;

/** A file with keys that is read again every few seconds, so that keys rotate without a reload. The keys are only in
 * this context's memory. */
export class KeyFile<T extends object> {
  readonly #path: string;
  readonly #read: (text: string, now: number) => Promise<T | string>;
  readonly #without: string;
  #text: string | undefined;
  #keys: T | undefined;
  #lookAt = 0;

  /** @param read makes keys of the file's text, or returns a sentence about its mistake that contains nothing of it
   * @param without what does not work without keys, for the log
   */
  constructor(path: string, read: (text: string, now: number) => Promise<T | string>, without: string) {
    this.#path = path;
    this.#read = read;
    this.#without = without;
  }

  #broken(why: string): undefined {
    this.#text = undefined;
    this.#keys = undefined;
    if (locksDict().add(composed('broken', this.#path), 1, BROKEN_LINE_MS)) {
      ngx.log(ngx.ERR, `meshgate: ${this.#without}: ${this.#path}: ${why}`);
    }
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

  /** The keys as read recently; `undefined`: call {@link current}. Makes no promise. */
  recall(now: number): T | undefined {
    return now < this.#lookAt ? this.#keys : undefined;
  }

  /** The keys in the file, at most a few seconds old; `undefined` if it is missing or broken. */
  async current(now: number): Promise<T | undefined> {
    if (now < this.#lookAt) return this.#keys;
    const keys = await this.#load(now);
    const next = now + (keys === undefined ? SIGNING_KEYS_RETRY_S : SIGNING_KEYS_INTERVAL_S);
    this.#lookAt = Math.min(next, expiryOf(keys));
    return keys;
  }

  /** {@link current}, although it was read recently, because a request refers to an unknown key. */
  again(now: number): Promise<T | undefined> {
    if (now >= this.#lookAt - SIGNING_KEYS_INTERVAL_S + SIGNING_KEYS_RETRY_S) this.#lookAt = 0;
    return this.current(now);
  }
}
