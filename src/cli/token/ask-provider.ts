import { ok, type Result, refuse } from '../../base/reasons.ts';
import type { Provider } from '../../policy/checked/types.ts';
import { clientCall } from '../../session/flow/client-auth.ts';
import { type ClientMetadata, readClientMetadata } from '../../session/flow/provider-metadata.ts';
import { refusesClient } from '../../session/flow/token-answer.ts';
import { readIntrospection } from '../../token/introspection.ts';
import type { Claims } from '../../token/types.ts';
import { type Asked, askUrl, discover } from '../common/provider.ts';
import { networkTo } from '../common/provider-keys.ts';
import type { Incoming } from '../machine/http.ts';
import type { Runtime } from '../machine/runtime.ts';
import { clientSecrets } from './client-secrets.ts';

/** Returns the endpoints that introspection needs, from the policy or else from the discovery document. */
async function endpointsOf(asked: Asked, provider: Provider): Promise<ClientMetadata> {
  const { introspection, issuer, privateAddresses } = provider;
  if (introspection?.endpoint !== undefined) return { introspection: introspection.endpoint, mtls: {} };
  const members = await discover(asked, issuer);
  if (typeof members === 'string') throw new Error(members);
  const read = readClientMetadata(JSON.stringify(members), issuer, privateAddresses);
  if (!read.ok) throw new Error(read.error);
  return read.metadata;
}

async function answerOf(runtime: Runtime, provider: Provider, text: string, caFile?: string) {
  const asked = networkTo(runtime, 'token', provider, caFile);
  const { token, introspection, mtls } = await endpointsOf(asked, provider);
  const { client } = provider;
  if (client === undefined) throw new Error('the policy has no client at this provider');
  const { shown, certificate } = await clientSecrets(runtime, provider, runtime.now(), token);
  const url = (certificate && mtls.introspection) ?? introspection;
  if (url === undefined) {
    throw new Error('its discovery document has no "introspection_endpoint"; write introspection: { endpoint: … }');
  }
  const params = [
    ['token', text],
    ['token_type_hint', 'access_token'],
  ] as const;
  let answer: Incoming | undefined;
  for (const one of shown) {
    const { body, authorization } = clientCall(client, params, one);
    answer = await askUrl(certificate ? { ...asked, client: certificate } : asked, url, body, authorization);
    if ('error' in answer) throw new Error(`${url}: no answer: ${answer.error}`);
    if (!refusesClient(answer.status, answer.body)) break;
  }
  return answer as Exclude<Incoming, { error: string }>;
}

/** Asks a provider about a token (RFC 7662) as the policy's OAuth client, and reads the client's secret from its file.
 * @param caFile of `--ca-file`
 * @returns reason `token_inactive`; or `provider_unavailable`, with a sentence that does not contain the token or the
 * secret */
export async function introspectOnline(
  runtime: Runtime,
  provider: Provider,
  text: string,
  caFile?: string,
): Promise<Result<Claims>> {
  try {
    const { status, body } = await answerOf(runtime, provider, text, caFile);
    const said = readIntrospection(status, body);
    if (said.kind === 'broken') return refuse('provider_unavailable', said.error);
    return said.kind === 'active' ? ok(said.claims) : refuse('token_inactive');
  } catch (error) {
    if ((error as Error).name === 'WrongUse') throw error;
    return refuse('provider_unavailable', (error as Error).message);
  }
}
