import { composed } from '../composed.ts';

/** The shared dict zones of the rendered configuration, shared by all workers; looked up once per context. */

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

/** Each request uses several zones. A variable for each is found sooner than a name among many. */
function zone<V extends string | number>(name: Zone): () => NgxSharedDict<V> {
  let found: NgxSharedDict<V> | undefined;
  return () => {
    found ??= ngx.shared[name] as unknown as NgxSharedDict<V>;
    return found;
  };
}

/**
 * A zone of locks, counters and marks, each with a time to live in milliseconds. Its size follows from the policy. Where it
 * is full all the same, nothing is rejected for that: there is no lock, no mark, and no count.
 */
interface Locks extends Pick<NgxSharedDict<number>, 'has' | 'get' | 'delete'> {
  /** @returns whether it was not there before; `undefined` where there is no room for it */
  add(name: string, value: number, ms: number): boolean | undefined;
  set(name: string, value: number, ms: number): void;
  /** @returns `undefined` where there is no room for it */
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
    // A mistake that must not look like a zone that is full.
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

/** Keys of the providers, kept over restarts by a state file. */
export const keysDict = zone<string>('meshgate_keys');

/** Key of a provider's keys there. It contains the issuer, so that another issuer under the same name does not get
 * these keys. */
export const keysName = ({ name, issuer }: { readonly name: string; readonly issuer: string }): string =>
  composed('keys', name, issuer);

/** Key there of the sign-in data in a provider's discovery document. */
export const metadataName = ({ name, issuer }: { readonly name: string; readonly issuer: string }): string =>
  composed('op', name, issuer);

/** Stores what was read from a provider's documents. A provider cannot use more than its part, so that there is room
 * for each.
 *
 * @param most bytes
 * @throws Error with one line for the log
 */
export function keepDocument(name: string, text: string, most: number): void {
  const bytes = Buffer.byteLength(text);
  if (bytes > most) throw new Error(`the data to keep takes ${bytes} bytes, which is more than ${most}`);
  try {
    keysDict().set(name, text);
  } catch {
    throw new Error('the zone meshgate_keys has no room for it');
  }
}

/** Verified callers by token hash; the oldest are evicted. */
export const tokensDict = zone<string>('meshgate_tokens');

/**
 * What providers said of tokens, by a hash; the oldest make room. With `stale` an answer is kept longer than a verified
 * token: in one zone the verified tokens would make room for answers. Only a policy that asks about tokens has it.
 */
export const answersDict = zone<string>('meshgate_answers');

/** Hashes of tokens that a provider called not active; only a policy that asks about tokens has it. */
export const inactiveDict = zone<string>('meshgate_inactive');

/** Names of tokens that were active before, for the same policies. Those that were asked about longest ago are
 * evicted. */
export const activeDict = zone<string>('meshgate_active');

/** Locks, counters and pauses of the gateway and of each provider: no person and no token adds any that lasts. */
export const locksDict = locks('meshgate_locks');

/**
 * Locks and pauses of sessions, in room of their own: anyone can have many sessions, and none of them keeps a provider
 * from being asked. Nothing makes room: a session without a lock is not renewed just now. Only a policy with sessions has it.
 */
export const renewalsDict = locks('meshgate_renewals');

/** How often each person signed in lately, in room of its own as well: anyone with an account takes some. */
export const signinsDict = locks('meshgate_signins');

/** The state of each mesh identity's files; only for policies with identities. */
export const svidsDict = zone<string>('meshgate_svids');

/** Sealed records of sessions by their ids; those that end first are evicted. Only for policies with sessions. */
export const sessionsDict = zone<string>('meshgate_sessions');

/** Values that were used once, until they would have expired. Nothing is evicted; a full zone refuses. */
export const onceDict = zone<string>('meshgate_once');

/** DPoP proofs that were used, until they expire. Nothing is evicted; a full zone refuses. */
export const proofsDict = zone<string>('meshgate_proofs');

/** The number of proofs of each caller and each key. Those that were counted longest ago are evicted. */
export const proofKeysDict = zone<number>('meshgate_proof_keys');

/** Revocations, kept over restarts in a state file. Nothing is evicted. */
export const revokedDict = zone<string>('meshgate_revoked');

/** Budgets of callers. Nothing is evicted; only for policies with limits. */
export const budgetsDict = zone<number>('meshgate_budgets');

/** The same for addresses, in a zone of their own, so that anonymous callers cannot fill the budgets of callers. */
export const addressesDict = zone<number>('meshgate_addresses');

/** Key among the revocations for the time when those of all other replicas were read, and among the locks for the fact
 * that they were since the start. */
export const REVOCATIONS_READ = 'read';

/** Key among the locks for the last time at which all revocations of other replicas were known, seconds since the
 * epoch. */
export const REVOCATIONS_SEEN = 'revocations seen';
