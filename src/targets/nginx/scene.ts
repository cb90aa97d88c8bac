import type { HeaderSource, Host, Identity, Policy, Route, Service } from '../../policy/types.ts';
import { answerSize } from '../../rules/answer-size.ts';
import { headerNames, spelled } from '../../rules/table.ts';
import type { Rule } from '../../rules/types.ts';
import type { NginxOptions } from './options.ts';

/** A route with what rendering asks of it again and again. */
export interface SceneRoute {
  readonly route: Route;
  readonly service: Service;
  /** Mesh identities that its rules can yield; empty for a service that is reached directly. */
  readonly identities: readonly Identity[];
  /** Identity headers it sets: indexes into the scene's header names, and where each value comes from. */
  readonly headers: readonly { readonly index: number; readonly source: HeaderSource }[];
}

export interface SceneHost {
  readonly host: Host;
  readonly routes: readonly SceneRoute[];
}

/** Everything the renderer looks at, resolved once. */
export interface Scene {
  readonly policy: Policy;
  readonly options: NginxOptions;
  readonly resolver: readonly string[];
  readonly headerNames: readonly string[];
  /** Bytes of the buffer for an answer of the check. */
  readonly answerSize: number;
  readonly hosts: readonly SceneHost[];
  /** Identities that some rule yields, in the policy's order. */
  readonly identities: readonly Identity[];
  /** Direct services that some route asks. */
  readonly direct: readonly Service[];
}

function sceneRoute(policy: Policy, rules: readonly Rule[], names: readonly string[], route: Route): SceneRoute {
  const service = policy.services[route.service];
  if (service === undefined) throw new Error(`nginx: route ${route.name} asks an undefined service`);
  const yielded = new Set(rules.filter((rule) => rule.route === route.name).map((rule) => rule.as));
  return {
    route,
    service,
    identities:
      service.direct === undefined
        ? Object.values(policy.mesh?.identities ?? {}).filter((identity) => yielded.has(identity.name))
        : [],
    headers: Object.entries(spelled(route.headers, names)).map(([name, source]) => ({
      index: names.indexOf(name),
      source,
    })),
  };
}

/** Resolves what the renderer needs of a policy. */
export function toScene(policy: Policy, rules: readonly Rule[], options: NginxOptions): Scene {
  const names = headerNames(policy);
  const hosts = policy.hosts.map((host) => ({
    host,
    routes: host.routes.map((route) => sceneRoute(policy, rules, names, route)),
  }));
  const routes = hosts.flatMap((host) => host.routes);
  return {
    policy,
    options,
    resolver: policy.gateway.resolver.length > 0 ? policy.gateway.resolver : options.resolver,
    headerNames: names,
    answerSize: answerSize(policy, rules),
    hosts,
    identities: Object.values(policy.mesh?.identities ?? {}).filter((identity) =>
      routes.some((route) => route.identities.includes(identity)),
    ),
    direct: Object.values(policy.services).filter(
      (service) => service.direct !== undefined && routes.some((route) => route.service === service),
    ),
  };
}
