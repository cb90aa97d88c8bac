import { TO_CHECK } from '../../base/internal-headers.ts';
import { ok, type Result, refuse } from '../../base/reasons.ts';
import { tokenCaller } from '../../caller/caller.ts';
import type { Table } from '../../rules/types.ts';
import { isJws } from '../../token/format.ts';
import { checkIntrospected, confirmedToken, isTokenText, providerToIntrospect } from '../../token/introspection.ts';
import { providerToAsk } from '../../token/keys/key-refresh.ts';
import { leavesGroupsOut } from '../../token/overage.ts';
import type { TokenProvider, Verified } from '../../token/types.ts';
import { type VerifyContext, verifyToken } from '../../token/verify.ts';
import type { PreparedRoute } from '../check/routes.ts';
import type { KeyStore } from '../keys/fetched-keys.ts';
import { emptyErrorQueue } from '../keys/openssl.ts';
import { counterName, increment } from '../shared/counts.ts';
import { type KnownCaller, othersOf, stampOf } from '../shared/known.ts';
import { revokedClaims } from '../shared/revocation-reader.ts';
import { ProviderCalls } from './provider-calls.ts';
import { TokenCache } from './tokens.ts';

const TOKEN = counterName('verified', ['token']);

/** The part of a route that says which providers' tokens it accepts. */
type Place = Pick<PreparedRoute, 'providers' | 'accepted' | 'scope'>;

/** Receives the caller of a new token, the value `along` from its caller, and the verified claims. */
type Use<T, S> = (known: Result<KnownCaller>, along: S, verified?: Verified) => T | Promise<T>;

/** The state while a new token is verified. A tuple costs a fifth of a closure with the same values. */
type Newcomer<T, S> = readonly [
  bearers: Bearers,
  providers: Place['providers'],
  token: string,
  now: number,
  use: Use<T, S>,
  along: S,
  /** The scope of the cache entry for the token. */
  scope: string,
  /** The client's address; empty if the policy asks no provider about tokens. */
  from: string,
];

export class Bearers {
  readonly #table: Table;
  readonly #keys: KeyStore;
  readonly tokens: TokenCache;
  readonly #context: VerifyContext;
  /** Absent: the policy asks no provider about tokens. */
  readonly #providerCalls: ProviderCalls | undefined;

