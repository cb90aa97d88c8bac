import { identitiesOf, ingressesFor, meshOf } from '../../policy/checked/ingresses.ts';
import type {
  Cors,
  HeaderSource,
  Host,
  Identity,
  Ingress,
  IngressChoice,
  Mesh,
  Policy,
  Route,
  Service,
} from '../../policy/checked/types.ts';
import { workloadOf } from '../../policy/checked/workload.ts';
import { digestOf, policyText } from '../../rules/digest.ts';
import { answerSize } from '../../rules/table/answer-size.ts';
import { headerNames, spelled } from '../../rules/table/table.ts';
import type { Rule } from '../../rules/types.ts';
import type { NginxOptions } from './options.ts';
import type { UpstreamOwner } from './text/names.ts';

/** The ingresses that share upstreams: the only one of a service, or several between which nginx chooses. All have the
 * same CA and the same name in their certificates. */
export interface Ingresses {
  /** What the upstreams are named after. */
  readonly owner: UpstreamOwner;
  readonly all: readonly [Ingress, ...Ingress[]];
  /** How nginx chooses. Absent for an only ingress: nginx then never tries another address. */
  readonly choices?: readonly IngressChoice[];
  /** Set if nginx connects to the workloads of a service themselves, and there is no ingress. */
  readonly isWorkload?: true;
}

/** The service that receives the requests of one rule, and the certificate with which nginx connects. */
export interface RuleTarget {
  /** The id of the rule. */
  readonly rule: string;
  readonly service: Service;
  /** All three are absent for a service without a mesh. */
  readonly mesh?: Mesh;
  readonly identity?: Identity;
  readonly ingresses?: Ingresses;
  /** The name and the CA to verify the certificate of the other side; absent for plain HTTP. */
  readonly tls?: { readonly name: string; readonly ca: string };
}

/** A route, with values that the renderer needs repeatedly. */
export interface RouteContext {
  readonly route: Route;
  readonly service: Service;
  /** The services of its rules. Usually there is one. */
  readonly services: readonly Service[];
  /** The destination of each rule. */
  readonly targets: readonly RuleTarget[];
  /** The mesh identities that its rules can have. Empty if no service is in the mesh. */
  readonly identities: readonly Identity[];
  /** The identity headers that the route sends: the index among the scene's header names, and the source of the
   * value. */
  readonly headers: readonly { readonly index: number; readonly source: HeaderSource }[];
  /** Whether the route leads only to the ingress of its host. */
  readonly sharesTls: boolean;
  /** The index of its `cors` among those of the scene. */
  readonly cors?: number;
}

export interface HostContext {
  readonly host: Host;
  /** The ingress whose TLS settings are around all routes that lead only to it. */
  readonly ingress?: Ingress;
  readonly routes: readonly RouteContext[];
  /** Whether people sign in at this host: a route accepts sessions, or it is the sign-in host. */
  readonly sessions: boolean;
  /** Whether a route passes a service's own credential on. */
  readonly passes: boolean;
}

/** The input of the renderer. It is computed once. */
export interface Context {
  readonly policy: Policy;
  /** The compiled policy as text, and its digest. */
  readonly compiled: string;
  readonly digest: string;
  readonly options: NginxOptions;
  readonly resolver: readonly string[];
  readonly headerNames: readonly string[];
  /** For each header name, the source of the value if all routes use the same source; otherwise undefined. */
  readonly sharedSources: readonly (HeaderSource | undefined)[];
  /** The size in bytes of the buffer for the check's response. */
  readonly answerSize: number;
  readonly hosts: readonly HostContext[];
  /** The sign-in host, if it is not one of the policy's hosts. It has no service. */
  readonly signinHost?: HostContext;
  /** The identities that a rule uses, in the order of the policy. */
  readonly identities: readonly Identity[];
  /** The ingresses to which routes lead, by protocol, with the identities of these connections. */
  readonly ingresses: readonly {
    readonly ingresses: Ingresses;
    readonly protocol?: Service['protocol'];
    readonly identities: readonly Identity[];
  }[];
  /** The services without a mesh to which routes lead. */
  readonly direct: readonly Service[];
  /** All different `cors` settings of the routes. */
  readonly cors: readonly Cors[];
  /** The compiled rules. */
  readonly rules: readonly Rule[];
}

