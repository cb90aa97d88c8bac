/** Limits of sessions, the sign-in and revocations; sizes in bytes, times in seconds unless the name says otherwise. */

/** Smallest number of addresses whose requests to the sign-in are counted, and the memory that nginx uses for one. */
export const MIN_SIGNIN_ADDRESSES = 32_768;
export const SIGNIN_ADDRESS_BYTES = 128;

/** Shared memory for a person: for records, and for revocations. Bytes. */
export const RECORD_BYTES = 8 * 1024;
export const REVOCATION_BYTES = 768;

/** Bytes of the revocation of a provider's session without a person. */
export const PSID_BYTES = 320;

/** Smallest zones for them. Operators revoke tokens and keys, however many people there are. */
export const MIN_RECORDS_BYTES = 4 * 1024 * 1024;
export const MIN_REVOCATIONS_BYTES = 4 * 1024 * 1024;

/** Memory for an entry in the zones of locks and of used values, with the longest names (measured), and the smallest
 * zones for them. */
export const LOCK_BYTES = 260;
export const ONCE_BYTES = 292;
export const MIN_LOCKS_BYTES = 64 * 1024;
export const MIN_ONCE_BYTES = 4 * 1024 * 1024;

/** Locks, counters and pauses at a time: for a provider; for a person, whose sign-ins are counted by period; and, in
 * their own zone, for a session that is being renewed. */
export const LOCKS_PER_PROVIDER = 20;
export const LOCKS_PER_PERSON = 2;
export const LOCKS_PER_SESSION = 3;

/** How often one person may sign in within this many seconds. A sign-in is remembered for about as long. */
export const MAX_SIGNINS = 100;
export const SIGNINS_PERIOD_S = 900;

/** Values that one person may use up in an hour: attempts to sign in, tickets, and logout tokens. */
export const ONCE_PER_PERSON = 4;

/** How long a session key exists before it seals. Until then every gateway has read it from a synchronised secret. */
export const PUBLISHED_BEFORE_SEALING_S = 600;

/** Records of sessions that one nginx keeps for a person. A further one replaces the oldest. */
export const RECORDS_PER_PERSON = 16;

/** Longest record of a session in characters, before it is sealed: claims, refresh token and ID token. */
export const MAX_RECORD_LENGTH = 64 * 1024;

/** Most keys of a session ring, and most derived keys that a context keeps. Each is for one purpose and day. */
export const MAX_RING_KEYS = 16;
export const MAX_DERIVED_KEYS = 64;

/** Sessions kept per JavaScript context. */
export const SESSIONS_PER_CONTEXT = 64;

/** After an attempt to renew a session, or while one is running, the session is not renewed for this time, seconds. */
export const RENEWAL_PAUSE_S = 5;

/** Longest sealed text by purpose. Browsers drop a cookie whose name and value have more than 4096 bytes, a ticket
 * stands in a URL, and a record contains tokens. */
export const MAX_SEALED = { session: 4080, state: 4096, ticket: 8192, record: 128 * 1024 } as const;

/** How often the folder with an operator's pages is checked. */
export const THEME_INTERVAL_S = 5;

/** How long a renewal may hold its session's lock, milliseconds: longer than all its calls to the provider, and short
 * enough if a worker dies. The calls are at most ten of {@link PROVIDER_TIMEOUT_MS}: discovery, the token endpoint once
 * with each of {@link MAX_SECRETS}, discovery and keys, UserInfo, and a wait for a turn to ask for groups with that
 * question. The rest is for the store. */
export const LOCK_RENEWAL_MS = 60_000;

/** How long a check waits for a renewal that another check started, milliseconds; shorter than the time-out of its own
 * call. */
export const WAIT_FOR_RENEWAL_MS = 3000;

/** Checks that may wait for renewals at the same time, and renewals that may continue after the response, on one
 * nginx. */
export const MAX_RENEWAL_WAITERS = 128;
export const MAX_RENEWALS = 32;

/** How long no session is renewed at a provider that did not answer, milliseconds. */
export const PROVIDER_PAUSE_MS = 10_000;

/** If the token endpoint says to this many people in a row, within this many milliseconds, that there were too many calls, it
 * limits the gateway and not one person. A set of this many bits per provider tells people apart; some share a bit. */
