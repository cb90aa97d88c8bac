import type { Policy, Service } from '../../policy/checked/types.ts';
import { LINKERD_HOST } from '../../policy/forms/workload-names.ts';
import type { Enforced } from '../../rules/enforced.ts';
import type { Rule } from '../../rules/types.ts';
import { selectorsMayOverlap as labelsOverlap } from '../kit/kubernetes-objects.ts';
import { ownerOf, sorted } from '../kit/owner.ts';
import { grouped, meshRules } from '../kit/rules.ts';

/** A service for which the policy has everything that Linkerd needs to enforce rules. */
export interface Guarded extends Service {
  /** The owner of the rendered objects. */
  readonly owner: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly port: number;
}

/** A service as its workload distinguishes it: by the host of the request, in lower case and without the port. */
export type WorkloadAuthority = ReturnType<typeof authoritiesOf>[number];

/** Pods and one of their ports, with the first of the services that run there. Each has one `Server`. */
export type Workload = ReturnType<typeof workloadsOf>[number];

/** The host of an authority, as a route can name it; undefined if it is an IP address or not a DNS name. */
function hostOf({ authority }: Service): string | undefined {
  const host = authority.replace(/:\d+$/, '').toLowerCase();
  return LINKERD_HOST.test(host) ? host : undefined;
}

/** What the policy lacks for a service so that Linkerd can enforce its rules; undefined if it is complete. */
export function lackOf(service: Service): string | undefined {
  const { namespace, labels, port, authority } = service;
  const missing = Object.entries({ namespace, labels, port }).flatMap(([key, value]) =>
    value === undefined ? key : [],
  );
  if (missing.length > 0) return `Linkerd does not enforce the rules of this service; write its ${missing.join(', ')}`;
  if (hostOf(service) === undefined) {
    return `Linkerd does not enforce the rules of this service: ${JSON.stringify(authority)} is not the DNS name of a host, which routes require`;
  }
  return undefined;
}

/** Whether Linkerd can enforce the rules of a service. */
export const isGuarded = (service: Service): service is Omit<Guarded, 'owner'> => lackOf(service) === undefined;

/** The pods and the port of a service. */
export type WorkloadPort = Pick<Guarded, 'namespace' | 'labels' | 'port'>;

/** A place as a text, whatever the order of its labels is. */
export const workloadKey = ({ namespace, labels, port }: WorkloadPort): string =>
  JSON.stringify([namespace, port, sorted(labels)]);

/** The services to which rules lead through the mesh, in the order of the policy. */
export function meshServices(policy: Policy, rules: readonly Rule[]): readonly Service[] {
  const routed = new Set(rules.map((rule) => rule.service));
  return Object.values(policy.services).filter(({ name, direct }) => direct === undefined && routed.has(name));
}

/** The authorities of some services. Linkerd treats services with the same authority as one and joins their rules. */
function authoritiesOf(services: readonly Guarded[], rules: readonly Enforced[]) {
  return [...grouped(services, (service) => hostOf(service) as string)].map(([host, own]) => {
    const names = new Set(own.map(({ name }) => name));
    return { service: own[0], host, rules: rules.filter((rule) => names.has(rule.service)) };
  });
}

/** Every workload at which Linkerd enforces rules, with these rules. */
export function workloadsOf(policy: Policy, rules: readonly Rule[]) {
  const held = meshRules(policy, rules);
  const owner = ownerOf(policy);
  const guarded = meshServices(policy, rules).filter(isGuarded);
  const places = grouped(
    guarded.map((it): Guarded => ({ ...it, owner })),
    workloadKey,
  );
  return [...places.values()].map((services) => ({
    service: services[0],
    authorities: authoritiesOf(services, held),
  }));
}

/** Whether a pod may have the labels of both workloads. Which of the `Server`s applies to it is then undefined. */
export const workloadsMayOverlap = (a: Guarded, b: Guarded): boolean =>
  a.namespace === b.namespace && a.port === b.port && labelsOverlap(a.labels, b.labels);
