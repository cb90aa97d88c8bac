import type { Mode } from './attempt.ts';
import { parameterValues, parseParams } from './query.ts';

/** The parameters with which a provider returns the browser (RFC 6749 sections 4.1.2 and 4.1.2.1). */
export interface Callback {
  readonly state: string;
  readonly answer: { readonly code: string } | { readonly error: string };
  readonly iss?: string | undefined;
}

const KNOWN = ['state', 'code', 'error', 'iss'];

/** Matches an error code of RFC 6749 section 4.1.2.1 that is short enough for a line of the log. */
const errorCode = /^[\x20\x21\x23-\x5b\x5d-\x7e]{1,64}$/;

/** Returns the code of an OAuth error in a form that is safe for the log. */
export function errorName(code: unknown): string {
  return typeof code === 'string' && errorCode.test(code) ? code : 'of an unknown form';
}

/** Reads the query of a callback. It must contain one state and either a code or an error, and no parameter twice. */
export function readCallback(query: string): Callback | undefined {
  const params = parseParams(query);
  if (params === undefined || KNOWN.some((name) => parameterValues(params, name).length > 1)) return undefined;
  const [state, code, error, iss] = KNOWN.map((name) => parameterValues(params, name)[0]);
  if (state === undefined || state === '' || (code === undefined) === (error === undefined)) return undefined;
  if (code === '') return undefined;
  return { state, iss, answer: code !== undefined ? { code } : { error: error as string } };
}

/** Returns the code in the query of a callback, whatever else the query contains. */
export function codeIn(query: string): string | undefined {
  const [parameter] = /(?<=^|&)code=[^&]+/.exec(query) ?? [];
  return parameter && parseParams(parameter)?.[0]?.[1];
}

/** Whether a response comes from the provider to which the browser was sent (RFC 9207 section 2.4). Its `iss` must be
 * the issuer, and may be missing only if the provider does not announce that it sends `iss`. */
export function isOfIssuer({ iss }: Callback, issuer: string, namesIssuer: boolean): boolean {
  return iss === undefined ? !namesIssuer : iss === issuer;
}

/** Errors which mean that the provider needs interaction (OpenID Connect Core section 3.1.2.6). */
const interactive = ['login_required', 'interaction_required', 'consent_required', 'account_selection_required'];

/** Returns what the gateway does after an error. `interact`: the attempt was without interaction, so the gateway
 * repeats it with interaction. `unavailable`: the gateway reports an outage. `failed`: it reports a failed sign-in. */
export function afterError(error: string, mode: Mode): 'interact' | 'unavailable' | 'failed' {
  if (mode === 'renew' && interactive.includes(error)) return 'interact';
  return error === 'temporarily_unavailable' || error === 'server_error' ? 'unavailable' : 'failed';
}
