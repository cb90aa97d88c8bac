import { MAX_DOCUMENT_BYTES } from '../limits.ts';
import { EGRESS_HEADERS } from '../session/contract.ts';
import { isPrivateAddress } from '../token/address.ts';
import { sameHost } from '../token/discovery.ts';

/** Whose URL is called, and who named it. */
export interface Called {
  readonly issuer: string;
  /** The policy lets the provider's documents lead to private addresses. */
  readonly privateAddresses?: true;
}

/**
 * Refuses what came from a private address, unless the policy itself names the host: a discovery document, or whoever
 * answers for a name in it, must not lead the gateway into its own network. The certificate has been verified by then.
 *
 * @param to absent: the policy has the URL
 * @throws Error with one line for the log
 */
function holdAddress(url: string, headers: Headers, to: Called | undefined): void {
  if (to === undefined || to.privateAddresses || sameHost(url, to.issuer)) return;
  const address = headers.get(EGRESS_HEADERS.address) ?? '';
  if (address === '' || !isPrivateAddress(address)) return;
  throw new Error(
    `${url} is at the private address ${address}, and its host is not the issuer's; write the URL into the policy, or insecure_private_addresses: true`,
  );
}

/**
 * Fetches a document of a provider through the egress server, which verifies its certificate.
 * Redirects are not followed; the rendered `js_fetch_timeout` bounds the whole answer.
 *
 * @param socket path of the egress server's unix socket
 * @param provider chooses the location there, and with it the CA
 * @param url absolute `https:` URL
 * @param to who named the URL; absent: the policy
 * @throws Error with one line for the log
 */
export async function fetchDocument(socket: string, provider: string, url: string, to?: Called): Promise<string> {
  let text: string;
  let status: number;
  let headers: Headers;
  try {
    const answer = await ngx.fetch(`http://unix:${socket}:/${provider}`, {
      headers: { Host: 'meshgate', 'X-Meshgate-Url': url },
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

/** A call to an endpoint of a provider that the gateway is a client of. */
export interface ProviderCall {
  /** Absolute `https:` URL, without any secret in it. */
  readonly url: string;
  /** Absent: a GET. */
  readonly body?: string;
  /** The body is JSON, and no form. */
  readonly json?: true;
  readonly authorization?: string;
}

/** What came of a call, whatever its status. */
export interface ProviderAnswer {
  readonly status: number;
  readonly text: string;
  /** False where the egress server answered, since it was never connected to the provider: nothing was asked. */
  readonly reached: boolean;
}

/** The provider is not reached, or has no answer for anybody just now. */
export class Away extends Error {}

/** No answer came: the provider may have done what it was asked. */
export class NoAnswer extends Away {}

/** Whether a status says that the provider has no answer for anybody just now. */
export const isAway = ({ status, reached }: Pick<ProviderAnswer, 'status' | 'reached'>): boolean =>
  !reached || status >= 500;

/** Whether a status says that there were too many calls: some providers count them by person, and some by client. */
export const isLimited = ({ status }: Pick<ProviderAnswer, 'status'>): boolean => status === 429;

/**
 * Whether what was sent once may have been used up though nothing of use came back: after 200 it is, and after 5xx nobody
 * knows. Any other status says that the provider did nothing with it, whoever answered in its place.
 */
export const mayBeUsed = ({ status, reached }: Pick<ProviderAnswer, 'status' | 'reached'>): boolean =>
  reached && (status === 200 || status >= 500);

const FORM = 'application/x-www-form-urlencoded';

/**
 * Calls an endpoint of a provider through the egress server, once: nothing repeats it, and nothing of it is in a log.
 *
 * @param socket path of the egress server's unix socket
 * @param provider chooses the location there, and with it CA and client certificate
 * @param to who named the URL; absent: the policy
 * @throws NoAnswer with one line for the log, or an Error where the answer came from where it must not
 */
export async function callProvider(
  socket: string,
  provider: string,
  { url, body, json, authorization }: ProviderCall,
  to?: Called,
): Promise<ProviderAnswer> {
  const headers: Record<string, string> = { Host: 'meshgate', [EGRESS_HEADERS.url]: url };
  if (authorization !== undefined) headers[EGRESS_HEADERS.authorization] = authorization;
  if (body !== undefined) {
    headers[EGRESS_HEADERS.method] = 'POST';
    headers[EGRESS_HEADERS.contentType] = json ? 'application/json' : FORM;
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
    const reached = !isGateways || /^\d/.test(said.get(EGRESS_HEADERS.reached) ?? '');
    headersOf = said;
    made = { status, text: await answer.text(), reached };
  } catch (error) {
    throw new NoAnswer(`${url} did not answer: ${(error as Error).message}`);
  }
  if (made.reached) holdAddress(url, headersOf, to);
  return made;
}
