import { conf, type Directive, line } from './directive.ts';
import type { Module } from './module.ts';
import type { Scene } from './scene.ts';
import { hasSessions } from './session.ts';

/** The response header with the ids of the trace (W3C Trace Context). Its value has the form of `traceparent`. */
const TRACE = 'traceresponse';

/** Response headers that services must not send, on any host. For example, a browser clears the cookies of a whole site
 * if one host asks for it. If a response has two `Strict-Transport-Security` headers, browsers use the first one. The
 * trace of a service is that of the gateway, whose header says it. */
export function hiddenHeaders(scene: Scene, module: Module): readonly Directive[] {
  const names = [
    ...(hasSessions(scene) ? ['Clear-Site-Data'] : []),
    ...(scene.policy.gateway.hsts ? ['Strict-Transport-Security'] : []),
    TRACE,
  ];
  return names.map((name) => line(`${module}_hide_header`, name));
}

/** Prevents a service from widening a service worker's scope. Where people sign in, this is the script's folder. */
export const hiddenScope = (module: Module) => conf`${module}_hide_header Service-Worker-Allowed;`;

/** Adds `Clear-Site-Data` with what a service may ask browsers to clear. */
export const clearedBeside = (scene: Scene): readonly Directive[] =>
  hasSessions(scene) ? conf`add_header Clear-Site-Data $meshgate_cleared always;` : [];

/** The map for the `Clear-Site-Data` of a service. It removes `"cookies"`, because this would include the gateway's
 * cookies. It replaces `"*"` by all other data of the service. */
export const clearedMaps = (scene: Scene): readonly Directive[] =>
  hasSessions(scene)
    ? conf`
        # Clear-Site-Data of services: everything except cookies.
        map $upstream_http_clear_site_data $meshgate_cleared {
          "" "";
          default $upstream_http_clear_site_data;
          '~\*' '"cache", "storage"';
          '~*cookies.*cookies' "";
          '~*^(?<meshgate_cleared_0>.*)"cookies"(?<meshgate_cleared_1>.*)$' $meshgate_cleared_0$meshgate_cleared_1;
          '~*cookies' "";
        }
      `
    : [];

/** Adds headers to every response: the ids with which logs are joined, and HSTS, so that browsers use only TLS for the
 * host. No inner level drops them. */
export function everywhere({ policy }: Scene): readonly Directive[] {
  const { hsts } = policy.gateway;
  const value = hsts && `max-age=${hsts.maxAge}${hsts.subdomains ? '; includeSubDomains' : ''}`;
  return conf`
    ${value && conf`add_header Strict-Transport-Security ${value} always;`}
    add_header ${TRACE} $meshgate_traceparent always; # for "meshgate trace"
    add_header_inherit merge;
  `;
}
