/** Every limit of the gateway in one place; sizes in bytes, times in seconds unless the name says otherwise. */

/** Longest token text that is looked at. nginx itself takes header lines of up to 32 KB in the rendered servers. */
export const MAX_TOKEN_BYTES = 16 * 1024;

/** Largest discovery document or JWKS that is read. */
export const MAX_DOCUMENT_BYTES = 256 * 1024;

/** Keys of one provider beyond this number are ignored, and the job says so in the log. */
export const MAX_KEYS_PER_PROVIDER = 100;

/** Longest name of a key, in characters. */
export const MAX_KID_LENGTH = 512;

/** What is kept of a provider's keys, and of each reading of its discovery document, at most. Bytes. */
export const MAX_KEYS_BYTES = 64 * 1024;
export const MAX_METADATA_STATE_BYTES = 8 * 1024;

/**
 * Room for both of each provider in the zone with keys, twice, since what is new is there before what was goes; and the
 * smallest such zone.
 */
export const KEYS_BYTES_PER_PROVIDER = 2 * (MAX_KEYS_BYTES + 2 * MAX_METADATA_STATE_BYTES);
export const MIN_KEYS_BYTES = 1024 * 1024;

/** A token without `kid` is tried against at most this many fitting keys. */
export const MAX_KEYS_TRIED = 4;

/** RSA keys with a shorter modulus are never used (RFC 7518 section 3.3). */
export const MIN_RSA_BITS = 2048;

/** Longest exponent of an RSA key, in bits: a longer one makes each verification slow. */
export const MAX_RSA_EXPONENT_BITS = 33;

/** Time-out of one call to a provider, milliseconds. Two calls in a row stay below {@link KEYS_JOB_INTERVAL_S}. */
export const PROVIDER_TIMEOUT_MS = 4000;

/** How often the job looks which provider's keys are due. */
export const KEYS_JOB_INTERVAL_S = 10;

/** Checks that may wait at once for a refetch of the keys of one provider; the others are told to retry. */
export const MAX_WAITERS = 16;

/** How long a check waits for a refetch that another one leads, milliseconds. */
export const WAIT_FOR_KEYS_MS = 3000;

/** Verified tokens kept per JavaScript context, in front of the shared dict. */
export const TOKENS_PER_CONTEXT = 64;

/** Times beyond this are no dates of ours (year 9999), and refused as malformed claims. */
export const MAX_NUMERIC_DATE = 253402300799;

/** Defaults of the policy, in seconds. */
export const DEFAULTS = {
  clockSkew: 30,
  tokenCache: 300,
  keysRefresh: 300,
  keysStale: 86400,
  keysCoolDown: 10,
  assertionLifetime: 60,
  rotation: 70,
  listen: 8443,
  innerListen: 8444,
  publicPort: 443,
  /** Proofs a second, all workers together. */
  proofRate: 200,
  proofAge: 60,
  sessionIdle: 8 * 3600,
  sessionAbsolute: 24 * 3600,
  sessionFresh: 600,
  /** People who have sessions at a time. */
  sessionPeople: 4000,
  introspectionCache: 60,
  introspectionNegative: 10,
  storePrefix: '/meshgate/',
  limitsZone: 8 * 1024 * 1024,
  signinRate: '20/s',
  signinBurst: 200,
} as const;

/** Largest burst of one address at the sign-in that a policy may allow. */
export const MAX_SIGNIN_BURST = 10_000;

/** Addresses whose requests to the sign-in are counted, at least, and what nginx takes for one. */
export const MIN_SIGNIN_ADDRESSES = 32_768;
export const SIGNIN_ADDRESS_BYTES = 128;

/**
 * A site of IPv6 may be one client with 65,536 networks, or all people of a company, or those of a carrier in a region. So
 * its networks together have as many requests as so many of them, and so many times one's share of what is free.
 */
export const SITE_NETWORKS = 16;
export const SITE_SHARE = 2;

/** How nginx carries requests where the policy does not say: times in seconds, size in bytes. */
export const PROXY_DEFAULTS = {
  connectTimeout: 10,
  /** Longest pause of a service while it takes a request or answers, and with `stream: true`. */
  silence: 60,
  streamSilence: 3600,
  maxBody: 100 * 1024 * 1024,
} as const;

/** Longest wait for a connection that a policy may ask for: the kernel gives up about then. */
export const MAX_CONNECT_TIMEOUT = 75;

/** Longest pause that a policy may allow. */
export const MAX_SILENCE = 86400;

