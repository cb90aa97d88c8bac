import type { Policy, Service } from '../../policy/checked/types.ts';
import type { Rule } from '../../rules/types.ts';
import { envoyGuards, type Guard } from '../kit/guards.ts';
import { defineMesh } from '../kit/mesh.ts';
import type { Emitted, Gap, MeshOptions } from '../types.ts';
import { consulLacks, consulName, sourcesOf } from './destinations.ts';
import { consulDrift, consulUnguarded } from './drift.ts';
import { consulEntries, keySetOf, planEntries } from './entries.ts';
import { consulGaps, enforcedByConsul, notEnforcedGaps, unknownText } from './gaps.ts';
import { consulProjection } from './project.ts';
import { readConsul } from './read.ts';
import { sizesOf } from './size.ts';

/** The intentions of a service, which its sidecar enforces. nginx connects to the sidecar itself, or to an ingress. If
 * meshgate rendered that ingress and it reads assertions, it denies the same requests first. */
function consulGuards(policy: Policy, _: readonly Rule[], service: Service): readonly Guard[] {
  const object = `service-intentions ${consulName(service)}`;
  const seesAssertion = policy.gateway.assertion !== undefined;
  const { ingress } = policy.mesh ?? {};
  if (ingress?.consulService === undefined) return [{ layer: 'workload', object, by: 'first', seesAssertion }];
  const own = envoyGuards(policy);
  if (own.some((it) => it.seesAssertion)) return own;
  const by = own.length > 0 ? 'behind' : 'any';
  return [...own, { layer: 'workload', object, by, seesAssertion }];
}

const NO_KEYS =
  'Consul’s proxies need the gateway’s public keys; give --assertion-jwks, or write mesh.assertion_ca_file so that the proxies can fetch the keys';

/** Renders the rules as configuration entries of Consul, one entry per file: the JWT provider, then the protocol of
 * each service, then its intentions. `consul config write` must get the files in the order of their names. */
function render(policy: Policy, rules: readonly Rule[], options: MeshOptions): Emitted | Gap {
  const plan = planEntries(policy, rules);
  const { assertion } = plan;
  const keys = assertion && keySetOf(policy, assertion, options);
  if (assertion !== undefined && keys === undefined) return { part: 'gateway.assertion', text: NO_KEYS };
  const entries = consulEntries(policy, plan, keys);
  const { notes, gaps } = sizesOf(entries, assertion?.issuer);
  const files = entries.map(
    (entry) => [`${entry.Kind}.${entry.Name}.json`, `${JSON.stringify(entry, null, 2)}\n`] as const,
  );
  return { files: Object.fromEntries(files), gaps: [...consulGaps(policy, rules, keys), ...gaps], notes };
}

export const consul = defineMesh({
  name: 'consul',
  title: 'Consul',
  takesJwks: true,
  together: true,
  refuses: 'Consul’s proxies match paths without decoding them, so they refuse a path',
  seesNoHost: true,
  seesAssertion: () => true,
  missing: consulLacks,
  notEnforcedGaps,
  render,
  enforces: enforcedByConsul,
  notEnforced: (rule, policy) =>
    policy.services[rule.service]?.direct || sourcesOf(policy, rule).length > 0
      ? undefined
      : unknownText(policy.mesh?.identities[rule.as]?.spiffe),
  read: readConsul,
  project: consulProjection,
  drift: consulDrift,
  unguarded: consulUnguarded,
  guards: consulGuards,
});
