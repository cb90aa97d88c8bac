import { isWildcard } from '../../host-name.ts';
import { TO_SERVICE } from '../../internal-headers.ts';
import { alwaysField } from '../../rules/carrier.ts';
import { namesDestination } from './connections.ts';
import { type Arg, type Directive, line, literal, row, variable } from './directive.ts';
import type { ConfFile } from './files.ts';
import type { Module } from './module.ts';
import { headerVariable, keptField } from './names.ts';
import type { Scene, SceneHost } from './scene.ts';

/** Headers that every service receives for any caller, in groups with the reason for each group. */
const fixedHeaders = ({
  policy,
}: Scene): readonly (readonly [why: string, headers: Readonly<Record<string, string>>])[] => [
  ['the authority of the service, not the host of the request', { Host: 'meshgate_authority' }],
  ['WebSocket only', { Upgrade: 'meshgate_upgrade', Connection: 'meshgate_connection' }],
  ['the address of the client', { 'X-Real-IP': 'remote_addr', 'X-Forwarded-For': 'remote_addr' }],
  ['the scheme and port of the request', { 'X-Forwarded-Proto': 'scheme', 'X-Forwarded-Port': 'server_port' }],
  [
    'for logs and traces',
    { 'X-Request-Id': 'request_id', traceparent: 'meshgate_traceparent', tracestate: 'meshgate_tracestate' },
  ],
  ['what was decided', { [TO_SERVICE.route]: 'meshgate_route', [TO_SERVICE.rule]: 'meshgate_rule' }],
  [
    'the mesh identity; identity headers that the client sent',
    { [TO_SERVICE.identity]: 'meshgate_as', [TO_SERVICE.erased]: 'meshgate_erased' },
  ],
  ...(namesDestination(policy) ? [['for Linkerd', { 'l5d-dst-override': 'meshgate_destination' }] as const] : []),
  ...(policy.gateway.assertion ? [['signed', { [TO_SERVICE.assertion]: 'meshgate_assertion' }] as const] : []),
];

const FORWARDED_HOST = 'X-Forwarded-Host';

/** The names of all headers that the gateway sends to services, except `Cookie`. */
export const ownNames = (scene: Scene): readonly string[] => [
  ...fixedHeaders(scene).flatMap(([, headers]) => Object.keys(headers)),
  FORWARDED_HOST,
  ...scene.headerNames,
];

export const headersName = (module: Module) => (module === 'proxy' ? 'headers.conf' : 'headers-grpc.conf');

/** The variable of an identity header. If each response of the check contains the value anyway, and if all routes send
 * this value, it is the variable of that value. */
export function identityVariable({ sharedSources }: Scene, index: number): string {
  const source = sharedSources[index];
  const field = source === undefined ? undefined : alwaysField(source);
  return field === undefined ? headerVariable(index) : keptField(field);
}

/** The file with the headers that services of all hosts receive. A route adds its own identity headers. */
export function headersFile(scene: Scene, module: Module): ConfFile {
  const set = (headers: Readonly<Record<string, string>>) =>
    Object.entries(headers).map(([name, from]) => line(`${module}_set_header`, literal(name), variable(from)));
  const identity = Object.fromEntries(scene.headerNames.map((name, i) => [name, identityVariable(scene, i)]));
  const names = ownNames(scene).map((name) => name.toLowerCase());
  const own = names.slice(0, names.length - scene.headerNames.length);
  const clash = scene.headerNames.find((name) => own.includes(name.toLowerCase()));
  if (clash !== undefined) throw new Error(`nginx: the header ${clash} is the gateway's own`);
  return [
    headersName(module),
    [
      // A gRPC call cannot become a WebSocket, so nginx sends neither of the two headers with it.
      ...fixedHeaders(scene).flatMap(([why, headers]) =>
        module === 'grpc' && 'Upgrade' in headers ? [] : row(set(headers), why),
      ),
      ...set(identity),
    ],
    'Headers that the gateway sends to services.',
  ];
}

/** The headers for services of one host. A location that sets headers does not inherit those of outer levels.
 * @param cookie the `Cookie` header; absent: the client's, if there is one */
export const hostHeaders = ({ host }: SceneHost, module: Module, cookie: Arg | undefined): readonly Directive[] =>
  row([
    line(`${module}_set_header`, FORWARDED_HOST, isWildcard(host.name) ? variable('host') : literal(host.name)),
    ...(cookie === undefined ? [] : [line(`${module}_set_header`, 'Cookie', cookie)]),
  ]);
