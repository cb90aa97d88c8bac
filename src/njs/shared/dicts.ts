import { composed } from '../../base/composed-key.ts';

/** The shared dict zones of the rendered configuration. All workers share them. Each context finds each zone once. */

type Zone = `meshgate_${string}`;

/** Returns a function that returns a zone. Requests use several zones, and a variable is found faster than a name. */
function zone<V extends string | number>(name: Zone): () => NgxSharedDict<V> {
  let found: NgxSharedDict<V> | undefined;
  return () => {
    found ??= ngx.shared[name] as unknown as NgxSharedDict<V>;
    return found;
  };
}

/** A zone of locks, counters and marks, each with a lifetime in milliseconds. The policy determines its size. If it is
 * full in spite of that, locks, marks and counts are missing, but no request is rejected. */
interface Locks extends Pick<NgxSharedDict<number>, 'has' | 'get' | 'delete'> {
  /** @returns whether the entry is new; `undefined` if the zone has no room for it */
  add(name: string, value: number, ms: number): boolean | undefined;
  set(name: string, value: number, ms: number): void;
  /** @returns the new number; `undefined` if the zone has no room for it */
  incr(name: string, by: number, init: number, ms: number): number | undefined;
}

function within<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}

function locks(zoneName: Zone): () => Locks {
  let found: Locks | undefined;
  return () => {
    if (found !== undefined) return found;
    const dict = zone<number>(zoneName)();
    // Without this error, a missing zone would look like a full zone.
    if (dict === undefined) throw new Error(`the zone ${zoneName} is missing: render the configuration again`);
    found = {
      has: (name) => dict.has(name),
      get: (name) => dict.get(name),
      delete: (name) => dict.delete(name),
      add: (name, value, ms) => within(() => dict.add(name, value, ms)),
      set: (name, value, ms) => void within(() => dict.set(name, value, ms)),
      incr: (name, by, init, ms) => within(() => dict.incr(name, by, init, ms)),
    };
    return found;
  };
}

/** The keys of the providers. A state file keeps them over restarts. */
export const keysDict = zone<string>('meshgate_keys');

/** Returns the key for a provider's keys in this zone. The keys are not used for another issuer under the same name. */
export const keysName = ({ name, issuer }: { readonly name: string; readonly issuer: string }): string =>
  composed('keys', name, issuer);

/** Returns the key in this zone for the sign-in data of a provider's discovery document. */
export const metadataName = ({ name, issuer }: { readonly name: string; readonly issuer: string }): string =>
  composed('op', name, issuer);

/** Stores data from a provider's documents. Every provider has its part of the zone and cannot use more.
 * @param most maximum number of bytes
 * @throws Error with one line for the log */
export function keepDocument(name: string, text: string, most: number): void {
  const bytes = Buffer.byteLength(text);
  if (bytes > most) throw new Error(`the data to keep takes ${bytes} bytes, which is more than ${most}`);
  try {
    keysDict().set(name, text);
  } catch {
    throw new Error('the zone meshgate_keys has no room for the data');
  }
}

/** Verified callers by the hash of their token. The oldest entries are evicted. */
export const tokensDict = zone<string>('meshgate_tokens');

/** Answers of providers about tokens, by a hash. The oldest entries are evicted. With `stale`, an answer is kept longer
 * than a verified token, and would displace tokens from a common zone. Only a policy that asks about tokens has these
 * three zones. */
export const answersDict = zone<string>('meshgate_answers');

/** Hashes of tokens that a provider called inactive. */
export const inactiveDict = zone<string>('meshgate_inactive');

/** Names of tokens that were active before. The entries that were used longest ago are evicted. */
export const activeDict = zone<string>('meshgate_active');

/** Locks, counters and pauses of the gateway and of each provider. No person and no token adds a lasting entry. */
export const locksDict = locks('meshgate_locks');

/** Locks and pauses of sessions. They have their own zone, because anyone can have many sessions. Nothing is evicted; a
 * session without a lock is not renewed at this time. Only a policy with sessions has this zone. */
export const renewalsDict = locks('meshgate_renewals');

/** How often each person signed in recently. It has its own zone, because anyone with an account adds entries. */
export const signinsDict = locks('meshgate_signins');

/** The state of the files of each mesh identity. Only a policy with identities has this zone. */
export const svidsDict = zone<string>('meshgate_svids');

/** Sealed records of sessions by session id, if the policy has sessions. The entries that expire first are evicted. */
export const sessionsDict = zone<string>('meshgate_sessions');

/** Values that may be used only once, until they expire. Nothing is evicted; a full zone refuses new values. */
export const onceDict = zone<string>('meshgate_once');

/** Used DPoP proofs, until they expire. Nothing is evicted; a full zone refuses new proofs. */
export const proofsDict = zone<string>('meshgate_proofs');

/** The number of proofs of each caller and each key. The entries that were used longest ago are evicted. */
export const proofKeysDict = zone<number>('meshgate_proof_keys');

/** Revocations. A state file keeps them over restarts. Nothing is evicted. */
export const revokedDict = zone<string>('meshgate_revoked');

/** Budgets of callers. Nothing is evicted. Only a policy with limits has this zone. */
export const budgetsDict = zone<number>('meshgate_budgets');

/** Budgets of addresses. They have their own zone, so that anonymous callers cannot fill the zone of callers. */
export const addressesDict = zone<number>('meshgate_addresses');

/** Counters for the metrics. Nothing is evicted, and nothing expires. */
export const countsDict = zone<number>('meshgate_counts');

/** The names of the counters, by a number. */
export const seriesDict = zone<string>('meshgate_series');

/** Key in the zone of revocations: when the revocations of all other replicas were read. Key in the zone of locks: a
 * mark that they were read since nginx started. */
export const REVOCATIONS_READ = 'read';

/** Key in the zone of revocations: the names of the policy under which something is stored. */
export const STORED_NAMES = composed('names');

/** Key in the zone of locks: when all revocations of other replicas were last known; seconds since the epoch. */
export const REVOCATIONS_SEEN = 'revocations seen';
