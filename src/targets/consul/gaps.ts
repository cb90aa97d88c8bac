import type { Policy } from '../../policy/types.ts';
import { writtenId } from '../../rules/enforced.ts';
import type { Rule } from '../../rules/types.ts';
import { encodableOf } from '../odd-paths.ts';
import type { Gap } from '../types.ts';
import { uncounted } from '../uncounted.ts';
import { anonymousAssertions } from '../wider.ts';
import { heldOf, lacksOf, unknownText } from './covers.ts';
import type { KeySet } from './entries.ts';
import { consulRules, sourceOf } from './scene.ts';

/** Seconds that Consul's proxies let an assertion live on, unless its own setting reaches them. */
const ENVOY_SKEW = 60;

const HOST =
  'intentions have no host: whatever host a request names, its path decides; give each service a name of its own in Consul';

const DEFAULT =
  'a token counts only in a mesh that refuses by default: set default_intention_policy, or the ACLs’ default_policy, to deny';

const REMOTE =
  'proxies fetch the gateway’s keys from whoever shows a certificate of mesh.assertion_ca_file, whatever name is in it: let that CA sign for the gateway alone, or give --assertion-jwks';

export const NO_KEYS =
  'Consul’s proxies need the gateway’s public keys; give --assertion-jwks, or write mesh.assertion_ca_file so that they can fetch them';

/** What Consul does not guard at all. */
export function unguarded(policy: Policy, rules: readonly Rule[]): readonly Gap[] {
  const direct = new Set(rules.filter((rule) => policy.services[rule.service]?.direct).map((rule) => rule.service));
  const unknown = new Set(
    rules.flatMap((rule) => (policy.mesh && rule.as !== '' && sourceOf(policy, rule) === undefined ? rule.as : [])),
  );
  return [
    ...[...direct].map((name) => ({
      part: `services.${name}`,
      text: 'reached directly and not through the mesh, so Consul does not guard it',
    })),
    ...[...unknown].map((name) => ({
      part: `mesh.identities.${name}`,
      text: unknownText(policy.mesh?.identities[name]?.spiffe),
    })),
  ];
}

/** Without an assertion, what nginx connects as ends at the ingress. */
function identitiesGap({ mesh, gateway }: Policy, rules: readonly Rule[]): readonly Gap[] {
  const ingresses =
    Object.keys(mesh?.ingresses ?? {}).length > 1 ? Object.values(mesh?.ingresses ?? {}) : [mesh?.ingress];
  const ingress = ingresses.flatMap((it) => it?.consulService ?? []).join(', ');
  if (gateway.assertion !== undefined || ingress === '') return [];
  const names = [...new Set(rules.map(({ as }) => as))].filter((as) => as !== '' && as !== 'default').join(', ');
  const text = `workloads see the ingress (${ingress}) and not what nginx connects to it as: ${names} ends there`;
  return names === '' ? [] : [{ part: 'mesh.identities', text }];
}

function assertionGaps({ gateway }: Policy, keys: KeySet | undefined): readonly Gap[] {
  if (keys === undefined) return [];
  const skew = `proxies may take an assertion for ${ENVOY_SKEW} s after it has expired, whatever gateway.clock_skew says`;
  return [
    { part: 'mesh', text: DEFAULT },
    ...(gateway.clockSkew < ENVOY_SKEW ? [{ part: 'gateway.assertion', text: skew }] : []),
    ...('Remote' in keys ? [{ part: 'mesh', text: REMOTE }] : []),
  ];
}

function encodableGap(rules: readonly Rule[]): readonly Gap[] {
  const first = rules.find((rule) => encodableOf([rule]).length > 0);
  if (first === undefined) return [];
  const text = `Consul’s proxies match paths without decoding them: they refuse those where a client percent-encodes ${encodableOf(rules).join(' ')}, which paths of the policy hold`;
  return [{ part: first.id, text }];
}

/**
 * All that Consul does not hold, or holds differently.
 *
 * @param keys where proxies have the gateway's keys from; undefined: they need none
 */
export function gapsOf(policy: Policy, rules: readonly Rule[], keys: KeySet | undefined): readonly Gap[] {
  const held = heldOf(policy, rules);
  const lacks = held.flatMap((it) => lacksOf(policy, it).map((text) => ({ part: writtenId(it.rule.id), text })));
  const unique = new Map(lacks.map((gap) => [JSON.stringify(gap), gap]));
  return [
    ...unguarded(policy, rules),
    { part: 'mesh', text: HOST },
    ...identitiesGap(policy, rules),
    ...assertionGaps(policy, keys),
    ...unique.values(),
    ...encodableGap(consulRules(policy, rules)),
    ...anonymousAssertions(policy, consulRules(policy, rules), 'Consul'),
    ...uncounted(policy, 'Consul'),
  ];
}
