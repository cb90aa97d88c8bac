import { type Arg, type Directive, line, literal, type Part, template, variable } from './directive.ts';

/** Fields of the JSON line, by the names of OpenTelemetry where it has one; the path is without its query. */
const FIELDS: readonly (readonly [field: string, variable: string, kind: 'text' | 'number'])[] = [
  ['time', 'time_iso8601', 'text'],
  ['request_id', 'request_id', 'text'],
  ['trace_id', 'meshgate_trace_id', 'text'],
  ['span_id', 'meshgate_span_id', 'text'],
  ['client.address', 'remote_addr', 'text'],
  ['server.address', 'host', 'text'],
  ['http.request.method', 'request_method', 'text'],
  ['url.path', 'meshgate_path', 'text'],
  ['http.route', 'meshgate_route', 'text'],
  ['http.response.status_code', 'meshgate_code', 'number'],
  ['user_agent.original', 'http_user_agent', 'text'],
  ['user.id', 'meshgate_user', 'text'],
  ['user.roles', 'meshgate_roles', 'text'],
  ['meshgate.agent', 'meshgate_agent', 'text'],
  ['meshgate.actors', 'meshgate_actors', 'text'],
  ['mcp.method.name', 'http_mcp_method', 'text'],
  ['gen_ai.tool.name', 'http_mcp_name', 'text'],
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

/** Of who acts for somebody. */
const ACTING = ['meshgate_agent', 'meshgate_actors'];

/** Of what an agent asks a server of tools, as it says itself. */
const TOOLS = ['http_mcp_method', 'http_mcp_name'];

/** Fields that only some policies have. */
interface Having {
  /** Whether the policy has agents. */
  readonly agents: boolean;
  /** Whether some rule looks at the tools of an agent. */
  readonly tools: boolean;
  /** Whether its mesh has several ingresses. */
  readonly several: boolean;
}

/** `log_format meshgate`: one JSON object a line, escaped by nginx itself; by default with all fields. */
export function logFormat(
  { agents, tools, several }: Having = { agents: true, tools: true, several: true },
): Directive {
  const own = FIELDS.filter(
    ([, name]) =>
      (agents || !ACTING.includes(name)) &&
      (tools || !TOOLS.includes(name)) &&
      (several || name !== 'meshgate_ingress'),
  );
  const fields = own.map(([field, name, kind], i): Arg => {
    const value: readonly (string | Part)[] = kind === 'text' ? ['"', variable(name), '"'] : [variable(name)];
    return template(`"${field}":`, ...value, i < own.length - 1 ? ',' : '');
  });
  return line('log_format', 'meshgate', 'escape=json', literal('{'), ...fields, literal('}'));
}
