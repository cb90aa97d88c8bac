import { MAX_SCOPE_CHALLENGE } from '../limits.ts';
import { type ReasonCode, type ReasonEntry, reasons } from '../reasons.ts';
import type { StepUp } from '../session/signin-table.ts';

/** What nginx tells the check in the place of `Authorization` where the URL has a token (RFC 6750 section 2.3). */
export const IN_QUERY = 'query';

/** What of a route its challenges say. */
export interface Challenged {
  /** Protection space (RFC 9110 section 11.5): the host. */
  readonly realm: string;
  /** Where its metadata is (RFC 9728 section 5.1); empty where it has none. */
  readonly metadata: string;
}

/** What a challenge asks for beyond a credential. */
export interface Asked {
  /** Scopes that the request takes, spaces between (RFC 6750 section 3). */
  readonly scope?: string | undefined;
  /** What another sign-in has to be (RFC 9470 section 3). */
  readonly signin?: StepUp | undefined;
  /** The scheme's own word for why, in the place of the reason's. */
  readonly error?: string | undefined;
}

/** Longest `acr_values` of a challenge, in characters. */
const MAX_ACR_LENGTH = 128;

/** `"` and `\` may not stand in a challenge's description (RFC 6750 section 3). */
const challengeText = (text: string): string => text.replace(/["\\]/g, "'").replace(/[^\x20-\x7e]/g, '.');

/** A scope's characters (RFC 6749 section 3.3); what is another, no challenge can name. */
const SCOPES = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/;

const errors = new Map<string, string | undefined>();

/** What of a challenge says why; made once a context. Undefined: the reason is none that a challenge goes with. */
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

/** A long list is left out: an answer has only so much room. */
function signinOf(asked: StepUp | undefined): string {
  if (asked === undefined) return '';
  const { acrValues = [], maxAge } = asked;
  const acr = acrValues.join(' ');
  const told = acr === '' || acr.length > MAX_ACR_LENGTH ? '' : `, acr_values="${challengeText(acr)}"`;
  return maxAge === undefined ? told : `${told}, max_age="${maxAge}"`;
}

const scopeOf = (scope: string | undefined): string =>
  scope === undefined || scope.length > MAX_SCOPE_CHALLENGE || !SCOPES.test(scope) ? '' : `, scope="${scope}"`;

/**
 * The parameters of a challenge, the same for each scheme: realm, where the metadata is, scopes, why, and what a sign-in
 * has to be. A scheme stands before them, and its own parameters behind.
 *
 * @returns undefined where no challenge goes with the reason
 */
export function challengeOf(reason: ReasonCode, route: Challenged, asked: Asked = {}): string | undefined {
  const error = errorOf(reason, asked.error);
  if (error === undefined) return undefined;
  const metadata = route.metadata === '' ? '' : `, resource_metadata="${route.metadata}"`;
  return `realm="${route.realm}"${metadata}${scopeOf(asked.scope)}${error}${signinOf(asked.signin)}`;
}
