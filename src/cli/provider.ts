import { MAX_DOCUMENT_BYTES } from '../limits.ts';
import { discoveryMembers, discoveryUrl } from '../token/discovery.ts';
import { asObject } from '../token/json.ts';
import { WrongUse } from './context.ts';
import { foreign } from './foreign.ts';
import type { Ask, Incoming, Outgoing } from './http.ts';
import { readFile, utf8 } from './load.ts';
import type { Runtime } from './runtime.ts';

/** An OpenID provider, with what is needed to send requests to it. */
export interface Asked {
  readonly ask: Ask;
  /** CA bundle, PEM; absent: the system's. */
  readonly ca?: string;
  /** Client certificate and key, PEM. */
  readonly client?: { readonly cert: string; readonly key: string };
}

/** The network, or an error that says which engine has one.
 *
 * @param command its name
 * @param caFile of `--ca-file`
 */
export function providerNetwork(runtime: Runtime, command: string, caFile?: string): Asked {
  if (runtime.ask === undefined) {
    throw new WrongUse(`${command} needs Node: run "npx meshgate ${command} …"; njs has no network here`);
  }
  if (caFile === undefined) return { ask: runtime.ask };
  const ca = utf8(readFile(runtime, caFile, 'the CA'));
  if (ca === undefined) throw new WrongUse(`${caFile}: it is not UTF-8`);
  return { ask: runtime.ask, ca };
}

const webUrl = /^https:\/\/([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?([/?][^#\s]*)?$/;

/** A request to a URL; `undefined` if it is not https. */
function outgoing(url: string, ca: string | undefined): Outgoing | undefined {
  const [, host, port, rest = '/'] = webUrl.exec(url) ?? [];
  if (host === undefined) return undefined;
  const address = host.replace(/^\[|\]$/g, '');
  return {
    address,
    port: Number(port ?? 443),
    tls: true,
    name: address,
    authority: port === undefined ? host : `${host}:${port}`,
    method: 'GET',
    target: rest.startsWith('/') ? rest : `/${rest}`,
    headers: { Accept: 'application/json' },
    maxBody: MAX_DOCUMENT_BYTES,
    ...(ca !== undefined && { ca }),
  };
}

/** GET of a URL, or POST of a form; an error is a sentence. */
export async function askUrl(asked: Asked, url: string, form?: string, authorization?: string): Promise<Incoming> {
  const answer = await sent(asked, url, form, authorization);
  return 'error' in answer ? { error: foreign(answer.error) } : answer;
}

async function sent({ ask, ca, client }: Asked, url: string, form?: string, authorization?: string): Promise<Incoming> {
  const request = outgoing(url, ca);
  if (request === undefined) return { error: 'it is no https URL' };
  if (form === undefined) return ask(request);
  const headers = {
    ...request.headers,
    'Content-Type': 'application/x-www-form-urlencoded',
    ...(authorization !== undefined && { Authorization: authorization }),
  };
  return ask({ ...request, method: 'POST', headers, body: form, ...(client && { client }) });
}

export type Members = Readonly<Record<string, unknown>>;

/** The members of a JSON answer; `undefined` if it has none. */
export function jsonOf(answer: Incoming): Members | undefined {
  if ('error' in answer) return undefined;
  try {
    return asObject(JSON.parse(answer.body));
  } catch {
    return undefined;
  }
}

/** A provider's discovery document, or a sentence that says what is wrong. */
export async function discover(asked: Asked, issuer: string): Promise<Members | string> {
  const url = discoveryUrl(issuer);
  const answer = await askUrl(asked, url);
  if ('error' in answer) return `${url}: no answer: ${answer.error}`;
  if (answer.status !== 200) return `${url}: status ${answer.status}`;
  const read = discoveryMembers(answer.body, issuer);
  if (read.ok) return read.members;
  const own = jsonOf(answer)?.issuer;
  const hint = typeof own === 'string' && own !== issuer && webUrl.test(own) ? `; take ${foreign(own)}` : '';
  return `${url}: ${read.error}${hint}`;
}
