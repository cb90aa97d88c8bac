/** Every limit of the gateway in one place; sizes in bytes, times in seconds unless the name says otherwise. */

/** Longest token that is read. nginx itself accepts header lines of up to 32 KB in the rendered servers. */
export const MAX_TOKEN_BYTES = 16 * 1024;

/** Largest discovery document or JWKS that is read. */
export const MAX_DOCUMENT_BYTES = 256 * 1024;

/** Keys of one provider beyond this number are ignored, and the job says so in the log. */
export const MAX_KEYS_PER_PROVIDER = 100;

/** Longest name of a key, in characters. */
export const MAX_KID_LENGTH = 512;

/** Most bytes that are kept of a provider's keys, and of each reading of its discovery document. */
export const MAX_KEYS_BYTES = 64 * 1024;
export const MAX_METADATA_STATE_BYTES = 8 * 1024;

/** Room in the zone of keys for both of each provider, twice, because a new value is stored before the old one is
 * erased; and the smallest such zone. */
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

/** How often the job checks whether a provider's keys are due. */
export const KEYS_JOB_INTERVAL_S = 10;

/** Most checks that wait at the same time for keys of one provider. The others are told to retry. */
export const MAX_WAITERS = 16;

/** How long a check waits for keys that another check fetches, milliseconds. */
export const WAIT_FOR_KEYS_MS = 3000;

/** Verified tokens that are kept per JavaScript context, in front of the shared dict. */
export const TOKENS_PER_CONTEXT = 64;

/** Later times (after the year 9999) are rejected as malformed claims. */
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
  /** Proofs per second, over all workers. */
  proofRate: 200,
  proofAge: 60,
  sessionIdle: 8 * 3600,
  sessionAbsolute: 24 * 3600,
  sessionFresh: 600,
  /** People with a session at a time. */
  sessionPeople: 4000,
  introspectionCache: 60,
  introspectionNegative: 10,
  storePrefix: '/meshgate/',
  limitsZone: 8 * 1024 * 1024,
  signinRate: '20/s',
  signinBurst: 200,
} as const;

/** Largest burst of one address at the sign-in that a policy may set. */
export const MAX_SIGNIN_BURST = 10_000;

/** Smallest number of addresses whose requests to the sign-in are counted, and the memory that nginx uses for one. */
export const MIN_SIGNIN_ADDRESSES = 32_768;
export const SIGNIN_ADDRESS_BYTES = 128;

/** How nginx proxies requests if the policy does not say it: times in seconds, size in bytes. */
export const PROXY_DEFAULTS = {
  connectTimeout: 10,
  /** Longest pause of a service while it reads a request or responds, and with `stream: true`. */
  silence: 60,
  streamSilence: 3600,
  maxBody: 100 * 1024 * 1024,
} as const;

/** Longest time-out of a connection that a policy may set: the kernel gives up about then. */
export const MAX_CONNECT_TIMEOUT = 75;

/** Longest pause that a policy may set. */
export const MAX_SILENCE = 86400;

/** How long a browser may cache the response to a preflight: by default, and at most. */
export const CORS_MAX_AGE = 600;
export const MAX_CORS_MAX_AGE = 86400;

/** Longest time-out of an introspection endpoint that a policy may set: {@link PROVIDER_TIMEOUT_MS}. */
export const MAX_INTROSPECTION_TIMEOUT = 4;

/** Longest answer of an introspection endpoint that is read, in characters. */
export const MAX_ANSWER_LENGTH = 64 * 1024;

/** Questions about tokens to one provider at the same time, and checks that may wait for an answer or for their turn,
 * on one nginx. Each holds a JavaScript context. */
export const MAX_QUESTIONS = 32;
export const MAX_QUESTION_WAITERS = 128;

/** There are two kinds of tokens: those that anyone can make up, and those that were active before or have a valid
 * signature. Each kind leaves this many questions and places to the other one. */
export const QUESTIONS_KEPT = 8;
export const PLACES_KEPT = 32;

/** An address gets one more question, or one more place, only while it has fewer than this part of the free ones. So
 * one address alone gets 8 of 24 questions and 64 of 128 places, and several leave room for the next one. */
export const QUESTIONS_SHARE = 1 / 2;
export const PLACES_SHARE = 1;

/** How long the gateway remembers that a token was active, milliseconds. */
export const ACTIVE_BEFORE_MS = 24 * 3600 * 1000;

/** Groups that one call asks about, which is Microsoft Graph's limit, and groups that a policy may name of such a
 * provider. The calls are sent at the same time. */
export const GROUPS_PER_CALL = 20;
export const MAX_ASKED_GROUPS = 200;

