import { MAX_SCOPE_CHALLENGE } from '../limits.ts';
import { type ReasonCode, type ReasonEntry, reasons } from '../reasons.ts';
import type { StepUp } from '../session/signin-table.ts';
import { PROOF_ALGORITHMS } from '../token/proof/types.ts';

/** The data of a route that its challenges contain. */
export interface Challenged {
  /** Protection space (RFC 9110 section 11.5): the host. */
  readonly realm: string;
  /** URL of its metadata (RFC 9728 section 5.1); empty if it has none. */
  readonly metadata: string;
  /** Tokens may come with a DPoP proof. */
  readonly proofs?: boolean;
}

/** What a challenge requests besides a credential. */
export interface Asked {
  /** Scopes that the request needs, separated by spaces (RFC 6750 section 3). */
  readonly scope?: string | undefined;
  /** The requirements for another sign-in (RFC 9470 section 3). */
  readonly signin?: StepUp | undefined;
  /** The error, if the challenge is of the scheme DPoP. */
  readonly dpop?: DpopError | undefined;
}

/** Why a request by the scheme DPoP, or with a token that is bound to such a key, is refused (RFC 9449 section 7.1). */
export type DpopError = ReasonEntry['challenge'] | 'invalid_dpop_proof' | 'use_dpop_nonce';

/** Longest `acr_values` of a challenge, in characters. */
const MAX_ACR_LENGTH = 128;

/** Replaces characters that a description must not contain, such as `"` and `\` (RFC 6750 section 3). */
const challengeText = (text: string): string => text.replace(/["\\]/g, "'").replace(/[^\x20-\x7e]/g, '.');

/** The form of a list of scopes (RFC 6749 section 3.3). A challenge cannot name any other. */
const SCOPES = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/;

const errors = new Map<string, string | undefined>();

/** The part of a challenge that says why, made once per context; undefined if no challenge belongs to the reason. */
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

/** A long list is left out, because the answer has limited room. */
function signinOf(asked: StepUp | undefined): string {
  if (asked === undefined) return '';
  const { acrValues = [], maxAge } = asked;
  const acr = acrValues.join(' ');
  const told = acr === '' || acr.length > MAX_ACR_LENGTH ? '' : `, acr_values="${challengeText(acr)}"`;
  return maxAge === undefined ? told : `${told}, max_age="${maxAge}"`;
}

const scopeOf = (scope: string | undefined): string =>
  scope === undefined || scope.length > MAX_SCOPE_CHALLENGE || !SCOPES.test(scope) ? '' : `, scope="${scope}"`;

/** The algorithms of proofs, which a challenge of the scheme DPoP names (RFC 9449 section 7.1). */
const ALGS = `, algs="${PROOF_ALGORITHMS.join(' ')}"`;

/** A challenge that says no more than where a credential counts, and perhaps the error (RFC 9110 section 15.5.2). */
export const plainChallenge = (realm: string, error?: ReasonEntry['challenge']): string =>
  `Bearer realm="${realm}"${error === undefined ? '' : `, error="${error}"`}`;

/**
 * The challenges of a refusal, each with realm, metadata, scopes, error, and requirements for a sign-in. It is mostly
 * one; two if there is no credential and either scheme would do.
 *
 * @returns undefined if no challenge belongs to the reason
 */
export function challengesOf(
  reason: ReasonCode,
  place: Challenged,
  { scope, signin, dpop }: Asked = {},
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
