import type { Policy } from '../policy/types.ts';
import type { Enforced } from '../rules/enforced.ts';
import { writtenId } from '../rules/enforced.ts';
import { heldByNobody } from '../rules/implied.ts';
import type { Gap } from './types.ts';

/** What a rule says, but for its host and name. */
const saidOf = ({ path, methods, who, agent, alone, tools, as }: Enforced): string =>
  JSON.stringify([path, methods, who, agent, alone, tools, as]);

/** What the rules of one host let pass to a service. */
const saidAt = (rules: readonly Enforced[], host: string): string =>
  [...new Set(rules.filter((rule) => rule.host === host).map(saidOf))].sort().join();

/**
 * Hosts that lead to one service by other rules: a mesh sees the service, and unites them.
 *
 * @param rules those that the mesh holds
 * @param mesh its name, for the text
 */
export function unitedHosts(rules: readonly Enforced[], mesh: string): readonly Gap[] {
  const services = [...new Set(rules.map(({ service }) => service))];
  return services.flatMap((service): Gap[] => {
    const own = rules.filter((rule) => rule.service === service);
    const hosts = [...new Set(own.map(({ host }) => host))];
    if (new Set(hosts.map((host) => saidAt(own, host))).size < 2) return [];
    const text = `${hosts.join(' and ')} lead to it by rules of their own, and ${mesh} sees the service and not the host: what the rules of one allow passes for the other as well; give each a service with another authority if the mesh has to tell them apart`;
    return [{ part: `services.${service}`, text }];
  });
}

/**
 * Rules for whoever is authenticated, that an anonymous caller's assertion passes: one whom the request gives a role has
 * one too, and a mesh does not see that nobody is named in it.
 *
 * @param rules those that the mesh holds
 * @param mesh its name, for the text
 */
export function anonymousAssertions(policy: Policy, rules: readonly Enforced[], mesh: string): readonly Gap[] {
  if (policy.gateway.assertion === undefined) return [];
  const byRequest = heldByNobody([policy]);
  const bare = rules.filter(({ who }) => who.kind === 'role' && byRequest.has(who.role));
  const gaps = rules.flatMap((rule): Gap[] => {
    if (rule.who.kind !== 'authenticated' || typeof rule.agent === 'string') return [];
    const other = bare.find(({ service, as }) => service === rule.service && as === rule.as);
    if (other?.who.kind !== 'role') return [];
    const text = `callers without a credential have an assertion too where the request gives them the role ${other.who.role} (${writtenId(other.id)}), and ${mesh} takes it for that of an authenticated caller; give one of the rules an identity of its own (as) if the mesh has to tell them apart`;
    return [{ part: writtenId(rule.id), text }];
  });
  return [...new Map(gaps.map((gap) => [gap.part, gap])).values()];
}

/** Whether some other host of a rule's service has no rule that says the same. */
const isUnited = (rule: Enforced, rules: readonly Enforced[]): boolean => {
  const own = rules.filter(({ service }) => service === rule.service);
  const said = saidOf(rule);
  return [...new Set(own.map(({ host }) => host))].some(
    (host) => !own.some((other) => other.host === host && saidOf(other) === said),
  );
};

/**
 * Why a mesh lets more pass than a rule says, by the gaps that {@link unitedHosts} and {@link anonymousAssertions} print.
 *
 * @param rules those that the mesh holds
 * @param id of the rule, as the policy has it
 * @param assertion whether the mesh looks at the assertion
 */
export function widerTexts(
  policy: Policy,
  rules: readonly Enforced[],
  id: string,
  mesh: string,
  assertion = true,
): readonly string[] {
  const own = rules.filter((rule) => writtenId(rule.id) === id);
  const united = own.some((rule) => isUnited(rule, rules))
    ? unitedHosts(rules, mesh).filter(({ part }) => part === `services.${own[0]?.service}`)
    : [];
  const anonymous = assertion ? anonymousAssertions(policy, rules, mesh).filter(({ part }) => part === id) : [];
  return [...united, ...anonymous].map(({ text }) => text);
}