/** How long a browser may remember the answer to a preflight: by default, and at most. */
export const CORS_MAX_AGE = 600;
export const MAX_CORS_MAX_AGE = 86400;

/** Longest wait for an introspection endpoint that a policy may ask for: {@link PROVIDER_TIMEOUT_MS}. */
export const MAX_INTROSPECTION_TIMEOUT = 4;

/** Longest answer of an introspection endpoint that is read, in characters. */
export const MAX_ANSWER_LENGTH = 64 * 1024;

/**
 * Questions about tokens that one provider is asked at once, and checks that may wait for an answer or for their turn, on
 * one nginx: each holds a JavaScript context.
 */
export const MAX_QUESTIONS = 32;
export const MAX_QUESTION_WAITERS = 128;

/**
 * There are two kinds of tokens: those that anyone can make up, and those that no one can, since they were active before
 * or their signature is good. Each kind leaves so many questions and places to the other one.
 */
export const QUESTIONS_KEPT = 8;
export const PLACES_KEPT = 32;

/**
 * An address asks one more question, or takes one more place, only while it has fewer than this part of what is free, and
 * its site fewer than {@link SITE_SHARE} times as much. So one address alone gets 8 questions of 24 and 64 places of 128,
 * one site 12 and 86, and several leave room for the next one.
 */
export const QUESTIONS_SHARE = 1 / 2;
export const PLACES_SHARE = 1;

/** Room for answers about tokens of each provider that is asked, bytes: some ten thousand of 500 characters. */
export const ANSWERS_BYTES_PER_PROVIDER = 8 * 1024 * 1024;

/** How long it is known of a token that it was active, milliseconds. */
export const ACTIVE_BEFORE_MS = 24 * 3600 * 1000;

/**
 * Groups that a provider is asked about in one call, as Microsoft Graph takes them, and how many a policy may name of a
 * provider that is asked: the calls go out at once.
 */
export const GROUPS_PER_CALL = 20;
export const MAX_ASKED_GROUPS = 200;

/** How long a provider that did not answer a question is not asked another one, milliseconds. */
export const QUESTION_PAUSE_MS = 1000;

/** Largest clock skew that a policy may allow. */
export const MAX_CLOCK_SKEW = 300;

/**
 * Most people that a policy may make room for, and what one takes: of records, and of revocations, those of the person
 * and one of a provider's session without a person. Bytes.
 */
export const MAX_PEOPLE = 1_000_000;
export const RECORD_BYTES = 8 * 1024;
export const REVOCATION_BYTES = 768;
export const PSID_BYTES = 320;

/** Smallest zones for them: operators revoke tokens and keys, whatever the number of people. */
export const MIN_RECORDS_BYTES = 4 * 1024 * 1024;
export const MIN_REVOCATIONS_BYTES = 4 * 1024 * 1024;

/**
 * What an entry of the zones with locks and with what was used up takes, with names as long as they can be (measured), and
 * the smallest zones for them.
 */
export const LOCK_BYTES = 260;
export const ONCE_BYTES = 292;
export const MIN_LOCKS_BYTES = 64 * 1024;
export const MIN_ONCE_BYTES = 4 * 1024 * 1024;

/**
 * Locks, counters and pauses that a provider may have at a time; and in zones of their own, counts of a person's sign-ins,
 * by period, and locks of a session that is being renewed.
 */
export const LOCKS_PER_PROVIDER = 20;
export const LOCKS_PER_PERSON = 2;
export const LOCKS_PER_SESSION = 3;

/** How often one person may sign in within so many seconds: a sign-in is remembered about as long. */
export const MAX_SIGNINS = 100;
export const SIGNINS_PERIOD_S = 900;

/** What one person may use up in an hour: attempts to sign in, and hand-overs. */
export const ONCE_PER_PERSON = 4;

/** Longest life of a session that a policy may ask for: shared memory forgets sooner than it counts. */
export const MAX_SESSION = 30 * 86400;

/** Largest burst, and longest time in seconds in which it may come back: shared memory keeps a caller as long. */
export const MAX_BURST = 1_000_000;
export const MAX_REFILL_S = 30 * 86400;

/**
 * How far a budget may be overdrawn, in requests, by workers that have not given back yet: each takes one at a time. What
 * is further ahead is a clock that was set back.
 */
export const MAX_UNCOUNTED = 1024;

/** Fastest rate per second that the clock of a check, which counts milliseconds, lets through one by one. */
export const MAX_UNIT_RATE = 1000;

