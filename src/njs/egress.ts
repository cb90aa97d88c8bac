import { MAX_DOCUMENT_BYTES } from '../limits.ts';

/**
 * Fetches a document of a provider through the egress server, which verifies its certificate.
 * Redirects are not followed; the rendered `js_fetch_timeout` bounds the whole answer.
 *
 * @param socket path of the egress server's unix socket
 * @param provider chooses the location there, and with it the CA
 * @param url absolute `https:` URL
 * @throws Error with one line for the log
 */
export async function fetchDocument(socket: string, provider: string, url: string): Promise<string> {
  let text: string;
  let status: number;
  try {
    const answer = await ngx.fetch(`http://unix:${socket}:/${provider}`, {
      headers: { Host: 'meshgate', 'X-Meshgate-Url': url },
    });
    status = answer.status;
    text = await answer.text();
  } catch (error) {
    throw new Error(`${url} did not answer: ${(error as Error).message}`);
  }
  if (status !== 200)
    throw new Error(
      `${url} answered ${status}${status === 502 ? ' (not reached, or its certificate does not verify; the line above says which)' : ''}`,
    );
  if (text.length > MAX_DOCUMENT_BYTES) throw new Error(`${url} answered more than ${MAX_DOCUMENT_BYTES} bytes`);
  return text;
}
