import { FIELDS, type Part as LogPart } from '../../../audit/lines/fields.ts';
import { isWildcard } from '../../../base/host-name.ts';
import { FROM_HANDLER } from '../../../base/internal-headers.ts';
import {
  MAX_LOG_AGENT,
  MAX_LOG_HOST,
  MAX_LOG_METHOD,
  MAX_LOG_PATH,
  MAX_LOG_ROLES,
  MAX_LOG_TOOL,
  MAX_LOG_UPSTREAM,
  MAX_LOG_VERSION,
} from '../../../base/limits.ts';
import { hasSeveral, hasSeveralMeshes } from '../../../policy/checked/ingresses.ts';
import { anyHostAsksCertificates } from '../check/client-certificate.ts';
import type { Context } from '../render-context.ts';
import { looksAtTools } from '../route/route-listener.ts';
import { passesAny } from '../route/service-credential.ts';
import { hasSessions } from '../signin/sessions.ts';
import {
  type Arg,
  conf,
  type Directive,
  key,
  line,
  regex,
  row,
  template,
  type ValuePart,
  variable,
} from '../text/directive.ts';
import type { ConfFile } from '../text/files.ts';
import { answerHeader } from '../text/names.ts';
import { found, pathMaps, shortMap, textMaps, UNESCAPED } from '../text/utf8.ts';
import { andCount } from './counts.ts';

/** By default, a line has all fields. */
const EVERYTHING: Readonly<Record<LogPart, boolean>> = {
  ...{ agents: true, tools: true, meshes: true, several: true, failover: true, credentials: true, claims: true },
};

/** The status as a JSON number. nginx writes three digits, and 000 without a response (009 for HTTP/0.9). */
const codeMap = conf`map $status $meshgate_code { default $status; "000" 0; "009" 0; }`;

/** The reasons that nginx itself sets, for a page or another location. In an answer of the check, they follow a rule. */
const OWN = ['header_too_large', 'path_not_canonical', 'route_unknown', 'limit_exceeded', 'worker_refused'] as const;

/** Every status of a refusal, except that of a client that did not wait for a response. */
const REFUSED = regex('~', '^(?!499)[45]');

/** The maps for the reason of a refusal: the check's reason or, if nginx itself refused the request, that of nginx. */
function reasonMaps(context: Context): readonly Directive[] {
  const inner = context.policy.gateway.inner !== undefined;
  const certificates = inner || anyHostAsksCertificates(context);
  const sessions = hasSessions(context);
  const declared = answerHeader(FROM_HANDLER.reason);
  const reasons: Readonly<Record<string, string | ValuePart>> = {
    400: variable('meshgate_bad_reason'),
    ...(certificates && { 401: variable('meshgate_certificate_reason') }),
    404: 'route_unknown',
    421: 'host_unknown',
    429: 'limit_exceeded',
    444: 'limit_exceeded',
    503: 'check_unavailable',
  };
  return conf`
    # Why a request was refused: the reason of the check${sessions ? ' or the sign-in' : ''}, or of nginx itself.
    map $meshgate_rule$meshgate_reason $meshgate_log_reason {
      "" ${variable(sessions ? 'meshgate_handler_reason' : 'meshgate_status_reason')};
      ${!context.options.inController && row(OWN.map((reason) => line(key(reason), andCount(context, reason))))}
      default $meshgate_reason;
    }
    ${sessions && conf`map ${declared} $meshgate_handler_reason { "" $meshgate_status_reason; default ${declared}; }`}
    map $status $meshgate_status_reason {
      default "";
      ${row(Object.entries(reasons).map(([status, reason]) => line(key(status), andCount(context, reason))))}
      ${!context.options.inController && line(REFUSED, andCount(context))}
    }
    map $meshgate_odd $meshgate_bad_reason { "" request_malformed; default $meshgate_odd; }
    ${certificates && certificateMap(inner)}
    ${codeMap}
  `;
}

/** The reason why nginx refused a certificate. All other responses with 401 are the gateway's own. */
const certificateMap = (inner: boolean): readonly Directive[] => conf`
  map $ssl_client_verify $meshgate_certificate_reason {
    default proof_invalid;
    "NONE" ${inner ? 'proof_missing' : ''};
    "SUCCESS" "";
    "" "";
  }
`;

/** A value of the client in a line. The key of {@link usualMap} has the source, and its expression keeps what it matches. */
type Usual = readonly [source: string, name: string, text: string];

