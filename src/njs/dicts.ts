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

/** Each request looks into several: a variable of its own is found sooner than a name among many. */
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

/** Name of a provider's keys there; the issuer is in it, so that another one under an old name has none of its keys. */
export const keysName = ({ name, issuer }: { readonly name: string; readonly issuer: string }): string =>
  composed('keys', name, issuer);

/** Name there of what a provider's discovery document says of signing in. */
export const metadataName = ({ name, issuer }: { readonly name: string; readonly issuer: string }): string =>
  composed('op', name, issuer);

/**
 * Keeps what was read of a provider's documents. No provider takes more than its part, so that there is room for each.
 *
 * @param most bytes
 * @throws Error with one line for the log
 */
export function keepDocument(name: string, text: string, most: number): void {
  const bytes = Buffer.byteLength(text);
  if (bytes > most) throw new Error(`what is to be kept of it takes ${bytes} bytes, which is more than ${most}`);
  try {
    keysDict().set(name, text);
  } catch {
    throw new Error('the zone meshgate_keys has no room for it');
  }
}

/** Verified callers by token hash; the oldest make room. */
export const tokensDict = zone<string>('meshgate_tokens');

/**
 * What providers said of tokens, by a hash; the oldest make room. With `stale` an answer is kept longer than a verified
 * token: in one zone the verified tokens would make room for answers. Only a policy that asks about tokens has it.
 */
export const answersDict = zone<string>('meshgate_answers');

/** Hashes of tokens that a provider called not active; only a policy that asks about tokens has it. */
export const inactiveDict = zone<string>('meshgate_inactive');

/** Names of tokens that were active before, of the same policies; those that were asked about longest ago make room. */
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

/** What was found of each mesh identity's files; only a policy that has some is rendered with it. */
export const svidsDict = zone<string>('meshgate_svids');

/** Sealed records of sessions by their ids; those that end first make room. Only a policy with sessions has it. */
export const sessionsDict = zone<string>('meshgate_sessions');

/** What was used up and may not be used again, until it would have run out. Nothing makes room: what is full refuses. */
export const onceDict = zone<string>('meshgate_once');

/** DPoP proofs that were used, until they hold no more. Nothing makes room: what is full refuses. */
export const proofsDict = zone<string>('meshgate_proofs');

/** How many proofs each caller and each key has used. Those that were counted longest ago make room. */
export const proofKeysDict = zone<number>('meshgate_proof_keys');

/** Revocations, kept over restarts by a state file. Nothing makes room. */
export const revokedDict = zone<string>('meshgate_revoked');

/** What callers have asked for. Nothing makes room; only a policy with limits has it. */
export const budgetsDict = zone<number>('meshgate_budgets');

/** The same of addresses, in room of their own: nobody in particular fills up what callers are counted in. */
export const addressesDict = zone<number>('meshgate_addresses');

/** Name among the revocations of when all of what other replicas revoked was read; among the locks, that it was since the start. */
export const REVOCATIONS_READ = 'read';

/** Name among the locks of when all that other replicas called back was last known, seconds since the epoch. */
export const REVOCATIONS_SEEN = 'revocations seen';
