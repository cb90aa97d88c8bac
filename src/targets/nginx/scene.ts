import { ingressOf } from '../../policy/ingress.ts';
import type { Cors, HeaderSource, Host, Identity, Ingress, Mesh, Policy, Route, Service } from '../../policy/types.ts';
import { answerSize } from '../../rules/answer-size.ts';
import { headerNames, spelled } from '../../rules/table.ts';
import type { Rule } from '../../rules/types.ts';
import type { NginxOptions } from './options.ts';

/** Where the requests that one rule lets through go, and with which certificate. */
export interface Target {
  /** Id of the rule. */
  readonly rule: string;
  readonly service: Service;
  /** Both absent for a service that is reached directly. */
  readonly identity?: Identity;
  readonly ingress?: Ingress;
  /** What the other side's certificate is verified by; absent for plain HTTP. */
  readonly tls?: { readonly name: string; readonly ca: string };
}

/** A route with what rendering asks of it again and again. */
export interface SceneRoute {
  readonly route: Route;
  readonly service: Service;
  /** Services that its rules name; mostly that one. */
  readonly services: readonly Service[];
  /** Where each of its rules leads. */
  readonly targets: readonly Target[];
  /** Mesh identities that its rules can yield; empty where no service is in the mesh. */
  readonly identities: readonly Identity[];
  /** Identity headers it sets: indexes into the scene's header names, and where each value comes from. */
  readonly headers: readonly { readonly index: number; readonly source: HeaderSource }[];
  /** It leads to its host's ingress alone. */
  readonly sharesTls: boolean;
  /** Its `cors`: an index into the scene's. */
  readonly cors?: number;
}

export interface SceneHost {
  readonly host: Host;
  /** The ingress whose TLS is said once, around all routes that lead to no other. */
  readonly ingress?: Ingress;
  readonly routes: readonly SceneRoute[];
  /** People sign in here: some route takes sessions, or it is the sign-in host. */
  readonly sessions: boolean;
}

/** Everything the renderer looks at, resolved once. */
export interface Scene {
  readonly policy: Policy;
  readonly options: NginxOptions;
  readonly resolver: readonly string[];
  readonly headerNames: readonly string[];
  /** By the same indexes, where the value of a header comes from if all routes send it from there; else undefined. */
  readonly sharedSources: readonly (HeaderSource | undefined)[];
  /** Bytes of the buffer for an answer of the check. */
  readonly answerSize: number;
  readonly hosts: readonly SceneHost[];
  /** Where people sign in for all hosts, if that is none of them: no service is there. */
  readonly signinHost?: SceneHost;
  /** Identities that some rule yields, in the policy's order. */
  readonly identities: readonly Identity[];
  /** Ingresses that some route leads to, by each protocol, with the identities that connect so. */
  readonly ingresses: readonly {
    readonly ingress: Ingress;
    readonly protocol?: Service['protocol'];
    readonly identities: readonly Identity[];
  }[];
  /** Direct services that some route asks. */
  readonly direct: readonly Service[];
  /** Every `cors` that some route has; equal ones are one. */
  readonly cors: readonly Cors[];
}

/** What a service's certificate is verified by, or the ingress's before it. */
function verifiedBy({ direct }: Service, ingress: Ingress | undefined, options: NginxOptions): Target['tls'] {
  if (direct?.tls === false) return undefined;
  const { serverName, caFile } = direct ?? ingress ?? {};
  return { name: serverName ?? '', ca: caFile ?? options.systemCa };
}

function doorOf(mesh: Mesh, service: Service): Ingress {
  const { ingress } = service;
  if (ingress !== undefined && mesh.ingresses[ingress] === undefined) {
    throw new Error(`nginx: service ${service.name} is reached through an undefined ingress`);
  }
  return ingressOf(mesh, service);
}

/** Whether people sign in at a host: some route of it takes sessions, or all hosts' people sign in there. */
function takesSessions({ gateway: { session, signin } }: Policy, { name, routes }: Host): boolean {
  return session !== undefined && (name === signin?.host || routes.some(({ accept }) => accept.includes('session')));
}

/** The sign-in host, as a host without routes; undefined where it is one of the others, or none. */
export function signinHostOf({ gateway, hosts }: Policy): Host | undefined {
  const { session, signin } = gateway;
  const name = signin?.host;
  if (session === undefined || name === undefined || hosts.some((host) => host.name === name)) return undefined;
  const at = { file: hosts[0]?.at.file ?? '', line: 1, column: 1 };
  return { name, providers: [], routes: [], at, ...(signin?.tls && { tls: signin.tls }) };
}

