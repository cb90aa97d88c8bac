import { ALWAYS_PASSED } from '../../../policy/check/routes/given-headers.ts';
import type { Service } from '../../../policy/checked/types.ts';
import type { Context, HostContext, RouteContext } from '../render-context.ts';
import { type Arg, conf, type Directive } from '../text/directive.ts';
import { type ConfFile, included } from '../text/files.ts';
import { requestHeader } from '../text/names.ts';
import { headersName, hostHeaders } from './common-headers.ts';
import { authorization } from './service-credential.ts';

/* A service with `request_headers` receives only the headers that it lists, the headers that always pass, and the
 * headers that the gateway sends. A route to such a service includes a file, whose list replaces the inherited one. */

const requestsName = ({ name }: Service) => `requests/${name}.conf` as const;

const isCookie = (name: string): boolean => name.toLowerCase() === 'cookie';

/** The files that routes to such a service include. */
export const restricted = (context: Context, service: Service): readonly Directive[] =>
  service.requestHeaders === undefined ? [] : [included(context, requestsName(service))];

/** The headers of the host, for the location of a route to such a service. The list in its file replaces the headers
 * that are set around the location, so these headers are repeated.
 * @param cookie the `Cookie` header for services at this listener; absent: the client's */
export function listedHostHeaders(
  host: HostContext,
  { route, service: { requestHeaders } }: RouteContext,
  cookie: Arg = requestHeader('Cookie'),
): readonly Directive[] {
  if (requestHeaders === undefined) return [];
  const passes = host.passes && route.serviceCredential !== undefined;
  const passed = passes ? authorization('proxy', true) : [];
  return hostHeaders(host, 'proxy', requestHeaders.some(isCookie) ? cookie : undefined, passed);
}

/** The file of each service that lists its request headers. */
export function requestsFiles(context: Context): readonly ConfFile[] {
  const services = new Set(context.hosts.flatMap(({ routes }) => routes.map(({ service }) => service)));
  return [...services].flatMap((service): ConfFile[] => {
    if (service.requestHeaders === undefined) return [];
    const set = (name: string) => conf`proxy_set_header ${name} ${requestHeader(name)};`;
    const directives = conf`
      proxy_pass_request_headers off;
      ${included(context, headersName('proxy'))}
      # Headers that every service receives.
      ${ALWAYS_PASSED.flatMap(({ names }) => names.flatMap(set))}
      # Headers that this service lists.
      ${service.requestHeaders.filter((name) => !isCookie(name)).flatMap(set)}
    `;
    return [[requestsName(service), directives, `Headers that ${service.name} receives.`]];
  });
}
