/** Limits of tokens, keys, providers and nginx. Sizes are in bytes and times in seconds, unless a name says so. */

/** Maximum length of a header line. The default server of a socket reads it before the host is known. */
export const HEADER_LINE_BYTES = 32 * 1024;

export const MAX_TOKEN_BYTES = 16 * 1024;

/** Maximum length of an `Authorization` header that belongs to a service. The check searches it for tokens. */
export const MAX_SERVICE_CREDENTIAL = 4 * 1024;

/** Maximum size of a discovery document or JWKS. */
export const MAX_DOCUMENT_BYTES = 256 * 1024;

/** Maximum number of keys of one provider. Further keys are ignored, and the job logs this. */
export const MAX_KEYS_PER_PROVIDER = 100;

/** Maximum length of a key's name, in characters. */
export const MAX_KID_LENGTH = 512;

/** Maximum number of bytes that are stored for a provider's keys, and for each set of data from its discovery document. */
export const MAX_KEYS_BYTES = 64 * 1024;
export const MAX_METADATA_STATE_BYTES = 8 * 1024;

/** Size of the zone of keys for each provider. It has room for keys and data twice, because a new value is stored
 * before the old one is erased. The second constant is the minimum size of this zone. */
export const KEYS_BYTES_PER_PROVIDER = 2 * (MAX_KEYS_BYTES + 2 * MAX_METADATA_STATE_BYTES);
export const MIN_KEYS_BYTES = 1024 * 1024;

/** For a token without `kid`, the gateway tries at most this number of matching keys. */
export const MAX_KEYS_TRIED = 4;

/** RSA keys with a shorter modulus are never used (RFC 7518 section 3.3). */
export const MIN_RSA_BITS = 2048;

/** Maximum length of the exponent of an RSA key, in bits. A longer exponent would make each verification slow. */
export const MAX_RSA_EXPONENT_BITS = 33;

/** Time-out of one call to a provider, in milliseconds. Two calls in a row take less than {@link KEYS_JOB_INTERVAL_S}. */
export const PROVIDER_TIMEOUT_MS = 4000;

/** Returns the time-out of one call to a provider in a sign-in, in seconds: the policy's, or the default. */
export const timeoutOf = ({ timeout = PROVIDER_TIMEOUT_MS / 1000 }: { readonly timeout?: number }): number => timeout;

/** How often the job checks whether a provider's keys are due. */
export const KEYS_JOB_INTERVAL_S = 10;

/** Maximum number of checks that wait for keys of one provider at once. The clients of further checks should retry. */
export const MAX_WAITERS = 16;

/** How long a check waits for keys that another check fetches, in milliseconds. */
export const WAIT_FOR_KEYS_MS = 3000;

/** Number of verified tokens that each JavaScript context keeps, in addition to the shared dict. */
export const TOKENS_PER_CONTEXT = 64;

/** Maximum value of a date in claims (the year 9999). A later date counts as malformed. */
export const MAX_NUMERIC_DATE = 253402300799;

/** A site of IPv6 has up to 65,536 networks. They can belong to one client, to all people of a company, or to the
 * customers of a carrier in a region. So all networks of a site together may send this many times the requests of one
 * network, and use this many times its share of a limited resource. */
export const SITE_NETWORKS = 16;
export const SITE_SHARE = 2;

/** Maximum length of an answer of an introspection endpoint, in characters. */
export const MAX_ANSWER_LENGTH = 64 * 1024;

/** For one nginx: the maximum number of questions about tokens to one provider at the same time, and of checks that
 * wait for an answer or for a free place. Each of them holds a JavaScript context. */
export const MAX_QUESTIONS = 32;
export const MAX_QUESTION_WAITERS = 128;

/** There are two kinds of tokens: tokens that anyone can invent, and tokens that were active before or have a valid
 * signature. Each kind leaves this many questions and places for the other kind. */
export const QUESTIONS_KEPT = 8;
export const PLACES_KEPT = 32;

/** An address may get another question or place only if its own number is less than the number of free ones, multiplied
 * by this share. Its site may have {@link SITE_SHARE} times as many. So a single address gets 8 questions of 24 and 64
 * places of 128, and a single site gets 12 and 86. If several addresses ask, some room is left for the next one. */
export const QUESTIONS_SHARE = 1 / 2;
export const PLACES_SHARE = 1;

/** Bytes for answers about tokens, for each provider. About ten thousand answers of 500 characters fit. */
export const ANSWERS_BYTES_PER_PROVIDER = 8 * 1024 * 1024;

