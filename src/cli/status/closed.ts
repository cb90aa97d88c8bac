import { reasons } from '../../base/reasons.ts';
import { SIGNIN_PATH } from '../../session/names.ts';
import type { Incoming, Outgoing } from '../machine/http.ts';
import { refusalReason } from '../test/at-gateway.ts';

/** What a request without a credential found at an address. */
export type Found =
  /** The gateway refused it with a reason, or led to the sign-in or to HTTPS. */
  | { readonly kind: 'closed'; readonly status: number; readonly by: string }
  /** A service answered, or something else that is not the gateway. */
  | { readonly kind: 'open'; readonly status: number }
  | { readonly kind: 'unknown'; readonly error: string };

/** The parts of a request that its response depends on. The name is the host without a port, in lower case. */
interface Sent extends Pick<Outgoing, 'name' | 'target'> {
  readonly url: string;
}

/** Whether a response leads to the gateway's sign-in, on this host or on the host of all sign-ins. */
const leadsToSignin = (status: number, location: string): boolean =>
  [302, 303, 307].includes(status) && new RegExp(`^(?:https?://[^/?#]+)?${SIGNIN_PATH}(?:[?#]|$)`).test(location);

/** Whether a 401 has the gateway's challenge for this host. A controller that asks the gateway may replace the body. */
const hasChallenge = (status: number, challenge: string, host: string): boolean =>
  status === reasons.credential_missing.status && challenge.includes(`realm="${host}"`);

/** Whether a response leads from an `http://` URL to the same host and target over HTTPS, at any port. For an `https://`
 * URL that is asked over plain HTTP, such a response says nothing about the host. */
const leadsToHttps = (status: number, location: string, { url, name, target }: Sent): boolean =>
  /^http:/i.test(url) &&
  [301, 308].includes(status) &&
  location.replace(/^https:\/\/([^/?#:]+)(?::\d+)?(?=[/?])/i, (_, host: string) => host.toLowerCase()) ===
    name + target &&
  /^https:/i.test(location);

/** Reads a response to a request without a credential. Only what the gateway itself writes counts as closed: a service
 * may have a 401 of its own. */
export function foundIn(answer: Incoming, sent: Sent): Found {
  if ('error' in answer) return { kind: 'unknown', error: answer.error };
  const { status, headers } = answer;
  const reason = refusalReason(answer);
  if (reason !== undefined) return { kind: 'closed', status, by: reason };
  if (leadsToSignin(status, headers.location ?? '')) return { kind: 'closed', status, by: 'to the sign-in' };
  if (leadsToHttps(status, headers.location ?? '', sent)) return { kind: 'closed', status, by: 'leads to HTTPS' };
  if (hasChallenge(status, headers['www-authenticate'] ?? '', sent.name)) {
    return { kind: 'closed', status, by: 'with the challenge of the gateway' };
  }
  return { kind: 'open', status };
}
