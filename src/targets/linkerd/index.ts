import type { Policy, Service } from '../../policy/checked/types.ts';
import { isReachedItself } from '../../policy/checked/workload.ts';
import type { MeshRule, Rule } from '../../rules/types.ts';
import { envoyGuards, type Guard } from '../kit/guards.ts';
import { kustomization } from '../kit/kubernetes-objects.ts';
import { defineMesh } from '../kit/mesh.ts';
import { widened } from '../kit/methods.ts';
import { ownerOf } from '../kit/owner.ts';
import { meshRule } from '../kit/rules.ts';
import { documents } from '../kit/yaml.ts';
import type { Emitted, MeshOptions } from '../types.ts';
import { objectsOf } from './assemble.ts';
import { linkerdDrift, linkerdUnguarded } from './drift.ts';
import { enforcedByLinkerd, linkerdGaps } from './gaps.ts';
import { linkerdClients } from './mesh-identity.ts';
import { LINKERD_FILE, serverObjectName } from './objects.ts';
import { otherHostRules, readLinkerd } from './read.ts';
import { forUpdate } from './update.ts';
import { isGuarded, lackOf, workloadsOf } from './workloads.ts';

/** The rules, reduced to what Linkerd can express. The host of the authority stands for host and service. Each name of
 * the client stands for `as`, and any caller may have it. All methods that a route cannot name count as one. */
export function linkerdProjection(policy: Policy, rules: readonly Rule[]): readonly MeshRule[] {
  const all = workloadsOf(policy, rules).flatMap(({ authorities }) => authorities);
  return all.flatMap(({ host, rules }) =>
    rules.flatMap((rule) =>
      linkerdClients(policy, rule).flatMap(({ ids }) =>
        ids.map((id) => meshRule(LINKERD_FILE, widened(rule), { host, as: id })),
      ),
    ),
  );
}

/** The Server of a service, if nginx connects to its workloads. Behind an ingress, the ingress's own proxy of Linkerd
 * removes the header by which a denial of the workload differs from an answer of the service. */
function linkerdGuards(policy: Policy, _: readonly Rule[], service: Service): readonly Guard[] {
  const { mesh } = policy;
  if (mesh === undefined || !isReachedItself(mesh, service)) return envoyGuards(policy);
  if (!isGuarded(service)) return [];
  const object = `Server ${service.namespace}/${serverObjectName({ ...service, owner: ownerOf(policy) })}`;
  return [{ layer: 'workload', object, by: 'linkerd', seesAssertion: false }];
}

/** Renders the rules as Linkerd's policy for the workloads: linkerd.yaml for `kubectl apply`, and a kustomization.yaml
 * that lists it. If there is nothing that Linkerd can enforce, it renders no file. */
function render(policy: Policy, rules: readonly Rule[], options: MeshOptions): Emitted {
  const gaps = linkerdGaps(policy, rules);
  const own = objectsOf(policy, rules);
  const objects = options.forUpdate ? own.map(forUpdate) : own;
  if (objects.length === 0) return { files: {}, gaps };
  return {
    files: { [LINKERD_FILE]: documents(objects), 'kustomization.yaml': documents([kustomization([LINKERD_FILE])]) },
    gaps,
  };
}

export const linkerd = defineMesh({
  name: 'linkerd',
  title: 'Linkerd',
  takesJwks: false,
  takesForUpdate: true,
  refuses: 'Linkerd matches paths without decoding them, so it refuses a path',
  seesNoTools: true,
  seesAssertion: () => false,
  missing: ({ mesh }) =>
    mesh === undefined ? 'the policy has no mesh, so there is nothing for Linkerd to enforce' : undefined,
  render,
  enforces: enforcedByLinkerd,
  notEnforced: ({ service: name }, { services }) => {
    const service = services[name];
    if (service === undefined || service.direct) return `${name} is reached directly and not through the mesh`;
    return lackOf(service);
  },
  read: readLinkerd,
  project: (policy, rules) => [
    ...linkerdProjection(policy, rules),
    ...otherHostRules(objectsOf(policy, rules), ownerOf(policy)),
  ],
  drift: linkerdDrift,
  unguarded: linkerdUnguarded,
  guards: linkerdGuards,
});
