import type { Policy } from '../../policy/types.ts';
import { writtenId } from '../../rules/enforced.ts';
import type { Rule } from '../../rules/types.ts';
import { encodableOf } from '../odd-paths.ts';
import type { Gap } from '../types.ts';
import { uncounted } from '../uncounted.ts';
import { unitedHosts } from '../wider.ts';
import { heldOf, lacksOf } from './covers.ts';
import { ingressClient } from './identity.ts';
import { lackOf, mayMeet, meshServices, type Workload, workloadsOf } from './workloads.ts';

const serviceGap = (name: string, text: string): Gap => ({ part: `services.${name}`, text });

function unguarded(policy: Policy, rules: readonly Rule[]): readonly Gap[] {
  const direct = new Set(rules.filter((rule) => policy.services[rule.service]?.direct).map((rule) => rule.service));
  return [
    ...[...direct].map((name) =>
      serviceGap(name, 'reached directly and not through the mesh, so Linkerd does not guard it'),
    ),
    ...meshServices(policy, rules).flatMap((service) => {
      const lack = lackOf(service);
      return lack === undefined ? [] : [serviceGap(service.name, lack)];
    }),
  ];
}

/** Workloads whose pods may be the same, as far as their labels say. */
function meetings(workloads: readonly Workload[]): readonly Gap[] {
  return workloads.flatMap(({ service }, index) =>
    workloads
      .slice(0, index)
      .filter((other) => mayMeet(service, other.service))
      .map((other) =>
        serviceGap(
          service.name,
          `a pod can have its labels and those of ${other.service.name}: Linkerd then holds the older Server of the two; tell them apart by a label with two values`,
        ),
      ),
  );
}

/** What goes for the whole mesh. */
function meshGaps(policy: Policy, rules: readonly Rule[]): readonly Gap[] {
  const ingress = ingressClient(policy);
  const names = [...new Set(rules.map(({ as }) => as))].filter((as) => as !== '' && as !== 'default').join(', ');
  const identities =
    ingress === undefined
      ? `an nginx deployment has one identity in Linkerd: requests as ${names} pass from a deployment of its own; if an ingress ends nginx's connections, write mesh.ingress.namespace and service_account`
      : `workloads see the ingress (${ingress.id}) and not what nginx connects to it as: ${names} ends there`;
  const assertion =
    'Linkerd has no policy for tokens: it forwards the assertion without a look at it; a service that relies on it verifies it itself';
  return [
    ...(names === '' ? [] : [{ part: 'mesh.identities', text: identities }]),
    ...(policy.gateway.assertion === undefined ? [] : [{ part: 'gateway.assertion', text: assertion }]),
  ];
}

function encodableGap(rules: readonly Rule[]): readonly Gap[] {
  const first = rules.find((rule) => encodableOf([rule]).length > 0);
  if (first === undefined) return [];
  const characters = encodableOf(rules).join(' ');
  const text = `Linkerd matches paths without decoding them: it refuses those where a client percent-encodes ${characters}, which paths of the policy hold`;
  return [{ part: first.id, text }];
}

/** All that Linkerd does not hold, or holds differently. */
export function gapsOf(policy: Policy, rules: readonly Rule[]): readonly Gap[] {
  const workloads = workloadsOf(policy, rules);
  const all = heldOf(policy, workloads);
  const held = all.map(({ rule }) => rule);
  return [
    ...unguarded(policy, rules),
    ...meetings(workloads),
    ...meshGaps(policy, held),
    ...all.flatMap((it) => lacksOf(it).map(({ text }) => ({ part: writtenId(it.rule.id), text }))),
    ...encodableGap(held),
    ...unitedHosts(held, 'Linkerd'),
    ...uncounted(policy, 'Linkerd'),
  ];
}
