import { TO_INTROSPECTION } from '../../base/internal-headers.ts';
import { GROUPS_PER_CALL } from '../../base/limits.ts';
import { ownOf } from '../../base/own.ts';
import type { ClientTable, QueriedProvider } from '../../rules/table/client-table.ts';
import type { ClientMetadata } from '../../session/flow/provider-metadata.ts';
import { readAppToken } from '../../session/flow/token-answer.ts';
import { ANSWERED } from '../../token/call-paths.ts';
import { isObjectId, readHeld } from '../../token/overage.ts';
import { Away, callProvider } from '../shared/egress-call.ts';
import { MetadataStore, ofClient } from '../signin/metadata.ts';
import { ProviderClient } from '../signin/provider.ts';
import { discoveryUnknown, fail, reply } from './reply.ts';

type GroupsProvider = QueriedProvider & { readonly groups: NonNullable<QueriedProvider['groups']> };

/** A token is replaced this many seconds before it expires. */
const EARLY_S = 60;

const sliced = (ids: readonly string[]): readonly (readonly string[])[] =>
  Array.from({ length: Math.ceil(ids.length / GROUPS_PER_CALL) }, (_, i) =>
    ids.slice(i * GROUPS_PER_CALL, (i + 1) * GROUPS_PER_CALL),
  );

/** Makes the handler of `/.meshgate/groups`, which only this gateway calls. The handler asks the provider's directory
 * (checkMemberObjects of Microsoft Graph) which of the policy's groups a person is in. */
export function groupsHandler(table: ClientTable): (r: NginxHTTPRequest) => Promise<void> {
  const store = new MetadataStore<ClientMetadata>(table, ofClient);
  const client = new ProviderClient(table.egress, 'groups cannot be looked up');
  // The gateway's own token for the directory of each provider. `until`: when it is replaced, before it expires.
  const tokens = new Map<string, { readonly token: string; readonly until: number }>();

  async function appToken(provider: GroupsProvider, now: number): Promise<string> {
    const known = tokens.get(provider.name);
    if (known !== undefined && now < known.until) return known.token;
    const metadata = await store.of(provider, now);
    if (metadata === undefined) throw discoveryUnknown();
    const params = Object.entries({ grant_type: 'client_credentials', scope: provider.groups.scope });
    const { status, text, reached, secrets } = await client.call({ provider, metadata }, 'token', params, now);
    if (!reached) throw new Away('the token endpoint was not reached; the line above says why');
    const answer = readAppToken(status, text, secrets);
    if (typeof answer === 'string') throw new Error(answer);
    tokens.set(provider.name, { token: answer.token, until: now + answer.lifetime - EARLY_S });
    return answer.token;
  }

  async function held(
    provider: GroupsProvider,
    id: string,
    ids: readonly string[],
    token: string,
  ): Promise<readonly string[]> {
    const { status, text, reached } = await callProvider(table.egress, provider.name, {
      url: provider.groups.endpoint.replace('{oid}', id),
      body: JSON.stringify({ ids }),
      json: true,
      authorization: `Bearer ${token}`,
    });
    if (!reached) throw new Away('the endpoint of groups was not reached; the line above says why');
    // The provider may accept a new token.
    if (status === 401) tokens.delete(provider.name);
    if (status !== 200) throw new Error(`the endpoint of groups answered ${status}`);
    const found = readHeld(text, ids);
    if (found === undefined) throw new Error('the answer of the endpoint of groups has no list "value" with ids');
    return found;
  }

  return async (r) => {
    const name = r.headersIn[TO_INTROSPECTION.provider] ?? '';
    const provider = ownOf(table.providers, name);
    try {
      if (provider?.groups === undefined) throw new Error('never called');
      const query = { ...provider, groups: provider.groups };
      const id = r.requestText ?? '';
      if (!isObjectId(id)) throw new Error('the token has no "oid"');
      const token = await appToken(query, Date.now() / 1000);
      const found = await Promise.all(sliced(query.groups.ids).map((ids) => held(query, id, ids, token)));
      return reply(r, ANSWERED.active, JSON.stringify({ held: found.flat() }));
    } catch (error) {
      return fail(r, `groups of provider ${name}`, error as Error);
    }
  };
}