  constructor(table: Table, keys: KeyStore) {
    this.#table = table;
    this.#keys = keys;
    // Without introspection a token must be a JWS. With introspection any text can be a token.
    this.tokens = new TokenCache(
      table,
      table.asking === undefined ? isJws : (text) => isJws(text) || isTokenText(text),
    );
    this.#context = {
      keysOf: (provider, now) => keys.of(provider.name, now),
      skew: table.clockSkew,
      imported: keys.imported,
      onFailure: emptyErrorQueue,
    };
    this.#providerCalls = table.asking === undefined ? undefined : new ProviderCalls(table.asking, table.selection);
  }

  /** Returns a known caller of these providers, if its key is still published and nothing of the caller is revoked. */
  recall(to: Place, token: string, now: number): KnownCaller | undefined {
    const known = this.tokens.get(to.scope, token, now);
    if (known === undefined || !to.accepted.has(known.provider)) return undefined;
    if (this.#keys.isStillVerified(known, now)) return known;
    this.tokens.drop(to.scope, token);
    return undefined;
  }

  /** Stores the caller of a new token in the cache. */
  #readCaller(scope: string, token: string, now: number, verified: Result<Verified>): Result<KnownCaller> {
    if (!verified.ok) return verified;
    increment(TOKEN);
    const { claims, provider, key, until } = verified.value;
    const table = this.#table;
    const caller = tokenCaller(verified.value, table, now);
    if (!caller.ok) return caller;
    const cap = until === undefined ? table.tokenCache : Math.min(table.tokenCache, until - now);
    // Only a policy with sessions has revocations, so otherwise no look-up is needed.
    if (table.session === undefined) return ok(this.tokens.put(scope, token, verified.value, caller.value, now, cap));
    const stamp = stampOf(claims);
    const others = othersOf(claims, this.#provider(provider).subject.claim, revokedClaims());
    if (this.#keys.isRevoked({ caller: caller.value, provider, key, stamp, others })) return refuse('revoked');
    return ok(this.tokens.put(scope, token, verified.value, caller.value, now, cap, stamp, others));
  }

  /** Passes the caller of a verified token to `use`. If the provider must be asked first, it is asked. */
  static #finish<T, S>(verified: Result<Verified>, newcomer: Newcomer<T, S>): T | Promise<T> {
    if (newcomer[0].#providerCalls !== undefined && verified.ok) {
      const provider = newcomer[0].#provider(verified.value.provider);
      if (provider.introspection?.jwts && verified.value.until === undefined) {
        return Bearers.#confirm(provider, verified.value, newcomer);
      }
      if (provider.asksGroups && leavesGroupsOut(verified.value.claims, provider.kind)) {
        return Bearers.#complete(provider, verified.value, newcomer);
      }
    }
    const known = newcomer[0].#readCaller(newcomer[6], newcomer[2], newcomer[3], verified);
    return newcomer[4](known, newcomer[5], verified.ok ? verified.value : undefined);
  }

  #provider(name: string): TokenProvider {
    return this.#table.providers[name] as TokenProvider;
  }

  /** Asks the provider whether a verified JWT is active, then continues with {@link #finish}. */
  static async #confirm<T, S>(provider: TokenProvider, verified: Verified, newcomer: Newcomer<T, S>): Promise<T> {
    const providerCalls = newcomer[0].#providerCalls as ProviderCalls;
    const occasion = { now: newcomer[3], from: newcomer[7], isSigned: true };
    const providerAnswer = await providerCalls.introspect(provider, newcomer[2], occasion);
    const held = providerAnswer.ok
      ? confirmedToken(verified, providerAnswer.value.claims, provider, providerAnswer.value.until)
      : providerAnswer;
    return Bearers.#finish(held, newcomer);
  }

  /** Asks the provider for the policy's groups that the token leaves out, then continues with {@link #finish}. */
  static async #complete<T, S>(provider: TokenProvider, verified: Verified, newcomer: Newcomer<T, S>): Promise<T> {
    const providerCalls = newcomer[0].#providerCalls as ProviderCalls;
    const cap = newcomer[0].#table.tokenCache;
    const occasion = { now: newcomer[3], from: newcomer[7] };
    const providerAnswer = await providerCalls.groups(provider, verified.claims, cap, occasion);
    if (!providerAnswer.ok) return Bearers.#finish(providerAnswer, newcomer);
    const until = Math.min(providerAnswer.value.until, verified.until ?? Number.POSITIVE_INFINITY);
    return Bearers.#finish(ok({ ...verified, claims: providerAnswer.value.claims, until }), newcomer);
  }

  /** Asks the provider about a token that only the provider can read, then continues with {@link #finish}. */
  static async #introspect<T, S>(
    providerCalls: ProviderCalls,
    provider: TokenProvider,
    newcomer: Newcomer<T, S>,
  ): Promise<T> {
    const [bearers, , token, now] = newcomer;
    const providerAnswer = await providerCalls.introspect(provider, token, { now, from: newcomer[7] });
    if (!providerAnswer.ok) return Bearers.#finish(providerAnswer, newcomer);
    const { claims, until } = providerAnswer.value;
    return Bearers.#finish(checkIntrospected(claims, provider, { now, skew: bearers.#context.skew, until }), newcomer);
  }

  /** Continues with {@link #finish}. If the known keys are not enough, it first verifies with the newest ones. */
  static #finishOrAsk<T, S>(verified: Result<Verified>, newcomer: Newcomer<T, S>): T | Promise<T> {
    if (verified.ok) return Bearers.#finish(verified, newcomer);
    const [bearers, providers, token, now] = newcomer;
    const ask = providerToAsk(token, verified, providers);
    if (ask === undefined) return Bearers.#finish(verified, newcomer);
    return bearers.#keys.refetch(ask).then((refetched) => {
      if (refetched === 'fetched')
        return verifyToken(token, providers, now, bearers.#context, Bearers.#finish, newcomer);
      return Bearers.#finish(refetched === 'busy' ? refuse('provider_unavailable') : verified, newcomer);
    });
  }

  /** Verifies a new token, if necessary with the provider's newest keys.
   * @param r the request that contains the token */
  verify<T, S>(to: Place, token: string, now: number, use: Use<T, S>, along: S, r: NginxHTTPRequest): T | Promise<T> {
    const { providers, scope } = to;
    const from = this.#providerCalls === undefined ? '' : (r.headersIn[TO_CHECK.address] ?? '');
    const newcomer: Newcomer<T, S> = [this, providers, token, now, use, along, scope, from];
    if (this.#providerCalls !== undefined) {
      const requested = providerToIntrospect(token, providers);
      if (requested !== undefined) return Bearers.#introspect(this.#providerCalls, requested, newcomer);
    }
    return verifyToken(token, providers, now, this.#context, Bearers.#finishOrAsk<T, S>, newcomer);
  }
}
