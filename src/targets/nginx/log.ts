import { MAX_LOG_AGENT, MAX_LOG_HOST, MAX_LOG_METHOD, MAX_LOG_PATH, MAX_LOG_TOOL } from '../../limits.ts';
import { type Arg, commented, type Directive, line, literal, type Part, template, variable } from './directive.ts';
import { looksAtTools } from './door.ts';
import type { Scene } from './scene.ts';
import { pathMaps, shortMap, textMaps } from './utf8.ts';

/** Fields of the JSON line, with OpenTelemetry's names if it has one; the path is without its query. */
const FIELDS: readonly (readonly [field: string, variable: string, kind: 'text' | 'number'])[] = [
  ['time', 'time_iso8601', 'text'],
  ['request_id', 'request_id', 'text'],
  ['trace_id', 'meshgate_trace_id', 'text'],
  ['span_id', 'meshgate_span_id', 'text'],
  ['client.address', 'remote_addr', 'text'],
  ['server.address', 'meshgate_log_host', 'text'],
  ['http.request.method', 'meshgate_log_method', 'text'],
  ['url.path', 'meshgate_log_path', 'text'],
  ['http.route', 'meshgate_route', 'text'],
  ['http.response.status_code', 'meshgate_code', 'number'],
  ['user_agent.original', 'meshgate_log_agent', 'text'],
  ['user.id', 'meshgate_user', 'text'],
  ['user.roles', 'meshgate_roles', 'text'],
  ['meshgate.agent', 'meshgate_agent', 'text'],
  ['meshgate.actors', 'meshgate_actors', 'text'],
  ['mcp.method.name', 'meshgate_log_mcp_method', 'text'],
  ['gen_ai.tool.name', 'meshgate_log_mcp_name', 'text'],
  ['meshgate.provider', 'meshgate_provider', 'text'],
  ['meshgate.rule', 'meshgate_rule', 'text'],
  ['meshgate.reason', 'meshgate_log_reason', 'text'],
  ['meshgate.service', 'meshgate_service', 'text'],
  ['meshgate.ingress', 'meshgate_ingress', 'text'],
  ['meshgate.identity', 'meshgate_as', 'text'],
  ['meshgate.upstream', 'upstream_addr', 'text'],
  ['meshgate.erased', 'meshgate_erased', 'text'],
  ['duration', 'request_time', 'number'],
  ['bytes', 'body_bytes_sent', 'number'],
];

/** The fields about the agent and the actor chain. */
const ACTING = ['meshgate_agent', 'meshgate_actors'];

/** The fields about the MCP message, as the request's headers say it. */
const TOOLS = ['meshgate_log_mcp_method', 'meshgate_log_mcp_name'];

/** Fields that only some policies have. */
interface Having {
  /** Whether the policy has agents. */
  readonly agents: boolean;
  /** Whether a rule reads the tools of an agent. */
  readonly tools: boolean;
  /** Whether its mesh has several ingresses. */
  readonly several: boolean;
}

/** The methods of nearly all requests. */
const METHODS = ['GET', 'POST', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** Number of keys that a map of nginx's default size finds without a collision. */
const MAX_NAMES_FOUND = 64;

/** Names of hosts that a map finds without running an expression. */
export const namesFound = (hosts: Scene['hosts']): readonly string[] =>
  hosts
    .map(({ host }) => host.name)
    .filter((name) => !name.startsWith('*'))
    .slice(0, MAX_NAMES_FOUND);

/** The parts of a line that clients choose, as UTF-8 text of limited length, so that a line of the log is one write to
 * a pipe. All other parts are made by the gateway, from the policy or its providers; nginx itself refuses a host that
 * is not UTF-8. */
export function logMaps({ hosts }: Pick<Scene, 'hosts'>): readonly Directive[] {
  return [
    commented(
      'For the log: what a client sends, up to a bound, and to the first byte that is no UTF-8 or a control byte.',
      shortMap(variable('request_method'), 'meshgate_log_method', MAX_LOG_METHOD, METHODS),
    ),
    shortMap(variable('host'), 'meshgate_log_host', MAX_LOG_HOST, namesFound(hosts)),
    ...pathMaps(variable('request_uri'), 'meshgate_log_path', MAX_LOG_PATH),
    ...textMaps(variable('http_user_agent'), 'meshgate_log_agent', MAX_LOG_AGENT),
    ...(hosts.some(({ host }) => looksAtTools(host))
      ? [
          ...textMaps(variable('http_mcp_method'), 'meshgate_log_mcp_method', MAX_LOG_TOOL),
          ...textMaps(variable('http_mcp_name'), 'meshgate_log_mcp_name', MAX_LOG_TOOL),
        ]
      : []),
  ];
}

/** `log_format meshgate`: one JSON object per line, escaped by nginx itself; by default with all fields. */
export function logFormat(
  { agents, tools, several }: Having = { agents: true, tools: true, several: true },
): Directive {
  const own = FIELDS.filter(
    ([, name]) =>
      (agents || !ACTING.includes(name)) &&
      (tools || !TOOLS.includes(name)) &&
      (several || name !== 'meshgate_ingress'),
  );
  const fields = own.map(([field, name, kind]): readonly (string | Part)[] =>
    kind === 'text' ? [`"${field}":"`, variable(name), '"'] : [`"${field}":`, variable(name)],
  );
  return line('log_format', 'meshgate', 'escape=json', literal('{'), ...joined(fields), literal('}'));
}

/** Pipes to the process that collects a container's logs; each write wakes that process. */
const STREAMS = ['/dev/stdout', '/dev/stderr'];

/** The destination of the lines. A file receives each line at once. A stream receives several lines in one write: nginx
 * writes whole lines, and no more than a pipe accepts in one piece. */
export function accessLog({ options }: Pick<Scene, 'options'>): Directive {
  const together = STREAMS.includes(options.accessLog) ? ['buffer=4k', 'flush=10ms'] : [];
  return line('access_log', literal(options.accessLog), 'meshgate', ...together);
}

/** Longest part of a line of the rendered file with field names, in bytes. */
const WIDE = 60;

/** Members of a JSON object, several on a line, with commas between them. */
function joined(members: readonly (readonly (string | Part)[])[]): readonly Arg[] {
  const lines: (string | Part)[][] = [];
  let bytes = WIDE;
  for (const [i, member] of members.entries()) {
    bytes += String(member[0]).length;
    if (bytes > WIDE) {
      lines.push([]);
      bytes = String(member[0]).length;
    }
    lines.at(-1)?.push(...member, ...(i < members.length - 1 ? [','] : []));
  }
  return lines.map((parts) => template(...parts));
}
