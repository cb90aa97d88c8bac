/** The shared dict zones of the rendered configuration, shared by all workers. */

/** Keys of the providers, kept over restarts by a state file. */
export const keysDict = (): NgxSharedDict<string> => ngx.shared.meshgate_keys as NgxSharedDict<string>;

/** Verified callers by token hash; the oldest make room. */
export const tokensDict = (): NgxSharedDict<string> => ngx.shared.meshgate_tokens as NgxSharedDict<string>;

/** Locks and counters, each with a time to live of its own. */
export const locksDict = (): NgxSharedDict<number> => ngx.shared.meshgate_locks as NgxSharedDict<number>;