const unescaped = (least: number, most: number, more = ''): string => `[${more}${UNESCAPED}]{${least},${most}}+`;

const toolValues: readonly Usual[] = [
  ['http_mcp_protocol_version', 'meshgate_log_mcp_version', unescaped(0, MAX_LOG_VERSION, ' ')],
  ['http_mcp_method', 'meshgate_log_mcp_method', unescaped(0, MAX_LOG_TOOL, ' ')],
  ['http_mcp_name', 'meshgate_log_mcp_name', unescaped(0, MAX_LOG_TOOL, ' ')],
];

/** The map that fills the variables of most lines at once. If its expression matches, these variables have their values,
 * so nginx does not evaluate the maps with the same names. These must come later in the file: nginx uses the last
 * definition of a variable. The map itself is always empty.
 *
 * Quotation marks separate the values of the key. No part of the expression matches a quotation mark. So if a value
 * contains one, the key has too many of them, and the expression does not match. */
function usualMap({ hosts }: Context): readonly Directive[] {
  const values: readonly Usual[] = [
    ['status', 'meshgate_code', '[1-9][0-9]{2}'],
    // With a rule, the reason is that of the check. Without one, nginx itself may have refused the request: see `OWN`.
    ['meshgate_reason', 'meshgate_log_reason', '(?=[a-z0-9_]*+"[^"])[a-z0-9_]*+'],
    ['meshgate_rule', '', '[^"]*+'],
    ['request_method', 'meshgate_log_method', `[A-Z]{1,${MAX_LOG_METHOD}}+`],
    ['host', 'meshgate_log_host', unescaped(1, MAX_LOG_HOST)],
    ...(hosts.some(({ host }) => looksAtTools(host)) ? toolValues : []),
    ['http_user_agent', 'meshgate_log_agent', unescaped(0, MAX_LOG_AGENT, ' ')],
  ];
  const key = values.flatMap(([source], i) => (i === 0 ? [variable(source)] : ['"', variable(source)]));
  const texts = values.map(([, name, text]) => (name === '' ? text : `(?<${name}>${text})`));
  return conf`
    # What most lines have. If this expression does not match, the maps below give the values one by one.
    map ${template(...key)} ${variable(USUAL)} { default ""; ${regex('~', `^${texts.join('"')}\\z`)} ""; }
  `;
}

/** The variable of {@link usualMap}. It stands in front of the first value of a line that nginx evaluates. */
const USUAL = 'meshgate_usual';

