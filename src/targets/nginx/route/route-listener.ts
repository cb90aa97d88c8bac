import { isWildcard } from '../../../base/host-name.ts';
import { TO_CHECK } from '../../../base/internal-headers.ts';
import { IN_QUERY } from '../../../caller/credential.ts';
import type { Host, Inner, Policy, Who } from '../../../policy/checked/types.ts';
import { shownAddress } from '../check/address-budgets.ts';
import {
  certificateMap,
  certificates,
  INNER_CERTIFICATE,
  outerCertificates,
  shownCertificate,
} from '../check/client-certificate.ts';
import type { Context, HostContext } from '../render-context.ts';
import { shownOrigin } from '../signin/origin.ts';
import { hasSessions, hostNameArg } from '../signin/sessions.ts';
import { type Arg, conf, type Directive, regex, row, variable } from '../text/directive.ts';
import type { FileName } from '../text/files.ts';
import { CHECK_PATH, CONTROLLER_CHECK_PATH, HOP_PATH } from '../text/names.ts';
import { shownToken } from './service-credential.ts';

/** The listener, outer or inner, through which requests reach the routes of a host. Both have the same locations. Each
 * has its own check, which no client can request. */
export interface RouteListener {
  /** The path of the check. The name of the route follows it. */
  readonly check: string;
  /** The file with the location that leads to the check. */
  readonly file: FileName;
  /** The headers about the caller that the check needs, besides those that all hosts of the listener send. */
  readonly credentials: readonly Directive[];
  /** The `Cookie` header for services; absent: the client's. */
  readonly cookie?: Arg;
  /** The directives of the server about certificates. */
  readonly server: readonly Directive[];
}

/** Matches a word of letters and `_`. Each character may be percent-encoded, because services decode the word. */
function encodable(word: string): string {
  const codes = (char: string) => [...new Set([char, char.toUpperCase()])].map((it) => it.charCodeAt(0).toString(16));
  return [...word].map((char) => `(?:${[char, ...codes(char).map((code) => `%${code}`)].join('|')})`).join('');
}

/** Finds a token in the client's URL. The check cannot, because its subrequest has no query. */
export const inQueryMap = conf`
  # Tokens in the URL are not accepted. The check gets this word instead of the scheme.
  map $request_uri $meshgate_in_query {
    default "";
    ${regex('~*', `^[^?]*\\?(?:.*&)?${encodable('access_token')}=`)} "${IN_QUERY} ";
  }
`;

/** Whether a rule of the host reads the tools of an agent. */
export const looksAtTools = ({ routes }: Host): boolean =>
  routes.some(({ allow }) => allow.some(({ who }) => who.kind === 'agent' && who.tools !== undefined));

/** Sends the MCP headers to the check, if a rule of the host reads tools. */
function toolHeaders({ host }: HostContext): readonly Directive[] {
  if (!looksAtTools(host)) return [];
  return conf`
    proxy_set_header ${TO_CHECK.mcpVersion} $http_mcp_protocol_version;
    proxy_set_header ${TO_CHECK.mcpMethod} $http_mcp_method;
    proxy_set_header ${TO_CHECK.mcpName} $http_mcp_name;
  `;
}

/** For a wildcard host, sends the requested name to the check. Sessions, proofs and origins belong to this name. */
const requestedName = (host: HostContext): readonly Directive[] =>
  isWildcard(host.host.name) ? conf`proxy_set_header ${TO_CHECK.host} ${hostNameArg(host)};` : [];

/** The listener for people and programs that have their own credentials. */
export function outerListener(context: Context, host: HostContext): RouteListener {
  return {
    check: context.options.inController ? CONTROLLER_CHECK_PATH : CHECK_PATH,
    file: host.sessions ? 'check-session.conf' : 'check.conf',
    credentials: [
      ...requestedName(host),
      ...shownCertificate(context, host),
      ...toolHeaders(host),
      ...row([...shownToken(context, host), ...shownOrigin(context, host)]),
      ...shownAddress(context, host),
    ],
    ...(hasSessions(context) && { cookie: variable('meshgate_cookie_to') }),
    server: outerCertificates(host),
  };
}

/** The directives of the inner listener about certificates. */
export const innerCertificates = ({ clientCaFile }: Inner): readonly Directive[] =>
  certificates(clientCaFile, 'on', 'Services show the certificate of their workload on every connection.');

/** The listener where services send requests for the person whose request they serve. Its check gets no cookies. */
export function innerListener(context: Context, inner: Inner, host: HostContext): RouteListener {
  return {
    check: HOP_PATH,
    file: 'hop.conf',
    credentials: toolHeaders(host),
    ...(hasSessions(context) && { cookie: variable('meshgate_cookie_other') }),
    server: innerCertificates(inner),
  };
}

/** Whether a host has a rule for an agent that is a service. The inner listener accepts only such agents. */
export function hasServiceAgents({ routes }: Host, { agents }: Policy): boolean {
  const isService = (who: Who) => who.kind === 'agent' && agents[who.agent]?.match.kind === 'service';
  return routes.some(({ allow }) => allow.some(({ who }) => isService(who)));
}

/** The hosts that the inner listener serves. Ingress controllers have no such listener. */
export const innerHosts = ({
  hosts,
  policy,
  options,
}: Pick<Context, 'hosts' | 'policy' | 'options'>): readonly HostContext[] =>
  options.inController ? [] : hosts.filter(({ host }) => hasServiceAgents(host, policy));

/** The map for a service's certificate, which counts only on connections for hosts of the inner listener. */
export function innerCertificateMap(context: Pick<Context, 'hosts' | 'policy' | 'options'>): readonly Directive[] {
  const names = innerHosts(context).map(({ host }) => host.name);
  if (names.length === 0) return [];
  return conf`
    # Certificates of services count only on connections for these hosts.
    ${certificateMap(INNER_CERTIFICATE, names)}
  `;
}
