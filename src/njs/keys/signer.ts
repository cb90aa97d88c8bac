import { assertionClaims } from '../../assertion/claims.ts';
import { type SigningKeys, signAssertion } from '../../assertion/sign.ts';
import { readSigningKeys } from '../../assertion/signing-keys.ts';
import { JWKS_MAX_AGE_S } from '../../base/limits.ts';
import { ok, type Result, refuse } from '../../base/reasons.ts';
import type { Assertion } from '../../policy/checked/types.ts';
import { readKeySet } from '../../token/keys/jwks.ts';
import type { ProviderKey } from '../../token/types.ts';
import type { KnownCaller, PreparedGrant } from '../shared/known.ts';
import { KeyFile } from './key-file.ts';

/** Signs assertions for callers with the keys of a file. */
export class AssertionSigner {
  readonly #settings: Assertion;
  readonly #file: KeyFile<SigningKeys>;
  #public: { readonly of: SigningKeys; readonly keys: readonly ProviderKey[] } | undefined;

  constructor(settings: Assertion) {
    this.#settings = settings;
    this.#file = new KeyFile(settings.keysFile, readSigningKeys, 'nothing is signed');
  }

  /** Returns the public keys that verify this gateway's assertions; `undefined` if the file is missing or broken. */
  async published(now: number): Promise<readonly ProviderKey[] | undefined> {
    const keys = await this.#file.current(now);
    if (keys === undefined) return undefined;
    if (this.#public?.of !== keys) {
      const set = await readKeySet(keys.published);
      this.#public = { of: keys, keys: set.ok ? set.keys : [] };
    }
    return this.#public.keys;
  }

  /** Returns the last assertion for a caller, without a promise, if its key still signs and half its life is left. */
  recall(known: KnownCaller, { index }: PreparedGrant, now: number): string | undefined {
    const made = known.assertions?.[index];
    if (made === undefined || now >= made.renewAt || made.keys !== this.#file.recall(now)) return undefined;
    return made.text;
  }

  /** Signs an assertion. Returns `assertion_unavailable` if there is no key. */
  async sign(known: KnownCaller, grant: PreparedGrant, now: number): Promise<Result<string>> {
    const keys = await this.#file.current(now);
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

  /** `js_content` of the key set with which services verify assertions. */
  async jwks(r: NginxHTTPRequest): Promise<void> {
    const keys = await this.#file.current(Date.now() / 1000);
    if (keys === undefined) return r.return(503);
    r.headersOut['Content-Type'] = 'application/jwk-set+json';
    r.headersOut['Cache-Control'] = `public, max-age=${JWKS_MAX_AGE_S}`;
    r.headersOut['X-Content-Type-Options'] = 'nosniff';
    r.return(200, keys.published);
  }
}