/** The methods of nearly all requests. */
const METHODS = ['GET', 'POST', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** The number of keys that a map of nginx's default size can find without a collision. */
const MAX_NAMES_FOUND = 64;

/** The names of hosts that a map finds without a regular expression. */
export const namesFound = (hosts: Context['hosts']): readonly string[] =>
  hosts
    .map(({ host }) => host.name)
    .filter((name) => !isWildcard(name))
    .slice(0, MAX_NAMES_FOUND);

/** The maps for the parts of a line that clients choose. They give UTF-8 text of limited length, so that a log line is
 * one write to a pipe. The gateway makes all other parts from the policy or from its providers. nginx itself refuses a
 * host that is not UTF-8. */
const clientMaps = ({ hosts }: Context): readonly Directive[] => conf`
  # What the client sent, cut at a limit, and at the first byte that is not UTF-8 or is a control character.
  ${shortMap('request_method', 'meshgate_log_method', MAX_LOG_METHOD, row(METHODS.map(found)))}
  ${pathMaps('request_uri', 'meshgate_log_path', MAX_LOG_PATH)}
  ${textMaps('http_user_agent', 'meshgate_log_agent', MAX_LOG_AGENT)}
  ${hosts.some(({ host }) => looksAtTools(host)) && toolMaps}
`;

const toolMaps: readonly Directive[] = [
  ...textMaps('http_mcp_protocol_version', 'meshgate_log_mcp_version', MAX_LOG_VERSION),
  ...textMaps('http_mcp_method', 'meshgate_log_mcp_method', MAX_LOG_TOOL),
  ...textMaps('http_mcp_name', 'meshgate_log_mcp_name', MAX_LOG_TOOL),
];

/** Whether nginx may try several addresses of one service. */
const isTriedAgain = ({ ingresses }: Context): boolean => ingresses.some((it) => it.ingresses.choices !== undefined);

/** A variable whose value is cut, because with this policy it can be longer than its field. */
type Cut = readonly [source: string, name: string, most: number];

const cutVariables = (context: Context): readonly Cut[] => [
  ...(Object.keys(context.policy.roles).join(',').length > MAX_LOG_ROLES
    ? [['meshgate_roles', 'meshgate_log_roles', MAX_LOG_ROLES] as const]
    : []),
  ...(isTriedAgain(context)
    ? ['upstream_addr', 'upstream_status'].map((it): Cut => [it, `meshgate_log_${it}`, MAX_LOG_UPSTREAM])
    : []),
];

/** The variables that stand in place of a variable. */
type Instead = Readonly<Record<string, readonly string[]>>;

/** The variables of values that have a pseudonym in the log. */
const named = ({ policy }: Context): Instead =>
  policy.gateway.audit?.pseudonyms === undefined ? {} : { meshgate_user: ['meshgate_pseudonym'] };

/** The map for the host's name in the log. */
export const hostMap = ({ hosts }: Context): readonly Directive[] => conf`
  # For the log: the host, cut at a limit.
  ${shortMap('host', 'meshgate_log_host', MAX_LOG_HOST, namesFound(hosts).map(found))}
`;

/** The file of the access log. It does not depend on the policy's hosts, which http.conf lists. */
export function logFile(context: Context): ConfFile {
  const cut = cutVariables(context);
  const instead = { ...named(context), ...Object.fromEntries(cut.map(([source, name]) => [source, [name]])) };
  const directives = conf`
    ${usualMap(context)}
    ${reasonMaps(context)}
    ${clientMaps(context)}
    ${cut.flatMap(([source, name, most]) => shortMap(source, name, most, []))}
    # One JSON object for each request.
    ${logFormat(context.digest, partsOf(context), { ...instead, request_id: [USUAL, 'request_id'] })}
  `;
  return ['log.conf', directives, 'The access log.'];
}

/** The parts of a policy that have fields of their own. */
const partsOf = (context: Context): Readonly<Record<LogPart, boolean>> => ({
  agents: Object.keys(context.policy.agents).length > 0,
  tools: context.policy.hosts.some(looksAtTools),
  meshes: hasSeveralMeshes(context.policy),
  several: hasSeveral(context.policy),
  failover: isTriedAgain(context),
  credentials: passesAny(context),
  claims: context.policy.gateway.audit?.claims === true,
});

/** The `log_format meshgate`: one JSON object per line, escaped by nginx itself. By default it has all fields.
 * @param instead other variables for some variables */
export function logFormat(digest: string, having = EVERYTHING, instead: Instead = {}): Directive {
  const own = FIELDS.filter(({ needs }) => needs === undefined || having[needs]);
  const fields = own.map(({ name, kind, variable: source }): readonly (string | ValuePart)[] => {
    if (kind === 'digest') return [`"${name}":"${digest}"`];
    const value = (instead[source] ?? [source]).map(variable);
    return kind === 'text' ? [`"${name}":"`, ...value, '"'] : [`"${name}":`, ...value];
  });
  return line('log_format', 'meshgate', 'escape=json', ...joined(fields));
}

/** Pipes to the process that collects the logs of a container. Each write wakes this process. */
const STREAMS = ['/dev/stdout', '/dev/stderr'];

/** The destination of the log lines. A file receives each line at once. A stream receives several lines in one write.
 * nginx writes only whole lines, and never more than a pipe accepts at once. */
export const accessLog = ({ options: { accessLog } }: Pick<Context, 'options'>): readonly Directive[] =>
  conf`access_log ${accessLog} meshgate ${STREAMS.includes(accessLog) && ['buffer=4k', 'flush=10ms']};`;

/** The maximum length, in bytes, of a line with field names in the rendered file. */
const WIDE = 120;

/** Writes a JSON object, with several members on each line. */
function joined(members: readonly (readonly (string | ValuePart)[])[]): readonly Arg[] {
  const lines: (string | ValuePart)[][] = [];
  let bytes = WIDE;
  for (const [i, member] of members.entries()) {
    bytes += String(member[0]).length;
    if (bytes > WIDE) {
      lines.push([]);
      bytes = String(member[0]).length;
    }
    lines.at(-1)?.push(i === 0 ? '{' : '', ...member, i < members.length - 1 ? ',' : '}');
  }
  return lines.map((parts) => template(...parts));
}