/** How long the gateway remembers that a token was active, in milliseconds. */
export const ACTIVE_BEFORE_MS = 24 * 3600 * 1000;

/** Maximum number of groups in one call, as Microsoft Graph limits it. */
export const GROUPS_PER_CALL = 20;

/** After a provider did not answer a question, it gets no further question for this number of milliseconds. */
export const QUESTION_PAUSE_MS = 1000;

/** Maximum number of requests by which a budget may be overdrawn. Workers overdraw it for a moment until they give back
 * what they took. If a budget is overdrawn by more, a clock was set back. */
export const MAX_UNCOUNTED = 1024;

/** Maximum number of bytes of each log field that comes from a client, as JSON. With these limits a line is shorter
 * than 4,096 bytes, which a pipe writes at once. */
export const MAX_LOG_PATH = 1024;
export const MAX_LOG_AGENT = 512;
export const MAX_LOG_HOST = 255;
export const MAX_LOG_METHOD = 32;
export const MAX_LOG_TOOL = 256;
export const MAX_LOG_VERSION = 32;

/** Maximum number of bytes of each log field that a caller's token can fill. nginx or the check cuts longer values. */
export const MAX_LOG_ROLES = 4096;
export const MAX_LOG_ACTORS = 2048;
export const MAX_LOG_CLAIMS = 4096;

/** Maximum number of bytes of the list of addresses to which nginx connected, one after the other. */
export const MAX_LOG_UPSTREAM = 512;

/** Maximum length of an encoded identity header. All headers of the check's answer together may have 32 KB. */
export const MAX_HEADER_VALUE = 4096;

/** Versions of the Model Context Protocol whose servers compare the headers for method and tool with the body
 * (SEP-2243). It is unknown whether later versions do the same. */
export const MCP_VERSIONS: readonly string[] = ['2026-07-28'];

/** Maximum number of ways to get a role with scopes that meshgate examines. */
export const MAX_SCOPE_WAYS = 16;

/** Maximum length of a resource's metadata without its identifier. An argument of nginx has at most 4 KB. */
export const MAX_METADATA_BYTES = 3000;

/** Maximum length of the list of scopes in a challenge, in characters. A longer list is left out. */
export const MAX_SCOPE_CHALLENGE = 512;

/** Maximum number of groups, or of scopes, of a caller. */
export const MAX_LIST_VALUES = 1000;

/** Maximum length of the modulus of an RSA key, in bits. A longer modulus would make each verification slow. */
export const MAX_RSA_BITS = 8192;

/** Maximum length of a signed assertion, in characters. */
export const MAX_ASSERTION_LENGTH = 8192;

/** How often the file of signing keys is read again, and how often if it is missing or broken. */
export const SIGNING_KEYS_INTERVAL_S = 5;
export const SIGNING_KEYS_RETRY_S = 1;

/** How long services may keep the gateway's public keys. */
export const JWKS_MAX_AGE_S = 300;

/** How long a signing key is published before it signs. istiod fetches keys every 20 minutes. */
export const PUBLISHED_BEFORE_SIGNING_S = 3600;

/** Sizes of the check's answer: the small one is for answers without lists of groups and without an assertion. */
export const ANSWER_SMALL = 2048;
export const ANSWER_LARGE = 32 * 1024;

/** Maximum number of bytes that status line, rule, reason, detail and challenge have in an answer. */
export const ANSWER_MARGIN = 1152;

/** A refusal names its caller for the log only if the names have at most this number of bytes. */
export const MAX_ABOUT_BYTES = 512;

/** Maximum number of actors in one actor chain. */
export const MAX_HOPS = 8;

/** How often the job reads the files of mesh identities. */
export const SVIDS_JOB_INTERVAL_S = 5;

/** Time-out of each step of a probe of the mesh, in milliseconds: to connect, to send and to wait for the answer. */
export const MESH_PROBE_STEP_MS = 1000;

/** After how many milliseconds a probe without an answer ends. No probe begins later than this time before the next run. */
export const MESH_PROBE_TIMEOUT_MS = 3500;

/** Number of probes of the mesh at the same time. */
export const MESH_PROBES_AT_ONCE = 8;

/** A result of a probe does not count if it is older than this number of intervals. */
export const MESH_PROBE_MAX_AGE = 3;

/** A result for the files that is older than this does not count. */
export const SVIDS_LOOK_MAX_AGE_S = 30;

