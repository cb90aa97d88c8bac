import type { Policy } from '../../../src/policy/checked/types.ts';
import { compile } from '../../../src/rules/compile.ts';
import { envoySubjects, fitted, type Subject, subject, tools } from '../matrix/policies.ts';

const DOMAIN = '11111111-2222-3333-4444-555555555555.consul';

/** A policy as Consul receives it: behind an ingress, or with one Consul service for each identity. */
export function forConsul(policy: Policy, ingress: boolean): Policy {
  const { mesh, gateway } = policy;
  if (mesh === undefined) throw new Error('a policy without a mesh');
  const identities = Object.values(mesh.identities).map((it) => [
    it.name,
    { ...it, spiffe: `spiffe://${DOMAIN}/ns/default/dc/dc1/svc/${it.name}` },
  ]);
  return {
    ...policy,
    gateway: { ...gateway, ...(gateway.assertion && { assertion: { ...gateway.assertion, byRole: true } }) },
    mesh: {
      ...mesh,
      kind: 'consul',
      trustDomain: DOMAIN,
      identities: Object.fromEntries(identities),
      ingress: { ...mesh.ingress, ...(ingress && { consulService: 'ingress' }) },
    },
  };
}

/** The policies of the matrix, behind an ingress, and with each identity as the source of intentions. */
export async function consulSubjects(): Promise<readonly Subject[]> {
  const issuer = 'https://issuer.test';
  const all = [...(await envoySubjects(issuer)), subject('tools', fitted(tools(), issuer, true))];
  const plain = all.filter(({ name }) => name !== 'demo, by certificate only');
  return [true, false].flatMap((ingress) =>
    plain.map((subject) => {
      const policy = forConsul(subject.policy, ingress);
      const name = `${subject.name}, ${ingress ? 'behind an ingress' : 'each identity a source'}`;
      return { ...subject, name, policy, rules: compile(policy) };
    }),
  );
}
