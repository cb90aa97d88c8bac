import { MAX_ABOUT_BYTES } from '../limits.ts';
import { type ReasonCode, type ReasonEntry, type Refusal, reasons } from '../reasons.ts';
import type { SigninMode } from '../session/contract.ts';
import type { StepUp } from '../session/signin-table.ts';
import { PROOF_ALGORITHMS } from '../token/proof/key.ts';
import { aboutBytes, reply } from './answer.ts';
import type { KnownCaller } from './known.ts';

/** What is said of a reason, whoever asks for what; made once per context. */
interface Words {
  readonly status: string;
  /** The help, for the problem's `detail`. */
  readonly help: string;
  /** Of the `WWW-Authenticate` value, what follows the realm (RFC 6750 section 3); absent: there is no challenge. */
  readonly challenge?: string;
}

/** Longest `acr_values` of a challenge, in characters. */
const MAX_ACR_LENGTH = 128;

const words = new Map<ReasonCode, Words>();

/** `"` and `\` may not stand in a challenge's description (RFC 6750 section 3). */
const challengeText = (text: string): string => text.replace(/["\\]/g, "'").replace(/[^\x20-\x7e]/g, '.');

/** For a JSON string inside a header: escaped, printable ASCII only. */
function jsonInHeader(text: string): string {
  return JSON.stringify(text)
    .slice(1, -1)
    .replace(/[^\x20-\x7e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function challengeOf(
  reason: ReasonCode,
  { challenge, help }: ReasonEntry,
  error: string | undefined = challenge,
): string | undefined {
  if (challenge === undefined || challenge === '') return challenge;
  return `, error="${error}", error_description="${reason}: ${challengeText(help)}"`;
}

/** Of a challenge of the scheme DPoP, what proofs may be signed with (RFC 9449 section 7.1). */
const ALGS = `, algs="${PROOF_ALGORITHMS.join(' ')}"`;

/** What a challenge of the scheme DPoP says why; `undefined`: the reason is none that a challenge goes with. */
function dpopChallenge(realm: string, reason: ReasonCode, error: DpopError | undefined): string | undefined {
  const why = challengeOf(reason, reasons[reason], error);
  return why === undefined ? undefined : `DPoP realm="${realm}"${ALGS}${why}`;
}

/** Why a request by the scheme DPoP, or with a token that is bound to such a key, is refused (RFC 9449 section 7.1). */
export type DpopError = 'invalid_dpop_proof' | 'use_dpop_nonce' | 'invalid_token';

/** What another sign-in has to be (RFC 9470 section 3). A long list is left out: an answer has only so much room. */
function askedFor(asked: StepUp | undefined): string {
  if (asked === undefined) return '';
  const { acrValues = [], maxAge } = asked;
  const acr = acrValues.join(' ');
  const told = acr === '' || acr.length > MAX_ACR_LENGTH ? '' : `, acr_values="${challengeText(acr)}"`;
  return maxAge === undefined ? told : `${told}, max_age="${maxAge}"`;
}

function wordsOf(reason: ReasonCode): Words {
  let made = words.get(reason);
  if (made === undefined) {
    const entry: ReasonEntry = reasons[reason];
    const challenge = challengeOf(reason, entry);
    made = {
      status: String(entry.status),
      help: jsonInHeader(entry.help),
      ...(challenge !== undefined && { challenge }),
    };
    words.set(reason, made);
  }
  return made;
}

/**
 * 401 to nginx, with the true status and reason in headers: `auth_request` understands little else.
 *
 * @param realm host of the route
 */
export function deny(
  r: NginxHTTPRequest,
  realm: string,
  { reason, detail }: Refusal,
  more: {
    readonly known?: KnownCaller | undefined;
    readonly nearest?: string | undefined;
    readonly retryAfter?: number;
    /** Where a browser that opens a page goes instead. */
    readonly signin?: SigninMode | undefined;
    /** What a token has to say of the sign-in. */
    readonly asked?: StepUp | undefined;
    /** What the challenge says to who came by the scheme DPoP, or should have. */
    readonly dpop?: DpopError | undefined;
    /** The route takes proofs too: who came with nothing is told both ways. */
    readonly proofs?: boolean;
  } = {},
): void {
  const { status, help, challenge } = wordsOf(reason);
  const { known, nearest, retryAfter = 1, signin, asked } = more;
  const out = r.headersOut;
  out['X-Meshgate-Status'] = status;
  out['X-Meshgate-Reason'] = reason;
  out['X-Meshgate-Detail'] = detail === undefined ? help : jsonInHeader(detail);
  if (nearest !== undefined) out['X-Meshgate-Rule'] = nearest;
  if (status === '503') out['X-Meshgate-Retry-After'] = String(retryAfter);
  if (signin !== undefined) out['X-Meshgate-Signin'] = signin;
  const usual = challenge === undefined ? undefined : `Bearer realm="${realm}"${challenge}${askedFor(asked)}`;
  if (usual !== undefined && (more.dpop !== undefined || known?.binding?.kind === 'dpop')) {
    out['WWW-Authenticate'] = `${dpopChallenge(realm, reason, more.dpop)}${askedFor(asked)}`;
  } else if (usual !== undefined) {
    const both = more.proofs === true && challenge === '';
    // A list is a line each.
    out['WWW-Authenticate'] = both ? ([usual, dpopChallenge(realm, reason, undefined)] as never) : usual;
  }
  if (known !== undefined && aboutBytes(known) <= MAX_ABOUT_BYTES) {
    out['X-Meshgate-User'] = known.user;
    out['X-Meshgate-Provider'] = known.provider;
    if (known.roles !== '') out['X-Meshgate-Roles'] = known.roles;
    if (known.agent !== undefined) out['X-Meshgate-Agent'] = known.agent;
  }
  reply(r, 401);
}