export const LIMITED_PEOPLE = 3;
export const LIMITED_MS = 60_000;
export const LIMITED_BITS = 31;

/** Longest time for a person to sign in at the provider. */
export const ATTEMPT_LIFETIME_S = 600;

/** How long a state is claimed while its code is exchanged: longer than all calls to the provider. Only a success is
 * remembered for the state's whole lifetime. */
export const EXCHANGE_S = 60;

/** Longest time for a browser from the sign-in host to the host that the person signs in to. */
export const TICKET_LIFETIME_S = 60;

/** Longest path and query that a sign-in returns to; a longer one becomes `/`. */
export const MAX_RETURN_LENGTH = 2048;

/** Most characters of a provider's error description in a line of the log. */
export const MAX_ERROR_DESCRIPTION = 200;

/** Longest query of the sign-in's own endpoints that is read. */
export const MAX_SIGNIN_QUERY = 16 * 1024;

/** Age of a discovery document after which the next sign-in fetches it again. */
export const METADATA_REFRESH_S = 300;

/** Secrets of one client that are tried, one after the other, if the provider does not accept the first. */
export const MAX_SECRETS = 4;

/** Longest body that a sign-in endpoint accepts, and that it sends to a provider. */
export const MAX_SIGNIN_BODY_BYTES = 64 * 1024;

/** How often the job reads revocations. All its calls together take less time. */
export const REVOCATIONS_JOB_INTERVAL_S = 1;

/** JavaScript contexts of the sign-in that a worker keeps for each of its locations, so that a crowd that signs in at
 * once leaves no more. */
export const SIGNIN_CONTEXTS = 8;

/** Time-out of one call to etcd, milliseconds: one call to each of three nodes takes less than {@link
 * REVOCATIONS_JOB_INTERVAL_S}. */
export const ETCD_TIMEOUT_MS = 300;

/** Longest body for etcd, whose records are base64 of sealed texts. */
export const MAX_ETCD_BODY_BYTES = 256 * 1024;

/** How long an etcd endpoint that did not answer is tried after all others, milliseconds. */
export const ETCD_PAUSE_MS = 10_000;

/** Longest lifetime of a logout token: the gateway remembers for this long that it was used. */
export const MAX_LOGOUT_TOKEN_LIFE_S = 3600;

/** Folder below the gateway's state in which `meshgate revoke` puts its files. */
export const REVOKE_FOLDER = 'revoke';

/** Beginning of the names of the files there that sign-outs write. Anyone who signs in can cause any number of them. */
export const SIGNOUT_FILE = 'out-';

/** Largest file in it that is read. */
export const MAX_REVOKE_FILE_BYTES = 4096;

/** Part of the revocations' zone that people may fill by signing out. The rest is for operators and providers. */
export const SIGNOUT_SHARE = 0.7;

/** The part of that share for sign-outs that name a provider's session and no person. One account can cause any number of
 * them, so each person keeps room for a sign-out. */
export const PSID_SHARE = 0.2;

/** How long a worker may lock a revocation that it changes, milliseconds. A worker that dies leaves its lock. */
export const LOCK_REVOCATIONS_MS = 2000;

/** How often a worker tries to get that lock before it continues without it. Each attempt takes a microsecond or
 * less. */
export const LOCK_REVOCATIONS_TRIES = 100_000;

/** Part of the revocations' zone at which the log and the health check report that it fills up. */
export const REVOKED_ALARM = 0.8;

/** Age in seconds at which the log and the health check report that revocations are old: etcd is read each second. */
export const REVOCATIONS_OLD_S = 5;

/** After a restart without etcd, revocations count as read if that was at most this many seconds before. */
export const REVOCATIONS_READ_S = 3600;

/** How often the state folder records when they were read, seconds. */
export const REVOCATIONS_MARK_S = 600;

/** Most revocations in one answer of etcd: as many of the longest fit into {@link MAX_REVOCATIONS_ANSWER_BYTES}. */
export const ETCD_PAGE = 400;

/** Longest answer that the job of revocations reads: such a page in base64, with key, value and lease of each. */
export const MAX_REVOCATIONS_ANSWER_BYTES = 1024 * 1024;

/** Shortest time between two attempts to fetch a discovery document for a sign-in. */
export const METADATA_COOL_DOWN_S = 3;
