import { composed } from '../composed.ts';

/** The shared dict zones of the rendered configuration. All workers share them. Each context looks a zone up once. */

type Zone =
  | 'meshgate_keys'
  | 'meshgate_tokens'
  | 'meshgate_answers'
  | 'meshgate_inactive'
  | 'meshgate_active'
  | 'meshgate_locks'
  | 'meshgate_renewals'
  | 'meshgate_signins'
  | 'meshgate_svids'
  | 'meshgate_sessions'
  | 'meshgate_once'
  | 'meshgate_revoked'
  | 'meshgate_budgets'
  | 'meshgate_addresses'
  | 'meshgate_proofs'
  | 'meshgate_proof_keys';

/** Returns a function that returns a zone. Each request uses several zones, and a variable for each is found faster
 * than a name in a list. */
function zone<V extends string | number>(name: Zone): () => NgxSharedDict<V> {
  let found: NgxSharedDict<V> | undefined;
  return () => {
    found ??= ngx.shared[name] as unknown as NgxSharedDict<V>;
    return found;
  };
}

/** A zone of locks, counters and marks, each with a lifetime in milliseconds. The policy determines its size. If the
 * zone is full anyway, no request is rejected for this reason; there is only no lock, no mark and no count. */
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
    // Without this error the mistake would look like a full zone.
    if (dict === undefined) throw new Error(`the zone ${zoneName} is not there: render the configuration again`);
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

/** Returns the key for a provider's keys in this zone. It contains the issuer, so that these keys are not used for
 * another issuer under the same name. */
export const keysName = ({ name, issuer }: { readonly name: string; readonly issuer: string }): string =>
  composed('keys', name, issuer);

/** Returns the key in this zone for the sign-in data of a provider's discovery document. */
export const metadataName = ({ name, issuer }: { readonly name: string; readonly issuer: string }): string =>
  composed('op', name, issuer);

/** Stores data from a provider's documents. A provider cannot use more than its part of the zone, so that every
 * provider has room.
 * @param most maximum number of bytes
 * @throws Error with one line for the log */
export function keepDocument(name: string, text: string, most: number): void {
  const bytes = Buffer.byteLength(text);
  if (bytes > most) throw new Error(`the data to keep takes ${bytes} bytes, which is more than ${most}`);
  try {
    keysDict().set(name, text);
  } catch {
    throw new Error('the zone meshgate_keys has no room for it');
  }
}

/** Verified callers by the hash of their token. The oldest entries are evicted. */
export const tokensDict = zone<string>('meshgate_tokens');

/** Answers of providers about tokens, by a hash. The oldest entries are evicted. With `stale`, an answer is kept longer
 * than a verified token. In one common zone such answers would displace verified tokens. Only a policy that asks about
 * tokens has this zone. */
export const answersDict = zone<string>('meshgate_answers');

/** Hashes of tokens that a provider called inactive. Only a policy that asks about tokens has this zone. */
export const inactiveDict = zone<string>('meshgate_inactive');

/** Names of tokens that were active before. Only a policy that asks about tokens has this zone. The entries that were
 * used longest ago are evicted. */
export const activeDict = zone<string>('meshgate_active');

/** Locks, counters and pauses of the gateway and of each provider. No person and no token adds a lasting entry. */
export const locksDict = locks('meshgate_locks');

/** Locks and pauses of sessions. They have their own zone: anyone can have many sessions, and these must not prevent
 * questions to a provider. Nothing is evicted. If a session gets no lock, it is not renewed at this time. Only a policy
 * with sessions has this zone. */
export const renewalsDict = locks('meshgate_renewals');

/** How often each person signed in recently. This has its own zone too, because anyone with an account adds entries. */
export const signinsDict = locks('meshgate_signins');

/** The state of the files of each mesh identity. Only a policy with identities has this zone. */
export const svidsDict = zone<string>('meshgate_svids');

/** Sealed records of sessions by session id. The entries that expire first are evicted. Only a policy with sessions has
 * this zone. */
export const sessionsDict = zone<string>('meshgate_sessions');

/** Values that may be used only once, until they expire. Nothing is evicted; if the zone is full, a new value is
 * refused. */
export const onceDict = zone<string>('meshgate_once');

/** Used DPoP proofs, until they expire. Nothing is evicted; if the zone is full, a new proof is refused. */
export const proofsDict = zone<string>('meshgate_proofs');

/** The number of proofs of each caller and each key. The entries that were used longest ago are evicted. */
export const proofKeysDict = zone<number>('meshgate_proof_keys');

/** Revocations. A state file keeps them over restarts. Nothing is evicted. */
export const revokedDict = zone<string>('meshgate_revoked');

/** Budgets of callers. Nothing is evicted. Only a policy with limits has this zone. */
export const budgetsDict = zone<number>('meshgate_budgets');

/** Budgets of addresses. They have their own zone, so that anonymous callers cannot fill the zone of callers' budgets. */
export const addressesDict = zone<number>('meshgate_addresses');

/** In the zone of revocations: key for the time when the revocations of all other replicas were read. In the zone of
 * locks: key for the mark that they were read since nginx started. */
export const REVOCATIONS_READ = 'read';

/** Key in the zone of locks for the last time when all revocations of other replicas were known; seconds since the
 * epoch. */
export const REVOCATIONS_SEEN = 'revocations seen';
