import { KEYS_BYTES_PER_PROVIDER, MIN_KEYS_BYTES } from '../../../base/limits.ts';
import type { Policy } from '../../../policy/checked/types.ts';
import { metadataKeys } from '../answers/resource-metadata.ts';
import { budgetZones } from '../check/address-budgets.ts';
import { proofZone } from '../check/proof-headers.ts';
import { maps } from '../maps.ts';
import type { Context } from '../render-context.ts';
import { choosingRules } from '../route/connections.ts';
import { fromMaps, signinLimitZone } from '../signin/address-limits.ts';
import { locksBytes } from '../signin/locks.ts';
import { ownCookies } from '../signin/sessions.ts';
import { sessionZones } from '../signin/signin.ts';
import { conf, type Directive } from '../text/directive.ts';
import { included } from '../text/files.ts';
import { egressMaps, egressServer } from '../upstream/egress.ts';
import { etcdUpstreams } from '../upstream/etcd.ts';
import { probeUpstreams } from '../upstream/probe.ts';
import { providerCallZones } from '../upstream/provider-call-locations.ts';
import { upstreams } from '../upstream/upstream-blocks.ts';
import { controllerMaps } from './controller.ts';
import { countsRefusals, countZones } from './counts.ts';
import { healthServer } from './health-server.ts';
import { checkServer } from './inner.ts';
import { namesFound } from './log.ts';
import { openZones } from './strangers.ts';

/** The size of the buckets of maps. A key must fit into a bucket. */
export function mapBucket(context: Context): number {
  const keys = [
    ...context.identities.map(({ name }) => name),
    ...choosingRules(context).map(({ rule }) => rule),
    ...metadataKeys(context),
    ...context.cors.flatMap(({ origins }) => origins),
    ...context.hosts.flatMap(({ host }) => (host.clientCaFile === undefined ? [] : [host.name])),
    ...namesFound(context.hosts),
  ];
  const longest = Math.max(0, ...keys.map(({ length }) => length));
  return [64, 128, 256, 512, 1024].find((size) => size >= longest + 24) ?? 2048;
}

/** The size of the hash table for the gateway's variables. */
export const VARIABLES_HASH_SIZE = 4096;

/** The sizes of the hash tables for variables and, if a key is long, of the buckets of maps (64 bytes by default). An
 * ingress controller sets them itself. */
function hashSizes(context: Context): readonly Directive[] {
  if (context.options.inController) return [];
  const bucket = mapBucket(context);
  return conf`
    variables_hash_max_size ${VARIABLES_HASH_SIZE};
    ${bucket > 64 && conf`map_hash_bucket_size ${bucket};`}
  `;
}

/** The size in bytes of the zone with provider keys, with room for everything that is kept about each provider. */
const keysBytes = ({ providers }: Pick<Policy, 'providers'>): number =>
  Math.max(MIN_KEYS_BYTES, Object.keys(providers).length * KEYS_BYTES_PER_PROVIDER);

function engine(context: Context): readonly Directive[] {
  const { dir, stateDir, inController } = context.options;
  const scripts = conf`
    js_engine qjs;
    js_path ${dir};
    ${countsRefusals}
    ${ownCookies(context)}
  `;
  return conf`
    ${!inController && scripts}
    # Shared memory: keys of the providers, kept over a restart; verified tokens; locks.
    js_shared_dict_zone zone=meshgate_keys:${keysBytes(context.policy) >> 10}k type=string state=${stateDir}/keys.json;
    js_shared_dict_zone zone=meshgate_tokens:32m type=string timeout=1h evict;
    js_shared_dict_zone zone=meshgate_locks:${locksBytes(context.policy) >> 10}k type=number timeout=60s;
    ${providerCallZones(context)}
    ${sessionZones(context)}
    ${openZones(context).length > 0 && [...fromMaps, ...openZones(context)]}
    ${signinLimitZone(context)}
    ${budgetZones(context)}
    ${proofZone(context)}
    ${countZones(context)}
  `;
}

/** http.conf: the directives for `http {}`.
 * @param declared directives that declare variables */
export const httpConf = (context: Context, declared: readonly Directive[] = []): readonly Directive[] => [
  // First: nginx takes `map_hash_bucket_size` only before the first map.
  ...hashSizes(context),
  ...engine(context),
  included(context, 'maps.conf'),
  included(context, 'log.conf'),
  ...maps(context),
  ...controllerMaps(context),
  ...egressMaps(context),
  ...upstreams(context),
  ...etcdUpstreams(context),
  ...probeUpstreams(context),
  ...checkServer(context, declared),
  ...egressServer(context),
  ...healthServer(context),
];
