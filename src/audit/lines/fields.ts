import {
  MAX_HEADER_VALUE,
  MAX_LOG_ACTORS,
  MAX_LOG_AGENT,
  MAX_LOG_CLAIMS,
  MAX_LOG_HOST,
  MAX_LOG_METHOD,
  MAX_LOG_PATH,
  MAX_LOG_ROLES,
  MAX_LOG_TOOL,
  MAX_LOG_UPSTREAM,
  MAX_LOG_VERSION,
} from '../../base/limits.ts';

/** The parts of a policy that have fields of their own, with the condition for the field. */
export const PARTS = {
  agents: 'if the policy has agents',
  tools: 'if a rule names the tools of an agent',
  meshes: 'with several meshes',
  several: 'with several ingresses',
  failover: 'if a service has `ingresses`',
  credentials: 'if a route has `service_credential`',
  claims: 'with `gateway.audit.claims`',
} as const;

export type Part = keyof typeof PARTS;

/** How a field is written; `digest` is the digest of the policy, which is a part of the format. */
type Kind = 'text' | 'number' | 'digest';

/** A field of the log. */
export interface Field {
  readonly name: string;
  /** The variable of nginx; empty for the digest. */
  readonly variable: string;
  readonly kind: Kind;
  /** The maximum number of bytes of the value in the line, without the mark of a cut. */
  readonly most: number;
  /** The form of the value, as a regular expression. */
  readonly form?: string;
  readonly says: string;
  /** The part of the policy that has the field; absent: each policy has it. */
  readonly needs?: Part;
}

/** The mark in place of the rest of a value that was cut, in bytes. */
const MARK_BYTES = 3;

/** Names in a policy have at most 63 characters. */
const NAME = 63;

/** JSON writes two bytes for a quotation mark or a backslash. */
const ESCAPED = 2;

/** nginx reads no parameter of more than 4,096 bytes, and a route is one. Its host, `#` and a number are in the rule. */
const ROUTE = 4_096 * ESCAPED;

/** The maximum number of bytes of the names of ingresses: of a service, and of identity headers. */
const NAMES = 4_096;

const text = (name: string, variable: string, most: number, says: string, more: Partial<Field> = {}): Field => ({
  ...{ name, variable, kind: 'text', most, says },
  ...more,
});

const number = (name: string, variable: string, most: number, says: string): Field => ({
  ...{ name, variable, kind: 'number', most, says },
});

/** The fields of the JSON line, in their order. If OpenTelemetry has a name for a field, this name is used. Later
 * versions only add fields. */
