import { KEYS_BYTES_PER_PROVIDER, MIN_KEYS_BYTES } from '../../limits.ts';
import type { Policy } from '../../policy/types.ts';
import { budgetZones } from './budgets.ts';
import { choosingRules } from './connections.ts';
import { conf, type Directive } from './directive.ts';
import { egressMaps, egressServer } from './egress.ts';
import { etcdUpstreams } from './etcd.ts';
import { included } from './files.ts';
import { healthServer } from './health.ts';
import { checkServer } from './inner.ts';
import { locksBytes } from './locks.ts';
import { namesFound } from './log.ts';
import { maps } from './maps.ts';
import { metadataKeys } from './metadata.ts';
import { proofZone } from './proof.ts';
import { questionZones } from './questions.ts';
import type { Scene } from './scene.ts';
import { ownCookies } from './session.ts';
import { sessionZones } from './signin.ts';
import { signinLimitZone } from './signin-limit.ts';
import { upstreams } from './upstreams.ts';

/** The sizes of the hash tables for variables and, if a key is long, of the buckets of maps (64 bytes by default). */
function hashSizes(scene: Scene): readonly Directive[] {
  const keys = [
    ...scene.identities.map(({ name }) => name),
    ...choosingRules(scene).map(({ rule }) => rule),
    ...metadataKeys(scene),
    ...scene.cors.flatMap(({ origins }) => origins),
    ...scene.hosts.flatMap(({ host }) => (host.clientCaFile === undefined ? [] : [host.name])),
    ...namesFound(scene.hosts),
  ];
  const longest = Math.max(0, ...keys.map(({ length }) => length));
  const bucket = [64, 128, 256, 512, 1024].find((size) => size >= longest + 24) ?? 2048;
  return conf`
    variables_hash_max_size 4096;
    ${bucket > 64 && conf`map_hash_bucket_size ${bucket};`}
  `;
}

/** The size in bytes of the zone with provider keys, with room for everything that is kept about each provider. */
export const keysBytes = ({ providers }: Pick<Policy, 'providers'>): number =>
  Math.max(MIN_KEYS_BYTES, Object.keys(providers).length * KEYS_BYTES_PER_PROVIDER);

function engine(scene: Scene): readonly Directive[] {
  const { dir, stateDir } = scene.options;
  return conf`
    js_engine qjs;
    js_path ${dir};
    ${ownCookies(scene)}
    # Shared memory: keys of the providers, kept over a restart; verified tokens; locks.
    js_shared_dict_zone zone=meshgate_keys:${keysBytes(scene.policy) >> 10}k type=string state=${stateDir}/keys.json;
    js_shared_dict_zone zone=meshgate_tokens:32m type=string timeout=1h evict;
    js_shared_dict_zone zone=meshgate_locks:${locksBytes(scene.policy) >> 10}k type=number timeout=60s;
    ${questionZones(scene)}
    ${sessionZones(scene)}
    ${signinLimitZone(scene)}
    ${budgetZones(scene)}
    ${proofZone(scene)}
  `;
}

/** http.conf: the directives for `http {}`. */
export const httpConf = (scene: Scene): readonly Directive[] => [
  // First: nginx takes `map_hash_bucket_size` only before the first map.
  ...hashSizes(scene),
  ...engine(scene),
  included(scene, 'maps.conf'),
  included(scene, 'log.conf'),
  ...maps(scene),
  ...egressMaps(scene),
  ...upstreams(scene),
  ...etcdUpstreams(scene),
  ...checkServer(scene),
  ...egressServer(scene),
  ...healthServer(scene),
];
