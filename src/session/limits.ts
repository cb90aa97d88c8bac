import { timeoutOf } from '../base/limits.ts';

/** Limits of sessions, sign-in and revocations. Sizes are in bytes and times in seconds, unless a name says so. */

/** Minimum number of addresses whose sign-in requests nginx counts, and the memory for one address. */
export const MIN_SIGNIN_ADDRESSES = 32_768;
export const SIGNIN_ADDRESS_BYTES = 128;

/** Shared memory for one person, in bytes: for records, and for revocations. */
export const RECORD_BYTES = 8 * 1024;
export const REVOCATION_BYTES = 768;

/** Size of a revocation of a provider's session without a person, in bytes. */
export const PSID_BYTES = 320;

/** Minimum sizes of these zones. Operators revoke tokens and keys even if there are few people. */
export const MIN_RECORDS_BYTES = 4 * 1024 * 1024;
export const MIN_REVOCATIONS_BYTES = 4 * 1024 * 1024;

/** Memory for one entry in the zones of locks and of used values, with the longest names, and the minimum sizes. */
export const LOCK_BYTES = 260;
export const ONCE_BYTES = 292;
export const MIN_LOCKS_BYTES = 64 * 1024;
export const MIN_ONCE_BYTES = 4 * 1024 * 1024;

/** Number of locks, counters and pauses at the same time: for a provider; for a person, whose sign-ins are counted; and
 * for a session that is being renewed (those have a zone of their own). */
export const LOCKS_PER_PROVIDER = 20;
export const LOCKS_PER_PERSON = 2;
export const LOCKS_PER_SESSION = 3;

/** How often one person may sign in within this period, in seconds. A sign-in is remembered for about the same time. */
export const MAX_SIGNINS = 100;
export const SIGNINS_PERIOD_S = 900;

/** Number of single-use values that one person may use in an hour: attempts to sign in, tickets and logout tokens. */
export const ONCE_PER_PERSON = 4;

/** Number of attempts at most that are remembered because another browser showed their answer, see `spoiltPlace`. */
export const SPOILT_PLACES = 4096;

/** How many refused answers to sign-ins one nginx reports to other replicas in a second. */
export const MAX_REFUSED_ANSWERS = 50;

/** How long a new session key exists before it seals. Then every gateway has read it, even if a secret syncs slowly. */
export const PUBLISHED_BEFORE_SEALING_S = 600;

/** Maximum number of records that one nginx keeps for a person. A new record replaces the oldest one. */
export const RECORDS_PER_PERSON = 16;

/** Maximum length of a session's record, of claims, refresh token and ID token, in characters before it is sealed. */
export const MAX_RECORD_LENGTH = 64 * 1024;

/** Maximum number of keys in a session ring, and of derived keys, for one purpose and day each, in a context. */
export const MAX_RING_KEYS = 16;
export const MAX_DERIVED_KEYS = 64;

/** Number of sessions that each JavaScript context keeps. */
export const SESSIONS_PER_CONTEXT = 64;

/** After an attempt to renew a session, or during one, the session is not renewed for this number of seconds. */
export const RENEWAL_PAUSE_S = 5;

/** Maximum length of a sealed text. Browsers drop a cookie if its name and value have more than 4096 bytes. A ticket is
 * part of a URL, and a record contains tokens. */
export const MAX_SEALED = { session: 4080, state: 4096, ticket: 8192, record: 128 * 1024 } as const;

/** How often the folder with an operator's pages is checked. */
export const THEME_INTERVAL_S = 5;

/** How long a sign-in or a renewal may take: longer than all its calls to the provider together, and short enough if a
 * worker dies. There are at most ten calls: one for discovery; one to the token endpoint with each of
 * {@link MAX_SECRETS}; two for discovery and keys; one for UserInfo; one wait for a free place; and one question about
 * groups. The rest of the time is for the store.
 * @param timeout the longest time-out of one call */
const callsTogether = (timeout: number): number => 10 * timeout + 20;

/** The longest time-out of the providers, in seconds, and {@link callsTogether} for it. */
export function longestCalls(providers: readonly { readonly timeout?: number }[]) {
  const timeout = Math.max(...[{}, ...providers].map(timeoutOf));
  return { timeout, together: callsTogether(timeout) };
}

/** How long a check waits for another's renewal, in milliseconds: shorter than the time-out of its own call. */
export const WAIT_FOR_RENEWAL_MS = 3000;

/** Maximum number of checks of one nginx that wait for renewals, and of renewals that outlast their response. */
export const MAX_RENEWAL_WAITERS = 128;
export const MAX_RENEWALS = 32;

/** How long no session is renewed at a provider that did not answer, in milliseconds. */
export const PROVIDER_PAUSE_MS = 10_000;

/** If the token endpoint reports too many calls for this many people in a row, within this number of milliseconds, the
 * provider limits the gateway and not one person. */
