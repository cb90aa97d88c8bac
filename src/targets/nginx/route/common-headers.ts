import { isWildcard } from '../../../base/host-name.ts';
import { TO_SERVICE } from '../../../base/internal-headers.ts';
import { DEFAULTS } from '../../../policy/forms/bounds.ts';
import { alwaysField } from '../../../rules/table/carrier.ts';
import type { Context, HostContext } from '../render-context.ts';
import { type Arg, conf, type Directive, line, literal, row, variable } from '../text/directive.ts';
import type { ConfFile } from '../text/files.ts';
import { headerVariable, keptField } from '../text/names.ts';
import { hostForService, namesDestination } from './connections.ts';
import type { Module } from './module.ts';

/** The directives that set headers which every service receives for any caller, with the reason for each line. */
function fixedHeaders({ policy }: Context, module: Module = 'proxy'): readonly Directive[] {
  const set = `${module}_set_header`;
  const port = String(policy.gateway.publicPort ?? DEFAULTS.publicPort);
  // A gRPC call cannot become a WebSocket, so nginx sends neither of the two headers with it.
  const upgrade = conf`
    ${set} Upgrade $meshgate_upgrade; ${set} Connection $meshgate_connection; # WebSocket only
  `;
  return conf`
    ${set} Host ${hostForService(policy)}; # the authority of the service, or the host of the request
    ${module === 'proxy' && upgrade}
    ${set} X-Real-IP $remote_addr; ${set} X-Forwarded-For $remote_addr; # the address of the client
    ${set} X-Forwarded-Proto https; ${set} X-Forwarded-Port ${port}; # as clients see them, also if TLS ends in front of nginx
    ${set} X-Request-Id $request_id; ${set} traceparent $meshgate_traceparent; ${set} tracestate $meshgate_tracestate; # for logs and traces
    ${set} ${TO_SERVICE.route} $meshgate_route; ${set} ${TO_SERVICE.rule} $meshgate_rule; # what was decided
    ${set} ${TO_SERVICE.identity} $meshgate_as; ${set} ${TO_SERVICE.erased} $meshgate_erased; # the mesh identity; identity headers that the client sent
    ${namesDestination(policy) && conf`${set} l5d-dst-override $meshgate_destination; # for Linkerd`}
    ${policy.gateway.assertion && conf`${set} ${TO_SERVICE.assertion} $meshgate_assertion; # signed`}
  `;
}

const FORWARDED_HOST = 'X-Forwarded-Host';

/** The names of {@link fixedHeaders}. */
const fixedNames = (context: Context): readonly string[] =>
  fixedHeaders(context).flatMap(({ args: [name] }) =>
    name?.kind === 'word' || name?.kind === 'literal' ? name.text : [],
  );

/** The names of all headers that the gateway sends to services, except `Cookie`. */
export const ownNames = (context: Context): readonly string[] => [
  ...fixedNames(context),
  FORWARDED_HOST,
  ...context.headerNames,
];

export const headersName = (module: Module) => (module === 'proxy' ? 'headers.conf' : 'headers-grpc.conf');

/** The variable of an identity header. If each response of the check contains the value anyway, and all routes send it,
 * this is the variable of that field. */
export function identityVariable({ sharedSources }: Context, index: number): string {
  const source = sharedSources[index];
  const field = source === undefined ? undefined : alwaysField(source);
  return field === undefined ? headerVariable(index) : keptField(field);
}

/** The file with the headers that services of all hosts receive. A route adds its own identity headers. */
export function headersFile(context: Context, module: Module): ConfFile {
  const own = [...fixedNames(context), FORWARDED_HOST].map((name) => name.toLowerCase());
  const clash = context.headerNames.find((name) => own.includes(name.toLowerCase()));
  if (clash !== undefined) throw new Error(`nginx: the header ${clash} is the gateway's own`);
  const identity = context.headerNames.map((name, i) =>
    line(`${module}_set_header`, literal(name), variable(identityVariable(context, i))),
  );
  const directives = [...fixedHeaders(context, module), ...identity];
  return [headersName(module), directives, 'Headers that the gateway sends to services.'];
}

/** The headers for services of one host, which a location with headers of its own does not inherit.
 * @param authorization see `passedOn` */
export const hostHeaders = (
  { host }: HostContext,
  module: Module,
  cookie: Arg | undefined,
  authorization: readonly Directive[],
): readonly Directive[] =>
  row([
    line(`${module}_set_header`, FORWARDED_HOST, isWildcard(host.name) ? variable('host') : literal(host.name)),
    ...(cookie === undefined ? [] : [line(`${module}_set_header`, 'Cookie', cookie)]),
    ...authorization,
  ]);
