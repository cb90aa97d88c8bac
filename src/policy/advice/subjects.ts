import type { Policy, Provider, Route, Service } from '../checked/types.ts';
import { type Advice, leadsTo } from './recommendation.ts';

/** The providers whose callers can reach a service, in the order of the policy. */
function providersOf(service: Service, { hosts, providers }: Policy): readonly Provider[] {
  const brings = (route: Route) => route.accept.some((it) => it !== 'certificate') && leadsTo(route, service);
  const names = hosts.filter(({ routes }) => routes.some(brings)).flatMap((host) => host.providers);
  return Object.values(providers).filter((provider) => names.includes(provider.name));
}

/** Whether two providers can give the same name to two people. With one issuer, both have the same people. */
function areMixed(one: Provider, other: Provider): boolean {
  const [a, b] = [one.subject.prefix, other.subject.prefix];
  return one.issuer !== other.issuer && (a.startsWith(b) || b.startsWith(a));
}

/** Advice for services with callers of several providers through several hosts. On one host, this is an error. */
export const subjectAdvice = (policy: Policy): readonly Advice[] =>
  Object.values(policy.services).flatMap((service) => {
    const all = providersOf(service, policy);
    const one = all.find((it, index) => all.slice(index + 1).some((other) => areMixed(it, other)));
    const other = one && all.find((it) => it !== one && areMixed(one, it));
    if (one === undefined || other === undefined) return [];
    const text = `this service cannot distinguish the subject ann of ${one.name} from the subject ann of ${other.name}; write subject: { prefix: ${one.name}- } and ${other.name}- for these providers, or give each of their hosts a service of its own`;
    return [{ at: service.at, path: `services.${service.name}`, text }];
  });