/** How long no question is sent to a provider that did not answer one, milliseconds. */
export const QUESTION_PAUSE_MS = 1000;

/** Largest clock skew that a policy may set. */
export const MAX_CLOCK_SKEW = 300;

/** Most people that a policy may make room for, and the memory for one: for records, and for revocations. Bytes. */
export const MAX_PEOPLE = 1_000_000;
export const RECORD_BYTES = 8 * 1024;
export const REVOCATION_BYTES = 768;

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
export const LOCKS_PER_PROVIDER = 14;
export const LOCKS_PER_PERSON = 2;
export const LOCKS_PER_SESSION = 3;

/** How often one person may sign in within this many seconds. A sign-in is remembered for about as long. */
export const MAX_SIGNINS = 100;
export const SIGNINS_PERIOD_S = 900;

/** Values that one person may use up in an hour: attempts to sign in, tickets, and logout tokens. */
export const ONCE_PER_PERSON = 4;

/** Longest session that a policy may set: shared memory cannot keep entries longer. */
export const MAX_SESSION = 30 * 86400;

/** Largest burst, and the longest time in seconds until it is full again: shared memory keeps a caller for as long. */
export const MAX_BURST = 1_000_000;
export const MAX_REFILL_S = 30 * 86400;

/** How far a budget may be overdrawn, in requests, by workers that have not yet given back what they took. A greater
 * difference means that a clock was set back. */
export const MAX_UNCOUNTED = 1024;

/** Fastest rate per second: the check's clock counts milliseconds, so faster requests could not be told apart. */
export const MAX_UNIT_RATE = 1000;

/** Smallest and largest zone of shared memory that a policy may set. */
export const MIN_LIMITS_ZONE = 64 * 1024;
export const MAX_LIMITS_ZONE = 2 ** 30;

/** Most bytes that each field of a line of the log takes from a client, as JSON. Together they keep a line below 4,096
 * bytes, which a pipe writes at once. */
export const MAX_LOG_PATH = 1024;
export const MAX_LOG_AGENT = 512;
export const MAX_LOG_HOST = 255;
export const MAX_LOG_METHOD = 32;
export const MAX_LOG_TOOL = 256;

/** Longest policy file that is read, in characters. */
export const MAX_POLICY_BYTES = 1024 * 1024;

/** Longest value of an identity header, encoded. All headers of the check's answer together have 32 KB. */
export const MAX_HEADER_VALUE = 4096;

/** Versions of the Model Context Protocol whose servers compare the headers for method and tool with the body
 * (SEP-2243). The meaning of later versions is not known. */
export const MCP_VERSIONS: readonly string[] = ['2026-07-28'];

/** Deepest nesting of roles, and of any, all and none, because each level uses stack. */
export const MAX_ROLE_LEVELS = 64;

/** Ways to a role by scopes that are examined. */
export const MAX_SCOPE_WAYS = 16;

/** Longest metadata of a resource without its identifier: an argument in nginx's configuration has at most 4 KB. */
export const MAX_METADATA_BYTES = 3000;

/** Longest list of scopes in a challenge, in characters; a longer one is left out. */
export const MAX_SCOPE_CHALLENGE = 512;

/** Most groups, or scopes, that a caller may have. */
export const MAX_LIST_VALUES = 1000;

/** Longest modulus of an RSA key, in bits: a longer one makes each verification slow. */
export const MAX_RSA_BITS = 8192;

/** Shortest and longest lifetime of an assertion that a policy may set: it cannot be revoked. */
export const MIN_ASSERTION_LIFETIME = 10;
export const MAX_ASSERTION_LIFETIME = 600;

/** Shortest and longest time that a policy may set for a rotation. Connections to the ingress live no longer. */
export const MIN_ROTATION = 10;
export const MAX_ROTATION = 3600;

/** Longest signed assertion, in characters. */
export const MAX_ASSERTION_LENGTH = 8192;

/** How often the file with the signing keys is read again, and how often if it is missing or broken. */
export const SIGNING_KEYS_INTERVAL_S = 5;
export const SIGNING_KEYS_RETRY_S = 1;

/** How long services may keep the gateway's public keys. */
export const JWKS_MAX_AGE_S = 300;

/** How long a signing key is published before it signs. istiod fetches keys every 20 minutes. */
export const PUBLISHED_BEFORE_SIGNING_S = 3600;

/** How long a session key exists before it seals. Until then every gateway has read it from a synchronised secret. */
export const PUBLISHED_BEFORE_SEALING_S = 600;

