import { hasSeveralMeshes, meshesOf } from '../../policy/checked/ingresses.ts';
import type { Gateway, Ingress, Mesh, Policy } from '../../policy/checked/types.ts';
import { factText } from '../../policy/facts/describe.ts';
import type { Rule } from '../types.ts';
import { headerChanges } from './header-diff.ts';
import { type DefinitionChange, type Named, type Part, parts, section, sides } from './parts.ts';
import { hostChanges, routeChanges } from './place-changes.ts';
import { effectOf, madeOf } from './role-changes.ts';

export function roleChanges(before: Policy, after: Policy): readonly DefinitionChange[] {
  const compare = (old: Policy['roles'][string], fresh: Policy['roles'][string]): Part[] => {
    const [was, is] = [factText(old.fact), factText(fresh.fact)];
    const effect = effectOf(old.fact, fresh.fact);
    const facts = was === is ? [] : [{ before: was, after: is, ...(effect && { effect }) }];
    return [...facts, ...parts(old, fresh, ['fact'])];
  };
  const found = section('role', before.roles, after.roles, ({ fact }) => factText(fact), compare);
  const made = madeOf(after);
  return found.map((change) => ({ ...change, affects: [...made(change.name)] }));
}

/** Adds the rules that name a role of both policies, directly or through another role. */
function withRules(change: DefinitionChange, rules: readonly Rule[]): DefinitionChange {
  if (change.before === undefined || change.after === undefined) return change;
  const roles = [change.name, ...change.affects];
  return {
    ...change,
    rules: rules.flatMap(({ id, who }) => (who.kind === 'role' && roles.includes(who.role) ? [id] : [])),
  };
}

/** Returns providers whose tokens the gateway now verifies, or asks about, in another way. */
function providerChanges(before: Policy, after: Policy): readonly DefinitionChange[] {
  const entire = ({ issuer, audiences, client }: Policy['providers'][string]) =>
    [
      `issuer ${issuer}`,
      ...(audiences.length === 0 ? [] : [`audiences ${audiences.join(', ')}`]),
      ...(client === undefined ? [] : [`client ${client.id}`]),
    ].join(', ');
  return section('provider', before.providers, after.providers, entire);
}

const gatewayKeys = ({ limits, session, sessionRoom, ...rest }: Gateway): Named => ({
  ...rest,
  ...(session && { session: { ...session, ...sessionRoom } }),
  limits,
});

type Known = Policy['agents'][string];

/** Quotes an id unless it is a plain word: providers choose ids, which could look like another part of the text. */
const quoted = (id: string): string => (/^[\w.:/@+~-]+$/.test(id) ? id : JSON.stringify(id));

/** Returns the text of an agent's `match`. Different matches never have the same text. */
export function matchText({ match }: Known): string {
  if (match.kind === 'claim') return factText(match.fact);
  if (match.kind === 'service') return `service ${match.service}`;
  const mark = match.kind === 'client' ? `client_id ${quoted(match.client)}` : match.spiffe;
  return match.provider === undefined ? mark : `${mark} of ${match.provider}`;
}

/** Returns agents whose match, longest actor chain, binding or budget changed. `diff` compares their people. */
function agentChanges(before: Policy, after: Policy): readonly DefinitionChange[] {
  const known = (agent: Known) => ({ ...agent, match: matchText(agent) });
  const entire = (agent: Known) =>
    [
      matchText(agent),
      ...(agent.actsFor.length === 0 ? [] : [`acts for ${agent.actsFor.join(', ')}`, `hops ${agent.hops}`]),
      ...(agent.alone ? ['alone'] : []),
      ...(agent.bound === undefined ? [] : [`bound ${agent.bound}`]),
    ].join(', ');
  const compare = (a: Known, b: Known) => parts(known(a), known(b), ['actsFor', 'alone']);
  return section('agent', before.agents, after.agents, entire, compare);
}

/** Whether a token can match both agents, so that their order decides. A token that names two clients is rejected. */
function canBeBoth({ match: one }: Known, { match: other }: Known): boolean {
  if (one.kind === 'service' || other.kind === 'service') return false;
  return one.kind === 'claim' || one.kind !== other.kind;
}

