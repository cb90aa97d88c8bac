import { MAX_SCOPE_CHALLENGE } from '../../base/limits.ts';
import { type ReasonCode, type ReasonEntry, reasons } from '../../base/reasons.ts';
import type { StepUp } from '../../session/signin-table.ts';
import { PROOF_ALGORITHMS } from '../../token/proof/types.ts';

export interface Challenged {
  /** The protection space (RFC 9110 section 11.5), which is the host. */
  readonly realm: string;
  /** The URL of the metadata for this place (RFC 9728 section 5.1); empty if there is no metadata. */
  readonly metadata: string;
  /** Whether clients may send a token with a DPoP proof. */
  readonly proofs?: boolean;
}

/** What a challenge requests in addition to a credential. */
export interface Requested {
  /** The scopes that the request needs, separated by spaces (RFC 6750 section 3). */
  readonly scope?: string | undefined;
  /** The requirements for another sign-in (RFC 9470 section 3). */
  readonly signin?: StepUp | undefined;
  readonly dpop?: DpopError | undefined;
}

/** An error of the scheme DPoP, also for a token that is bound to a DPoP key (RFC 9449 section 7.1). */
export type DpopError = ReasonEntry['challenge'] | 'invalid_dpop_proof' | 'use_dpop_nonce';

const MAX_ACR_LENGTH = 128;

/** Replaces characters that a description must not contain, such as `"` and `\` (RFC 6750 section 3). */
const challengeText = (text: string): string => text.replace(/["\\]/g, "'").replace(/[^\x20-\x7e]/g, '.');

/** The form of a list of scopes (RFC 6749 section 3.3). A challenge must not contain a list of another form. */
const SCOPES = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/;

const errors = new Map<string, string | undefined>();

/** Returns the error of a challenge, made once per JavaScript context; undefined if the reason has no challenge. */
function errorOf(reason: ReasonCode, error: string | undefined): string | undefined {
  const name = error === undefined ? reason : `${reason} ${error}`;
  if (errors.has(name)) return errors.get(name);
  const { challenge, help }: ReasonEntry = reasons[reason];
  const text =
    challenge === undefined || challenge === ''
      ? challenge
      : `, error="${error ?? challenge}", error_description="${reason}: ${challengeText(help)}"`;
  errors.set(name, text);
  return text;
}

/** Returns the requirements for the sign-in. A long list of `acr` values is left out, because the room is limited. */
function signinOf(requested: StepUp | undefined): string {
  if (requested === undefined) return '';
  const { acrValues = [], maxAge } = requested;
  const acr = acrValues.join(' ');
  const disclosed = acr === '' || acr.length > MAX_ACR_LENGTH ? '' : `, acr_values="${challengeText(acr)}"`;
  return maxAge === undefined ? disclosed : `${disclosed}, max_age="${maxAge}"`;
}

const scopeOf = (scope: string | undefined): string =>
  scope === undefined || scope.length > MAX_SCOPE_CHALLENGE || !SCOPES.test(scope) ? '' : `, scope="${scope}"`;

/** The algorithms of proofs. A challenge of the scheme DPoP contains them (RFC 9449 section 7.1). */
const ALGS = `, algs="${PROOF_ALGORITHMS.join(' ')}"`;

/** A challenge with the realm and perhaps the error (RFC 9110 section 15.5.2). */
export const plainChallenge = (realm: string, error?: ReasonEntry['challenge']): string =>
  `Bearer realm="${realm}"${error === undefined ? '' : `, error="${error}"`}`;

/** Returns the challenges of a refusal, one for each scheme that the client may use; undefined if there are none. */
export function challengesOf(
  reason: ReasonCode,
  place: Challenged,
  { scope, signin, dpop }: Requested = {},
): string | readonly string[] | undefined {
  const error = errorOf(reason, dpop);
  if (error === undefined) return undefined;
  const metadata = place.metadata === '' ? '' : `, resource_metadata="${place.metadata}"`;
  const parameters = `realm="${place.realm}"${metadata}${scopeOf(scope)}${error}${signinOf(signin)}`;
  const ofDpop = `DPoP ${parameters}${ALGS}`;
  if (dpop !== undefined) return ofDpop;
  const isEither = place.proofs === true && (reasons[reason] as ReasonEntry).challenge === '';
  return isEither ? [`Bearer ${parameters}`, ofDpop] : `Bearer ${parameters}`;
}
