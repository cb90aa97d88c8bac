import { composed } from '../../base/composed-key.ts';
import {
  KEYS_JOB_INTERVAL_S,
  MAX_DICT_TTL_MS,
  MAX_KEYS_BYTES,
  MAX_WAITERS,
  PROVIDER_TIMEOUT_MS,
  WAIT_FOR_KEYS_MS,
} from '../../base/limits.ts';
import { providerKind } from '../../providers/index.ts';
import type { Table } from '../../rules/types.ts';
import { ofCaller, type Revocable } from '../../session/revocation/revocation.ts';
import { INTROSPECTED } from '../../token/introspection.ts';
import { discoveryUrl, readDiscovery } from '../../token/keys/discovery.ts';
import type { ImportedKeys } from '../../token/keys/import.ts';
import { readKeySet } from '../../token/keys/jwks.ts';
import {
  afterFailure,
  areKeysStale,
  fetched,
  isDue,
  type KeyState,
  mayRefetch,
  noKeys,
  trying,
  usableKeys,
} from '../../token/keys/key-refresh.ts';
import type { ProviderKey, TokenProvider } from '../../token/types.ts';
import { keepDocument, keysDict, keysName, locksDict } from '../shared/dicts.ts';
import { fetchDocument, withTimeout } from '../shared/egress-call.ts';
import { EPOCH, epochNow, newEpoch } from '../shared/epoch.ts';
import { holdUpTo, release } from '../shared/held.ts';
import { type KnownCaller, readOthers } from '../shared/known.ts';
import { isRevokedNow, revokedClaims } from '../shared/revocation-reader.ts';

/** The result of waiting for new keys: there may be new keys, there are none, or too many requests are waiting. */
type Refetched = 'fetched' | 'unchanged' | 'busy';

/** A cached verification: the parts on which its validity depends, and the last result. */
type VerifiedBefore = Issued & Pick<KnownCaller, 'epoch' | 'usableUntil'>;

/** What a token says about its caller and itself. */
type Issued = Pick<KnownCaller, 'caller' | 'provider' | 'key' | 'stamp' | 'others'>;

interface Loaded {
  readonly state: KeyState;
  readonly thumbprints: ReadonlySet<string>;
}

/** A fetch ends before the next run of the job, so the lock can expire at that time. */
const LOCK_MS = KEYS_JOB_INTERVAL_S * 1000;

/** The providers' keys in shared memory, with a parsed copy in this context. */
export class KeyStore {
  /** The keys that this context has imported. */
  readonly imported: ImportedKeys = new Map();
  readonly #table: Table;
  readonly #loaded = new Map<string, Loaded>();
  #epoch: string | undefined;
  #dict: ReturnType<typeof keysDict> | undefined;

  constructor(table: Table) {
    this.#table = table;
  }

