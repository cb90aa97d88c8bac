import { commented, type Directive, key, line, literal, map, regex, template, variable } from './directive.ts';
import type { Module } from './grpc.ts';
import type { Scene } from './scene.ts';
import { hasSessions } from './session.ts';

/**
 * Headers of a service's answer that are not the service's to say, on every host. Browsers clear the cookies of a whole
 * site where one host says so. Of two lines about TLS they read the first.
 */
export function hiddenHeaders(scene: Scene, module: Module): readonly Directive[] {
  const names = [
    ...(hasSessions(scene) ? ['Clear-Site-Data'] : []),
    ...(scene.policy.gateway.hsts ? ['Strict-Transport-Security'] : []),
  ];
  return names.map((name) => line(`${module}_hide_header`, name));
}

/** The scope of a service worker is the folder of its script, where browsers sign in: no service widens it. */
export const hiddenScope = (module: Module): Directive => line(`${module}_hide_header`, 'Service-Worker-Allowed');

/** What a service may have browsers clear. */
export const clearedBeside = (scene: Scene): readonly Directive[] =>
  hasSessions(scene) ? [line('add_header', 'Clear-Site-Data', variable('meshgate_cleared'), 'always')] : [];

/** What is left of a service's wish without cookies, which are the gateway's too. For all (`"*"`), what clears its own data. */
export const clearedMaps = (scene: Scene): readonly Directive[] =>
  hasSessions(scene)
    ? [
        commented(
          'What a service has browsers clear: anything but cookies.',
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
