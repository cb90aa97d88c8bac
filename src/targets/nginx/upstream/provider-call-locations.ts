import { ANSWERS_BYTES_PER_PROVIDER, MAX_QUESTIONS } from '../../../base/limits.ts';
import { isQueried } from '../../../rules/table/client-table.ts';
import { MAX_SIGNIN_BODY_BYTES } from '../../../session/limits.ts';
import { GROUPS_PATH, INTROSPECT_PATH } from '../../../token/call-paths.ts';
import type { Context } from '../render-context.ts';
import { bodyBuffer } from '../route/module.ts';
import { conf, type Directive } from '../text/directive.ts';

/** The number of providers that the gateway asks about tokens. */
const queriedCount = ({ policy }: Pick<Context, 'policy'>): number =>
  Object.values(policy.providers).filter(isQueried).length;

/** Whether the gateway asks at least one provider about tokens. */
export const callsProviders = (context: Pick<Context, 'policy'>): boolean => queriedCount(context) > 0;

/** The zones for introspection: what providers said about tokens, which tokens are not active, and which were active
 * before. They are separate from the zone of verified tokens. If a zone is full, nginx first evicts the entries that
 * would expire first. So neither invented tokens nor a client with a new token in each request can evict the verified
 * tokens of others. */
export function providerCallZones(context: Context): readonly Directive[] {
  if (!callsProviders(context)) return [];
  return conf`
    # What providers answered about tokens.
    js_shared_dict_zone zone=meshgate_answers:${(queriedCount(context) * ANSWERS_BYTES_PER_PROVIDER) >> 10}k type=string timeout=1h evict;
    # Tokens that are not active, according to a provider.
    js_shared_dict_zone zone=meshgate_inactive:1m type=string timeout=1h evict;
    # Tokens that were active before, as hashes.
    js_shared_dict_zone zone=meshgate_active:4m type=string timeout=24h evict;
  `;
}

/** The locations through which the check asks providers. Only these locations load the client's secret. */
export function providerCallLocations(context: Context): readonly Directive[] {
  if (!callsProviders(context)) return [];
  const location = (path: string, name: string) => conf`
    location = ${path} {
      js_import client from client.js;
      js_context_reuse ${MAX_QUESTIONS};
      ${bodyBuffer(MAX_SIGNIN_BODY_BYTES)}
      js_content ${name};
    }
  `;
  return [...location(INTROSPECT_PATH, 'client.introspect'), ...location(GROUPS_PATH, 'client.groups')];
}
