import hash from 'crypto';
import { composed } from '../../base/composed-key.ts';
import { TO_CHECK } from '../../base/internal-headers.ts';
import { MAX_DICT_TTL_MS, PROOF_BURST_S } from '../../base/limits.ts';
import { ok, type Refusal, type Result, refuse } from '../../base/reasons.ts';
import { DEFAULTS } from '../../policy/forms/bounds.ts';
import type { Table } from '../../rules/types.ts';
import { httpsOrigin } from '../../session/urls.ts';
import type { DpopProof, ExpectedProof } from '../../token/proof/types.ts';
import { type ProofContext, verifyDpopProof } from '../../token/proof/verify.ts';
import type { Binding } from '../../token/types.ts';
import { prepareLimit, type Short, spend } from '../check/budgets.ts';
import { emptyErrorQueue } from '../keys/openssl.ts';
import { proofKeysDict, proofsDict } from '../shared/dicts.ts';
import type { KnownCaller, PreparedLimit } from '../shared/known.ts';
import { sayOnce } from '../shared/say-once.ts';
import { clientReader } from './certificate-callers.ts';
import { Nonces, type NoncesNow } from './nonces.ts';

/** A request with a token, and the scheme with which the token was sent. */
export interface Sent {
  readonly r: NginxHTTPRequest;
  /** The host as the policy writes it. For a wildcard host, the name in the request. */
  readonly host: string;
  readonly method: string;
  readonly token: string;
  /** `DPoP` if the token was sent in `Authorization: DPoP`, `Bearer` if it was sent as a bearer token. */
  readonly scheme: 'Bearer' | 'DPoP';
  /** Seconds since the epoch. */
  readonly now: number;
  /** The nonce for the sender's next proof. It is sent with the answer. */
  nonce?: string;
  /** Remembers the proof as used, or returns why that is not possible. It is set if the proof is valid. It is called
   * last, so that a request that a budget refuses takes no room. */
  remember?: (known: KnownCaller) => Refusal | Short | undefined;
}

/** A function that receives the result of the proof, and the value `along`. */
type Use<T, S> = (proved: Result<unknown>, sent: Sent, along: S) => T | Promise<T>;

type Settings = NonNullable<Table['proof']>;

/** The state while a proof is verified. */
type Looking<T, S> = readonly [sent: Sent, thumbprint: string, use: Use<T, S>, along: S, quota: Quota];

/** The limit for each caller, and the limit for each key. */
type Quota = readonly [caller: PreparedLimit, key: PreparedLimit];

const notBound = refuse('proof_invalid', 'the token is bound to no key: send it as "Authorization: Bearer TOKEN"');
const otherKind = 'the token is bound to a certificate, but was sent with the scheme DPoP';
const otherBinding = refuse('proof_invalid', otherKind);
const noCertificate = refuse('proof_missing', 'the token is bound to a client certificate: show it on the connection');
const otherCertificate = refuse('proof_invalid', 'the token is not bound to the certificate of the connection');
const asBearer = refuse('proof_missing', 'the token is bound to a DPoP key: send it as "Authorization: DPoP TOKEN"');
const noProofs = refuse('proof_missing', 'the token is bound to a DPoP key, and this gateway accepts no proofs');
const noHeader = refuse('proof_missing', 'the request has no header "DPoP"');
const good = ok(undefined);
const replayed = refuse('proof_replayed');
const noRoom = refuse('check_unavailable', 'the gateway has no room to store more proofs');
const noNonces = refuse('check_unavailable', 'the gateway has no key for nonces');

const digest = (text: string): string => hash.createHash('sha256').update(text).digest('base64url');

/** Returns path and query as they are in the request line, because the client made its proof for that text. */
function rawPath(uri: string): string {
  const query = uri.indexOf('?');
  return query < 0 ? uri : uri.slice(0, query);
}

/** Returns a name of 16 characters. A longer name would take twice the memory. */
const nameOf = (text: string): string => digest(text).slice(0, 16);

/** Returns the name under which a caller's proofs are counted. It is computed once for each caller. */
function countedAs(known: KnownCaller): string {
  known.counted ??= nameOf(composed('caller', known.agent ?? '', known.provider, known.user));
  return known.counted;
}

/** Remembers a used proof until it expires, in memory that all workers share. Each caller (with any number of keys) and
 * each key can use only a part of the room.
 * @returns `proof_replayed`; `limit_exceeded` if the part is used up; or `check_unavailable` if there is no room: a
 * proof that is not remembered could be used twice */
function useUp(
  name: string,
  until: number,
  [ofCaller, ofKey]: Quota,
  thumbprint: string,
  known: KnownCaller,
  now: number,
): Refusal | Short | undefined {
  const byKey = { ...ofKey, key: nameOf(thumbprint) };
  const short = spend(proofKeysDict(), { ...ofCaller, key: countedAs(known), and: byKey }, now);
  if (short !== undefined) return short;
  const life = Math.min(MAX_DICT_TTL_MS, Math.ceil((until - now) * 1000) + 1);
  try {
    return proofsDict().add(name, '', life) ? undefined : replayed;
  } catch {
    const line = 'the zone meshgate_proofs is full, so DPoP is refused: enlarge gateway.proof.rate';
    sayOnce('proofs full', ngx.ERR, line);
    return noRoom;
  }
}

