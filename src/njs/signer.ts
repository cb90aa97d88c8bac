import fs from 'fs';
import { assertionClaims } from '../assertion/claims.ts';
import { readSigningKeys } from '../assertion/read.ts';
import { signAssertion } from '../assertion/sign.ts';
import type { Grant, SigningKeys } from '../assertion/types.ts';
import { JWKS_MAX_AGE_S, SIGNING_KEYS_INTERVAL_S, SIGNING_KEYS_RETRY_S } from '../limits.ts';
import type { Assertion } from '../policy/types.ts';
import { ok, type Result, refuse } from '../reasons.ts';
import { readKeySet } from '../token/keys.ts';
import type { Key } from '../token/types.ts';
import { locksDict } from './dicts.ts';
import type { KnownCaller } from './known.ts';
import { emptyErrorQueue } from './openssl.ts';

/** An assertion that was made for a caller. */
export interface MadeAssertion {
  readonly text: string;
  /** Half of its life, seconds since the epoch: from then on another one is made. */
  readonly renewAt: number;
  readonly keys: SigningKeys;
}

/** A grant with its place among all of the policy. */
export interface PreparedGrant extends Grant {
  readonly index: number;
}

/** A broken file is one line a minute, however many contexts and workers find it. */
const BROKEN_LINE_MS = 60_000;

/**
 * Signs for callers. The file with the keys is read by the worker at the time of the read, again every few seconds, so
 * that keys rotate without a reload; they lie in this context's memory and nowhere else.
 */
export class Signer {
  readonly #settings: Assertion;
  #text: string | undefined;
  #keys: SigningKeys | undefined;
  #lookAt = 0;
  #public: { readonly of: SigningKeys; readonly keys: readonly Key[] } | undefined;

  constructor(settings: Assertion) {
    this.#settings = settings;
  }

  #broken(why: string): undefined {
    this.#text = undefined;
    this.#keys = undefined;
    if (locksDict().add('signing keys are broken', 1, BROKEN_LINE_MS)) {
      ngx.log(ngx.ERR, `meshgate: nothing is signed: ${this.#settings.keysFile}: ${why}`);
    }
    return undefined;
  }

  async #read(): Promise<SigningKeys | undefined> {
    let text: string;
    try {
      text = fs.readFileSync(this.#settings.keysFile, 'utf8');
    } catch (error) {
      return this.#broken(`it cannot be read (${(error as { code?: string }).code ?? 'no regular file'})`);
    }
    if (text === this.#text) return this.#keys;
    const keys = await readSigningKeys(text);
    if (typeof keys === 'string') {
      await emptyErrorQueue();
      return this.#broken(keys);
    }
    this.#text = text;
    this.#keys = keys;
    return keys;
  }

  /** The keys as the file has them, or had them a few seconds ago; `undefined`: missing or broken. */
  async #current(now: number): Promise<SigningKeys | undefined> {
    if (now < this.#lookAt) return this.#keys;
    const keys = await this.#read();
    this.#lookAt = now + (keys === undefined ? SIGNING_KEYS_RETRY_S : SIGNING_KEYS_INTERVAL_S);
    return keys;
  }

  /** The public keys that assertions of this gateway verify with; `undefined`: missing or broken. */
  async published(now: number): Promise<readonly Key[] | undefined> {
    const keys = await this.#current(now);
    if (keys === undefined) return undefined;
    if (this.#public?.of !== keys) {
      const set = await readKeySet(keys.published);
      this.#public = { of: keys, keys: set.ok ? set.keys : [] };
    }
    return this.#public.keys;
  }

  /** The assertion made before, if it is in the first half of its life and of the current key. No promise. */
  recall(known: KnownCaller, { index }: PreparedGrant, now: number): string | undefined {
    const made = known.assertions?.[index];
    if (made === undefined || now >= made.renewAt || now >= this.#lookAt || made.keys !== this.#keys) return undefined;
    return made.text;
  }

  /** Makes an assertion, or says `assertion_unavailable` where no key can sign. */
  async sign(known: KnownCaller, grant: PreparedGrant, now: number): Promise<Result<string>> {
    const keys = await this.#current(now);
    if (keys === undefined) return refuse('assertion_unavailable');
    const before = this.recall(known, grant, now);
    if (before !== undefined) return ok(before);
    const signed = await signAssertion(keys, assertionClaims(this.#settings, grant, known.caller, now));
    if (signed.ok) {
      const renewAt = Math.floor(now) + this.#settings.lifetime / 2;
      known.assertions ??= [];
      known.assertions[grant.index] = { text: signed.value, renewAt, keys };
    }
    return signed;
  }

  /** `js_content` of the key set that services verify with. */
  async jwks(r: NginxHTTPRequest): Promise<void> {
    const keys = await this.#current(Date.now() / 1000);
    if (keys === undefined) {
      r.return(503);
      return;
    }
    r.headersOut['Content-Type'] = 'application/jwk-set+json';
    r.headersOut['Cache-Control'] = `public, max-age=${JWKS_MAX_AGE_S}`;
    r.headersOut['X-Content-Type-Options'] = 'nosniff';
    r.return(200, keys.published);
  }
}
