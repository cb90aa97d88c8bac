import { choicesText, hasSeveral, meshesOf } from '../../../policy/checked/ingresses.ts';
import type { IngressChoice } from '../../../policy/checked/types.ts';
import { DEFAULTS } from '../../../policy/forms/bounds.ts';
import type { NginxOptions } from '../options.ts';
import type { Context, Ingresses } from '../render-context.ts';
import { conf, type Directive } from '../text/directive.ts';
import { CHECK_UPSTREAM, directUpstream, ingressUpstream } from '../text/names.ts';

/** The socket of the check's server. */
export const checkSocket = ({ runDir }: NginxOptions): string => `${runDir}/check.sock`;

/** Whether a host is an IP address, which needs no DNS. */
export const isIpAddress = (host: string): boolean => /^[0-9.]+$/.test(host) || host.includes(':');

/** `host:port`, with the brackets that IPv6 requires. */
const address = (host: string, port: number): string =>
  `${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`;

/** The `resolver` directive; absent if no DNS server is known, so that names are resolved only at the start. */
export function resolverDirective(context: Context): readonly Directive[] {
  if (context.resolver.length === 0) return [];
  const servers = context.resolver.map((server) =>
    (server.match(/:/g) ?? []).length > 1 && !server.startsWith('[') ? `[${server}]` : server,
  );
  const { ipVersions } = context.policy.gateway;
  const without = ([4, 6] as const).filter((version) => !ipVersions.includes(version));
  return conf`resolver ${servers} valid=10s ${without.map((version) => `ipv${version}=off`)}; resolver_timeout 3s;`;
}

/** The addresses of a listener at a port: one for each version of IP that the gateway uses. */
export const listenersAt = (
  { policy: { gateway } }: Pick<Context, 'policy'>,
  port: number | string,
): readonly string[] => gateway.ipVersions.map((version) => (version === 6 ? `[::]:${port}` : String(port)));

/** How long nginx may keep a certificate and its connections. After the files were replaced, the last request with the
 * old certificate must begin within `rotation` of the mesh. In the worst case, nginx opens a connection at the last moment of
 * the cache, which counts whole seconds. The connection returns to the pool at the end of its time, is idle for as
 * long as it may be, and is used once more.
 * @returns `cache`, after which nginx reads the files of a certificate again; `time`, after which it closes a connection
 * when a request ends; and `idle`, after which it closes an idle connection, all in seconds */
export function rotationTimes({ policy }: Context) {
  const [first = DEFAULTS.rotation, ...others] = meshesOf(policy).map((mesh) => mesh.rotation);
  const rotation = Math.min(first, ...others);
  const cache = Math.min(10, Math.floor(rotation / 7));
  const rest = rotation - cache - 1;
  const idle = Math.min(30, Math.floor(rest / 2));
  return { cache, time: rest - idle, idle };
}

/** Keeps connections open, but none for longer than the sum of both times. */
export const kept = (time: number, idle: number): readonly Directive[] =>
  conf`keepalive 256; keepalive_time ${time}s; keepalive_timeout ${idle}s;`;

interface Machine {
  readonly host: string;
  readonly port: number;
}

const isNamed = (context: Context, { host }: Machine): boolean => !isIpAddress(host) && context.resolver.length > 0;

/** A machine of an upstream block. If there is a DNS server, nginx resolves its name regularly. */
const server = (context: Context, machine: Machine, how: readonly string[] = []): readonly Directive[] =>
  conf`server ${address(machine.host, machine.port)} ${isNamed(context, machine) && 'resolve'} ${how};`;

/** An upstream block with one machine. */
export function upstream(
  context: Context,
  name: string,
  machine: Machine,
  times: readonly Directive[],
): readonly Directive[] {
  const resolved = conf`
    zone ${name} 64k;
    ${resolverDirective(context)}
  `;
  return conf`
    upstream ${name} {
      ${isNamed(context, machine) && resolved}
      ${server(context, machine)}
      ${times}
    }
  `;
}

function usedAs({ weight, backup, maxFails, failTimeout }: IngressChoice): readonly string[] {
  const share = weight === 1 ? [] : [`weight=${weight}`];
  return backup
    ? [...share, 'backup', 'max_fails=0']
    : [...share, `max_fails=${maxFails}`, `fail_timeout=${failTimeout}s`];
}

/** An upstream block with several ingresses. nginx leaves out an ingress that failed. A slow service may seem to be an
 * ingress that failed, so nginx must not leave out all of them: it never leaves out a backup. All workers share what
 * they know about failures in the zone. */
function failover(
  context: Context,
  name: string,
  { all, choices }: Required<Pick<Ingresses, 'all' | 'choices'>>,
  times: readonly Directive[],
): readonly Directive[] {
  const last = conf`
    // Without a backup, the ingresses themselves are the last way, whatever happened before.
    ${choices.every(({ backup }) => !backup) && all.flatMap((it) => server(context, it, ['backup', 'max_fails=0']))}
  `;
  return conf`
    upstream ${name} {
      zone ${name} ${64 * all.length}k;
      ${all.some((it) => isNamed(context, it)) && resolverDirective(context)}
      ${all.flatMap((it, i) => server(context, it, usedAs(choices[i] as IngressChoice)))}
      ${last}
      ${times}
    }
  `;
}

/** The upstreams: one for each ingress and identity, one for each service without a mesh, and one for the check. */
export function upstreams(context: Context): readonly Directive[] {
  const called = ({ all: [{ name, mesh }], choices, isWorkload }: Ingresses) => {
    if (isWorkload) return `The workloads of service ${name}`;
    const of = mesh === undefined ? 'the mesh' : `mesh ${mesh}`;
    if (choices !== undefined) return `Ingresses ${choicesText(choices)}${mesh === undefined ? '' : ` of ${of}`}`;
    return `${hasSeveral(context.policy) ? `Ingress ${name}` : 'The ingress'} of ${of}`;
  };
  const { time, idle } = rotationTimes(context);
  const inMesh = context.ingresses.flatMap(({ ingresses, protocol, identities }) =>
    identities.flatMap(({ name, spiffe }) => {
      const own = ingressUpstream(ingresses.owner, name, protocol);
      const { all, choices } = ingresses;
      return conf`
        # ${called(ingresses)}, with the identity ${spiffe}.
        ${choices ? failover(context, own, { all, choices }, kept(time, idle)) : upstream(context, own, all[0], kept(time, idle))}
      `;
    }),
  );
  const outside = context.direct.flatMap(
    ({ name, direct }) => conf`
      # Service ${name}, outside the mesh.
      ${upstream(context, directUpstream(name), direct ?? { host: '', port: 0 }, kept(30, 30))}
    `,
  );
  return conf`
    ${inMesh}
    ${outside}
    # The check, behind a unix socket.
    upstream ${CHECK_UPSTREAM} {
      server unix:${checkSocket(context.options)};
      keepalive 256; keepalive_requests 100000; keepalive_timeout 60s;
    }
  `;
}
