import { hasSeveral, hasSeveralMeshes, meshesOf } from '../../../policy/checked/ingresses.ts';
import type { Identity, Mesh, Policy, Service } from '../../../policy/checked/types.ts';
import { clusterAddress } from '../../../policy/checked/workload.ts';
import { DEFAULTS } from '../../../policy/forms/bounds.ts';
import { METHODS } from '../../../policy/forms/scalars.ts';
import type { Context, RouteContext, RuleTarget } from '../render-context.ts';
import {
  type Arg,
  conf,
  type Directive,
  key,
  line,
  literal,
  template,
  type ValuePart,
  variable,
} from '../text/directive.ts';
import { directUpstream, identityVariableOf, ingressUpstream, upstreamVariable } from '../text/names.ts';

const schemeOf = (protocol: Service['protocol'], tls: boolean): string =>
  `${protocol === 'grpc' ? 'grpc' : 'http'}${tls ? 's' : ''}`;

/** The authority of requests to a service, as nginx sends it: for requests of clients and for probes. Linkerd compares
 * hosts with their case, and routes have lower case. */
export const authorityFor = ({ authority }: Service, mesh: Pick<Mesh, 'kind'> | undefined): string =>
  mesh?.kind === 'linkerd' ? authority.toLowerCase() : authority;

/** The fields of a target that nginx needs. */
const FIELDS = {
  service: ({ service }) => service.name,
  authority: ({ service, mesh }) => authorityFor(service, mesh),
  mesh: ({ identity }) => identity?.mesh ?? '',
  ingress: ({ ingresses }) => (ingresses?.isWorkload ? '' : (ingresses?.all.map(({ name }) => name).join(', ') ?? '')),
  pass: ({ service, identity, ingresses }) => {
    const { protocol, direct } = service;
    const scheme = schemeOf(protocol, direct?.tls !== false);
    if (identity && ingresses) return `${scheme}://${ingressUpstream(ingresses.owner, identity.name, protocol)}`;
    return `${scheme}://${directUpstream(service.name)}`;
  },
  destination: ({ service, mesh, ingresses }) =>
    mesh?.kind !== 'linkerd' || ingresses?.isWorkload ? '' : clusterAddress(service),
  name: ({ tls }) => tls?.name ?? '',
  cert: ({ identity }) => identity?.certFile ?? '',
  key: ({ identity }) => identity?.keyFile ?? '',
} as const satisfies Readonly<Record<string, (target: RuleTarget) => string>>;

type Field = keyof typeof FIELDS;

const ruleVariable = (field: Field): ValuePart => variable(`meshgate_rule_${field}`);

/** Whether the rules of a route name several services. Then the rule that allows a request determines its service. */
export const hasChoice = ({ services }: RouteContext): boolean => services.length > 1;

/** The value of a field for a route. If all rules of the route have the same value, the result is a literal. */
export function chosen(route: RouteContext, field: Field): Arg {
  const [value = '', ...others] = new Set(route.targets.map(FIELDS[field]));
  if (others.length === 0) return literal(value);
  if (hasChoice(route)) return ruleVariable(field);
  // All targets have the same service and differ only in their identity, so the first target is enough.
  const { ingresses, identity } = route.targets[0] ?? {};
  if (field === 'pass' && ingresses !== undefined) {
    const { protocol } = route.service;
    return template(`${schemeOf(protocol, true)}://`, variable(upstreamVariable(ingresses.owner, protocol)));
  }
  return field === 'cert' || field === 'key'
    ? variable(identityVariableOf(field, identity?.mesh))
    : ruleVariable(field);
}