/** Returns agents whose order changed, if a token can match several of them. */
function agentOrderChanges(before: Policy, after: Policy): readonly DefinitionChange[] {
  const was = Object.values(before.agents).filter(({ name }) => Object.hasOwn(after.agents, name));
  const names = Object.keys(after.agents);
  const fresh = ({ name }: Known): Known => after.agents[name] as Known;
  const decides = (one: Known, other: Known): boolean => canBeBoth(one, other) || canBeBoth(fresh(one), fresh(other));
  const isSwapped = (one: Known, later: Known): boolean => names.indexOf(later.name) < names.indexOf(one.name);
  return was.flatMap((agent, place) => {
    const swapped = was.slice(place + 1).filter((later) => isSwapped(agent, later) && decides(agent, later));
    return swapped.map(({ name }): DefinitionChange => {
      const places = { before: `before ${name}`, after: `after ${name}` };
      return { section: 'agent', name: agent.name, key: 'order', ...places, affects: [] };
    });
  });
}

/** Returns parts of all meshes by name. If the policy has several meshes, the name of the mesh comes first. */
function ofMeshes<T>(policy: Policy, parts: (mesh: Mesh) => Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  const before = (mesh: Mesh) => (hasSeveralMeshes(policy) ? `${mesh.name}/` : '');
  const all = meshesOf(policy).flatMap((mesh) =>
    Object.entries(parts(mesh)).map(([key, it]): [string, T] => [before(mesh) + key, it]),
  );
  return Object.fromEntries(all);
}

/** Returns the ingresses by name. The ingress `default` gets the name `ingress`. */
const ingressList = (policy: Policy): Readonly<Record<string, Ingress>> =>
  ofMeshes(policy, ({ ingresses }) =>
    Object.fromEntries(Object.entries(ingresses).map(([key, it]) => [key === 'default' ? 'ingress' : key, it])),
  );

/** The gateway's own name, which is a key. In other definitions, the name stands before the definition. */
const ownName = ({ name: was }: Gateway, { name: is }: Gateway): readonly Part[] =>
  was === is ? [] : [{ key: 'name', ...sides(was, is) }];

const gatewayChanges = ({ gateway: before }: Policy, { gateway: after }: Policy): readonly DefinitionChange[] =>
  [...ownName(before, after), ...parts(gatewayKeys(before), gatewayKeys(after))].map(
    (part): DefinitionChange => ({ section: 'gateway', name: 'gateway', ...part, affects: [] }),
  );

/** The address of an ingress. Without one, nginx connects to the workloads of Linkerd themselves. */
const addressOf = ({ host, port }: Ingress) => (host === '' && port === 0 ? {} : { address: `${host}:${port}` });

const knownIngress = (ingress: Ingress): Named => {
  const { host: _, port: __, mesh: ___, ...rest } = ingress;
  return { ...addressOf(ingress), ...rest };
};

function meshChanges(before: Policy, after: Policy): readonly DefinitionChange[] {
  const all = ({ meshes, mesh }: Policy) => meshes ?? (mesh && { mesh }) ?? {};
  const but = ['ingress', 'ingresses', 'others', 'identities'];
  const entire = ({ kind, trustDomain }: Mesh) => `kind ${kind}, trust_domain ${trustDomain}`;
  return section<Mesh>('mesh', all(before), all(after), entire, (a, b) => parts(a, b, but));
}

/** Returns the changes in all other definitions that rules depend on, section by section. */
export function definitionChanges(
  before: Policy,
  { policy: after, rules }: { readonly policy: Policy; readonly rules: readonly Rule[] },
): readonly DefinitionChange[] {
  const ingressText = (ingress: Ingress) => {
    const { address } = addressOf(ingress);
    return `${address === undefined ? '' : `address ${address}, `}ca_file ${ingress.caFile}`;
  };
  const identities = (policy: Policy) => ofMeshes(policy, (mesh) => mesh.identities);
  return [
    ...gatewayChanges(before, after),
    ...providerChanges(before, after),
    ...hostChanges(before, after),
    ...roleChanges(before, after).map((change) => withRules(change, rules)),
    ...agentChanges(before, after),
    ...agentOrderChanges(before, after),
    ...meshChanges(before, after),
    ...section('ingress', ingressList(before), ingressList(after), ingressText, (a, b) =>
      parts(knownIngress(a), knownIngress(b)),
    ),
    ...section(
      'identity',
      identities(before),
      identities(after),
      ({ spiffe }) => spiffe,
      (a, b) => parts(a, b, ['mesh']),
    ),
    ...section('team', before.teams ?? {}, after.teams ?? {}, ({ file }) => `file ${file}`),
    ...section('service', before.services, after.services, ({ authority }) => `authority ${authority}`),
    ...routeChanges(before, after),
    ...headerChanges(before, after).map(({ on, ...rest }) => ({ section: 'header' as const, ...rest, affects: on })),
  ];
}