/** Size of the check's answer without lists: names, roles, a rule. The larger size has room for lists of groups and an
 * assertion. */
export const ANSWER_SMALL = 2048;
export const ANSWER_LARGE = 32 * 1024;

/** Most bytes that status line, rule, reason, detail and challenge take in an answer. */
export const ANSWER_MARGIN = 1152;

/** A refusal names its caller for the log only if the names are no longer. */
export const MAX_ABOUT_BYTES = 512;

/** Most services that may act one for another, and for a person, in one chain. */
export const MAX_HOPS = 8;

/** How often the job reads the files of mesh identities. */
export const SVIDS_JOB_INTERVAL_S = 5;

/** A result for the files that is older than this does not count. */
export const SVIDS_LOOK_MAX_AGE_S = 30;

/** A file that changed less than this many milliseconds ago may be half written, or change again within its clock's
 * tick. */
export const JUST_WRITTEN_MS = 2000;

/** SVIDs that are read in one run, before requests get their turn. */
export const SVIDS_AT_ONCE = 20;

/** Longest certificate or key file. */
export const MAX_SVID_BYTES = 64 * 1024;

/** Part of its lifetime below which an SVID counts as expiring. */
export const EXPIRING_AT = 1 / 3;

/** Shortest time between two equal lines about an SVID in the log. */
export const REPEAT_LINE_S = 60;

/** Time-out of the calls of readyz, milliseconds. */
export const HEALTH_TIMEOUT_MS = 2000;

/** Longest client certificate that is read, as nginx escapes it. */
export const MAX_CERTIFICATE_LENGTH = 16 * 1024;

/** Client certificates whose SPIFFE id is kept per JavaScript context. */
export const CERTIFICATES_PER_CONTEXT = 64;

/** Views of one caller, by network and certificate, that a JavaScript context keeps. */
export const VIEWS_PER_CALLER = 32;

/** Records of sessions that one nginx keeps for a person. A further one replaces the oldest. */
export const RECORDS_PER_PERSON = 16;

/** Longest record of a session in characters, before it is sealed: claims, refresh token and ID token. */
export const MAX_RECORD_LENGTH = 64 * 1024;

/** Longest time to live of an entry in a shared dict, milliseconds; 2^32 would overflow. */
export const MAX_DICT_TTL_MS = 4_000_000_000;

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

/** Longest time of one request of the command, milliseconds, from resolving the host to the end of the response. */
export const CALL_DEADLINE_MS = 10_000;

/** How often the device flow asks for its token by default, and by how much slower if the provider says so. */
export const DEVICE_POLL_S = 5;

/** Shortest pause of the device flow. */
export const MIN_DEVICE_POLL_S = 1;

/** Longest time for a person to confirm a code. */
export const MAX_DEVICE_WAIT_S = 1800;

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

/** Largest file in it that is read. */
export const MAX_REVOKE_FILE_BYTES = 4096;

/** Part of the revocations' zone that people may fill by signing out. The rest is for operators and providers. */
export const SIGNOUT_SHARE = 0.7;

/** How long a worker may lock a revocation that it changes, milliseconds. A worker that dies leaves its lock. */
export const LOCK_REVOCATIONS_MS = 2000;

/** How often a worker tries to get that lock before it continues without it. Each attempt takes a microsecond or
 * less. */
export const LOCK_REVOCATIONS_TRIES = 100_000;

/** More than all entries of a dict. */
export const MAX_DICT_ENTRIES = 2 ** 31 - 1;

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

/** Longest name and value of a cookie together that browsers keep. */
export const MAX_COOKIE_BYTES = 4096;

/** Longest DPoP proof, in characters; one with an RSA key of 4096 bits has about 2,600. */
export const MAX_PROOF_LENGTH = 4096;

/** Longest `jti` of a proof. */
export const MAX_JTI_LENGTH = 256;

/** Clients whose proof keys are kept per JavaScript context. */
export const PROOF_KEYS_PER_CONTEXT = 64;

/** Age of a proof, seconds: the shortest and longest limit that a policy may set. */
export const MIN_PROOF_AGE = 5;
export const MAX_PROOF_AGE = 300;

/** One caller, and one key, may use this part (one in N) of the room for proofs, and this many seconds' worth at
 * once. */
export const PROOF_PARTS = 4;
export const PROOF_BURST_S = 10;

/** Most proofs per second that a policy may make room for, and the shared memory for each, bytes. */
export const MAX_PROOF_RATE = 20_000;
export const PROOF_BYTES = 152;

/** How long the gateway hands out a nonce for proofs; it accepts the nonce for as long again. Seconds. */
export const NONCE_LIFE_S = 15;