  #load(provider: string): Loaded {
    const epoch = epochNow();
    if (epoch !== this.#epoch) {
      this.#loaded.clear();
      this.#epoch = epoch;
    }
    let loaded = this.#loaded.get(provider);
    if (loaded === undefined) {
      const state = this.#state(provider);
      loaded = { state, thumbprints: new Set(state.keys.map((key) => key.thumbprint)) };
      this.#loaded.set(provider, loaded);
    }
    return loaded;
  }

  #state(provider: string): KeyState {
    const text = keysDict().get(keysName(this.#table.providers[provider] as TokenProvider));
    return text === undefined ? noKeys : (JSON.parse(text) as KeyState);
  }

  #save(provider: TokenProvider, state: KeyState): void {
    keepDocument(keysName(provider), JSON.stringify(state), MAX_KEYS_BYTES);
  }

  /** Returns the keys that verify a provider's tokens; `undefined` if there are none yet, or all are too old. */
  of(provider: string, now: number): readonly ProviderKey[] | undefined {
    return usableKeys(this.#load(provider).state, now, this.#table.keys);
  }

  /** Returns the properties by which a caller's token can be revoked: the token, its key and its subject. */
  #revocable({ caller, provider, key, stamp, others }: Issued): Revocable {
    const { state } = this.#load(provider);
    const of = this.#table.providers[provider] as TokenProvider;
    const { claim, prefix } = of.subject;
    const names = { ...readOthers(others), [claim]: caller.subject.slice(prefix.length) };
    const space = stamp.indexOf(' ');
    const jti = stamp.slice(space + 1);
    return {
      ...ofCaller(
        of,
        Object.entries(names).filter(([, value]) => value !== ''),
      ),
      ...(jti !== '' && { jti }),
      kids: [key, state.keys.find(({ thumbprint }) => thumbprint === key)?.kid],
      at: Number(stamp.slice(0, space)),
      skew: this.#table.clockSkew,
    };
  }

  isRevoked(of: Issued): boolean {
    return isRevokedNow(() => this.#revocable(of));
  }

  /** Whether a cached verification is still valid: its key is published and not too old, and nothing of the caller is
   * revoked. The result stays with the caller until keys are fetched or something is revoked. Nearly every request calls
   * it, so it reads the epoch without a further call. */
  isStillVerified(known: VerifiedBefore, now: number): boolean {
    this.#dict ??= keysDict();
    const epoch = this.#dict.get(EPOCH);
    if (known.usableUntil !== undefined && known.epoch === epoch) return now <= known.usableUntil;
    known.epoch = epoch;
    known.usableUntil = this.#usableUntil(known);
    return now <= known.usableUntil;
  }

  /** Whether a cached token has the claims that revocations name. If not, it must be verified again. */
  #isComparable({ provider, others }: VerifiedBefore): boolean {
    const { claim } = (this.#table.providers[provider] as TokenProvider).subject;
    const revoked = revokedClaims().filter((one) => one !== claim);
    return revoked.length === 0 || revoked.every((one) => Object.hasOwn(readOthers(others), one));
  }

  /** Returns until when the verification is valid with the current keys, in seconds since the epoch; 0 if invalid. */
  #usableUntil(known: VerifiedBefore): number {
    const { state, thumbprints } = this.#load(known.provider);
    // The provider itself confirmed this token, so the token does not depend on a key.
    const byKey = known.key !== INTROSPECTED;
    if ((byKey && !thumbprints.has(known.key)) || !this.#isComparable(known) || this.isRevoked(known)) return 0;
    return byKey ? state.fetchedAt + this.#table.keys.stale : Number.POSITIVE_INFINITY;
  }

  /** Fetches a document. The time-out of the policy may be longer for a sign-in, but two documents must arrive before
   * the next run of the job. */
  #document(provider: string, url: string, to?: TokenProvider): Promise<string> {
    return withTimeout(fetchDocument(this.#table.egress, provider, url, to), PROVIDER_TIMEOUT_MS);
  }

  /** Returns the address of the keys from the provider's discovery document. */
  async #discover({ name, issuer, privateAddresses }: TokenProvider): Promise<string> {
    const text = await this.#document(name, discoveryUrl(issuer));
    const discovery = readDiscovery(text, issuer, privateAddresses);
    if (!discovery.ok) throw new Error(discovery.error);
    return discovery.jwksUri;
  }

  /** Fetches discovery document and key set, and stores the result for all workers. It logs a failure in one line. */
  async #fetch(provider: TokenProvider): Promise<boolean> {
    const { keys: times } = this.#table;
    const now = Date.now() / 1000;
    const before = this.#state(provider.name);
    locksDict().set(composed('cool', provider.name), 1, times.coolDown * 1000);
    try {
      this.#save(provider, trying(before, now));
      const uri = provider.jwksUri ?? (await this.#discover(provider));
      const to = provider.jwksUri === undefined ? provider : undefined;
      const set = await readKeySet(await this.#document(provider.name, uri, to), providerKind(provider.kind));
      if (!set.ok) throw new Error(set.error);
      for (const warning of set.warnings) ngx.log(ngx.WARN, `meshgate: keys of provider ${provider.name}: ${warning}`);
      this.#save(provider, fetched(before, set.keys, now));
      newEpoch();
      return true;
    } catch (error) {
      const state = afterFailure(before, now);
      try {
        this.#save(provider, state);
      } catch {
        // The stored keys stay in use. The code below logs the reason.
      }
      const age = Math.round(now - state.fetchedAt);
      const serving = areKeysStale(state, now, times) ? `; still using the keys of ${age} s ago` : '';
      ngx.log(ngx.ERR, `meshgate: keys of provider ${provider.name}: ${(error as Error).message}${serving}`);
      return false;
    }
  }

  /** Fetches the keys while it holds the provider's lock; `undefined` if another worker holds the lock. */
  async #fetchAlone(provider: TokenProvider, wanted: (state: KeyState) => boolean): Promise<boolean | undefined> {
    const lock = composed('fetch', provider.name);
    if (!locksDict().add(lock, 1, LOCK_MS)) return undefined;
    try {
      return wanted(this.#state(provider.name)) && (await this.#fetch(provider));
    } finally {
      locksDict().delete(lock);
    }
  }

  /** The periodic job: fetches the keys of all providers that are due at once, so that no provider delays another. */
  async refresh(): Promise<void> {
    // After a restart, keys and revocations come from two files, and one file may be older than the other.
    if (locksDict().add('begun', 1, MAX_DICT_TTL_MS)) newEpoch();
    const due = (state: KeyState) => isDue(state, Date.now() / 1000, this.#table.keys);
    const publishing = Object.values(this.#table.providers).filter(({ keyless }) => keyless === undefined);
    await Promise.all(publishing.map((provider) => this.#fetchAlone(provider, due)));
  }

  /** Fetches the keys early because a token has an unknown key, or waits for a request that is fetching them. There is
   * at most one fetch per provider and cool-down, for any number of requests.
   * @param urgent whether to ignore the cool-down. Use it only if the provider has just answered: clients must not
   * cause such fetches at will. */
  async refetch(provider: TokenProvider, urgent = false): Promise<Refetched> {
    if (provider.keyless) return 'unchanged';
    const locks = locksDict();
    const fetching = () => locks.has(composed('fetch', provider.name));
    if (urgent || !locks.has(composed('cool', provider.name))) {
      const may = (state: KeyState) => urgent || mayRefetch(state, Date.now() / 1000, this.#table.keys);
      const done = await this.#fetchAlone(provider, may);
      if (done !== undefined) return done ? 'fetched' : 'unchanged';
    }
    if (!fetching()) return 'unchanged';
    const place = holdUpTo(MAX_WAITERS, LOCK_MS, 'waiting', provider.name);
    if (place === undefined) return 'busy';
    const epoch = this.#epoch;
    for (let waited = 0; waited < WAIT_FOR_KEYS_MS && fetching(); waited += 50) {
      await new Promise<void>((resolve) => setTimeout(resolve, 50));
    }
    release(place);
    return epochNow() === epoch ? 'unchanged' : 'fetched';
  }
}
