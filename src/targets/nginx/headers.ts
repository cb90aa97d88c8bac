import { TO_SERVICE } from '../../internal-headers.ts';
import { namesDestination } from './connections.ts';
import { type Arg, type Directive, type Given, line, literal, variable } from './directive.ts';
import type { ConfFile } from './files.ts';
import type { Module } from './grpc.ts';
import { identityVariable } from './kept.ts';
import type { Scene, SceneHost } from './scene.ts';

/** Headers that every service receives, for any caller. */
function fixedHeaders({ policy }: Scene): readonly (readonly [string, Given])[] {
  return [
    ['Host', variable('meshgate_authority')],
    ['Upgrade', variable('meshgate_upgrade')],
    ['Connection', variable('meshgate_connection')],
    ['X-Real-IP', variable('remote_addr')],
    ['X-Forwarded-For', variable('remote_addr')],
    ['X-Forwarded-Proto', variable('scheme')],
    ['X-Forwarded-Port', variable('server_port')],
    ['X-Request-Id', variable('request_id')],
    ['traceparent', variable('meshgate_traceparent')],
    ['tracestate', variable('meshgate_tracestate')],
    [TO_SERVICE.route, variable('meshgate_route')],
    [TO_SERVICE.rule, variable('meshgate_rule')],
    [TO_SERVICE.identity, variable('meshgate_as')],
    [TO_SERVICE.erased, variable('meshgate_erased')],
    ...(namesDestination(policy) ? [['l5d-dst-override', variable('meshgate_destination')] as const] : []),
    ...(policy.gateway.assertion ? [[TO_SERVICE.assertion, variable('meshgate_assertion')] as const] : []),
  ];
}

const FORWARDED_HOST = 'X-Forwarded-Host';

/** Names of all headers that the gateway itself sends to services, except `Cookie`. */
export const ownNames = (scene: Scene): readonly string[] => [
  ...fixedHeaders(scene).map(([name]) => name),
  FORWARDED_HOST,
  ...scene.headerNames,
];

export const headersName = (module: Module) => (module === 'proxy' ? 'headers.conf' : 'headers-grpc.conf');

/** The file of the headers that services of all hosts receive. A route adds its own identity headers. */
export function headersFile(scene: Scene, module: Module): ConfFile {
  // A gRPC call is not a WebSocket: nginx sends neither of the two headers with one.
  const fixed = fixedHeaders(scene).filter(([name]) => module === 'proxy' || !/^(Upgrade|Connection)$/.test(name));
  const identity = scene.headerNames.map((name, i) => [name, identityVariable(scene, i)] as const);
  const names = ownNames(scene).map((name) => name.toLowerCase());
  const clash = scene.headerNames.find((name) => names.indexOf(name.toLowerCase()) < names.length - identity.length);
  if (clash !== undefined) throw new Error(`nginx: the header ${clash} is the gateway's own`);
  return [
    headersName(module),
    [...fixed, ...identity].map(([name, value]) => line(`${module}_set_header`, literal(name), value)),
    'Headers that services receive from the gateway.',
  ];
}

/** Headers for services of one host. A location with such headers drops those around it.
 *
 * @param cookie the `Cookie` line; absent: the client's, or none
 */
export const hostHeaders = ({ host }: SceneHost, module: Module, cookie: Arg | undefined): readonly Directive[] => [
  line(`${module}_set_header`, FORWARDED_HOST, host.name.startsWith('*') ? variable('host') : literal(host.name)),
  ...(cookie === undefined ? [] : [line(`${module}_set_header`, 'Cookie', cookie)]),
];
