import { hasSeveral } from '../../policy/ingress.ts';
import type { Ingress } from '../../policy/types.ts';
import { block, commented, type Directive, line, literal, row } from './directive.ts';
import { CHECK_UPSTREAM, directUpstream, ingressUpstream } from './names.ts';
import type { NginxOptions } from './options.ts';
import { rotationTimes } from './rotation.ts';
import type { Scene } from './scene.ts';

/** The socket of the check's server. */
export function checkSocket({ runDir }: NginxOptions): string {
  return `${runDir}/check.sock`;
}

/** Whether a host is an IP address, which needs no DNS. */
export function isAddress(host: string): boolean {
  return /^[0-9.]+$/.test(host) || host.includes(':');
}

/** `host:port`, with the brackets that IPv6 requires. */
function address(host: string, port: number): string {
  return `${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`;
}

/** The `resolver` directive. It is absent if no DNS server is known; nginx then resolves names only once, at its
 * start. */
export function resolver(scene: Scene): readonly Directive[] {
  if (scene.resolver.length === 0) return [];
  const servers = scene.resolver.map((server) =>
    literal((server.match(/:/g) ?? []).length > 1 && !server.startsWith('[') ? `[${server}]` : server),
  );
  return row([line('resolver', ...servers, 'valid=10s', 'ipv6=off'), line('resolver_timeout', '3s')]);
}

/** Keeps connections open, but none for longer than the sum of both times. */
export function kept(time: number, idle: number): readonly Directive[] {
  return row([line('keepalive', '256'), line('keepalive_time', `${time}s`), line('keepalive_timeout', `${idle}s`)]);
}

/** An upstream block with one machine. If there is a DNS server, nginx resolves the name regularly. */
export function upstream(
  scene: Scene,
  name: string,
  host: string,
  port: number,
  times: readonly Directive[],
): Directive {
  const named = !isAddress(host) && scene.resolver.length > 0;
  const server = literal(address(host, port));
  return block(
    'upstream',
    [name],
    [
      ...(named
        ? [line('zone', name, '64k'), ...resolver(scene), line('server', server, 'resolve')]
        : [line('server', server)]),
      ...times,
    ],
  );
}

/** The upstreams: one for each ingress and identity, one for each service without a mesh, and one for the check. */
export function upstreams(scene: Scene): readonly Directive[] {
  const called = ({ name }: Ingress) =>
    hasSeveral(scene.policy) ? `Ingress ${name} of the mesh` : 'The ingress of the mesh';
  const { time, idle } = rotationTimes(scene);
  return [
    ...scene.ingresses.flatMap(({ ingress, protocol, identities }) =>
      identities.map((identity) =>
        commented(
          `${called(ingress)}, with the identity ${identity.spiffe}.`,
          upstream(
            scene,
            ingressUpstream(ingress.name, identity.name, protocol),
            ingress.host,
            ingress.port,
            kept(time, idle),
          ),
        ),
      ),
    ),
    ...scene.direct.map(({ name, direct }) =>
      commented(
        `Service ${name}, outside the mesh.`,
        upstream(scene, directUpstream(name), direct?.host ?? '', direct?.port ?? 0, kept(30, 30)),
      ),
    ),
    commented(
      'The check, behind a unix socket.',
      block(
        'upstream',
        [CHECK_UPSTREAM],
        [
          line('server', literal(`unix:${checkSocket(scene.options)}`)),
          ...row('keepalive 256; keepalive_requests 100000; keepalive_timeout 60s'),
        ],
      ),
    ),
  ];
}
