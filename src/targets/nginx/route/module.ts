import type { Service } from '../../../policy/checked/types.ts';
import type { HostContext } from '../render-context.ts';
import { type Arg, conf, type Directive } from '../text/directive.ts';

/** The nginx module that proxies a route's requests. Each has its own directives and ignores the other's. */
export type Module = 'proxy' | 'grpc';

export const moduleOf = ({ protocol }: Service): Module => (protocol === 'grpc' ? 'grpc' : 'proxy');

/** The modules that proxy the requests to these hosts. */
export const modulesOf = (hosts: readonly Pick<HostContext, 'routes'>[]): readonly Module[] =>
  hosts.some(({ routes }) => routes.some(({ service }) => moduleOf(service) === 'grpc'))
    ? ['proxy', 'grpc']
    : ['proxy'];

/** How long nginx waits for the server that it connects to. */
export const timeouts = (connect: string, send: string, read: string): readonly Directive[] =>
  conf`proxy_connect_timeout ${connect}; proxy_send_timeout ${send}; proxy_read_timeout ${read};`;

/** Switches off the cache. A `proxy_cache` of an outer level would give one caller the response for another. */
export const unstored = conf`proxy_cache off; proxy_store off; # no caller gets the response for another caller`;

/** Ignores headers with which a service could choose a location that clients cannot reach. */
export const ignoresAccel = (module: Module = 'proxy'): readonly Directive[] => conf`
  ${module}_ignore_headers X-Accel-Redirect X-Accel-Expires X-Accel-Limit-Rate X-Accel-Charset; # a response cannot redirect to internal locations
`;

/** nginx sends a request again only if a connection that it kept open is already closed. */
export const onceMore = (module: Module = 'proxy'): readonly Directive[] =>
  conf`${module}_next_upstream error; ${module}_next_upstream_tries 1; # no request is sent twice`;

/** A request with an idempotent method goes to another ingress if the connection fails before the answer begins. Any
 * other request goes there only if it was not sent. There is no limit of attempts, because a name may have several
 * addresses: nginx tries each of them once.
 * @param time after which no further attempt begins */
export const goesOn = (module: Module, time: number): readonly Directive[] => conf`
  ${module}_next_upstream error timeout; ${module}_next_upstream_tries 0; ${module}_next_upstream_timeout ${time}s; # a POST goes on only if it was not sent
`;

/** TLS for connections to a service, an ingress or a provider. */
export const upstreamTls = (module: Module): readonly Directive[] => conf`
  ${module}_ssl_verify on; ${module}_ssl_verify_depth 5; ${module}_ssl_server_name on; ${module}_ssl_session_reuse off; # a resumed session would keep its old identity
`;

/** The name and the CA with which nginx verifies the certificate of the other side. */
export const verified = (module: Module, name: Arg, ca: string): readonly Directive[] =>
  conf`${module}_ssl_trusted_certificate ${ca}; ${module}_ssl_name ${name};`;

/** The certificate that nginx shows. It reads a file again if a variable names it. An empty name: no certificate. */
export const certificateFor = (module: Module, cert: string | Arg, key: string | Arg): readonly Directive[] =>
  conf`${module}_ssl_certificate ${cert}; ${module}_ssl_certificate_key ${key};`;

/** The maximum length of a body. The body stays in memory, because it contains secrets. */
export const bodyBuffer = (bytes: number): readonly Directive[] =>
  conf`client_max_body_size ${bytes >> 10}k; client_body_buffer_size ${bytes >> 10}k;`;
