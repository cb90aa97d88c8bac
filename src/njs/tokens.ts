import hash from 'crypto';
import type { Caller } from '../caller/types.ts';
import { TOKENS_PER_CONTEXT } from '../limits.ts';
import type { Claims, Verified } from '../token/types.ts';
import { aboutCaller, type KnownCaller } from './answer.ts';
import { tokensDict } from './dicts.ts';

/** A caller as kept in the shared dict: a flat list is made and read in a quarter of an object's time. */
type Kept = readonly [
  until: number,
  key: string,
  provider: string,
  subject: string,
  email: string | 0,
  name: string | 0,
  roles: readonly string[],
  groups: readonly string[],
  claims: Claims,
];

/** A token's last characters: its signature's, which differ; the whole is compared after. */
const tail = (token: string): string => token.slice(-32);

interface Near {
  readonly token: string;
  readonly known: KnownCaller;
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
  readonly #near = new Map<string, Near>();
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
    this.#near.set(tail(token), { token, known });
    return known;
  }

  /** The caller of a token that was verified before and has not outlived its entry. */
  get(token: string, now: number): KnownCaller | undefined {
    const near = this.#near.get(tail(token));
    if (near !== undefined && near.token === token) {
      if (near.known.until > now) return near.known;
      this.#near.delete(tail(token));
      return undefined;
    }
    const text = tokensDict().get(this.#dictKey(token));
    if (text === undefined) return undefined;
    const kept = JSON.parse(text) as Kept;
    return kept[0] > now ? this.#keepNear(token, fromKept(kept)) : undefined;
  }

  /**
   * Remembers a verified token until `exp` or the policy's cap, whichever is first.
   *
   * @param cap seconds
   */
  put(token: string, verified: Verified, caller: Caller, now: number, cap: number): KnownCaller {
    const until = Math.min(verified.expires, now + cap);
    const life = Math.ceil((until - now) * 1000);
    if (life > 0) {
      try {
        tokensDict().set(this.#dictKey(token), JSON.stringify(toKept(caller, until, verified.key)), life);
      } catch {
        // A dict that is full even after eviction only costs the next verification.
        ngx.log(ngx.WARN, 'meshgate: the token cache takes no entry; enlarge the zone meshgate_tokens');
      }
    }
    // A place near is for tokens that come again.
    return known(caller, until, verified.key);
  }

  /** Forgets a token whose key has left the provider's set. */
  drop(token: string): void {
    this.#near.delete(tail(token));
    tokensDict().delete(this.#dictKey(token));
  }
}

function toKept({ provider, subject, email, name, roles, groups, claims }: Caller, until: number, key: string): Kept {
  return [until, key, provider, subject, email ?? 0, name ?? 0, roles, groups, claims];
}

function fromKept([until, key, provider, subject, email, name, roles, groups, claims]: Kept): KnownCaller {
  const caller: { -readonly [K in keyof Caller]: Caller[K] } = { provider, subject, roles, groups, claims };
  if (email !== 0) caller.email = email;
  if (name !== 0) caller.name = name;
  return known(caller, until, key);
}

function known(caller: Caller, until: number, key: string): KnownCaller {
  const { provider } = caller;
  return { caller, until, key, provider, lines: [], about: aboutCaller(caller), ready: new Map(), assertions: [] };
}