/** The hosts of a policy, and its sign-in host if that is another one. */
export const allHosts = ({ hosts, signinHost }: Pick<Context, 'hosts' | 'signinHost'>): readonly HostContext[] =>
  signinHost === undefined ? hosts : [...hosts, signinHost];

/** The name and the CA to verify the certificate of a service, or of its ingress. */
function verifiedBy({ direct }: Service, ingress: Ingress | undefined, options: NginxOptions): RuleTarget['tls'] {
  if (direct?.tls === false) return undefined;
  const { serverName, caFile } = direct ?? ingress ?? {};
  return { name: serverName ?? '', ca: caFile ?? options.systemCa };
}

/** The ingresses of each service in the mesh. Services with equal ingresses have the same object. */
function ingressesOf(policy: Policy): ReadonlyMap<Service, Ingresses> {
  const shared = new Map<string, Ingresses>();
  return new Map(
    Object.values(policy.services).flatMap((service) => {
      const mesh = meshOf(policy, service);
      if (mesh === undefined) return [];
      const { name, ingresses: choices } = service;
      const workload = workloadOf(mesh, service);
      if (workload !== undefined) return [[service, { owner: { workload: name }, all: [workload], isWorkload: true }]];
      const all = allOf(mesh, service);
      const [{ name: ingress, mesh: of }] = all;
      const key = JSON.stringify([mesh.name, choices ?? ingress]);
      const own: Ingresses = choices
        ? { owner: { service: name }, all, choices }
        : { owner: { ingress, ...(of !== undefined && { mesh: of }) }, all: [all[0]] };
      shared.set(key, shared.get(key) ?? own);
      return [[service, shared.get(key) as Ingresses]];
    }),
  );
}

function allOf(mesh: Mesh, service: Service): Ingresses['all'] {
  const names = service.ingresses?.map(({ name }) => name) ?? service.ingress ?? [];
  if ([names].flat().some((name) => mesh.ingresses[name] === undefined))
    throw new Error(`nginx: service ${service.name} is reached through an undefined ingress`);
  return ingressesFor(mesh, service);
}

/** Whether people sign in at a host: one of its routes accepts sessions, or it is the sign-in host. */
const takesSessions = ({ gateway: { session, signin } }: Policy, { name, routes }: Host): boolean =>
  session !== undefined && (name === signin?.host || routes.some(({ accept }) => accept.includes('session')));

/** The sign-in host as a host without routes; undefined if it is one of the policy's hosts, or if there is none. */
export function signinHostOf({ gateway, hosts }: Policy): Host | undefined {
  const { session, signin } = gateway;
  const name = signin?.host;
  if (session === undefined || name === undefined || hosts.some((host) => host.name === name)) return undefined;
  const at = { file: hosts[0]?.at.file ?? '', line: 1, column: 1 };
  return { name, providers: [], routes: [], at, ...(signin?.tls && { tls: signin.tls }) };
}

const PROTOCOLS = [undefined, 'http2', 'grpc'] as const;

const same = (a: Cors, b: Cors): boolean => JSON.stringify(a) === JSON.stringify(b);

/** All different `cors` settings of the routes. */
function distinctCors({ hosts }: Policy): readonly Cors[] {
  const all = hosts.flatMap(({ routes }) => routes.flatMap(({ cors }) => (cors === undefined ? [] : [cors])));
  return all.filter((cors, i) => all.findIndex((other) => same(other, cors)) === i);
}

/** What all routes of a policy share. */
interface Shared extends Pick<Context, 'policy' | 'rules' | 'options' | 'cors'> {
  readonly names: readonly string[];
  readonly doors: ReadonlyMap<Service, Ingresses>;
}