export const FIELDS: readonly Field[] = [
  text('time', 'time_iso8601', 25, 'When the response was complete.', {
    form: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d[+-]\\d\\d:\\d\\d$',
  }),
  text('request_id', 'request_id', 32, 'The id of the request.', { form: '^[0-9a-f]{32}$' }),
  text('trace_id', 'meshgate_trace_id', 32, 'The trace of the request (W3C Trace Context).', {
    form: '^[0-9a-f]{32}$',
  }),
  text('span_id', 'meshgate_span_id', 16, 'The span of the client, or a new one.', { form: '^[0-9a-f]{16}$' }),
  text('client.address', 'remote_addr', 45, 'The address of the client. Networks that give roles contain it.'),
  text('server.address', 'meshgate_log_host', MAX_LOG_HOST, 'The requested host.'),
  text('http.request.method', 'meshgate_log_method', MAX_LOG_METHOD, 'The method.'),
  text('url.path', 'meshgate_log_path', MAX_LOG_PATH, 'The path as the client sent it, without the query.'),
  text('http.route', 'meshgate_route', ROUTE, 'The route of the policy, HOST/PATH.'),
  number('http.response.status_code', 'meshgate_code', 3, 'The status; 0 if there was no response.'),
  text('user_agent.original', 'meshgate_log_agent', MAX_LOG_AGENT, 'The header User-Agent.'),
  text(
    'user.id',
    'meshgate_user',
    MAX_HEADER_VALUE * ESCAPED,
    'The subject of the caller, encoded as in identity headers. Empty for an anonymous caller.',
  ),
  text(
    'user.roles',
    'meshgate_roles',
    MAX_LOG_ROLES,
    'The roles of the caller for this request, joined by commas. For an agent that acts for a person, the roles with which it acts.',
  ),
  text('meshgate.agent', 'meshgate_agent', NAME, 'The agent that acted for the caller or for itself.', {
    needs: 'agents',
  }),
  text(
    'meshgate.actors',
    'meshgate_actors',
    MAX_LOG_ACTORS * ESCAPED,
    'The actor chain, beginning with the actor that sent the request; joined by commas, encoded as in identity headers.',
    { needs: 'agents' },
  ),
  text('meshgate.alone', 'meshgate_alone', 1, '1 if the agent acted for itself, and for no person; else empty.', {
    needs: 'agents',
    form: '^1?$',
  }),
  text('mcp.protocol.version', 'meshgate_log_mcp_version', MAX_LOG_VERSION, 'The header Mcp-Protocol-Version.', {
    needs: 'tools',
  }),
  text('mcp.method.name', 'meshgate_log_mcp_method', MAX_LOG_TOOL, 'The header Mcp-Method.', { needs: 'tools' }),
  text('gen_ai.tool.name', 'meshgate_log_mcp_name', MAX_LOG_TOOL, 'The header Mcp-Name.', { needs: 'tools' }),
  text('meshgate.provider', 'meshgate_provider', NAME, 'The provider that vouched for the caller.'),
  text(
    'meshgate.claims',
    'meshgate_claims',
    MAX_LOG_CLAIMS * ESCAPED,
    'The claims that roles read, as a JSON object; empty if the caller has no token.',
    { needs: 'claims' },
  ),
  {
    ...{ name: 'meshgate.policy', variable: '', kind: 'digest', most: 32, form: '^[0-9a-f]{32}$' },
    says: 'The beginning of the SHA-256 of the compiled policy that decided.',
  },
  text('meshgate.rule', 'meshgate_rule', ROUTE + 16, 'The rule that allowed the request, or that came closest.'),
  text('meshgate.reason', 'meshgate_log_reason', NAME, 'Why the request did not pass; empty if it passed.', {
    form: '^[a-z0-9_]*$',
  }),
  text('meshgate.service', 'meshgate_service', NAME, 'The service of the route.'),
  text(
    'meshgate.service_credential',
    'meshgate_log_credential',
    NAME,
    'The scheme of the Authorization header that belongs to the service, if nginx sent the header to it.',
    { needs: 'credentials' },
  ),
  text('meshgate.mesh', 'meshgate_mesh', NAME, 'The mesh of the service.', { needs: 'meshes' }),
  text('meshgate.ingress', 'meshgate_ingress', NAMES, 'The ingress that leads to the service, or several.', {
    needs: 'several',
  }),
  text('meshgate.identity', 'meshgate_as', NAME, 'The mesh identity that nginx connected with.'),
  text('meshgate.upstream', 'upstream_addr', MAX_LOG_UPSTREAM, 'The addresses that nginx tried, in their order.'),
  text('meshgate.upstream_status', 'upstream_status', MAX_LOG_UPSTREAM, 'The status of each of these attempts.', {
    needs: 'failover',
  }),
  text('meshgate.erased', 'meshgate_erased', NAMES, 'Identity headers of the client, which no service received.'),
  number('duration', 'request_time', 24, 'The time of the request in seconds.'),
  number('bytes', 'body_bytes_sent', 20, 'The size of the response body in bytes.'),
];

/** The most bytes that a line can have, whatever the policy and the caller are. */
export const longestLine = (): number =>
  '{}'.length + FIELDS.reduce((sum, { name, most }) => sum + '"":"",'.length + name.length + most + MARK_BYTES, 0);
