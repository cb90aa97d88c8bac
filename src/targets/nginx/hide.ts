import { commented, type Directive, key, line, literal, map, regex, template, variable } from './directive.ts';
import type { Module } from './module.ts';
import type { Scene } from './scene.ts';
import { hasSessions } from './session.ts';

/** Response headers that services must not set, on every host. For example, browsers clear the cookies of a whole site
 * if one host asks for it. Of two lines about TLS they read the first. */
export function hiddenHeaders(scene: Scene, module: Module): readonly Directive[] {
  const names = [
    ...(hasSessions(scene) ? ['Clear-Site-Data'] : []),
    ...(scene.policy.gateway.hsts ? ['Strict-Transport-Security'] : []),
  ];
  return names.map((name) => line(`${module}_hide_header`, name));
}

/** The scope of a service worker is the folder of its script on hosts where people sign in; a service cannot widen
 * it. */
export const hiddenScope = (module: Module): Directive => line(`${module}_hide_header`, 'Service-Worker-Allowed');

/** What a service may have browsers clear. */
export const clearedBeside = (scene: Scene): readonly Directive[] =>
  hasSessions(scene) ? [line('add_header', 'Clear-Site-Data', variable('meshgate_cleared'), 'always')] : [];

/** The service's request without cookies, because they include the gateway's. For all (`"*"`): everything of the
 * service's own. */
export const clearedMaps = (scene: Scene): readonly Directive[] =>
  hasSessions(scene)
    ? [
        commented(
          'Clear-Site-Data of services: everything except cookies.',
          map(variable('upstream_http_clear_site_data'), 'meshgate_cleared', [
            [key(''), literal('')],
            ['default', variable('upstream_http_clear_site_data')],
            [regex('~', '\\*'), literal('"cache", "storage"')],
            [regex('~*', 'cookies.*cookies'), literal('')],
            [
              regex('~*', '^(?<meshgate_cleared_0>.*)"cookies"(?<meshgate_cleared_1>.*)$'),
              template(variable('meshgate_cleared_0'), variable('meshgate_cleared_1')),
            ],
            [regex('~*', 'cookies'), literal('')],
          ]),
        ),
      ]
    : [];

/** Makes browsers use only TLS for a host, in every response of its server; no level below drops it. */
export function strictTransport({ policy }: Scene): readonly Directive[] {
  const { hsts } = policy.gateway;
  if (hsts === undefined) return [];
  const value = `max-age=${hsts.maxAge}${hsts.subdomains ? '; includeSubDomains' : ''}`;
  return [
    line('add_header', 'Strict-Transport-Security', literal(value), 'always'),
    line('add_header_inherit', 'merge'),
  ];
}
