import type { Host, Tls } from '../../../policy/checked/types.ts';
import { badLocation, certificateLocation, refusal } from '../answers/problem-files.ts';
import { allHosts, type Context, type HostContext } from '../render-context.ts';
import { innerCertificates, innerHosts } from '../route/route-listener.ts';
import { conf, type Directive } from '../text/directive.ts';
import { BAD_LOCATION, hostFile, innerFile } from '../text/names.ts';
import { behindFront } from './front.ts';
import { accessLog } from './log.ts';
import { counted, errorLocations, otherErrors, strangersAnywhere } from './strangers.ts';
import { requestReading, trustedProxyDirectives } from './trusted-proxies.ts';

/** Settings that weaken the policy, one line for each. The image prints them when it starts. */
export function insecureOptions(context: Context): readonly string[] {
  const { gateway, hosts, providers, services } = context.policy;
  const all = Object.values(providers);
  const routes = hosts.flatMap((host) => host.routes);
  const rows: readonly (readonly [isSet: unknown, text: string])[] = [
    ...all.map(
      (it) =>
        [it.anyAudience, `providers.${it.name}.insecure_any_audience: tokens for any service are accepted`] as const,
    ),
    ...all.map(({ name, introspection }) => {
      const text = `providers.${name}.introspection.insecure_any_type: refresh tokens may be accepted`;
      return [introspection?.anyType, text] as const;
    }),
    ...all.map(({ name, privateAddresses }) => {
      const text = `providers.${name}.insecure_private_addresses: documents of the provider may name any address`;
      return [privateAddresses, text] as const;
    }),
    [gateway.insecureHttp, 'gateway.insecure_http: the gateway serves plain HTTP, so tokens are not encrypted'],
    [gateway.sessionRoom?.forgetful, 'gateway.session.insecure_forget_revocations: a restart may erase revocations'],
    [
      gateway.proxiedNetworks,
      'gateway.insecure_proxied_networks: clients in the ranges of the trusted proxies can forge an address that gives a role',
    ],
    [
      gateway.limits?.passWhenFull,
      'gateway.limits.insecure_pass_when_full: requests pass uncounted if there is no room to count',
    ],
    ...routes.map(({ name, serviceWorkers }) => {
      const text = `hosts.${name}.insecure_service_workers: service workers of this route see the sign-in`;
      return [serviceWorkers === 'anywhere', text] as const;
    }),
    ...Object.values(services).map(({ name, direct }) => {
      const text = `services.${name}.insecure_url: requests reach ${name} over plain HTTP`;
      return [direct !== undefined && !direct.tls, text] as const;
    }),
  ];
  return rows.flatMap(([isSet, text]) => (isSet ? `insecure: ${text}` : []));
}

/** A listener of the image: its addresses, and how its servers differ from those of the other listener. */
interface Listener {
  readonly at: readonly string[];
  /** The certificate of a host; absent: the listener serves plain HTTP. */
  readonly certificateOf: (host: Host) => Tls | undefined;
  readonly fileOf: (host: string) => string;
  /** The lines of the server for all other names. */
  readonly unknown: readonly Directive[];
}

function listen(
  context: Context,
  addresses: readonly string[],
  tls: Tls | undefined,
  isDefault: boolean,
): readonly Directive[] {
  // gRPC calls use HTTP/2, also over plain TCP.
  const calls = Object.values(context.policy.services).some(({ protocol }) => protocol === 'grpc');
  return conf`
    ${addresses.flatMap((at) => conf`listen ${at} ${tls && 'ssl'} ${isDefault && 'default_server'};`)}
    ${(tls !== undefined || calls) && conf`http2 on;`}
    ${tls && conf`ssl_certificate ${tls.certFile};`}
    ${tls && conf`ssl_certificate_key ${tls.keyFile};`}
  `;
}

/** The servers of a listener. The default server comes first; over TLS it shows the certificate of another host. */
function serversOf(
  context: Context,
  listener: Listener,
  hosts: readonly HostContext[],
  what: string,
): readonly Directive[] {
  const [first] = hosts;
  if (first === undefined) return [];
  const { at, unknown, fileOf, certificateOf } = listener;
  const tls = context.policy.gateway.insecureHttp ? undefined : context.policy.gateway.tls;
  const server = ({ host }: HostContext) => conf`
    server {
      ${listen(context, at, certificateOf(host), false)}
      server_name ${host.name};
      include ${context.options.dir}/${fileOf(host.name)};
    }
  `;
  return conf`
    # ${what}
    server {
      ${listen(context, at, tls ?? certificateOf(first.host), true)}
      server_name _;
      ${unknown}
      ${requestReading}
      ${strangersAnywhere(context)}
      ${accessLog(context)}
      ${trustedProxyDirectives(context)}
      error_page 400 414 494 = ${BAD_LOCATION};
      ${badLocation(context)}
      ${otherErrors}
      ${errorLocations}
      location @meshgate_unknown { ${counted('host_unknown')} }
      location @meshgate_host_unknown { ${refusal(context, 'host_unknown')} }
      location / { ${counted('host_unknown')} }
    }
    ${hosts.flatMap(server)}
  `;
}

function innerServers(context: Context): readonly Directive[] {
  const { inner, tls } = context.policy.gateway;
  if (inner === undefined) return [];
  const listener: Listener = {
    at: behindFront(context, inner.listen),
    certificateOf: (host) => inner.tls ?? host.tls ?? tls,
    fileOf: innerFile,
    unknown: [...innerCertificates(inner), ...certificateLocation(context, '-')],
  };
  const served = innerHosts(context).filter(({ host }) => listener.certificateOf(host) !== undefined);
  const what = 'Requests for any other host at the inner listener, where services send requests.';
  return serversOf(context, listener, served, what);
}

/** The servers of the image's listener.
 * @param more directives of the server for all other names */
export function publicServers(context: Context, more: readonly Directive[] = []): readonly Directive[] {
  const { gateway } = context.policy;
  const listener: Listener = {
    at: behindFront(context, gateway.listen),
    certificateOf: (host) => (gateway.insecureHttp ? undefined : (host.tls ?? gateway.tls)),
    fileOf: hostFile,
    unknown: more,
  };
  const isServed = ({ host }: HostContext) => gateway.insecureHttp || listener.certificateOf(host) !== undefined;
  const served = allHosts(context).filter(isServed);
  if (served.length === 0) return [];
  const longest = Math.max(...served.map(({ host }) => host.name.length));
  const bucket = [128, 256, 512].find((size) => size > longest + 24) ?? 512;
  return conf`
    ${longest > 40 && conf`server_names_hash_bucket_size ${bucket};`}
    ${serversOf(context, listener, served, 'Requests for any other host.')}
  `;
}

/** servers.conf: the servers of the image, for operators without an nginx of their own. */
export function serversConf(context: Context): readonly Directive[] {
  const servers = publicServers(context);
  return servers.length === 0 ? [] : [...servers, ...innerServers(context)];
}

/** The ports at which the image serves hosts. */
export const frontPorts = (context: Context): readonly number[] => {
  const { listen, inner } = context.policy.gateway;
  if (publicServers(context).length === 0) return [];
  return [listen, ...(innerServers(context).length > 0 && inner ? [inner.listen] : [])];
};

/** The hosts that the image cannot serve, because the policy has no certificate for them. */
export function unserved(context: Context): readonly string[] {
  const { gateway } = context.policy;
  if (gateway.insecureHttp || gateway.tls !== undefined) return [];
  return allHosts(context).flatMap(({ host }) => (host.tls === undefined ? host.name : []));
}
