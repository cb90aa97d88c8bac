import { IN_QUERY } from '../../caller/credential.ts';
import { isWildcard } from '../../host-name.ts';
import { TO_CHECK } from '../../internal-headers.ts';
import type { Host, Inner, Policy, Who } from '../../policy/types.ts';
import { shownAddress } from './budgets.ts';
import {
  certificateMap,
  certificates,
  INNER_CERTIFICATE,
  outerCertificates,
  shownCertificate,
} from './client-certificate.ts';
import { type Arg, commented, type Directive, line, literal, map, regex, variable } from './directive.ts';
import type { FileName } from './files.ts';
import { CHECK_PATH, HOP_PATH } from './names.ts';
import { shownOrigin } from './origin.ts';
import type { Scene, SceneHost } from './scene.ts';
import { hasSessions, hostName, otherCookies } from './session.ts';

/** The listener through which requests reach a host's routes: the outer or the inner one. Both have the same locations,
 * and each has its own check, which no client can request. */
export interface Door {
  /** Path of the check, followed by the route's name. */
  readonly check: string;
  /** The file of the location that leads to it. */
  readonly file: FileName;
  /** The headers for the check about the caller, besides those that all hosts of the listener send. */
  readonly credentials: readonly Directive[];
  /** The `Cookie` line for services; absent: the client's. */
  readonly cookie?: Arg;
  /** The server's directives about certificates. */
  readonly server: readonly Directive[];
}

/** Whether agents send tokens; agents that are services use the inner listener. */
export const hasTokenAgents = ({ agents }: Pick<Policy, 'agents'>): boolean =>
  Object.values(agents).some(({ match }) => match.kind !== 'service');

/** Matches a word of letters and `_`, each of which may be percent-encoded, because services decode all of them. */
function encodable(word: string): string {
  const codes = (char: string) => [...new Set([char, char.toUpperCase()])].map((it) => it.charCodeAt(0).toString(16));
  return [...word].map((char) => `(?:${[char, ...codes(char).map((code) => `%${code}`)].join('|')})`).join('');
}

/** The token in the client's URL, because the subrequest of the check has no query. */
export const inQueryMap: Directive = commented(
  'Tokens in the URL are not accepted. The check gets this word instead of the scheme.',
  map(variable('request_uri'), 'meshgate_in_query', [
    ['default', literal('')],
    [regex('~*', `^[^?]*\\?(?:.*&)?${encodable('access_token')}=`), literal(`${IN_QUERY} `)],
  ]),
);

/** Whether a rule of a host reads the tools of an agent. */
export const looksAtTools = ({ routes }: Host): boolean =>
  routes.some(({ allow }) => allow.some(({ who }) => who.kind === 'agent' && who.tools !== undefined));

/** The MCP headers for the check, if a rule of the host reads tools. */
function toolHeaders({ host }: SceneHost): readonly Directive[] {
  if (!looksAtTools(host)) return [];
  return [
    line('proxy_set_header', TO_CHECK.mcpVersion, variable('http_mcp_protocol_version')),
    line('proxy_set_header', TO_CHECK.mcpMethod, variable('http_mcp_method')),
    line('proxy_set_header', TO_CHECK.mcpName, variable('http_mcp_name')),
  ];
}

/** The requested name below a wildcard, to which sessions, proofs and origins belong. */
const askedName = (host: SceneHost): readonly Directive[] =>
  isWildcard(host.host.name) ? [line('proxy_set_header', TO_CHECK.host, hostName(host))] : [];

/** The listener for people and programs with their own credentials. */
export function outerDoor(scene: Scene, host: SceneHost): Door {
  return {
    check: CHECK_PATH,
    file: host.sessions ? 'check-session.conf' : 'check.conf',
    credentials: [
      ...askedName(host),
      ...shownCertificate(scene, host),
      ...toolHeaders(host),
      ...shownAddress(scene, host),
      ...shownOrigin(scene, host),
    ],
    ...(hasSessions(scene) && { cookie: otherCookies }),
    server: outerCertificates(host),
  };
}

/** The inner listener's directives about certificates. */
export const innerCertificates = ({ clientCaFile }: Inner): readonly Directive[] =>
  certificates(clientCaFile, 'on', 'Services show the certificate of their workload on every connection.');

/** The listener where services send requests for the person whose request they serve. Its check receives no cookies. */
export function innerDoor(scene: Scene, inner: Inner, host: SceneHost): Door {
  return {
    check: HOP_PATH,
    file: 'hop.conf',
    credentials: toolHeaders(host),
    ...(hasSessions(scene) && { cookie: variable('meshgate_cookie_inside') }),
    server: innerCertificates(inner),
  };
}

/** Whether a host has a rule for an agent that is a service; the inner listener accepts no others. */
export function hasServiceAgents({ routes }: Host, { agents }: Policy): boolean {
  const isService = (who: Who) => who.kind === 'agent' && agents[who.agent]?.match.kind === 'service';
  return routes.some(({ allow }) => allow.some(({ who }) => isService(who)));
}

/** The hosts of the inner listener. */
export function innerHosts({ hosts, policy }: Pick<Scene, 'hosts' | 'policy'>): readonly SceneHost[] {
  return hosts.filter(({ host }) => hasServiceAgents(host, policy));
}

/** Whether something is rendered for the inner listener. */
export const hasInnerHosts = (scene: Scene): boolean =>
  scene.policy.gateway.inner !== undefined && innerHosts(scene).length > 0;

/** The certificate of a service counts only if the connection was made for a host of the inner listener, which
 * determines the CA. */
export function innerCertificateMap(scene: Pick<Scene, 'hosts' | 'policy'>): readonly Directive[] {
  const names = innerHosts(scene).map(({ host }) => host.name);
  if (names.length === 0) return [];
  return [
    commented(
      'Certificates of services count only on connections for these hosts.',
      certificateMap(INNER_CERTIFICATE, names),
    ),
  ];
}