/** Smallest and largest zone of shared memory that a policy may ask for. */
export const MIN_LIMITS_ZONE = 64 * 1024;
export const MAX_LIMITS_ZONE = 2 ** 30;

/**
 * Bytes that each field of a line of the log takes at most of what a client sends, as JSON writes it; together so many
 * that the line is below 4,096 bytes, which a pipe takes at once.
 */
export const MAX_LOG_PATH = 1024;
export const MAX_LOG_AGENT = 512;
export const MAX_LOG_HOST = 255;
export const MAX_LOG_METHOD = 32;
export const MAX_LOG_TOOL = 256;

/** Longest policy file that is read, in characters. */
export const MAX_POLICY_BYTES = 1024 * 1024;

/** Longest value of an identity header, encoded. The answer of a check, all headers together, has 32 KB. */
export const MAX_HEADER_VALUE = 4096;

/**
 * Versions of the Model Context Protocol whose servers compare the headers that name method and tool with the body
 * (SEP-2243), and that say what they mean: of a later one nobody here knows.
 */
export const MCP_VERSIONS: readonly string[] = ['2026-07-28'];

/** Levels of roles, and of any, all and none, that a role may rest on: each takes the evaluation deeper into the stack. */
export const MAX_ROLE_LEVELS = 64;

/** Ways to a role by scopes that are looked at. */
export const MAX_SCOPE_WAYS = 16;

/** Longest metadata of a resource, beside its identifier: nginx's own parser takes no longer argument than 4 KB. */
export const MAX_METADATA_BYTES = 3000;

/** Longest list of scopes in a challenge, in characters; a longer one is left out. */
export const MAX_SCOPE_CHALLENGE = 512;

/** Most groups, or scopes, that a caller may have. */
export const MAX_LIST_VALUES = 1000;

/** Longest modulus of an RSA key, in bits: a longer one makes each verification slow. */
export const MAX_RSA_BITS = 8192;

/** Shortest and longest life of a signed assertion that a policy may ask for: it cannot be called back. */
export const MIN_ASSERTION_LIFETIME = 10;
export const MAX_ASSERTION_LIFETIME = 600;

/** Shortest and longest time that a policy may give a rotation: the connections to the ingress live no longer. */
export const MIN_ROTATION = 10;
export const MAX_ROTATION = 3600;

/** Longest signed assertion, in characters. */
export const MAX_ASSERTION_LENGTH = 8192;

/** How often the file with the signing keys is read again, and how often while it is missing or broken. */
export const SIGNING_KEYS_INTERVAL_S = 5;
export const SIGNING_KEYS_RETRY_S = 1;

/** How long services may keep the gateway's public keys. */
export const JWKS_MAX_AGE_S = 300;

/** How long a signing key is published before it signs: istiod fetches every 20 minutes. */
export const PUBLISHED_BEFORE_SIGNING_S = 3600;

/** How long a session key is there before it seals: every gateway has read it by then, from a secret that is synchronised. */
export const PUBLISHED_BEFORE_SEALING_S = 600;

/** An answer of the check without lists: names, roles, a rule. The larger size holds lists of groups and an assertion. */
export const ANSWER_SMALL = 2048;
export const ANSWER_LARGE = 32 * 1024;

/** Of an answer, what status line, rule, reason, detail and challenge take at most. */
export const ANSWER_MARGIN = 1152;

/** A refusal names its caller for the log only if that takes no more. */
export const MAX_ABOUT_BYTES = 512;

/** Most services that may act one for the other, and for a person, in one chain. */
export const MAX_HOPS = 8;

/** How often the job looks at the files of mesh identities. */
export const SVIDS_JOB_INTERVAL_S = 5;

/** A look at the files that is older than this says nothing any more. */
export const SVIDS_LOOK_MAX_AGE_S = 30;

/** A file that changed this short a time ago, milliseconds, may be half written, or change again within its clock's tick. */
export const JUST_WRITTEN_MS = 2000;

/** SVIDs read in one go; then requests have their turn. */
export const SVIDS_AT_ONCE = 20;

/** Longest certificate or key file. */
export const MAX_SVID_BYTES = 64 * 1024;

/** Part of its life below which an SVID counts as expiring. */
export const EXPIRING_AT = 1 / 3;

/** The same line about an SVID is written no more often than this. */
export const REPEAT_LINE_S = 60;

/** Time-out of readyz's own calls, milliseconds. */
export const HEALTH_TIMEOUT_MS = 2000;

