import { foreign } from '../../base/hostile-text.ts';
import { MAX_DOCUMENT_BYTES } from '../../base/limits.ts';
import { type Result, refuse } from '../../base/reasons.ts';
import type { Policy, Provider } from '../../policy/checked/types.ts';
import { providerKind } from '../../providers/index.ts';
import { parseHeader, splitJws } from '../../token/format.ts';
import { asObject } from '../../token/json.ts';
import { addressProblem, discoveryMembers, discoveryUrl } from '../../token/keys/discovery.ts';
import { type KeySet, readKeySet } from '../../token/keys/jwks.ts';
import { verifySignature } from '../../token/signature.ts';
import type { ProviderKey } from '../../token/types.ts';
import type { Ask, Incoming } from '../machine/http.ts';
import type { Runtime } from '../machine/runtime.ts';
import { flag, WrongUse } from './context.ts';
import { readText, utf8 } from './load.ts';

/** An OpenID provider, with what is needed to send requests to it. */
export interface Requested {
  readonly ask: Ask;
  /** A CA bundle as PEM; absent: the CAs of the system. */
  readonly ca?: string;
  /** The client certificate and its key, as PEM. */
  readonly client?: { readonly cert: string; readonly key: string };
}

/** Returns the function that sends requests, or says which engine can send them.
 * @param needs the command or the flags that send requests */
export function network({ ask }: Runtime, command: string, needs = `${command} needs`): Ask {
  if (ask !== undefined) return ask;
  throw new WrongUse(`${needs} Node: run "npx meshgate ${command} …"; njs has no network here`);
}

/** @param caFile the value of `--ca-file` */
export function providerNetwork(runtime: Runtime, command: string, caFile?: string): Requested {
  const ask = network(runtime, command);
  return caFile === undefined ? { ask } : { ask, ca: readText(runtime, caFile, 'the CA') };
}

/** Adds the provider's CA from the policy, unless `--ca-file` gives a CA. The path in the policy is one on the
 * gateway's machine, and may not exist here. */
export function withPolicyCa(
  runtime: Runtime,
  requested: Requested,
  { caFile }: Provider,
  absent?: () => void,
): Requested {
  if (requested.ca !== undefined || caFile === undefined) return requested;
  try {
    const ca = utf8(runtime.read(caFile));
    return ca === undefined ? requested : { ...requested, ca };
  } catch {
    absent?.();
    return requested;
  }
}

const webUrl = /^https:\/\/([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?([/?][^#\s]*)?$/;

/** Sends GET to a URL, or POST if there is a form. An error is returned as a sentence. */
export async function askUrl(
  requested: Requested,
  url: string,
  form?: string,
  authorization?: string,
): Promise<Incoming> {
  const { ask, ca, client } = requested;
  const [, host, port, rest = '/'] = webUrl.exec(url) ?? [];
  if (host === undefined) return { error: 'this is not an https URL' };
  const address = host.replace(/^\[|\]$/g, '');
  const answer = await ask({
    address,
    port: Number(port ?? 443),
    tls: true,
    name: address,
    authority: port === undefined ? host : `${host}:${port}`,
    method: form === undefined ? 'GET' : 'POST',
    target: rest.startsWith('/') ? rest : `/${rest}`,
    headers: {
      Accept: 'application/json',
      ...(form !== undefined && { 'Content-Type': 'application/x-www-form-urlencoded' }),
      ...(authorization !== undefined && { Authorization: authorization }),
    },
    maxBody: MAX_DOCUMENT_BYTES,
    ...(ca !== undefined && { ca }),
    ...(form !== undefined && { body: form, ...(client && { client }) }),
  });
  return 'error' in answer ? { error: foreign(answer.error) } : answer;
}

export type Members = Readonly<Record<string, unknown>>;

/** Returns the members of a JSON response; undefined if the response is not a JSON object. */
export function jsonOf(answer: Incoming): Members | undefined {
  if ('error' in answer) return undefined;
  try {
    return asObject(JSON.parse(answer.body));
  } catch {
    return undefined;
  }
}

/** Fetches a provider's discovery document. Returns a sentence if the document is missing or wrong. */
export async function discover(requested: Requested, issuer: string): Promise<Members | string> {
  const url = discoveryUrl(issuer);
  const answer = await askUrl(requested, url);
  if ('error' in answer) return `${url}: no answer: ${answer.error}`;
  if (answer.status !== 200) return `${url}: status ${answer.status}`;
  const read = discoveryMembers(answer.body, issuer);
  if (read.ok) return read.members;
  const own = jsonOf(answer)?.issuer;
  const hint = typeof own === 'string' && own !== issuer && webUrl.test(own) ? `; write ${foreign(own)}` : '';
  return `${url}: ${read.error}${hint}`;
}

/** The flag `--ca-file`, for commands that send requests to providers. */
export const caFileFlag = flag(
  'FILE',
  'CA of the providers’ certificates (default: each one’s ca_file if this machine has it, else the system’s)',
);

/** Returns what is needed to send requests to a provider. */
export const networkTo = (runtime: Runtime, command: string, provider: Provider, caFile?: string): Requested =>
  withPolicyCa(runtime, providerNetwork(runtime, `${command} --online`, caFile), provider);

/** Returns the keys that a provider publishes, or says why they are not usable. */
export async function publishedKeys(requested: Requested, provider: Provider, members: Members): Promise<KeySet> {
  const uri = provider.jwksUri ?? members.jwks_uri;
  if (provider.jwksUri === undefined) {
    const problem = addressProblem('jwks_uri', uri, provider.issuer, provider.privateAddresses);
    if (problem !== undefined) return { ok: false, error: problem };
  }
  const answer = await askUrl(requested, uri as string);
  if ('error' in answer) return { ok: false, error: `${uri}: no answer: ${answer.error}` };
  if (answer.status !== 200) return { ok: false, error: `${uri}: status ${answer.status}` };
  return readKeySet(answer.body, providerKind(provider.kind));
}

/** Verifies a token's signature with the keys that its provider publishes now, and returns the key. */
export async function checkedOnline(
  runtime: Runtime,
  text: string,
  policy: Policy,
  name: string,
  caFile?: string,
): Promise<Result<ProviderKey>> {
  const provider = policy.providers[name] as Provider;
  const jws = splitJws(text);
  const header = jws.ok ? parseHeader(jws.header) : jws;
  if (!jws.ok || !header.ok) throw new WrongUse('the token is not a JWT');
  const requested = networkTo(runtime, 'token', provider, caFile);
  const members = provider.jwksUri === undefined ? await discover(requested, provider.issuer) : {};
  if (typeof members === 'string') return refuse('provider_unavailable', members);
  const keys = await publishedKeys(requested, provider, members);
  if (!keys.ok) return refuse('provider_unavailable', keys.error);
  return verifySignature(jws, header.value, keys.keys, { imported: new Map() }, (signer) => signer);
}
