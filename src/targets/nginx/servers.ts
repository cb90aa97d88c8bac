import type { Host, Tls } from '../../policy/types.ts';
import { block, commented, type Directive, line, literal } from './directive.ts';
import { innerCertificates, innerHosts } from './door.ts';
import { accessLog } from './log.ts';
import { BAD_LOCATION, hostFile, innerFile } from './names.ts';
import { badLocation, certificateLocation, refusal } from './problem.ts';
import type { Scene, SceneHost } from './scene.ts';
import { reading, trustedProxies } from './server.ts';

/** Settings that weaken the policy, one line for each. The image prints them when it starts. */
export function insecureOptions(scene: Scene): readonly string[] {
  const { gateway, hosts, providers, services } = scene.policy;
  return [
    ...Object.values(providers)
      .filter(({ anyAudience }) => anyAudience)
      .map(({ name }) => `insecure: providers.${name}.insecure_any_audience: tokens for any service are accepted`),
    ...Object.values(providers)
      .filter(({ introspection }) => introspection?.anyType)
      .map(({ name }) => `insecure: providers.${name}.introspection.insecure_any_type: refresh tokens may be accepted`),
    ...Object.values(providers)
      .filter(({ privateAddresses }) => privateAddresses)
      .map(({ name }) => `insecure: providers.${name}.insecure_private_addresses: its documents may name any address`),
    ...(gateway.insecureHttp
      ? ['insecure: gateway.insecure_http: the gateway serves plain HTTP, so tokens are not encrypted']
      : []),
    ...(gateway.sessionRoom?.forgetful
      ? ['insecure: gateway.session.insecure_forget_revocations: a restart may erase revocations']
      : []),
    ...(gateway.proxiedNetworks
      ? [
          'insecure: gateway.insecure_proxied_networks: clients among the trusted proxies can forge the address of a role',
        ]
      : []),
    ...(gateway.limits?.passWhenFull
      ? ['insecure: gateway.limits.insecure_pass_when_full: requests pass uncounted if there is no room to count']
      : []),
    ...hosts
      .flatMap(({ routes }) => routes)
      .filter(({ serviceWorkers }) => serviceWorkers === 'anywhere')
      .map(
        ({ name }) => `insecure: hosts.${name}.insecure_service_workers: service workers from there see the sign-in`,
      ),
    ...Object.values(services)
      .filter(({ direct }) => direct !== undefined && !direct.tls)
      .map(({ name }) => `insecure: services.${name}.insecure_url: requests reach ${name} over plain HTTP`),
  ];
}

/** A listener of the image: its port, and how its servers differ from those of the other listener. */
interface Listener {
  readonly port: number;
  /** The certificate of a host; absent: the listener serves plain HTTP. */
  readonly certificateOf: (host: Host) => Tls | undefined;
  readonly fileOf: (host: string) => string;
  /** The lines of the server for all other names. */
  readonly unknown: readonly Directive[];
}

function listen(scene: Scene, port: number, tls: Tls | undefined, isDefault: boolean): readonly Directive[] {
  const more = isDefault ? ['default_server'] : [];
  // gRPC calls use HTTP/2, also over plain TCP.
  const calls = Object.values(scene.policy.services).some(({ protocol }) => protocol === 'grpc');
  if (tls === undefined) return [line('listen', String(port), ...more), ...(calls ? [line('http2', 'on')] : [])];
  return [
    line('listen', String(port), 'ssl', ...more),
    line('http2', 'on'),
    line('ssl_certificate', literal(tls.certFile)),
    line('ssl_certificate_key', literal(tls.keyFile)),
  ];
}

/** The default server, for names that are not in the policy. Over TLS it shows the certificate of another name. */
function unknownHost(scene: Scene, { port, unknown }: Listener, tls: Tls | undefined): Directive {
  return block(
    'server',
    [],
    [
      ...listen(scene, port, tls, true),
      line('server_name', '_'),
      ...unknown,
      ...reading,
      accessLog(scene),
      ...trustedProxies(scene),
      line('error_page', '400', '494', '=', BAD_LOCATION),
      badLocation(scene),
      block('location', ['@meshgate_unknown'], refusal(scene, 'host_unknown')),
      block('location', ['/'], refusal(scene, 'host_unknown')),
    ],
  );
}

function server(scene: Scene, { port, fileOf }: Listener, { name }: Host, tls: Tls | undefined): Directive {
  return block(
    'server',
    [],
    [
      ...listen(scene, port, tls, false),
      line('server_name', literal(name)),
      line('include', literal(`${scene.options.dir}/${fileOf(name)}`)),
    ],
  );
}

function serversOf(scene: Scene, listener: Listener, hosts: readonly SceneHost[], what: string): readonly Directive[] {
  const [first] = hosts;
  if (first === undefined) return [];
  const tls = scene.policy.gateway.insecureHttp ? undefined : scene.policy.gateway.tls;
  return [
    commented(what, unknownHost(scene, listener, tls ?? listener.certificateOf(first.host))),
    ...hosts.map(({ host }) => server(scene, listener, host, listener.certificateOf(host))),
  ];
}

function innerServers(scene: Scene): readonly Directive[] {
  const { inner, tls } = scene.policy.gateway;
  if (inner === undefined) return [];
  const listener: Listener = {
    port: inner.listen,
    certificateOf: (host) => inner.tls ?? host.tls ?? tls,
    fileOf: innerFile,
    unknown: [...innerCertificates(inner), certificateLocation(scene, '-')],
  };
  const served = innerHosts(scene).filter(({ host }) => listener.certificateOf(host) !== undefined);
  return serversOf(
    scene,
    listener,
    served,
    'The inner listener, where services send requests: requests for any other host.',
  );
}

/** servers.conf: the servers of the image. Operators who use the rendered files in their own nginx have their own
 * servers. */
export function serversConf(scene: Scene): readonly Directive[] {
  const { gateway } = scene.policy;
  const listener: Listener = {
    port: gateway.listen,
    certificateOf: (host) => (gateway.insecureHttp ? undefined : (host.tls ?? gateway.tls)),
    fileOf: hostFile,
    unknown: [],
  };
  const isServed = ({ host }: SceneHost) => gateway.insecureHttp || listener.certificateOf(host) !== undefined;
  const served = [...scene.hosts, ...(scene.signinHost ? [scene.signinHost] : [])].filter(isServed);
  if (served.length === 0) return [];
  const longest = Math.max(...served.map(({ host }) => host.name.length));
  const bucket = [128, 256, 512].find((size) => size > longest + 24) ?? 512;
  return [
    ...(longest > 40 ? [line('server_names_hash_bucket_size', String(bucket))] : []),
    ...serversOf(scene, listener, served, 'Requests for any other host.'),
    ...innerServers(scene),
  ];
}

/** The hosts that the image cannot serve, because the policy does not say how. */
export function unserved(scene: Scene): readonly string[] {
  const { gateway } = scene.policy;
  if (gateway.insecureHttp || gateway.tls !== undefined) return [];
  const hosts = [...scene.hosts, ...(scene.signinHost ? [scene.signinHost] : [])];
  return hosts.filter(({ host }) => host.tls === undefined).map(({ host }) => host.name);
}
