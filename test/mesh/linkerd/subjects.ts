import type { Policy, Service } from '../../../src/policy/checked/types.ts';
import { compile } from '../../../src/rules/compile.ts';
import { envoySubjects, type Subject } from '../matrix/policies.ts';

/** The place of a service: a namespace of one or two services, its own pods, its own port. */
function placed(service: Service, index: number, ingress: boolean): Service {
  if (service.direct !== undefined) return service;
  const labels = { app: service.name, tier: 'web' };
  const account = ingress ? {} : { serviceAccount: service.name };
  return { ...service, ...account, namespace: `apps-${Math.floor(index / 2)}`, labels, port: 8000 + index };
}

/** A policy as Linkerd receives it. */
export function forLinkerd(policy: Policy, ingress: boolean): Policy {
  const { mesh } = policy;
  if (mesh === undefined) throw new Error('a policy without a mesh');
  const services = Object.entries(policy.services).map(([name, own], index) => [name, placed(own, index, ingress)]);
  const runs = ingress ? { namespace: 'edge', serviceAccount: 'ingress' } : {};
  return {
    ...policy,
    services: Object.fromEntries(services),
    mesh: { ...mesh, kind: 'linkerd', ingress: { ...mesh.ingress, ...runs } },
  };
}

/** The policies of the matrix, behind an ingress, and with workloads to which nginx connects itself, with an identity
 * for each role. */
export async function linkerdSubjects(): Promise<readonly Subject[]> {
  const all = await envoySubjects('https://issuer.test');
  const plain = all.filter(({ name }) => name !== 'demo, by certificate only');
  return [true, false].flatMap((ingress) =>
    plain.map((subject) => {
      const policy = forLinkerd(subject.policy, ingress);
      const name = `${subject.name}, ${ingress ? 'behind an ingress' : 'without an ingress'}`;
      return { ...subject, name, policy, rules: compile(policy) };
    }),
  );
}
