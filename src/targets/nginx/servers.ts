import type { Tls } from '../../policy/types.ts';
import { block, commented, type Directive, line, literal } from './directive.ts';
import { hostFile, reading, trustedProxies } from './host.ts';
import { BAD_LOCATION } from './names.ts';
import { badLocation, refusal } from './problem.ts';
import type { Scene, SceneHost } from './scene.ts';

/** What a policy weakens, one line each; the image's entrypoint prints them at start. */
export function insecureOptions(scene: Scene): readonly string[] {
  const { gateway, providers, services } = scene.policy;
  return [
    ...Object.values(providers)
      .filter(({ anyAudience }) => anyAudience)
      .map(({ name }) => `insecure: providers.${name}.insecure_any_audience: tokens for anybody are taken`),
    ...(gateway.insecureHttp
      ? ['insecure: gateway.insecure_http: the gateway serves plain HTTP, tokens travel in the clear']
      : []),
    ...Object.values(services)
      .filter(({ direct }) => direct !== undefined && !direct.tls)
      .map(({ name }) => `insecure: services.${name}.insecure_url: requests reach ${name} over plain HTTP`),
  ];
}

function listen(scene: Scene, tls: Tls | undefined, isDefault: boolean): readonly Directive[] {
  const more = isDefault ? ['default_server'] : [];
  const port = String(scene.policy.gateway.listen);
  if (tls === undefined) return [line('listen', port, ...more)];
  return [
    line('listen', port, 'ssl', ...more),
    line('http2', 'on'),
    line('ssl_certificate', literal(tls.certFile)),
    line('ssl_certificate_key', literal(tls.keyFile)),
  ];
}

/** Answers for names that the policy does not have; over TLS too, with a certificate that need not fit. */
function unknownHost(scene: Scene, tls: Tls | undefined): Directive {
  return block(
    'server',
    [],
    [
      ...listen(scene, tls, true),
      line('server_name', '_'),
      ...reading,
      line('access_log', literal(scene.options.accessLog), 'meshgate'),
      ...trustedProxies(scene),
      line('error_page', '400', '494', '=', BAD_LOCATION),
      badLocation,
      block('location', ['@meshgate_unknown'], refusal('host_unknown')),
      block('location', ['/'], refusal('host_unknown')),
    ],
  );
}

function server(scene: Scene, { host }: SceneHost, tls: Tls | undefined): Directive {
  return block(
    'server',
    [],
    [
      ...listen(scene, tls, false),
      line('server_name', literal(host.name)),
      line('include', literal(`${scene.options.dir}/${hostFile(host.name)}`)),
    ],
  );
}

/** servers.conf: the image's own servers; a js_import user has theirs. */
export function serversConf(scene: Scene): readonly Directive[] {
  const { gateway } = scene.policy;
  const certificate = (host: SceneHost) => (gateway.insecureHttp ? undefined : (host.host.tls ?? gateway.tls));
  const served = scene.hosts.filter((host) => gateway.insecureHttp || certificate(host) !== undefined);
  const [first] = served;
  if (first === undefined) return [];
  const longest = Math.max(...served.map(({ host }) => host.name.length));
  const bucket = [128, 256, 512].find((size) => size > longest + 24) ?? 512;
  return [
    ...(longest > 40 ? [line('server_names_hash_bucket_size', String(bucket))] : []),
    commented(
      'Any other name.',
      unknownHost(scene, gateway.insecureHttp ? undefined : (gateway.tls ?? certificate(first))),
    ),
    ...served.map((host) => server(scene, host, certificate(host))),
  ];
}

/** Hosts that the image cannot serve, since nothing says how. */
export function unserved(scene: Scene): readonly string[] {
  const { gateway } = scene.policy;
  if (gateway.insecureHttp || gateway.tls !== undefined) return [];
  return scene.hosts.filter(({ host }) => host.tls === undefined).map(({ host }) => host.name);
}
