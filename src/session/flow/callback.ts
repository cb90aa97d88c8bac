import { MAX_SIGNIN_QUERY } from '../limits.ts';
import type { Mode } from './attempt.ts';
import { parseParams, valuesOf } from './query.ts';

/** The parameters with which a provider returns the browser (RFC 6749 sections 4.1.2 and 4.1.2.1). */
export interface Callback {
  readonly state: string;
  readonly answer: { readonly code: string } | { readonly error: string };
  /** RFC 9207. */
  readonly iss?: string;
}

const KNOWN = ['state', 'code', 'error', 'iss'];

/** An error code in the characters of RFC 6749 section 4.1.2.1, short enough for a line of the log. */
const errorCode = /^[\x20\x21\x23-\x5b\x5d-\x7e]{1,64}$/;

/** The code of an OAuth error, safe for the log. */
export function errorName(code: unknown): string {
  return typeof code === 'string' && errorCode.test(code) ? code : 'of no known form';
}

/** Reads the query of a callback: one state, one of code and error, no parameter twice.
 *
 * @param query as it stands in the request
 */
export function readCallback(query: string): Callback | undefined {
  const params = query.length > MAX_SIGNIN_QUERY ? undefined : parseParams(query);
  if (params === undefined || KNOWN.some((name) => valuesOf(params, name).length > 1)) return undefined;
  const [[state], [code], [error], [iss]] = KNOWN.map((name) => valuesOf(params, name)) as [
    string[],
    string[],
    string[],
    string[],
  ];
  if (state === undefined || state === '' || (code === undefined) === (error === undefined)) return undefined;
  if (code === '') return undefined;
  const answer = code !== undefined ? { code } : { error: error as string };
  return { state, answer, ...(iss !== undefined && { iss }) };
}

/** Whether an answer comes from the provider that was asked (RFC 9207 section 2.4). Its `iss` must be the issuer. It
 * may be missing only if the provider does not announce it. */
export function isOfIssuer({ iss }: Callback, issuer: string, namesIssuer: boolean): boolean {
  return iss === undefined ? !namesIssuer : iss === issuer;
}

/** What follows an error: sign in with interaction, report an outage, or report a failed sign-in. */
export type AfterError = 'interact' | 'unavailable' | 'failed';

/** Errors that say that the provider needs interaction (OpenID Connect Core section 3.1.2.6). */
const interactive = ['login_required', 'interaction_required', 'consent_required', 'account_selection_required'];

/** @param mode of the attempt that failed; only a silent one is repeated with interaction */
export function afterError(error: string, mode: Mode): AfterError {
  if (mode === 'renew' && interactive.includes(error)) return 'interact';
  return error === 'temporarily_unavailable' || error === 'server_error' ? 'unavailable' : 'failed';
}