export const LIMITED_PEOPLE = 3;
export const LIMITED_MS = 60_000;

/** Number of bits of a set of people. */
export const PEOPLE_BITS = 31;

/** If this many people in a row signed in with a pushed request after an error of the provider, the gateway pushes the
 * requests of all sign-ins for this number of milliseconds. One account can cause the error at will. */
export const PUSHED_PEOPLE = 3;
export const PUSHES_MS = 3600 * 1000;

/** Maximum time that a person may need to sign in at the provider. */
export const ATTEMPT_LIFETIME_S = 600;

/** Maximum time that a browser may need from the sign-in host to the host to which the person signs in. */
export const TICKET_LIFETIME_S = 60;

/** Maximum length of path and query to which a sign-in returns. A longer target becomes `/`. */
export const MAX_RETURN_LENGTH = 2048;

/** Maximum number of characters of a provider's error description in a line of the log. */
export const MAX_ERROR_DESCRIPTION = 200;

/** Maximum length of a query or a form that the endpoints of the sign-in read, and maximum number of its parameters. */
export const MAX_SIGNIN_QUERY = 16 * 1024;
export const MAX_PARAMS = 30;

/** Maximum number of cookies in a line that are read. Chromium keeps 180 for a site, and Firefox fewer. */
export const MAX_COOKIES = 500;

/** If a discovery document is older than this, the next sign-in fetches it again. */
export const METADATA_REFRESH_S = 300;

/** Maximum number of secrets of one client that are tried, each after the provider has rejected the one before. */
export const MAX_SECRETS = 4;

/** Minimum length of a client secret that signs with HS256 (RFC 7518 section 3.2). */
export const MIN_HS256_SECRET_BYTES = 32;

/** Maximum size of a form that an endpoint of the sign-in accepts, and of the form with a logout token. */
export const MAX_FORM_BYTES = 16 * 1024;

/** Maximum size of a body that the sign-in sends to a provider. */
export const MAX_SIGNIN_BODY_BYTES = 64 * 1024;

/** How often the job reads revocations. All its calls together take less time than this. */
export const REVOCATIONS_JOB_INTERVAL_S = 1;

/** Number of JavaScript contexts of the sign-in that a worker keeps for each location after many sign-ins at once. */
export const SIGNIN_CONTEXTS = 8;

/** Time-out of one call to etcd, in milliseconds. Three calls take less than {@link REVOCATIONS_JOB_INTERVAL_S}. */
export const ETCD_TIMEOUT_MS = 300;

/** Maximum size of a body for etcd. Records in it are base64 of sealed texts. */
export const MAX_ETCD_BODY_BYTES = 256 * 1024;

/** An etcd endpoint that did not answer is tried after all other endpoints for this number of milliseconds. */
export const ETCD_PAUSE_MS = 10_000;

export const MAX_LOGOUT_TOKEN_LIFE_S = 3600;

/** Folder below the gateway's state in which `meshgate revoke` puts its files. */
export const REVOKE_FOLDER = 'revoke';

/** Prefix of the files of sign-outs in that folder. Anyone who signs in can cause any number of these files. */
export const SIGNOUT_FILE = 'out-';

/** Maximum size of a file in that folder. */
export const MAX_REVOKE_FILE_BYTES = 4096;

/** The part of the zone of revocations that people may fill by signing out. The rest is for operators and providers. */
export const SIGNOUT_SHARE = 0.7;

/** The part of that share for sign-outs that name a provider's session and no person. One account can cause any number
 * of them, and everyone else must still have room for a sign-out. */
export const PSID_SHARE = 0.2;

/** How long a worker may hold the lock for changing a revocation, in milliseconds, even if it dies. */
export const LOCK_REVOCATIONS_MS = 2000;

/** How often a worker tries to get that lock, at most a microsecond each time. Then it continues without the lock. */
export const LOCK_REVOCATIONS_TRIES = 100_000;

/** If this part of the zone of revocations is used, the log and the health check report it. */
export const REVOKED_ALARM = 0.8;

/** If revocations, which are read each second, are older than this number of seconds, log and health report it. */
export const REVOCATIONS_OLD_S = 5;

/** If etcd does not answer after a restart, revocations that were read at most this many seconds ago count as read. */
export const REVOCATIONS_READ_S = 3600;

/** How often the state folder records when they were read, in seconds. */
export const REVOCATIONS_MARK_S = 600;

/** Maximum number of revocations in an answer of etcd; the longest fit into {@link MAX_REVOCATIONS_ANSWER_BYTES}. */
export const ETCD_PAGE = 400;

/** Maximum size of an answer for the job of revocations: a page in base64, with key, value and lease of each. */
export const MAX_REVOCATIONS_ANSWER_BYTES = 1024 * 1024;

/** Minimum time between two attempts to fetch a discovery document for a sign-in. */
export const METADATA_COOL_DOWN_S = 3;
