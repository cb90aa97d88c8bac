/** Limits of tokens, keys, providers and nginx; sizes in bytes, times in seconds unless the name says otherwise. */

/** Longest header line that the rendered servers accept. The default server of a socket reads it before the host is
 * known. */
export const HEADER_LINE_BYTES = 32 * 1024;

/** Longest token that is read. */
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

/** A site of IPv6 may be one client with 65,536 networks, all people of a company, or those of a carrier in a region. So the
 * networks of a site together may send this many times the requests of one network, and have this many times its share
 * of what is free. */
export const SITE_NETWORKS = 16;
export const SITE_SHARE = 2;

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

/** Groups that one call asks about, which is Microsoft Graph's limit. */
export const GROUPS_PER_CALL = 20;

/** How long no question is sent to a provider that did not answer one, milliseconds. */
export const QUESTION_PAUSE_MS = 1000;

/** How far a budget may be overdrawn, in requests, by workers that have not yet given back what they took. A greater
 * difference means that a clock was set back. */
export const MAX_UNCOUNTED = 1024;

/** Most bytes that each field of a line of the log takes from a client, as JSON. Together they keep a line below 4,096
 * bytes, which a pipe writes at once. */
export const MAX_LOG_PATH = 1024;
export const MAX_LOG_AGENT = 512;
export const MAX_LOG_HOST = 255;
export const MAX_LOG_METHOD = 32;
export const MAX_LOG_TOOL = 256;

/** Longest value of an identity header, encoded. All headers of the check's answer together have 32 KB. */
export const MAX_HEADER_VALUE = 4096;

/** Versions of the Model Context Protocol whose servers compare the headers for method and tool with the body
 * (SEP-2243). The meaning of later versions is not known. */
export const MCP_VERSIONS: readonly string[] = ['2026-07-28'];

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

/** Longest signed assertion, in characters. */
export const MAX_ASSERTION_LENGTH = 8192;

/** How often the file with the signing keys is read again, and how often if it is missing or broken. */
export const SIGNING_KEYS_INTERVAL_S = 5;
export const SIGNING_KEYS_RETRY_S = 1;

/** How long services may keep the gateway's public keys. */
export const JWKS_MAX_AGE_S = 300;

/** How long a signing key is published before it signs. istiod fetches keys every 20 minutes. */
export const PUBLISHED_BEFORE_SIGNING_S = 3600;

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

/** Longest time to live of an entry in a shared dict, milliseconds; 2^32 would overflow. */
export const MAX_DICT_TTL_MS = 4_000_000_000;

/** Longest time of one request of the command, milliseconds, from resolving the host to the end of the response. */
export const CALL_DEADLINE_MS = 10_000;

/** How often the device flow asks for its token by default, and by how much slower if the provider says so. */
export const DEVICE_POLL_S = 5;

/** Shortest pause of the device flow. */
export const MIN_DEVICE_POLL_S = 1;

/** Longest time for a person to confirm a code. */
export const MAX_DEVICE_WAIT_S = 1800;

/** More than all entries of a dict. */
export const MAX_DICT_ENTRIES = 2 ** 31 - 1;

/** Longest name and value of a cookie together that browsers keep. */
export const MAX_COOKIE_BYTES = 4096;

/** Longest DPoP proof, in characters; one with an RSA key of 4096 bits has about 2,600. */
export const MAX_PROOF_LENGTH = 4096;

/** Longest `jti` of a proof. */
export const MAX_JTI_LENGTH = 256;

/** Clients whose proof keys are kept per JavaScript context. */
export const PROOF_KEYS_PER_CONTEXT = 64;

/** One caller, and one key, may use this part (one in N) of the room for proofs, and this many seconds' worth at
 * once. */
export const PROOF_PARTS = 4;
export const PROOF_BURST_S = 10;

/** Shared memory for each proof, bytes. */
export const PROOF_BYTES = 152;

/** How long the gateway hands out a nonce for proofs; it accepts the nonce for as long again. Seconds. */
export const NONCE_LIFE_S = 15;
