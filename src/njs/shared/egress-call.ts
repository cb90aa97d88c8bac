import { FROM_EGRESS, TO_EGRESS } from '../../base/internal-headers.ts';
import { MAX_DOCUMENT_BYTES } from '../../base/limits.ts';
import { sameHost } from '../../token/keys/discovery.ts';
import { isPrivateAddress } from '../../token/private-address.ts';

/** The provider that is called, and the origin of the URL. */
interface Called {
  readonly issuer: string;
  /** Whether the policy allows private addresses in the provider's documents. */
  readonly privateAddresses?: true;
}

/** Rejects an answer from a private address, unless the policy itself names the host. Neither a discovery document nor
 * DNS may direct the gateway into its own network. nginx has verified the certificate at this point.
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

/** Sends a request to the egress server, and reads the whole answer.
 * @throws NoAnswer with one line for the log */
async function ask(socket: string, provider: string, url: string, request: NgxFetchOptions) {
  try {
    const answer = await ngx.fetch(`http://unix:${socket}:/${provider}`, request);
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  } catch (error) {
    throw new NoAnswer(`${url} did not answer: ${(error as Error).message}`);
  }
}

/** Why the egress server has no answer. nginx has chosen no address if the name is unknown. */
export const whyNot = (headers: Headers): string =>
  /^[[\d]/.test(headers.get(FROM_EGRESS.address) ?? '')
    ? ' (not reached, or its certificate is not valid; the line above says which)'
    : ' (its name could not be resolved, by gateway.resolver or the DNS servers of this machine)';

/** Fetches a provider's document through the egress server, which verifies the certificate. Redirects are not followed.
 * `js_fetch_timeout` in the rendered configuration limits the time for the whole answer.
 * @param socket path of the egress server's unix socket
 * @param provider selects the location of the egress server, and with it the CA and the client certificate
 * @param url absolute `https:` URL
 * @param to where the URL comes from; absent: the policy
 * @throws Error with one line for the log */
export async function fetchDocument(socket: string, provider: string, url: string, to?: Called): Promise<string> {
  const { status, text, headers } = await ask(socket, provider, url, {
    headers: { Host: 'meshgate', [TO_EGRESS.url]: url },
  });
  if (status !== 200) throw new Error(`${url} answered ${status}${status === 502 ? whyNot(headers) : ''}`);
  holdAddress(url, headers, to);
  if (text.length > MAX_DOCUMENT_BYTES) throw new Error(`${url} answered more than ${MAX_DOCUMENT_BYTES} bytes`);
  return text;
}

interface ProviderCall {
  /** Absolute `https:` URL, without secrets. */
  readonly url: string;
  /** Absent: the method is GET. */
  readonly body?: string;
  /** Whether the body is JSON. Otherwise it is a form. */
  readonly json?: true;
  readonly authorization?: string | undefined;
  /** Absent: JSON. */
  readonly accept?: string;
}

/** The answer to a call, with any status. */
export type ProviderAnswer = Answered & {
  readonly text: string;
  /** The media type; empty if the provider did not send it. */
  readonly type: string;
};

interface Answered {
  readonly status: number;
  /** False if the egress server itself answered because it could not connect. Then the provider received nothing. */
  readonly reached: boolean;
}

/** The error if the provider is unreachable or has an outage. */
export class Away extends Error {}

/** The error if no answer came. The provider may have executed the request. */
export class NoAnswer extends Away {}

/** Whether a status means that the provider cannot answer any request at this time. */
export const isAway = ({ status, reached }: Answered): boolean => !reached || status >= 500;

/** Whether a status means that there were too many calls. Some providers count calls by person, and some by client. */
export const isLimited = ({ status }: Answered): boolean => status === 429;

/** Whether a single-use value may be used up although no usable answer came: certainly after 2xx, perhaps after 5xx.
 * With any other status the provider did not use it, even if another server sent the status. */
export const mayBeUsed = ({ status, reached }: Answered): boolean =>
  reached && ((status >= 200 && status < 300) || status >= 500);

/** Returns the result of a call, or an error after a time-out. The call itself continues and ends by its own time-out. */
export function withTimeout<T>(call: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Away(`no answer within ${ms / 1000} s`)), ms);
    call.then(resolve, reject).then(() => clearTimeout(timer));
  });
}

const FORM = 'application/x-www-form-urlencoded';

/** Calls an endpoint of a provider like {@link fetchDocument}. It never repeats a call, and logs no part of the call.
 * @throws NoAnswer with one line for the log, or an Error if the answer came from a forbidden address */
export async function callProvider(
  socket: string,
  provider: string,
  { url, body, json, authorization, accept }: ProviderCall,
  to?: Called,
): Promise<ProviderAnswer> {
  const headers: Record<string, string> = { Host: 'meshgate', [TO_EGRESS.url]: url };
  if (authorization !== undefined) headers[TO_EGRESS.authorization] = authorization;
  if (accept !== undefined) headers[TO_EGRESS.accept] = accept;
  if (body !== undefined) {
    headers[TO_EGRESS.method] = 'POST';
    headers[TO_EGRESS.contentType] = json ? 'application/json' : FORM;
  }
  const method = body === undefined ? 'GET' : 'POST';
  const answer = await ask(socket, provider, url, { method, headers, ...(body !== undefined && { body }) });
  const { status, text } = answer;
  const isGateways = status === 502 || status === 504;
  const reached = !isGateways || /^\d/.test(answer.headers.get(FROM_EGRESS.reached) ?? '');
  if (reached) holdAddress(url, answer.headers, to);
  return { status, text, type: answer.headers.get('Content-Type') ?? '', reached };
}
