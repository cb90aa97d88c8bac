import { MAX_SCOPE_CHALLENGE } from '../limits.ts';
import { type ReasonCode, type ReasonEntry, reasons } from '../reasons.ts';
import type { StepUp } from '../session/signin-table.ts';

/** The value that nginx sends to the check instead of `Authorization` if the URL contains a token (RFC 6750 section
 * 2.3). */
export const IN_QUERY = 'query';

/** The data of a route that its challenges contain. */
export interface Challenged {
  /** Protection space (RFC 9110 section 11.5): the host. */
  readonly realm: string;
  /** URL of its metadata (RFC 9728 section 5.1); empty if it has none. */
  readonly metadata: string;
}

/** What a challenge requests besides a credential. */
export interface Asked {
  /** Scopes that the request needs, separated by spaces (RFC 6750 section 3). */
  readonly scope?: string | undefined;
  /** The requirements for another sign-in (RFC 9470 section 3). */
  readonly signin?: StepUp | undefined;
  /** The scheme's own error code, instead of the reason's. */
  readonly error?: string | undefined;
}

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

/** The parameters that are the same in each scheme's challenge: realm, metadata, scopes, error, and requirements for a
 * sign-in. The scheme stands before them, its own parameters after.
 *
 * @returns undefined if no challenge belongs to the reason
 */
export function challengeOf(reason: ReasonCode, route: Challenged, asked: Asked = {}): string | undefined {
  const error = errorOf(reason, asked.error);
  if (error === undefined) return undefined;
  const metadata = route.metadata === '' ? '' : `, resource_metadata="${route.metadata}"`;
  return `realm="${route.realm}"${metadata}${scopeOf(asked.scope)}${error}${signinOf(asked.signin)}`;
}