/** The maps from the identity to the upstream, certificate and key, if a route has several identities. */
function identityMaps({ hosts, identities, ingresses }: Context): readonly Directive[] {
  const routes = hosts
    .flatMap((host) => host.routes)
    .filter((route) => !hasChoice(route) && route.identities.length > 1);
  if (routes.length === 0) return [];
  const variableOf = ({ ingresses, service }: RuleTarget) =>
    ingresses && upstreamVariable(ingresses.owner, service.protocol);
  const requested = new Set(routes.flatMap(({ targets }) => targets.map(variableOf)));
  const meshes = [...new Set(routes.flatMap((route) => route.identities.map(({ mesh }) => mesh)))];
  // For any other name the value is empty, and nginx refuses to connect.
  const from = (name: string, some: readonly Identity[], value: (identity: Identity) => string) => conf`
    map $meshgate_as ${variable(name)} {
      default "";
      ${some.map((identity) => line(key(identity.name), literal(value(identity))))}
    }
  `;
  const upstreams = ingresses
    .filter(({ ingresses: { owner }, protocol }) => requested.has(upstreamVariable(owner, protocol)))
    .flatMap(({ ingresses: { owner }, protocol, identities: own }) =>
      from(upstreamVariable(owner, protocol), own, ({ name }) => ingressUpstream(owner, name, protocol)),
    );
  return conf`
    # One upstream for each identity: nginx pools connections and TLS sessions by address, not by certificate.
    ${upstreams}
    ${meshes.flatMap((mesh) => {
      const own = identities.filter((identity) => identity.mesh === mesh);
      return [
        ...from(identityVariableOf('cert', mesh), own, ({ certFile }) => certFile),
        ...from(identityVariableOf('key', mesh), own, ({ keyFile }) => keyFile),
      ];
    })}
  `;
}

/** Whether a header names the destination, as Linkerd's proxies in ingress mode need: they do not read `Host`. */
export const namesDestination = (policy: Policy): boolean => meshesOf(policy).some(({ kind }) => kind === 'linkerd');

/** The rules that determine the service of their requests. */
export const choosingRules = ({ hosts }: Context): readonly RuleTarget[] =>
  hosts.flatMap((host) => host.routes.filter(hasChoice)).flatMap(({ targets }) => targets);

/** The maps from the rule to its service, if rules of one route name several services. */
function ruleMaps(context: Context): readonly Directive[] {
  const targets = choosingRules(context);
  if (targets.length === 0) return [];
  const { policy } = context;
  const fields = (Object.keys(FIELDS) as Field[]).filter(
    (field) =>
      (field !== 'mesh' || hasSeveralMeshes(policy)) &&
      (field !== 'ingress' || hasSeveral(policy)) &&
      (field !== 'destination' || namesDestination(policy)),
  );
  const maps = fields.flatMap(
    (field) => conf`
      map $meshgate_rule ${ruleVariable(field)} {
        // This is for the log: if no rule allowed a request, the log names the route's own service.
        default ${field === 'service' ? variable('meshgate_route_service') : ''};
        ${targets.map((target) => line(key(target.rule), literal(FIELDS[field](target))))}
      }
    `,
  );
  return conf`
    # Rules of one route lead to several services: the rule decides.
    ${maps}
  `;
}

/** Whether a service receives the host that the client requested. */
const forwardsHost = ({ services }: Policy): boolean =>
  Object.values(services).some(({ authority }) => authority === '');

/** The variable of the `Host` that a service receives. */
export const hostForService = (policy: Policy): Arg =>
  variable(forwardsHost(policy) ? 'meshgate_to_host' : 'meshgate_authority');

/** The host as clients request it: frameworks compare it, with its port, with the `Origin` of a request. */
function hostMap({ policy }: Context): readonly Directive[] {
  if (!forwardsHost(policy)) return [];
  const port = policy.gateway.publicPort ?? DEFAULTS.publicPort;
  const requested = port === DEFAULTS.publicPort ? variable('host') : template(variable('host'), `:${port}`);
  return conf`
    # The Host for a service: its authority, or else the host that the client requested.
    map $meshgate_authority $meshgate_to_host { "" ${requested}; default $meshgate_authority; }
  `;
}

/** Whether nginx uses another ingress for the requests of a route if the connection to one fails. */
export const hasFailover = ({ targets }: RouteContext): boolean =>
  targets.some(({ ingresses }) => ingresses?.choices !== undefined);

/** The map for methods that nginx does not know to be unsafe, so that it could send them twice. */
function methodMap({ hosts }: Context): readonly Directive[] {
  if (!hosts.some(({ routes }) => routes.some(hasFailover))) return [];
  return conf`
    # Methods that a policy cannot name. For nginx they are idempotent, so it would send them to a second ingress.
    map $request_method $meshgate_odd_method { default 1; ${METHODS.map((method) => line(key(method), literal('')))} }
  `;
}

/** The maps that select the destination of a request. */
export const connectionMaps = (context: Context): readonly Directive[] => [
  ...identityMaps(context),
  ...ruleMaps(context),
  ...hostMap(context),
  ...methodMap(context),
];
