import { type Directive, line, literal } from './directive.ts';
import type { Module } from './grpc.ts';
import type { Scene, SceneHost } from './scene.ts';

/**
 * Headers of a service's answer that are not the service's to say. The scope of a service worker is the folder of its
 * script, where people sign in: no service widens it. Of two lines about TLS browsers read the first.
 */
export function hiddenHeaders({ policy }: Scene, { sessions }: SceneHost, module: Module): readonly Directive[] {
  const names = [
    ...(sessions ? ['Service-Worker-Allowed'] : []),
    ...(policy.gateway.hsts ? ['Strict-Transport-Security'] : []),
  ];
  return names.map((name) => line(`${module}_hide_header`, name));
}

/** That browsers ask for a host over TLS alone, in every answer of its server: no level below drops it. */
export function strictTransport({ policy }: Scene): readonly Directive[] {
  const { hsts } = policy.gateway;
  if (hsts === undefined) return [];
  const value = `max-age=${hsts.maxAge}${hsts.subdomains ? '; includeSubDomains' : ''}`;
  return [
    line('add_header', 'Strict-Transport-Security', literal(value), 'always'),
    line('add_header_inherit', 'merge'),
  ];
}