const PROTOCOLS = [undefined, 'http2', 'grpc'] as const;

const same = (a: Cors, b: Cors): boolean => JSON.stringify(a) === JSON.stringify(b);

/** The `cors` of all routes, each once. */
function distinctCors({ hosts }: Policy): readonly Cors[] {
  const all = hosts.flatMap(({ routes }) => routes.flatMap(({ cors }) => (cors === undefined ? [] : [cors])));
  return all.filter((cors, i) => all.findIndex((other) => same(other, cors)) === i);
}

function sceneRoute(
  policy: Policy,
  rules: readonly Rule[],
  options: NginxOptions,
  names: readonly string[],
  all: readonly Cors[],
  route: Route,
): Omit<SceneRoute, 'sharesTls'> {
  const { cors } = route;
  const named = (name: string): Service => {
    const service = policy.services[name];
    if (service === undefined) throw new Error(`nginx: route ${route.name} asks an undefined service`);
    return service;
  };
  const targets = rules
    .filter((rule) => rule.route === route.name)
    .map((rule): Target => {
      const service = named(rule.service);
      const mesh = service.direct === undefined ? policy.mesh : undefined;
      const identity = mesh?.identities[rule.as];
      const ingress = mesh && doorOf(mesh, service);
      const tls = verifiedBy(service, ingress, options);
      return { rule: rule.id, service, ...(identity && ingress && { identity, ingress }), ...(tls && { tls }) };
    });
  return {
    route,
    service: named(route.service),
    services: [...new Set(targets.map(({ service }) => service))],
    targets,
    identities: Object.values(policy.mesh?.identities ?? {}).filter((identity) =>
      targets.some((target) => target.identity === identity),
    ),
    headers: Object.entries(spelled(route.headers, names)).map(([name, source]) => ({
      index: names.indexOf(name),
      source,
    })),
    ...(cors !== undefined && { cors: all.findIndex((other) => same(other, cors)) }),
  };
}

/** Where all routes send an identity header from; undefined if one has another source for it, or does not send it. */
function sharedSource(routes: readonly Pick<SceneRoute, 'headers'>[], index: number): HeaderSource | undefined {
  const sources = new Set(routes.map(({ headers }) => headers.find((header) => header.index === index)?.source));
  return sources.size === 1 ? [...sources][0] : undefined;
}

/** Resolves what the renderer needs of a policy. */
export function toScene(policy: Policy, rules: readonly Rule[], options: NginxOptions): Scene {
  const names = headerNames(policy);
  const cors = distinctCors(policy);
  const hosts = policy.hosts.map((host) => {
    const made = host.routes.map((route) => sceneRoute(policy, rules, options, names, cors, route));
    const [ingress] = made.flatMap((route) => route.targets.flatMap((target) => target.ingress ?? []));
    const sharesTls = (route: Omit<SceneRoute, 'sharesTls'>): boolean =>
      ingress !== undefined && route.targets.every((target) => target.ingress === ingress);
    const routes = made.map((route) => ({ ...route, sharesTls: sharesTls(route) }));
    return { host, routes, sessions: takesSessions(policy, host), ...(ingress && { ingress }) };
  });
  const signin = signinHostOf(policy);
  const routes = hosts.flatMap((host) => host.routes);
  const targets = routes.flatMap((route) => route.targets);
  const identities = Object.values(policy.mesh?.identities ?? {}).filter((identity) =>
    routes.some((route) => route.identities.includes(identity)),
  );
  const seenBy = (ingress: Ingress, protocol: Service['protocol']) =>
    identities.filter((identity) =>
      targets.some((it) => it.ingress === ingress && it.identity === identity && it.service.protocol === protocol),
    );
  return {
    policy,
    options,
    resolver: policy.gateway.resolver.length > 0 ? policy.gateway.resolver : options.resolver,
    headerNames: names,
    sharedSources: names.map((_, index) => sharedSource(routes, index)),
    answerSize: answerSize(policy, rules),
    hosts,
    ...(signin && { signinHost: { host: signin, routes: [], sessions: true } }),
    identities,
    ingresses: [...new Set(targets.flatMap(({ ingress }) => ingress ?? []))].flatMap((ingress) =>
      PROTOCOLS.flatMap((protocol) => {
        const seen = seenBy(ingress, protocol);
        return seen.length === 0 ? [] : [{ ingress, ...(protocol && { protocol }), identities: seen }];
      }),
    ),
    direct: Object.values(policy.services).filter(
      (service) => service.direct !== undefined && routes.some((route) => route.services.includes(service)),
    ),
    cors,
  };
}
