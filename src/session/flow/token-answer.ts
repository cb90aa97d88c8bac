import { forLog } from '../../token/detail.ts';
import { isText, type Members, objectIn } from '../../token/json.ts';
import { MAX_ERROR_DESCRIPTION } from '../limits.ts';
import { isOfGrant } from '../token-errors.ts';
import { errorName } from './callback.ts';

/** The tokens in an answer of the token endpoint (OpenID Connect Core section 3.1.3.3). */
export interface Tokens {
  readonly idToken: string;
  readonly accessToken?: string;
  readonly refreshToken?: string;
}

/** The content of the answer: tokens, an OAuth error (RFC 6749 section 5.2), or something that cannot be read. */
export type TokenAnswer =
  | { readonly kind: 'tokens'; readonly tokens: Tokens }
  /** `text` is for the log: the error code and the provider's description. */
  | { readonly kind: 'refused'; readonly error: string; readonly text: string }
  | { readonly kind: 'broken'; readonly error: string };

const textOf = (value: unknown): string | undefined => (isText(value) ? value : undefined);

type Failed = Exclude<TokenAnswer, { kind: 'tokens' }>;

type RefreshAnswer = Failed | { readonly kind: 'tokens'; readonly tokens: Partial<Tokens> };

/** Returns an OAuth error as one line of the log (RFC 6749 section 5.2): its code, and the provider's description for
 * the operator of the client. This and the following functions hide the secrets of the request. */
function errorText(members: Members, secrets: readonly string[]): string {
  const description = textOf(members.error_description);
  const name = errorName(members.error);
  return description === undefined ? name : `${name}, ${forLog(description, MAX_ERROR_DESCRIPTION, secrets)}`;
}

/** Reads the answer to a refresh token. It may lack an ID token (OpenID Connect Core section 12.2). */
export function readRefreshAnswer(status: number, text: string, secrets: readonly string[] = []): RefreshAnswer {
  const members = objectIn(text);
  // Some providers refuse with the status of a success. No success has such a member (RFC 6749 section 5.1).
  if (members?.error && (status < 500 || isOfGrant(members.error))) {
    const text = `the token endpoint refused: ${errorText(members, secrets)}`;
    return { kind: 'refused', error: errorName(members.error), text };
  }
  if (status >= 500) return { kind: 'broken', error: `the token endpoint answered ${status}` };
  if (status !== 200) return { kind: 'broken', error: `the token endpoint answered ${status} without an OAuth error` };
  if (members === undefined) return { kind: 'broken', error: 'the token endpoint did not answer with a JSON object' };
  const { token_type: type } = members;
  const idToken = textOf(members.id_token);
  const accessToken = textOf(members.access_token);
  const refreshToken = textOf(members.refresh_token);
  if (accessToken !== undefined && (typeof type !== 'string' || type.toLowerCase() !== 'bearer')) {
    return { kind: 'broken', error: 'the token endpoint answered with an access token that is not a bearer token' };
  }
  if (accessToken === undefined && idToken === undefined)
    return { kind: 'broken', error: 'the token endpoint answered without "access_token"' };
  const refresh = refreshToken && { refreshToken };
  return { kind: 'tokens', tokens: { ...(idToken && { idToken }), ...(accessToken && { accessToken }), ...refresh } };
}

/** Reads the answer of the token endpoint to a code. */
export function readTokenAnswer(status: number, text: string, secrets: readonly string[] = []): TokenAnswer {
  const answer = readRefreshAnswer(status, text, secrets);
  if (answer.kind !== 'tokens') return answer;
  const { idToken, ...others } = answer.tokens;
  if (idToken === undefined) return { kind: 'broken', error: 'the token endpoint answered without "id_token"' };
  return { kind: 'tokens', tokens: { idToken, ...others } };
}

/** Whether an endpoint says that it does not know the client. It has then examined nothing else. */
export function refusesClient(status: number, text: string): boolean {
  const answer = status === 400 || status === 401 ? readTokenAnswer(status, text) : undefined;
  return answer?.kind === 'refused' && answer.error === 'invalid_client';
}

/** Reads the answer to a pushed authorization request (RFC 9126 section 2.2). */
export function readPushed(
  status: number,
  text: string,
  secrets: readonly string[] = [],
): { readonly requestUri: string } | { readonly error: string } {
  const members = objectIn(text);
  const requestUri = textOf(members?.request_uri);
  if ((status === 201 || status === 200) && requestUri !== undefined) return { requestUri };
  if (status >= 400 && status < 500 && members?.error !== undefined) {
    return { error: `the pushed request was refused: ${errorText(members, secrets)}` };
  }
  return { error: `the endpoint for pushed requests answered ${status}` };
}

/** Reads the answer to the revocation of a token (RFC 7009 section 2.2). Returns a failure as a text for the log. */
export function readRevoked(status: number, text: string, secrets: readonly string[] = []): string | undefined {
  if (status === 200) return undefined;
  const members = status < 500 ? objectIn(text) : undefined;
  if (members?.error === undefined) return `the revocation endpoint answered ${status}`;
  return `the revocation endpoint refused: ${errorText(members, secrets)}`;
}

/** The lifetime in seconds of a token without `expires_in`. RFC 6749 section 5.1 recommends this member. */
const UNSAID_S = 300;

/** Reads the answer to client credentials (RFC 6749 section 4.4.3). Without a token, returns a sentence for the log. */
export function readAppToken(
  status: number,
  text: string,
  secrets: readonly string[] = [],
): { readonly token: string; readonly lifetime: number } | string {
  const answer = readRefreshAnswer(status, text, secrets);
  if (answer.kind === 'refused') return answer.text;
  if (answer.kind === 'broken') return answer.error;
  const { accessToken } = answer.tokens;
  if (accessToken === undefined) return 'the token endpoint answered without "access_token"';
  const lifetime = Number(objectIn(text)?.expires_in);
  return { token: accessToken, lifetime: lifetime > 0 ? lifetime : UNSAID_S };
}
