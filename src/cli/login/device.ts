import { foreign } from '../../base/hostile-text.ts';
import { DEVICE_POLL_S, MAX_DEVICE_WAIT_S, MIN_DEVICE_POLL_S } from '../../base/limits.ts';
import { formText } from '../../session/flow/query.ts';
import { type Asked, askUrl, jsonOf, type Members } from '../common/provider.ts';
import type { Runtime } from '../machine/runtime.ts';

/** The device flow (RFC 8628) for a public client. */

/** Returns the provider's endpoints for the device flow, or a sentence that says why there are none. */
export function deviceEndpoints(members: Members): { readonly device: string; readonly token: string } | string {
  const { device_authorization_endpoint: device, token_endpoint: token } = members;
  if (typeof device !== 'string') return 'the provider has no device flow ("device_authorization_endpoint")';
  return typeof token === 'string' ? { device, token } : 'the provider has no "token_endpoint"';
}

const form = (params: Readonly<Record<string, string>>): string => formText(Object.entries(params));

/** Returns the text of an OAuth error response. */
function errorText({ error, error_description: description }: Members): string {
  const text = [error, description].filter((it) => typeof it === 'string').join(': ');
  return foreign(text) || 'the response has no OAuth error';
}

const line = /^[\x21-\x7e]{1,2048}$/;
const isLine = (value: unknown): value is string => typeof value === 'string' && line.test(value);
const positive = (value: unknown, fallback: number): number =>
  typeof value === 'number' && value > 0 ? value : fallback;

/** Begins the device flow (section 3.1).
 * @param device the endpoint
 * @returns what the person must confirm (section 3.2), with the lifetime of the code and the interval of requests in
 * seconds; a sentence if this fails */
export async function authorize(asked: Asked, device: string, params: Readonly<Record<string, string>>) {
  const answer = await askUrl(asked, device, form(params));
  if ('error' in answer) return `${foreign(device)}: no answer: ${answer.error}`;
  const members = jsonOf(answer) ?? {};
  if (answer.status !== 200) return `the provider refuses to begin (${answer.status}): ${errorText(members)}`;
  const { device_code: deviceCode, user_code: userCode, verification_uri: uri, expires_in, interval } = members;
  const complete = members.verification_uri_complete;
  const isCode = typeof userCode === 'string' && /^[\x20-\x7e]{1,64}$/.test(userCode);
  if (!isLine(deviceCode) || !isCode || !isLine(uri)) return 'the provider’s answer has no code to confirm';
  return {
    ...{ deviceCode, userCode },
    /** The URL to open. It contains the code if the provider sends such a URL. */
    uri: isLine(complete) ? complete : uri,
    expiresIn: Math.min(positive(expires_in, MAX_DEVICE_WAIT_S), MAX_DEVICE_WAIT_S),
    interval: Math.max(positive(interval, DEVICE_POLL_S), MIN_DEVICE_POLL_S),
  };
}

/** Polls the provider until the person has confirmed (sections 3.4 and 3.5). Between two requests, it waits for the
 * provider's interval, or longer if the provider requests that or a response was lost.
 * @param who `client_id`, and `resource` if the token is for a resource (RFC 8707 section 2.2) */
export async function poll(
  runtime: Pick<Runtime, 'sleep' | 'now'>,
  asked: Asked,
  endpoint: string,
  who: Readonly<Record<string, string>>,
  { deviceCode, expiresIn, interval }: Exclude<Awaited<ReturnType<typeof authorize>>, string>,
): Promise<{ readonly accessToken: string } | { readonly error: string }> {
  const body = form({ grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: deviceCode, ...who });
  let pause = interval;
  // The time that the requests take counts too.
  for (const end = runtime.now() + expiresIn; runtime.now() + pause <= end; ) {
    await runtime.sleep(pause);
    const answer = await askUrl(asked, endpoint, body);
    const members = jsonOf(answer) ?? {};
    if ('error' in answer) pause *= 2;
    else if (answer.status === 200) {
      const { access_token: accessToken } = members;
      return typeof accessToken === 'string' && /^[\x21-\x7e]+$/.test(accessToken)
        ? { accessToken }
        : { error: 'the provider answered without an access token' };
    } else if (members.error === 'slow_down') pause += DEVICE_POLL_S;
    else if (members.error !== 'authorization_pending') {
      if (members.error === 'expired_token') break;
      return { error: `the provider issues no token (${answer.status}): ${errorText(members)}` };
    }
  }
  return { error: 'the code has expired; run the command again' };
}
