import { ALONE, IS_ALONE } from '../../assertion/claims.ts';
import type { MeshRule, Path } from '../../rules/types.ts';
import { groupOf, type KubeFiles, kubeFiles, type LiveObject, objectTitle } from '../kit/kubernetes-objects.ts';
import { DEFAULT_OWNER } from '../kit/owner.ts';
import { checkMembers, pathsIn, perFiles, unreadable } from '../kit/reading.ts';
import { meshRule } from '../kit/rules.ts';
import { type Files, Foreign } from '../types.ts';
import { type Condition, type IstioRule, layersOf, RULE_IDS } from './objects.ts';
import { ISTIO_FILE, istioAssertedText, ruleHost, workloadHost } from './project.ts';
import { claim } from './rule.ts';
import { joined } from './tools.ts';

/** A command that prints every kind of object which affects what the mesh allows. */
const ASK =
  'get the objects of Istio with: kubectl get gateways.networking.istio.io,virtualservices.networking.istio.io,authorizationpolicies.security.istio.io,requestauthentications.security.istio.io,peerauthentications.security.istio.io,telemetries.telemetry.istio.io,envoyfilters.networking.istio.io,wasmplugins.extensions.istio.io -A -o yaml';

/** The objects in some files. It throws Foreign if the files contain no object of Istio. */
export const istioLive = perFiles((files): KubeFiles => {
  const found = kubeFiles(files, ASK);
  if (!found.objects.some((it) => groupOf(it).endsWith('.istio.io'))) {
    const [other] = found.objects;
    throw new Foreign(`no object of Istio${other ? `, but ${objectTitle(other)}` : ''}; ${ASK}`);
  }
  return found;
});

/** Matches patterns that have a `*` other than in `/*` at the end, or no slash at the beginning. */
const NON_CANONICAL_PATTERN = /^[^/]|\*.|[^/]\*$/;

/** Reads paths from Istio's patterns. */
const pathsOf = (patterns: readonly string[], title: string): readonly Path[] =>
  pathsIn(
    patterns,
    (it) =>
      NON_CANONICAL_PATTERN.test(it) ? undefined : it.endsWith('*') ? { below: it.slice(0, -2) } : { exact: it },
    (it) => unreadable(title, `a policy cannot have the path ${it}`),
  );

function pathOf(patterns: readonly string[], not: readonly string[], title: string): Path {
  const [own, ...more] = pathsOf(patterns, title);
  if (own === undefined || more.length > 0) throw unreadable(title, 'a rule must have exactly one path');
  if ('prefix' in own) return { prefix: own.prefix, except: pathsOf(not, title) };
  if (not.length > 0) throw unreadable(title, 'a path with exceptions must be a prefix');
  return own;
}

type Says = Pick<MeshRule, 'who' | 'agent' | 'alone' | 'asserted'>;

/** The callers that the conditions allow, and the assertion that they need. There is one entry for each role. */
function saysOf(conditions: readonly Condition[], title: string): readonly Says[] {
  const about = (name: string) => conditions.filter(({ key }) => key === claim(name));
  const [agents, alones] = [about('agent'), about(ALONE)];
  const [agent, alone] = [agents[0], alones[0]];
  if (agents.length > 1 || alones.length > 1) throw unreadable(title, 'two conditions on one agent');
  const rest = conditions.filter((it) => it !== agent && it !== alone);
  const people = peopleOf(rest, title);
  const named = agent === undefined ? undefined : agentOf(agent, title);
  if (alone !== undefined) {
    const entire = typeof named === 'string' && alone.notValues === undefined && alone.values?.join() === IS_ALONE;
    if (!entire) throw unreadable(title, 'a condition for an agent alone must name the agent');
  }
  return people.map((it) => ({
    ...it,
    ...(agent && { agent: named as string | null }),
    ...(alone && { alone: true }),
  }));
}

function agentOf({ values, notValues }: Condition, title: string): string | null {
  if (values === undefined && notValues?.join() === '*') return null;
  const [name, ...more] = notValues === undefined ? (values ?? []) : [];
  if (name === undefined || more.length > 0 || name.includes('*'))
    throw unreadable(title, 'a rule names one agent, or excludes all');
  return name;
}

function peopleOf(when: readonly Condition[], title: string): readonly Omit<Says, 'agent' | 'alone'>[] {
  if (when.length === 0) return [{ who: { kind: 'anyone' } }];
  if (when.some(({ notValues }) => notValues !== undefined)) throw unreadable(title, 'a condition is negative');
  const values = new Map(when.map(({ key, values }) => [key, values]));
  const some = (name: string): readonly string[] | undefined => {
    const found = values.get(claim(name));
    if (found?.some((it) => /^\*|\*$/.test(it))) throw unreadable(title, `${claim(name)} must not have a pattern`);
    return found;
  };
  const one = (name: string): string | undefined => {
    const found = some(name);
    if (found !== undefined && found.length !== 1) throw unreadable(title, `${claim(name)} needs one value`);
    return found?.[0];
  };
  const [iss, aud, as, roles] = [one('iss'), one('aud'), one('as'), some('roles')];
  const count = roles === undefined ? 3 : 4;
  if (iss === undefined || aud === undefined || as === undefined || when.length !== count || values.size !== count)
    throw unreadable(title, 'a rule needs conditions on issuer, audience and identity of the assertion');
  const asserted = istioAssertedText(as, aud, iss);
  if (roles === undefined) return [{ who: { kind: 'authenticated' }, asserted }];
  return roles.map((role) => ({ who: { kind: 'role', role }, asserted }));
}

