import { KEYS_BYTES_PER_PROVIDER, MIN_KEYS_BYTES } from '../../../base/limits.ts';
import type { Policy } from '../../../policy/checked/types.ts';
import { metadataKeys } from '../answers/resource-metadata.ts';
import { budgetZones } from '../check/address-budgets.ts';
import { proofZone } from '../check/proof-headers.ts';
import { maps } from '../maps.ts';
import { choosingRules } from '../route/connections.ts';
import type { Scene } from '../scene.ts';
import { fromMaps, signinLimitZone } from '../signin/address-limits.ts';
import { locksBytes } from '../signin/locks.ts';
import { ownCookies } from '../signin/sessions.ts';
import { sessionZones } from '../signin/signin.ts';
import { conf, type Directive } from '../text/directive.ts';
import { included } from '../text/files.ts';
import { egressMaps, egressServer } from '../upstream/egress.ts';
import { etcdUpstreams } from '../upstream/etcd.ts';
import { probeUpstreams } from '../upstream/probe.ts';
import { questionZones } from '../upstream/questions.ts';
import { upstreams } from '../upstream/upstreams.ts';
import { controllerMaps } from './controller.ts';
import { countsRefusals, countZones } from './counts.ts';
import { healthServer } from './health-server.ts';
import { checkServer } from './inner.ts';
import { namesFound } from './log.ts';
import { openZones } from './strangers.ts';

/** The size of the buckets of maps. A key must fit into a bucket. */
export function mapBucket(scene: Scene): number {
  const keys = [
    ...scene.identities.map(({ name }) => name),
    ...choosingRules(scene).map(({ rule }) => rule),
    ...metadataKeys(scene),
    ...scene.cors.flatMap(({ origins }) => origins),
    ...scene.hosts.flatMap(({ host }) => (host.clientCaFile === undefined ? [] : [host.name])),
    ...namesFound(scene.hosts),
  ];
  const longest = Math.max(0, ...keys.map(({ length }) => length));
  return [64, 128, 256, 512, 1024].find((size) => size >= longest + 24) ?? 2048;
}

/** The size of the hash table for the gateway's variables. */
export const VARIABLES_HASH_SIZE = 4096;

/** The sizes of the hash tables for variables and, if a key is long, of the buckets of maps (64 bytes by default). An
 * ingress controller sets them itself. */
function hashSizes(scene: Scene): readonly Directive[] {
  if (scene.options.inController) return [];
  const bucket = mapBucket(scene);
  return conf`
    variables_hash_max_size ${VARIABLES_HASH_SIZE};
    ${bucket > 64 && conf`map_hash_bucket_size ${bucket};`}
  `;
}

/** The size in bytes of the zone with provider keys, with room for everything that is kept about each provider. */
const keysBytes = ({ providers }: Pick<Policy, 'providers'>): number =>
  Math.max(MIN_KEYS_BYTES, Object.keys(providers).length * KEYS_BYTES_PER_PROVIDER);

function engine(scene: Scene): readonly Directive[] {
  const { dir, stateDir, inController } = scene.options;
  const scripts = conf`
    js_engine qjs;
    js_path ${dir};
    ${countsRefusals}
    ${ownCookies(scene)}
  `;
  return conf`
    ${!inController && scripts}
    # Shared memory: keys of the providers, kept over a restart; verified tokens; locks.
    js_shared_dict_zone zone=meshgate_keys:${keysBytes(scene.policy) >> 10}k type=string state=${stateDir}/keys.json;
    js_shared_dict_zone zone=meshgate_tokens:32m type=string timeout=1h evict;
    js_shared_dict_zone zone=meshgate_locks:${locksBytes(scene.policy) >> 10}k type=number timeout=60s;
    ${questionZones(scene)}
    ${sessionZones(scene)}
    ${openZones(scene).length > 0 && [...fromMaps, ...openZones(scene)]}
    ${signinLimitZone(scene)}
    ${budgetZones(scene)}
    ${proofZone(scene)}
    ${countZones(scene)}
  `;
}

/** http.conf: the directives for `http {}`.
 * @param declared directives that declare variables */
export const httpConf = (scene: Scene, declared: readonly Directive[] = []): readonly Directive[] => [
  // First: nginx takes `map_hash_bucket_size` only before the first map.
  ...hashSizes(scene),
  ...engine(scene),
  included(scene, 'maps.conf'),
  included(scene, 'log.conf'),
  ...maps(scene),
  ...controllerMaps(scene),
  ...egressMaps(scene),
  ...upstreams(scene),
  ...etcdUpstreams(scene),
  ...probeUpstreams(scene),
  ...checkServer(scene, declared),
  ...egressServer(scene),
  ...healthServer(scene),
];
