import { MAX_SIGNIN_QUERY } from '../../limits.ts';
import type { Mode } from './attempt.ts';
import { parseParams, valuesOf } from './query.ts';

/** What a provider sends the browser back with (RFC 6749 sections 4.1.2 and 4.1.2.1), or `undefined` for anything else. */
export interface Callback {
  readonly state: string;
  readonly answer: { readonly code: string } | { readonly error: string };
  /** RFC 9207. */
  readonly iss?: string;
}

const KNOWN = ['state', 'code', 'error', 'iss'];

/** An error code in the characters of RFC 6749 section 4.1.2.1, short enough for a log line. */
const errorCode = /^[\x20\x21\x23-\x5b\x5d-\x7e]{1,64}$/;

/** A code of an OAuth error, as it may stand in a log line. */
export function errorName(code: unknown): string {
  return typeof code === 'string' && errorCode.test(code) ? code : 'of no known form';
}

/**
 * Reads the query of a callback: one state, one of code and error, nothing of it twice.
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

/**
 * Whether an answer is of the provider that was asked (RFC 9207 section 2.4): what it says must be its issuer, and a
 * provider that says so always must.
 */
export function isOfIssuer({ iss }: Callback, issuer: string, namesIssuer: boolean): boolean {
  return iss === undefined ? !namesIssuer : iss === issuer;
}

/** What follows an error: somebody has to be there after all; the provider is away; or it did not sign them in. */
export type AfterError = 'interact' | 'unavailable' | 'failed';

/** The provider cannot say without asking (OpenID Connect Core section 3.1.2.6). */
const interactive = ['login_required', 'interaction_required', 'consent_required', 'account_selection_required'];

/** @param mode of the attempt that failed; only a silent one goes on with somebody there */
export function afterError(error: string, mode: Mode): AfterError {
  if (mode === 'renew' && interactive.includes(error)) return 'interact';
  return error === 'temporarily_unavailable' || error === 'server_error' ? 'unavailable' : 'failed';
}