function acceptProof<T, S>(proof: Result<DpopProof>, looking: Looking<T, S>): T | Promise<T> {
  const [sent, thumbprint, use, along, quota] = looking;
  if (!proof.ok) return use(proof, sent, along);
  const { jti, until } = proof.value;
  // A plain concatenation of two values would be ambiguous.
  const name = nameOf(composed(thumbprint, jti));
  // This comes before any budget: a replayed request must not use up the budget of the original sender.
  if (proofsDict().has(name)) return use(replayed, sent, along);
  sent.remember = (known) => useUp(name, until, quota, thumbprint, known, sent.now);
  return use(good, sent, along);
}

/** Returns the limit for a caller or a key. If its zone is full, the zone of proofs still limits them. */
function quotaOf(whose: 'caller' | 'key', rate: number): PreparedLimit {
  const says = `at most ${rate} proofs per second for one ${whose}`;
  return prepareLimit({ rate, burst: Math.ceil(rate * PROOF_BURST_S), of: 'proofs', says }, true);
}

/** Verifies that the sender of a request has the key that its token is bound to. */
export class Prover {
  readonly #settings: Settings | undefined;
  readonly #nonces: Nonces | undefined;
  readonly #quota: Quota | undefined;
  readonly #port: number;
  readonly #skew: number;
  readonly #certificateOf = clientReader(ok);
  readonly #context: ProofContext = { known: new Map(), imported: new Map(), digest, onFailure: emptyErrorQueue };

  constructor(table: Pick<Table, 'proof' | 'clockSkew' | 'publicPort'>) {
    const { proof, clockSkew, publicPort = DEFAULTS.publicPort } = table;
    this.#settings = proof;
    this.#quota = proof && [quotaOf('caller', proof.perCaller), quotaOf('key', proof.perCaller)];
    this.#nonces = proof?.nonce ? new Nonces(proof.keysFile) : undefined;
    this.#skew = clockSkew;
    this.#port = publicPort;
  }

  /** Whether tokens may be sent as `Authorization: DPoP`. */
  get takesProofs(): boolean {
    return this.#settings !== undefined;
  }

  /** Checks the proof of a request whose token is bound or was sent with the scheme DPoP.
   * @param use receives a success or one of the reasons `proof_missing`, `proof_invalid`, `proof_replayed`,
   * `proof_nonce_required` and `check_unavailable`; its result is returned */
  prove<T, S>(sent: Sent, binding: Binding | undefined, use: Use<T, S>, along: S): T | Promise<T> {
    if (binding === undefined) return use(notBound, sent, along);
    if (binding.kind === 'certificate') {
      return use(sent.scheme === 'DPoP' ? otherBinding : this.#shown(sent, binding.thumbprint), sent, along);
    }
    if (this.#settings === undefined) return use(noProofs, sent, along);
    if (sent.scheme !== 'DPoP') return use(asBearer, sent, along);
    const looking: Looking<T, S> = [sent, binding.thumbprint, use, along, this.#quota as Quota];
    if (this.#nonces === undefined) return this.#look(this.#settings, undefined, looking);
    return this.#lookWithNonces(this.#settings, this.#nonces, looking);
  }

  /** Whether the token is bound to the certificate of the connection (RFC 8705 section 3). */
  #shown({ r, now }: Sent, thumbprint: string): Result<unknown> {
    const escaped = r.headersIn['SSL-Client-Cert'];
    if (escaped === undefined) return noCertificate;
    const certificate = this.#certificateOf(escaped, now);
    return !certificate.ok || certificate.value.thumbprint === thumbprint ? certificate : otherCertificate;
  }

  #lookWithNonces<T, S>(settings: Settings, nonces: Nonces, looking: Looking<T, S>): T | Promise<T> {
    const [sent, , use, along] = looking;
    const look = (at: NoncesNow | undefined): T | Promise<T> =>
      at === undefined ? use(noNonces, sent, along) : this.#look(settings, at, looking);
    const at = nonces.at(sent.now);
    return at instanceof Promise ? at.then(look) : look(at);
  }

  #look<T, S>(settings: Settings, nonces: NoncesNow | undefined, looking: Looking<T, S>): T | Promise<T> {
    const [sent, thumbprint, use, along] = looking;
    const { headersIn } = sent.r;
    if (nonces !== undefined) sent.nonce = nonces.fresh;
    const proof = headersIn.DPoP;
    if (proof === undefined) return use(noHeader, sent, along);
    const expected: ExpectedProof = {
      thumbprint,
      method: sent.method,
      url: httpsOrigin(sent.host, this.#port) + rawPath(headersIn[TO_CHECK.uri] ?? ''),
      tokenHash: digest(sent.token),
      now: sent.now,
      age: settings.age,
      skew: this.#skew,
      nonces: nonces?.taken,
    };
    return verifyDpopProof(proof, expected, this.#context, acceptProof<T, S>, looking);
  }
}