/** Longest client certificate that is read, as nginx escapes it. */
export const MAX_CERTIFICATE_LENGTH = 16 * 1024;

/** Client certificates whose SPIFFE id is kept per JavaScript context. */
export const CERTIFICATES_PER_CONTEXT = 64;

/** Views of one caller that a JavaScript context keeps: networks and certificates that they ask from. */
export const VIEWS_PER_CALLER = 32;

/** Records of sessions that are kept of one person on one nginx; with one more the oldest goes. */
export const RECORDS_PER_PERSON = 16;

/** Longest record of a session, in characters before it is sealed: claims, refresh token and ID token. */
export const MAX_RECORD_LENGTH = 64 * 1024;

/** Longest time to live that an entry of a shared dict is given, milliseconds; 2^32 would wrap. */
export const MAX_DICT_TTL_MS = 4_000_000_000;

/** Most keys of a session ring, and most keys derived of them that a context keeps: each is of one purpose and day. */
export const MAX_RING_KEYS = 16;
export const MAX_DERIVED_KEYS = 64;

/** Sessions kept per JavaScript context. */
export const SESSIONS_PER_CONTEXT = 64;

/** How long a session whose renewal was tried, or is under way, is left alone, seconds. */
export const RENEWAL_PAUSE_S = 5;

/**
 * Longest sealed text by purpose. Browsers drop a cookie whose name and value have more than 4096 bytes; a ticket stands
 * in a URL; a record holds tokens.
 */
export const MAX_SEALED = { session: 4080, state: 4096, ticket: 8192, record: 128 * 1024 } as const;

/** Longest time of one call of the command, milliseconds, from the name of the host to the end of the answer. */
export const CALL_DEADLINE_MS = 10_000;

/** How often the device flow asks for its token where the provider does not say, and how much slower when told to. */
export const DEVICE_POLL_S = 5;

/** Shortest pause of the device flow, whatever the provider says. */
export const MIN_DEVICE_POLL_S = 1;

/** Longest wait for somebody to confirm a code. */
export const MAX_DEVICE_WAIT_S = 1800;

/** How often the folder with an operator's pages is looked at. */
export const THEME_INTERVAL_S = 5;

/**
 * How long one renewal may hold its session's lock, milliseconds: longer than all its calls to the provider take
 * together, and after a worker died no longer. These are ten of {@link PROVIDER_TIMEOUT_MS} at most: discovery, the token
 * endpoint once with each of {@link MAX_SECRETS}, discovery and keys, UserInfo, and a wait for a turn to ask for groups
 * and that question. The rest is for the store.
 */
export const LOCK_RENEWAL_MS = 60_000;

/** How long a check waits for a renewal that another one leads, milliseconds; below the time-out of its own call. */
export const WAIT_FOR_RENEWAL_MS = 3000;

/** Checks that may wait for a provider's renewals at once, and of these after the answer that may be under way, on one nginx. */
export const MAX_RENEWAL_WAITERS = 128;
export const MAX_RENEWALS = 32;

/** How long a provider that did not answer is not asked to renew sessions, milliseconds. */
export const PROVIDER_PAUSE_MS = 10_000;

/**
 * Where the token endpoint says to so many people in a row, within so many milliseconds, that there were too many calls, it
 * says so to all. Of each provider a set of so many bits tells people apart: some share one.
 */
export const LIMITED_PEOPLE = 3;
export const LIMITED_MS = 60_000;
export const LIMITED_BITS = 31;

/** How long somebody may take to sign in at the provider. */
export const ATTEMPT_LIFETIME_S = 600;

/**
 * How long a state is claimed while its code is exchanged: longer than all calls to the provider take together. Only a
 * success is remembered for as long as the state would hold.
 */
export const EXCHANGE_S = 60;

/** How long a browser may take from the sign-in's host to the host that it signs in to. */
export const TICKET_LIFETIME_S = 60;

/** Longest path and query that a sign-in comes back to; a longer one comes back to `/`. */
export const MAX_RETURN_LENGTH = 2048;

/** Characters of a provider's description of an error that a line of the log has. */
export const MAX_ERROR_DESCRIPTION = 200;

/** Longest query of the sign-in's own endpoints that is read. */
export const MAX_SIGNIN_QUERY = 16 * 1024;

/** How old a discovery document may be before the next sign-in fetches it anew. */
export const METADATA_REFRESH_S = 300;