/** Rejects empty lists. For Istio an empty list is no condition; in a policy such a rule would allow nothing. */
function checkLists(value: unknown, title: string): void {
  if (value === null || (Array.isArray(value) && value.length === 0))
    throw unreadable(title, 'a list is empty, and Istio reads it as no condition');
  if (typeof value !== 'object') return;
  for (const it of Object.values(value)) checkLists(it, title);
}

/** Reads a rule of Istio as one rule for each role. The rules have no ids. */
function readRule(
  rule: IstioRule,
  workload: readonly [string, string] | undefined,
  title: string,
): readonly MeshRule[] {
  checkMembers(rule, ['from', 'to', 'when'], title);
  const [from, to] = [rule.from?.[0]?.source, rule.to?.[0]?.operation];
  const principal = from?.principals?.[0];
  if (from === undefined || to === undefined || rule.from.length !== 1 || rule.to.length !== 1)
    throw unreadable(title, 'a rule must have exactly one source and one operation');
  for (const it of rule.from) checkMembers(it, ['source'], title);
  for (const it of rule.to) checkMembers(it, ['operation'], title);
  for (const it of rule.when ?? []) checkMembers(it, ['key', 'values', 'notValues'], title);
  checkMembers(from, ['principals'], title);
  checkMembers(to, ['methods', 'paths', 'notPaths', workload === undefined ? 'hosts' : 'ports'], title);
  if (principal === undefined || from.principals.length !== 1 || /\*/.test(principal))
    throw unreadable(title, 'a rule must have exactly one principal');
  const { hosts = [], ports, methods, paths = [], notPaths = [] } = to;
  if (ports !== undefined && (ports.length !== 1 || !/^[1-9]\d{0,4}$/.test(String(ports[0]))))
    throw unreadable(title, 'a rule must have exactly one port, or none');
  if (methods?.some((method) => !/^[A-Z]+$/.test(method))) throw unreadable(title, 'a method is not a name');
  const routed = workload ? workloadHost(...workload, ports?.[0]) : ruleHost(hosts);
  const plain = hosts.length === 1 || (hosts.length === 2 && hosts[1] === `${hosts[0]}:*`);
  if (workload === undefined && (!plain || hosts[0]?.includes('*')))
    throw unreadable(title, 'its hosts are not of one service');
  const path = pathOf(paths, notPaths, title);
  const unnamed = { id: '', route: '', path, ...(methods !== undefined && { methods }) };
  const all = saysOf(rule.when ?? [], title);
  // Without this error, the rule would not be compared with anything, although Istio may allow anything by it.
  if (all.length === 0) throw unreadable(title, 'a rule allows nothing');
  return all.map((says) => meshRule(ISTIO_FILE, unnamed, { host: routed, as: `spiffe://${principal}` }, says));
}

/** The ids of the policy's rules, if the annotation has one id for each rule. */
function idsOf({ metadata }: LiveObject, count: number): readonly string[] {
  try {
    const ids: unknown = JSON.parse(metadata.annotations?.[RULE_IDS] ?? '');
    if (Array.isArray(ids) && ids.length === count && ids.every((it) => typeof it === 'string')) return ids;
  } catch {
    // Without a readable annotation, the rules are read in the same way but have no ids.
  }
  return Array.from({ length: count }, (_, index) => `${metadata.namespace}/${metadata.name}#${index + 1}`);
}

/** Istio accepts any spelling of a boolean in this annotation. meshgate does not render it. */
const DRY_RUN = 'istio.io/dry-run';

function readPolicy(object: LiveObject, layer: ReturnType<ReturnType<typeof layersOf>>): readonly MeshRule[] {
  const title = objectTitle(object);
  const { action = 'ALLOW', rules = [] } = (object.spec ?? {}) as {
    readonly action?: string;
    readonly rules?: readonly IstioRule[];
  };
  if (action !== 'ALLOW') throw unreadable(title, 'its action is not ALLOW');
  if (object.metadata.annotations?.[DRY_RUN] !== undefined) throw unreadable(title, 'it is a dry run');
  const { namespace = '', name } = object.metadata;
  for (const rule of rules) checkLists(rule, title);
  const workload = layer === 'workload' ? ([namespace, name] as const) : undefined;
  const read = joined(rules, (why) => unreadable(title, why)).flatMap(({ rule, tools }) =>
    readRule(rule, workload, title).map((it) => (tools === undefined ? it : { ...it, tools })),
  );
  const ids = idsOf(object, read.length);
  return read.map((rule, index) => {
    const id = ids[index] ?? '';
    return { ...rule, id, route: id.slice(0, id.lastIndexOf('#')) };
  });
}

/** Reads rendered or live objects as rules, reduced to what Istio can express: first the rules of the ingress, then
 * those of the workloads; see {@link project}. Objects of other owners are left out.
 * @throws Error for rules that meshgate did not render */
export function rulesInIstio(objects: readonly LiveObject[], owner: string): readonly MeshRule[] {
  const layerOf = layersOf(owner);
  const policies = objects.filter((it) => it.kind === 'AuthorizationPolicy');
  return (['ingress', 'workload'] as const).flatMap((layer) =>
    policies.filter((it) => layerOf(it) === layer).flatMap((it) => readPolicy(it, layer)),
  );
}

/** Reads YAML documents, or output of `kubectl get -o yaml`, back as rules; see {@link rulesInIstio}. */
export const readIstio = (files: Files, owner: string = DEFAULT_OWNER): readonly MeshRule[] =>
  rulesInIstio(istioLive(files).objects, owner);
