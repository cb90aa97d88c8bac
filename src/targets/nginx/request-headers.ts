import { ALWAYS_PASSED } from '../../policy/request-headers.ts';
import type { Service } from '../../policy/types.ts';
import { type Arg, commented, type Directive, line, literal } from './directive.ts';
import { CHECK_PATH, hostFile, innerFile, requestHeader } from './names.ts';
import type { Scene, SceneHost } from './scene.ts';

/*
 * A service with `request_headers` receives what it lists, what always passes and what the gateway says; nothing else.
 * A route to it has a list of its own in the place of the one around it, in an included file.
 */

type At = { readonly check: string };

/** `requests/grafana/hosts/wiki.example.com.conf`: what a service receives at one door of a host. */
export function requestsFile({ name }: Service, { host }: SceneHost, { check }: At): string {
  return `requests/${name}/${check === CHECK_PATH ? hostFile(host.name) : innerFile(host.name)}`;
}

/** Services of a host that list what they receive, each once. */
export const listing = ({ routes }: SceneHost): readonly Service[] => [
  ...new Set(routes.map(({ service }) => service).filter(({ requestHeaders }) => requestHeaders !== undefined)),
];

/** In the location of a route. */
export function restricted(scene: Scene, host: SceneHost, door: At, service: Service): readonly Directive[] {
  if (service.requestHeaders === undefined) return [];
  return [
    line('proxy_pass_request_headers', 'off'),
    line('include', literal(`${scene.options.dir}/${requestsFile(service, host, door)}`)),
  ];
}

/**
 * The file.
 *
 * @param own what the gateway says to every service at this door
 * @param cookie the `Cookie` line that services receive at this door; absent: the client's
 */
export function requestsConf(
  { requestHeaders = [] }: Service,
  own: readonly Directive[],
  cookie: Arg = requestHeader('Cookie'),
): readonly Directive[] {
  const value = (name: string): Arg => (name.toLowerCase() === 'cookie' ? cookie : requestHeader(name));
  const set = (name: string) => line('proxy_set_header', literal(name), value(name));
  const [first, ...more] = ALWAYS_PASSED.flatMap(({ names }) => names).map(set);
  const [listed, ...others] = requestHeaders.map(set);
  return [
    ...own,
    ...(first ? [commented('What always passes.', first), ...more] : []),
    ...(listed ? [commented('What the service lists.', listed), ...others] : []),
  ];
}
