import { request } from 'node:https';
import { clients, personaGrant, wikiResource } from '../services/shared/people.ts';
import { urls } from './paths.ts';
import { Trouble } from './trouble.ts';

export interface Requested {
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Sends one HTTPS request to this machine, whatever its host name is: `*.localhost` needs no resolver. */
export function ask(
  ca: string,
  { url, method = 'GET', headers = {}, body }: Requested,
): Promise<{ status: number; text: string; trace: string | undefined }> {
  const { hostname, port, pathname } = new URL(url);
  const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
  const options = { host: '127.0.0.1', port, path: pathname, method, ca, servername: hostname, agent: false as const };
  return new Promise((resolve, reject) => {
    const sent = request(
      { ...options, headers: { Host: `${hostname}:${port}`, ...length, ...headers } },
      async (answer) => {
        let text = '';
        for await (const chunk of answer) text += String(chunk);
        resolve({ status: answer.statusCode ?? 0, text, trace: traceOf(answer.headers.traceresponse) });
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

/** The trace id of a response. */
function traceOf(header: unknown): string | undefined {
  return typeof header === 'string' ? /^00-([0-9a-f]{32})-/.exec(header)?.[1] : undefined;
}

/** A token from the provider's token endpoint: for a person, or for the service account itself. */
export async function fetchToken(ca: string, client: string, persona?: string): Promise<string> {
  const secret = clients.find(({ id }) => id === client)?.secret;
  const grant: Record<string, string> =
    persona === undefined ? { grant_type: 'client_credentials' } : { grant_type: personaGrant, persona };
  const { status, text } = await ask(ca, {
    url: `${urls.provider}/token`,
    method: 'POST',
    headers: {
      Authorization: `Basic ${Buffer.from(`${client}:${secret}`).toString('base64')}`,
      'Content-Type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams({ ...grant, resource: wikiResource }).toString(),
  });
  if (status !== 200) throw new Trouble(`the provider gives no token for ${persona ?? client}: ${status} ${text}`);
  return JSON.parse(text).access_token;
}
