import { TO_INTROSPECTION } from '../../base/internal-headers.ts';
import { PROVIDER_TIMEOUT_MS } from '../../base/limits.ts';
import { ownOf } from '../../base/own.ts';
import type { ClientTable, QueriedProvider } from '../../rules/table/client-table.ts';
import type { ClientMetadata } from '../../session/flow/provider-metadata.ts';
import { ANSWERED } from '../../token/call-paths.ts';
import { readIntrospection } from '../../token/introspection.ts';
import { Away, withTimeout } from '../shared/egress-call.ts';
import { MetadataStore, ofClient } from '../signin/metadata.ts';
import { ProviderClient } from '../signin/provider.ts';
import { discoveryUnknown, fail, reply } from './reply.ts';

/** Returns the endpoint from the policy, or else from the discovery document. */
async function endpointsOf(
  provider: QueriedProvider,
  store: MetadataStore<ClientMetadata>,
  now: number,
): Promise<ClientMetadata & { readonly written?: true }> {
  const { introspection } = provider;
  if (introspection?.endpoint !== undefined) return { introspection: introspection.endpoint, mtls: {}, written: true };
  const metadata = await store.of(provider, now);
  if (metadata === undefined) throw discoveryUnknown();
  if (metadata.introspection !== undefined) return metadata;
  throw new Error('its discovery document has no "introspection_endpoint"; write introspection: { endpoint: … }');
}

/** Makes the handler of `/.meshgate/introspect`, which only the check calls. The handler asks a provider about a token
 * (RFC 7662), and logs neither the token nor the answer. */
export function introspectHandler(table: ClientTable): (r: NginxHTTPRequest) => Promise<void> {
  const store = new MetadataStore(table, ofClient);
  const client = new ProviderClient(table.egress, 'it cannot issue a token to the gateway');

  async function ask(provider: QueriedProvider, token: string, now: number) {
    const endpoints = await endpointsOf(provider, store, now);
    const params = Object.entries({ token, token_type_hint: 'access_token' });
    const call = client.call({ provider, metadata: endpoints }, 'introspection', params, now);
    const { status, text, reached } = await withTimeout(
      call,
      Math.min((provider.introspection?.timeout ?? 0) * 1000, PROVIDER_TIMEOUT_MS),
    );
    if (!reached) throw new Away('the introspection endpoint was not reached; the line above says why');
    return readIntrospection(status, text);
  }

  return async (r) => {
    const name = r.headersIn[TO_INTROSPECTION.provider] ?? '';
    const provider = ownOf(table.providers, name);
    try {
      if (provider?.introspection === undefined) throw new Error('never called');
      const reported = await ask(provider, r.requestText ?? '', Date.now() / 1000);
      if (reported.kind === 'active') return reply(r, ANSWERED.active, JSON.stringify(reported.claims));
      if (reported.kind === 'inactive') return reply(r, ANSWERED.inactive);
      throw new Error(reported.error);
    } catch (error) {
      return fail(r, `introspection by provider ${name}`, error as Error);
    }
  };
}
