import type { Policy } from '../../policy/checked/types.ts';
import { isReachedItself } from '../../policy/checked/workload.ts';
import { type Enforced, writtenId } from '../../rules/enforced.ts';
import type { Rule } from '../../rules/types.ts';
import { directGaps, endsText, identityGaps } from '../kit/gaps.ts';
import type { Enforcement } from '../kit/mesh.ts';
import { methodTexts } from '../kit/methods.ts';
import { RulesByPath } from '../kit/reach.ts';
import { callersText, indistinctIn, othersText } from '../kit/rules.ts';
import type { Gap } from '../types.ts';
import { tiesOf } from './matches.ts';
import { identityName, ingressClient, linkerdClients } from './mesh-identity.ts';
import {
  lackOf,
  meshServices,
  type Workload,
  type WorkloadAuthority,
  workloadsMayOverlap,
  workloadsOf,
} from './workloads.ts';

/** An authority, whether another authority has the same workload, and the exact paths that Linkerd cannot distinguish,
 * by the path alone, from the prefix of the same path. */
interface Place {
  readonly authority: WorkloadAuthority;
  readonly shared: boolean;
  readonly ties: ReadonlySet<string>;
}

/** A part of a rule that is not enforced exactly. `wider` is false if nginx never sends the other requests that Linkerd
 * allows. */
interface Lack {
  readonly text: string;
  readonly wider: boolean;
}

/** For each rule that Linkerd enforces, its authority. */
function placesOf(policy: Policy, workloads: readonly Workload[]): ReadonlyMap<Enforced, Place> {
  const places = workloads.flatMap(({ authorities }) =>
    authorities.flatMap((authority) => {
      const ties = new Set(tiesOf(new RulesByPath(authority.rules, (rule) => linkerdClients(policy, rule))));
      const place: Place = { authority, shared: authorities.length > 1, ties };
      return authority.rules.map((rule) => [rule, place] as const);
    }),
  );
  return new Map(places);
}

function roleText(policy: Policy, rule: Enforced, others: readonly Enforced[]): string {
  const clients = linkerdClients(policy, rule);
  const cure = clients.every(({ name }) => name !== identityName(rule.as))
    ? 'only the gateway distinguishes them; a service that must distinguish them can verify the assertion'
    : 'give one of them its own identity if the mesh must distinguish them';
  return `Linkerd sees the client and not the role: on the same requests, ${callersText(rule)} and ${othersText(others)} come as the same client ${clients.map(({ name, ids }) => `${name} (${ids.join(' or ')})`).join(' or ')}; ${cure}`;
}

function tieText({ authority: { host }, shared }: Place): string {
  const same = 'Linkerd ranks an exact path no higher than the prefix of the same path';
  if (shared) {
    return `${same}, and the workload has several authorities: a client that may reach one of the two may reach the other; give the service its own pods`;
  }
  const dot = host.indexOf('.');
  const others = dot < 0 ? 'any other host' : `any other host in ${host.slice(dot + 1)}`;
  return `${same}, so the host ${host} distinguishes them: Linkerd treats a request for ${others}, and for ${host} with a capital letter, as a request for the prefix; nginx sends neither`;
}

/** Whether Linkerd confuses the path with another one. If Linkerd treats two paths as one, this is true for both. */
function isTied({ path }: Rule, { ties, shared }: Place): boolean {
  if ('exact' in path) return ties.has(path.exact);
  return shared && ties.has(path.prefix === '' ? '/' : path.prefix);
}

interface LinkerdEnforcement extends Enforcement {
  /** The parts of a rule that Linkerd does not enforce exactly. */
  readonly lacks: (rule: Enforced) => readonly Lack[];
}

/** The rules that Linkerd enforces. At the workload it sees the host, the path, the method and the client's identity.
 * So it enforces a role only if no other caller uses the role's identity. */
export function enforcedByLinkerd(policy: Policy, rules: readonly Rule[]): LinkerdEnforcement {
  const places = placesOf(policy, workloadsOf(policy, rules));
  const placeOf = (rule: Enforced) => places.get(rule) as Place;
  const names = new Map([...new Set(places.values())].map((place, index) => [place, index]));
  const held = [...places.keys()];
  const indistinct = indistinctIn(
    held,
    (rule) => `${names.get(placeOf(rule))} ${linkerdClients(policy, rule).map(({ ids }) => ids)}`,
  );
  const lacks = (rule: Enforced): readonly Lack[] => {
    const others = indistinct(rule);
    const place = placeOf(rule);
    return [
      ...(others.length > 0 ? [{ text: roleText(policy, rule, others), wider: true }] : []),
      ...methodTexts(rule, 'routes of Linkerd').map((text) => ({ text, wider: true })),
      ...(isTied(rule, place) ? [{ text: tieText(place), wider: place.shared }] : []),
    ];
  };
  return { rules: held, lacks, wider: (rule) => lacks(rule).flatMap(({ text, wider }) => (wider ? text : [])) };
}

const serviceGap = (name: string, text: string): Gap => ({ part: `services.${name}`, text });

function unguarded(policy: Policy, rules: readonly Rule[]): readonly Gap[] {
  return [
    ...directGaps(
      policy,
      rules,
      'nginx connects to the service directly and not through the mesh, so Linkerd does not enforce its rules',
    ),
    ...meshServices(policy, rules).flatMap((service) => {
      const lack = lackOf(service);
      return lack === undefined ? [] : [serviceGap(service.name, lack)];
    }),
  ];
}

/** The gaps for workloads whose labels may select the same pods. */
function meetings(workloads: readonly Workload[]): readonly Gap[] {
  return workloads.flatMap(({ service }, index) =>
    workloads
      .slice(0, index)
      .filter((other) => workloadsMayOverlap(service, other.service))
      .map((other) =>
        serviceGap(
          service.name,
          `a pod can have the labels of this service and those of ${other.service.name}: Linkerd then enforces only the older of the two Servers; give the two services different values of one label`,
        ),
      ),
  );
}

/** The gaps that concern the whole mesh. */
function meshGaps(policy: Policy, rules: readonly Rule[]): readonly Gap[] {
  const ingress = ingressClient(policy);
  const isRouted = ({ service }: Rule): boolean => {
    const own = policy.services[service];
    return policy.mesh !== undefined && own !== undefined && !isReachedItself(policy.mesh, own);
  };
  const assertion =
    'Linkerd has no policy for tokens: it forwards the assertion without verifying it; a service that relies on the assertion must verify it';
  return [
    ...(ingress === undefined ? [] : identityGaps(rules.filter(isRouted), endsText(ingress.ids.join(' or ')))),
    ...(policy.gateway.assertion === undefined ? [] : [{ part: 'gateway.assertion', text: assertion }]),
  ];
}

/** The gaps that only Linkerd has. */
export function linkerdGaps(policy: Policy, rules: readonly Rule[]): readonly Gap[] {
  const { rules: held, lacks } = enforcedByLinkerd(policy, rules);
  return [
    ...unguarded(policy, rules),
    ...meetings(workloadsOf(policy, rules)),
    ...meshGaps(policy, held),
    ...held.flatMap((rule) => lacks(rule).map(({ text }) => ({ part: writtenId(rule.id), text }))),
  ];
}
