import { FROM_EGRESS, TO_EGRESS } from '../internal-headers.ts';
import { MAX_DOCUMENT_BYTES } from '../limits.ts';
import { sameHost } from '../token/discovery.ts';
import { isPrivateAddress } from '../token/private-address.ts';

/** The provider that is called, and the source of the URL. */
export interface Called {
  readonly issuer: string;
  /** The policy allows the provider's documents to name private addresses. */
  readonly privateAddresses?: true;
}

/** Rejects an answer from a private address, unless the policy itself names the host. A discovery document, or the DNS
 * of a host that it names, must not direct the gateway into its own network. The certificate is verified before.
 *
 * @param to absent: the URL is the policy's
 * @throws Error with one line for the log
 */
function holdAddress(url: string, headers: Headers, to: Called | undefined): void {
  if (to === undefined || to.privateAddresses || sameHost(url, to.issuer)) return;
  const address = headers.get(FROM_EGRESS.address) ?? '';
  if (address === '' || !isPrivateAddress(address)) return;
  throw new Error(
    `${url} is at the private address ${address}, and its host is not the issuer's; write the URL into the policy, or insecure_private_addresses: true`,
  );
}

/** Fetches a provider's document through the egress server, which verifies its certificate. Redirects are not followed;
 * the rendered `js_fetch_timeout` limits the whole answer.
 *
 * @param socket path of the egress server's unix socket
 * @param provider selects the location there, and with it the CA
 * @param url absolute `https:` URL
 * @param to the source of the URL; absent: the policy
 * @throws Error with one line for the log
 */
export async function fetchDocument(socket: string, provider: string, url: string, to?: Called): Promise<string> {
  let text: string;
  let status: number;
  let headers: Headers;
  try {
    const answer = await ngx.fetch(`http://unix:${socket}:/${provider}`, {
      headers: { Host: 'meshgate', [TO_EGRESS.url]: url },
    });
    status = answer.status;
    headers = answer.headers;
    text = await answer.text();
  } catch (error) {
    throw new Error(`${url} did not answer: ${(error as Error).message}`);
  }
  if (status !== 200)
    throw new Error(
      `${url} answered ${status}${status === 502 ? ' (not reached, or its certificate does not verify; the line above says which)' : ''}`,
    );
  holdAddress(url, headers, to);
  if (text.length > MAX_DOCUMENT_BYTES) throw new Error(`${url} answered more than ${MAX_DOCUMENT_BYTES} bytes`);
  return text;
}

/** A call to an endpoint of a provider at which the gateway is a client. */
export interface ProviderCall {
  /** Absolute `https:` URL, without secrets. */
  readonly url: string;
  /** Absent: a GET. */
  readonly body?: string;
  /** The body is JSON, not a form. */
  readonly json?: true;
  readonly authorization?: string;
}

/** The answer to a call, with any status. */
export interface ProviderAnswer {
  readonly status: number;
  readonly text: string;
  /** False if the egress server answered because it could not connect: the provider received nothing. */
  readonly reached: boolean;
}

/** The provider is unreachable, or has an outage. */
export class Away extends Error {}

/** There was no answer. The provider may have executed the request. */
export class NoAnswer extends Away {}

/** Whether a status says that the provider has no answer for anybody just now. */
export const isAway = ({ status, reached }: Pick<ProviderAnswer, 'status' | 'reached'>): boolean =>
  !reached || status >= 500;

/** Whether a status says that there were too many calls: some providers count them by person, and some by client. */
export const isLimited = ({ status }: Pick<ProviderAnswer, 'status'>): boolean => status === 429;

/** Whether a value that may be sent once may be used up although no usable answer came: after 200 it is, after 5xx it
 * is unknown. Any other status means that the provider did not use it, even if another server sent it. */
export const mayBeUsed = ({ status, reached }: Pick<ProviderAnswer, 'status' | 'reached'>): boolean =>
  reached && (status === 200 || status >= 500);

const FORM = 'application/x-www-form-urlencoded';

/** Calls an endpoint of a provider through the egress server, once. Nothing repeats the call, and nothing of it is
 * logged.
 *
 * @param socket path of the egress server's unix socket
 * @param provider selects the location there, and with it CA and client certificate
 * @param to the source of the URL; absent: the policy
 * @throws NoAnswer with one line for the log, or an Error if the answer came from a forbidden address
 */
export async function callProvider(
  socket: string,
  provider: string,
  { url, body, json, authorization }: ProviderCall,
  to?: Called,
): Promise<ProviderAnswer> {
  const headers: Record<string, string> = { Host: 'meshgate', [TO_EGRESS.url]: url };
  if (authorization !== undefined) headers[TO_EGRESS.authorization] = authorization;
  if (body !== undefined) {
    headers[TO_EGRESS.method] = 'POST';
    headers[TO_EGRESS.contentType] = json ? 'application/json' : FORM;
  }
  let headersOf: Headers;
  let made: ProviderAnswer;
  try {
    const answer = await ngx.fetch(`http://unix:${socket}:/${provider}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers,
      ...(body !== undefined && { body }),
    });
    const { status, headers: said } = answer;
    const isGateways = status === 502 || status === 504;
    const reached = !isGateways || /^\d/.test(said.get(FROM_EGRESS.reached) ?? '');
    headersOf = said;
    made = { status, text: await answer.text(), reached };
  } catch (error) {
    throw new NoAnswer(`${url} did not answer: ${(error as Error).message}`);
  }
  if (made.reached) holdAddress(url, headersOf, to);
  return made;
}
