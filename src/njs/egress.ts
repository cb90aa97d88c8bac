import { FROM_EGRESS, TO_EGRESS } from '../internal-headers.ts';
import { MAX_DOCUMENT_BYTES } from '../limits.ts';
import { sameHost } from '../token/discovery.ts';
import { isPrivateAddress } from '../token/private-address.ts';

/** The provider that is called, and the origin of the URL. */
export interface Called {
  readonly issuer: string;
  /** Whether the policy allows private addresses in the provider's documents. */
  readonly privateAddresses?: true;
}

/** Rejects an answer from a private address, unless the policy itself names the host. A discovery document, or the DNS
 * of a host in it, must not direct the gateway into its own network. nginx has verified the certificate at this point.
 * @param to absent: the URL comes from the policy
 * @throws Error with one line for the log */
function holdAddress(url: string, headers: Headers, to: Called | undefined): void {
  if (to === undefined || to.privateAddresses || sameHost(url, to.issuer)) return;
  const address = headers.get(FROM_EGRESS.address) ?? '';
  if (address === '' || !isPrivateAddress(address)) return;
  throw new Error(
    `${url} is at the private address ${address}, and its host is not the issuer's; write the URL into the policy, or insecure_private_addresses: true`,
  );
}

/** Fetches a provider's document through the egress server, which verifies the provider's certificate. Redirects are
 * not followed. `js_fetch_timeout` in the rendered configuration limits the time for the whole answer.
 * @param socket path of the egress server's unix socket
 * @param provider selects the location of the egress server, and with it the CA
 * @param url absolute `https:` URL
 * @param to where the URL comes from; absent: the policy
 * @throws Error with one line for the log */
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

/** A call to an endpoint at which the gateway is an OAuth client. */
export interface ProviderCall {
  /** Absolute `https:` URL, without secrets. */
  readonly url: string;
  /** Absent: the method is GET. */
  readonly body?: string;
  /** Whether the body is JSON. Otherwise it is a form. */
  readonly json?: true;
  readonly authorization?: string;
}

/** The answer to a call, with any status. */
export interface ProviderAnswer {
  readonly status: number;
  readonly text: string;
  /** False if the egress server itself answered because it could not connect. Then the provider received nothing. */
  readonly reached: boolean;
}

/** The error if the provider is unreachable or has an outage. */
export class Away extends Error {}

/** The error if no answer came. The provider may have executed the request. */
export class NoAnswer extends Away {}

/** Whether a status means that the provider cannot answer any request at this time. */
export const isAway = ({ status, reached }: Pick<ProviderAnswer, 'status' | 'reached'>): boolean =>
  !reached || status >= 500;

/** Whether a status means that there were too many calls. Some providers count calls by person, and some by client. */
export const isLimited = ({ status }: Pick<ProviderAnswer, 'status'>): boolean => status === 429;

/** Whether a single-use value may be used up although no usable answer came. After 200 it is used up; after 5xx this is
 * not known. With any other status the provider did not use the value, even if another server sent the status. */
export const mayBeUsed = ({ status, reached }: Pick<ProviderAnswer, 'status' | 'reached'>): boolean =>
  reached && (status === 200 || status >= 500);

const FORM = 'application/x-www-form-urlencoded';

/** Calls an endpoint of a provider through the egress server. The call is never repeated, and nothing of it is logged.
 * @param socket path of the egress server's unix socket
 * @param provider selects the location of the egress server, and with it the CA and the client certificate
 * @param to where the URL comes from; absent: the policy
 * @throws NoAnswer with one line for the log, or an Error if the answer came from a forbidden address */
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