/** Secrets of one client that are tried, one after the other, where the provider knows the first no more. */
export const MAX_SECRETS = 4;

/** Longest body that an endpoint of the sign-in takes, and that it sends a provider. */
export const MAX_SIGNIN_BODY_BYTES = 64 * 1024;

/** How often the job looks for revocations; its calls together stay below it. */
export const REVOCATIONS_JOB_INTERVAL_S = 1;

/** Contexts of the sign-in that a worker keeps of each of its locations: a crowd that signs in at once leaves no more. */
export const SIGNIN_CONTEXTS = 8;

/** Time-out of one call to etcd, milliseconds: one to each of three nodes stays below {@link REVOCATIONS_JOB_INTERVAL_S}. */
export const ETCD_TIMEOUT_MS = 300;

/** Longest body for etcd, whose records are base64 of what is sealed. */
export const MAX_ETCD_BODY_BYTES = 256 * 1024;

/** How long an endpoint of etcd that gave no answer is asked after all others, milliseconds. */
export const ETCD_PAUSE_MS = 10_000;

/** Longest life of a logout token. */
export const MAX_LOGOUT_TOKEN_LIFE_S = 3600;

/** Folder below the gateway's state in which `meshgate revoke` lays what is to be called back. */
export const REVOKE_FOLDER = 'revoke';

/** Begins the names of the files there that sign-outs leave: anyone who signs in can cause any number of them. */
export const SIGNOUT_FILE = 'out-';

/** Largest file there that is read. */
export const MAX_REVOKE_FILE_BYTES = 4096;

/** Part of the revocations' zone that people may fill by signing out: the rest is for operators and providers. */
export const SIGNOUT_SHARE = 0.7;

/**
 * Part of it, within {@link SIGNOUT_SHARE}, for sign-outs whose provider named a session and no person: one account can
 * cause any number of them. So each person keeps room for a sign-out.
 */
export const PSID_SHARE = 0.2;

/** How long a worker may keep others from changing a revocation, milliseconds: one that dies leaves its lock. */
export const LOCK_REVOCATIONS_MS = 2000;

/** How often a worker asks for that lock before it goes on without: each time takes a microsecond or less. */
export const LOCK_REVOCATIONS_TRIES = 100_000;

/** All entries of a dict. */
export const MAX_DICT_ENTRIES = 2 ** 31 - 1;

/** Part of the revocations' zone from which on the log and health say that it fills up. */
export const REVOKED_ALARM = 0.8;

/** Revocations that are older than this, seconds, are said to be so in the log and in health: etcd is looked at each second. */
export const REVOCATIONS_OLD_S = 5;

/** After a restart without etcd, revocations that were read so many seconds before count as read. */
export const REVOCATIONS_READ_S = 3600;

/** How often the state says again when they were read, seconds. */
export const REVOCATIONS_MARK_S = 600;

/** Most revocations read from etcd in one call: as many of the longest fit into {@link MAX_REVOCATIONS_ANSWER_BYTES}. */
export const ETCD_PAGE = 400;

/** Longest answer that the job of revocations reads: such a page, in base64, each of them with key, value and lease. */
export const MAX_REVOCATIONS_ANSWER_BYTES = 1024 * 1024;

/** Shortest time between two tries to fetch a provider's discovery document for a sign-in. */
export const METADATA_COOL_DOWN_S = 3;

/** Longest name and value of a cookie together that browsers keep. */
export const MAX_COOKIE_BYTES = 4096;

/** Longest DPoP proof, in characters: one of RSA with 4096 bits has some 2,600. */
export const MAX_PROOF_LENGTH = 4096;

/** Longest name that a client gives a proof. */
export const MAX_JTI_LENGTH = 256;

/** Clients whose proof keys are kept per JavaScript context. */
export const PROOF_KEYS_PER_CONTEXT = 64;

/** How old a proof may be, seconds: shortest and longest that a policy may ask for. */
export const MIN_PROOF_AGE = 5;
export const MAX_PROOF_AGE = 300;

/**
 * Of the proofs for which there is room, one caller may use one of so many parts, and so may one key; and so many seconds'
 * worth at once.
 */
export const PROOF_PARTS = 4;
export const PROOF_BURST_S = 10;

/** Most proofs a second that a policy may make room for, and what each takes in shared memory, bytes. */
export const MAX_PROOF_RATE = 20_000;
export const PROOF_BYTES = 152;

/** How long a nonce for proofs is handed out; each is taken as long again. Seconds. */
export const NONCE_LIFE_S = 15;
