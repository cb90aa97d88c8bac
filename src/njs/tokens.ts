import hash from 'crypto';
import type { Caller } from '../caller/types.ts';
import { TOKENS_PER_CONTEXT } from '../limits.ts';
import type { Verified } from '../token/types.ts';
import { aboutCaller, type KnownCaller } from './answer.ts';
import { tokensDict } from './dicts.ts';

/** A caller as kept in the shared dict. */
interface Kept {
  readonly caller: Caller;
  readonly until: number;
  readonly key: string;
}

/**
 * Verified tokens: a small Map in this context, and behind it the dict that all workers share.
 * The token's text is hashed for the dict: a readable token never lies in shared memory,
 * and 128 bits of SHA-256 keep the keys short.
 *
 * @param selection hash of what an entry depends on (providers, roles, named claims): another policy, other keys
 */
export class TokenCache {
  readonly #selection: string;
  readonly #near = new Map<string, KnownCaller>();
  #lastToken = '';
  #lastKey = '';

  constructor(selection: string) {
    this.#selection = selection;
  }

  /** A token that is not known is asked for and then put: one hash for both. */
  #dictKey(token: string): string {
    if (token !== this.#lastToken) {
      this.#lastToken = token;
      this.#lastKey = hash.createHash('sha256').update(this.#selection).update(token).digest('base64url').slice(0, 22);
    }
    return this.#lastKey;
  }

  #keepNear(token: string, known: KnownCaller): KnownCaller {
    if (this.#near.size >= TOKENS_PER_CONTEXT) {
      this.#near.delete(this.#near.keys().next().value as string);
    }
    this.#near.set(token, known);
    return known;
  }

  /** The caller of a token that was verified before and has not outlived its entry. */
  get(token: string, now: number): KnownCaller | undefined {
    const near = this.#near.get(token);
    if (near !== undefined) {
      if (near.until > now) return near;
      this.#near.delete(token);
      return undefined;
    }
    const text = tokensDict().get(this.#dictKey(token));
    if (text === undefined) return undefined;
    const kept = JSON.parse(text) as Kept;
    return kept.until > now ? this.#keepNear(token, known(kept)) : undefined;
  }

  /**
   * Remembers a verified token until `exp` or the policy's cap, whichever is first.
   *
   * @param cap seconds
   */
  put(token: string, verified: Verified, caller: Caller, now: number, cap: number): KnownCaller {
    const kept: Kept = { caller, until: Math.min(verified.expires, now + cap), key: verified.key };
    const life = Math.ceil((kept.until - now) * 1000);
    if (life > 0) {
      try {
        tokensDict().set(this.#dictKey(token), JSON.stringify(kept), life);
      } catch {
        // A dict that is full even after eviction only costs the next verification.
        ngx.log(ngx.WARN, 'meshgate: the token cache takes no entry; enlarge the zone meshgate_tokens');
      }
    }
    // A place near is for tokens that come again.
    return known(kept);
  }

  /** Forgets a token whose key has left the provider's set. */
  drop(token: string): void {
    this.#near.delete(token);
    tokensDict().delete(this.#dictKey(token));
  }
}

function known(kept: Kept): KnownCaller {
  return { ...kept, provider: kept.caller.provider, lines: [], about: aboutCaller(kept.caller), assertions: [] };
}