function routeContext(shared: Shared, route: Route): Omit<RouteContext, 'sharesTls'> {
  const { policy, rules, options, names, doors: ingressList } = shared;
  const { cors } = route;
  const named = (name: string): Service => {
    const service = policy.services[name];
    if (service === undefined) throw new Error(`nginx: route ${route.name} names an undefined service`);
    return service;
  };
  const targets = rules
    .filter((rule) => rule.route === route.name)
    .map((rule): RuleTarget => {
      const service = named(rule.service);
      const mesh = meshOf(policy, service);
      const identity = mesh?.identities[rule.as];
      const ingresses = mesh && ingressList.get(service);
      const tls = verifiedBy(service, ingresses?.all[0], options);
      return {
        rule: rule.id,
        service,
        ...(mesh && identity && ingresses && { mesh, identity, ingresses }),
        ...(tls && { tls }),
      };
    });
  return {
    route,
    service: named(route.service),
    services: [...new Set(targets.map(({ service }) => service))],
    targets,
    identities: identitiesOf(policy).filter((identity) => targets.some((target) => target.identity === identity)),
    headers: Object.entries(spelled(route.headers, names)).map(([name, source]) => ({
      index: names.indexOf(name),
      source,
    })),
    ...(cors !== undefined && { cors: shared.cors.findIndex((other) => same(other, cors)) }),
  };
}

/** The source of an identity header, if all routes use the same one; otherwise undefined. */
function sharedSource(routes: readonly Pick<RouteContext, 'headers'>[], index: number): HeaderSource | undefined {
  const sources = new Set(routes.map(({ headers }) => headers.find((header) => header.index === index)?.source));
  return sources.size === 1 ? [...sources][0] : undefined;
}

/** Returns the options with the file of the sealed log, if the policy has one. Nothing reads a log in the pod of an ingress
 * controller. */
function withLog({ gateway: { audit } }: Policy, options: NginxOptions): NginxOptions {
  return audit === undefined || options.inController ? options : { ...options, accessLog: audit.log };
}

/** Computes what the renderer needs of a policy. */
export function toContext(policy: Policy, rules: readonly Rule[], options: NginxOptions): Context {
  const compiled = policyText(policy, rules);
  const names = headerNames(policy);
  const cors = distinctCors(policy);
  const shared = { policy, rules, options, names, cors, doors: ingressesOf(policy) };
  const hosts = policy.hosts.map((host) => {
    const made = host.routes.map((route) => routeContext(shared, route));
    const first = ({ ingresses }: RuleTarget): Ingress | undefined =>
      ingresses?.isWorkload ? undefined : ingresses?.all[0];
    const [ingress] = made.flatMap((route) => route.targets.flatMap((target) => first(target) ?? []));
    const routes = made.map((route) => ({
      ...route,
      sharesTls: ingress !== undefined && route.targets.every((target) => first(target) === ingress),
    }));
    const passes = host.routes.some(({ serviceCredential }) => serviceCredential !== undefined);
    return { host, routes, sessions: takesSessions(policy, host), passes, ...(ingress && { ingress }) };
  });
  const signin = signinHostOf(policy);
  const routes = hosts.flatMap((host) => host.routes);
  const targets = routes.flatMap((route) => route.targets);
  const identities = identitiesOf(policy).filter((identity) =>
    routes.some((route) => route.identities.includes(identity)),
  );
  const seenBy = (ingresses: Ingresses, protocol: Service['protocol']) =>
    identities.filter((identity) =>
      targets.some((it) => it.ingresses === ingresses && it.identity === identity && it.service.protocol === protocol),
    );
  return {
    policy,
    compiled,
    digest: digestOf(compiled),
    options: withLog(policy, options),
    resolver: policy.gateway.resolver.length > 0 ? policy.gateway.resolver : options.resolver,
    headerNames: names,
    sharedSources: names.map((_, index) => sharedSource(routes, index)),
    answerSize: answerSize(policy, rules),
    hosts,
    ...(signin && { signinHost: { host: signin, routes: [], sessions: true, passes: false } }),
    identities,
    ingresses: [...new Set(targets.flatMap(({ ingresses }) => ingresses ?? []))].flatMap((ingresses) =>
      PROTOCOLS.flatMap((protocol) => {
        const seen = seenBy(ingresses, protocol);
        return seen.length === 0 ? [] : [{ ingresses, ...(protocol && { protocol }), identities: seen }];
      }),
    ),
    direct: Object.values(policy.services).filter(
      (service) => service.direct !== undefined && routes.some((route) => route.services.includes(service)),
    ),
    cors,
    rules,
  };
}
