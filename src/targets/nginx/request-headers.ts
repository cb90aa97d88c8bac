import { ALWAYS_PASSED } from '../../policy/request-headers.ts';
import type { Service } from '../../policy/types.ts';
import { type Arg, commented, type Directive, line, literal } from './directive.ts';
import { type ConfFile, included } from './files.ts';
import { headersName, hostHeaders } from './headers.ts';
import { requestHeader } from './names.ts';
import type { Scene, SceneHost } from './scene.ts';

/* A service with `request_headers` receives only the headers that it lists, the headers that always pass, and the
 * headers that the gateway sends. A route to such a service includes a file, whose list replaces the inherited one. */

const requestsName = ({ name }: Service) => `requests/${name}.conf` as const;

const isCookie = (name: string): boolean => name.toLowerCase() === 'cookie';

/** The files that routes to such a service include. */
export const restricted = (scene: Scene, service: Service): readonly Directive[] =>
  service.requestHeaders === undefined ? [] : [included(scene, requestsName(service))];

/**
 * The headers of the host, for the location of a route to such a service. The list in its file replaces the headers
 * that are set around the location, so they are repeated.
 *
 * @param cookie the `Cookie` header for services at this listener; absent: the client's
 */
export function listedHostHeaders(
  host: SceneHost,
  { requestHeaders }: Service,
  cookie: Arg = requestHeader('Cookie'),
): readonly Directive[] {
  if (requestHeaders === undefined) return [];
  return hostHeaders(host, 'proxy', requestHeaders.some(isCookie) ? cookie : undefined);
}

/** The file of each service that lists its request headers. */
export function requestsFiles(scene: Scene): readonly ConfFile[] {
  const services = new Set(scene.hosts.flatMap(({ routes }) => routes.map(({ service }) => service)));
  return [...services].flatMap((service): ConfFile[] => {
    if (service.requestHeaders === undefined) return [];
    const set = (name: string) => line('proxy_set_header', literal(name), requestHeader(name));
    const [first, ...more] = ALWAYS_PASSED.flatMap(({ names }) => names).map(set);
    const [listed, ...others] = service.requestHeaders.filter((name) => !isCookie(name)).map(set);
    const directives = [
      line('proxy_pass_request_headers', 'off'),
      included(scene, headersName('proxy')),
      ...(first ? [commented('Headers that every service receives.', first), ...more] : []),
      ...(listed ? [commented('Headers that this service lists.', listed), ...others] : []),
    ];
    return [[requestsName(service), directives, `Headers that ${service.name} receives.`]];
  });
}