/** Room for counters of the metrics: for each rule, for each route (its refusals by reason), for each provider, and for
 * everything else; and shared memory for one counter, in bytes. */
export const COUNTS_PER_RULE = 6;
export const COUNTS_PER_ROUTE = 24;
export const COUNTS_PER_PROVIDER = 8;
export const OTHER_COUNTS = 200;
export const COUNT_BYTES = 384;

/** If a file changed so many milliseconds ago, a write may not be complete, or another write may get the same time. */
export const JUST_WRITTEN_MS = 2000;

/** Number of SVIDs that are read in one run. After that, the worker handles requests. */
export const SVIDS_AT_ONCE = 20;

/** Maximum size of a file with a certificate or a key. */
export const MAX_SVID_BYTES = 64 * 1024;

/** If a smaller part of its lifetime is left, an SVID counts as expiring. */
export const EXPIRING_AT = 1 / 3;

/** A certificate of a listener or client counts as expiring if a smaller part of its lifetime is left, and at most so
 * many seconds. */
export const CERTIFICATE_EXPIRING_AT = 1 / 4;
export const CERTIFICATE_EXPIRING_S = 7 * 86_400;

/** Minimum time between two equal lines about an SVID or a file in the log. */
export const REPEAT_LINE_S = 60;

/** Whether a line was logged so recently that it is not repeated. The clock may be set back.
 * @param at when it was logged; absent: never
 * @param pause all times have the same unit, by default seconds */
export const isRepeated = (at: number | undefined, now: number, pause = REPEAT_LINE_S): boolean =>
  at !== undefined && now >= at && now - at < pause;

/** A file of keys is read again after this time, because a key in it can expire. */
export const FILE_READ_AGAIN_S = 60;

/** The same pause as above if the file can still be used. */
export const REPEAT_EXPIRING_S = 3600;

/** After this time without a turn, readyz says that the image's watcher has stopped. A reload in it takes up to 90 s. */
export const WATCH_MAX_AGE_S = 120;

/** Time-out of the calls that readyz sends, in milliseconds. */
export const HEALTH_TIMEOUT_MS = 2000;

export const MAX_CERTIFICATE_LENGTH = 16 * 1024;

/** Number of client certificates that each JavaScript context keeps. */
export const CERTIFICATES_PER_CONTEXT = 64;

/** Maximum number of views of one caller, by network and certificate, that a JavaScript context keeps. */
export const VIEWS_PER_CALLER = 32;

/** Maximum lifetime of an entry in a shared dict, in milliseconds; 2^32 would overflow. */
export const MAX_DICT_TTL_MS = 4_000_000_000;

/** Time-out of one request of the command, in milliseconds, from the DNS lookup to the end of the response. */
export const CALL_DEADLINE_MS = 10_000;

/** The default interval between requests of the device flow, and the time by which a provider can make it longer. */
export const DEVICE_POLL_S = 5;

/** Minimum pause of the device flow between two requests. */
export const MIN_DEVICE_POLL_S = 1;

/** Maximum time that a person may need to confirm a code. */
export const MAX_DEVICE_WAIT_S = 1800;

/** A number that is greater than the number of entries of any dict. */
export const MAX_DICT_ENTRIES = 2 ** 31 - 1;

/** Maximum length of a cookie's name and value together. Browsers do not keep longer cookies. */
export const MAX_COOKIE_BYTES = 4096;

/** Maximum length of a DPoP proof, in characters. A proof with an RSA key of 4096 bits has about 2,600. */
export const MAX_PROOF_LENGTH = 4096;

/** Maximum length of the `jti` of a proof. */
export const MAX_JTI_LENGTH = 256;

/** Number of clients whose proof keys each JavaScript context keeps. */
export const PROOF_KEYS_PER_CONTEXT = 64;

/** One caller, or one key, may use one Nth of the room for proofs, and at once the proofs of this many seconds. */
export const PROOF_PARTS = 4;
export const PROOF_BURST_S = 10;

/** Shared memory for one proof, in bytes. */
export const PROOF_BYTES = 152;

/** For how many seconds the gateway gives out a nonce for proofs. It accepts the nonce for the same time after that. */
export const NONCE_LIFE_S = 15;

/** How often each witness is asked for a cosignature, and the time-out of one call to it. Two calls in a row, the second of
 * which has the size that the witness has said, take less than the interval. */
export const WITNESS_INTERVAL_S = 10;
export const WITNESS_TIMEOUT_MS = 4000;
