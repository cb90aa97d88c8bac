import { isWildcard } from '../../../base/host-name.ts';
import { toYaml } from '../../../base/yaml.ts';
import { SESSION_COOKIE } from '../../../session/names.ts';
import { hostLabel } from '../../ingress/objects.ts';
import { YAML_HEAD } from '../../kit/yaml.ts';
import { answerNames, givenNames, responseNames } from '../check-answer.ts';
import {
  type CheckInput,
  erasedBy,
  fileOf,
  GATEWAY_PATH,
  type IngressFiles,
  METADATA_PATH,
  ownHosts,
  urlOf,
} from './kit.ts';

/** Traefik matches the canonical spelling of a name, and deletes each header that matches. */
const anyOf = (names: readonly string[]): string => `(?i)^(${names.join('|').replaceAll('.', '\\.')})$`;

/** The rule of Traefik for the gateway's own endpoints of a host. */
function ownRule(host: string): string {
  const at = isWildcard(host)
    ? `HostRegexp(\`^[a-z0-9-]+(\\.[a-z0-9-]+)*${host.slice(1).replaceAll('.', '\\.')}$\`)`
    : `Host(\`${host}\`)`;
  return `${at} && (PathPrefix(\`${GATEWAY_PATH}\`) || PathPrefix(\`${METADATA_PATH}\`))`;
}

/** Files for Traefik: a middleware, and the routers of the gateway's own endpoints. */
export function traefikFiles(checkInput: CheckInput): IngressFiles {
  const { context, sidecar } = checkInput;
  const forwardAuth = {
    address: `${urlOf(sidecar)}/forward-auth`,
    // Traefik says itself what the client requested. Headers of a client do not count.
    trustForwardHeader: false,
    forwardBody: false,
    authResponseHeaders: givenNames(context),
    authResponseHeadersRegex: anyOf([...answerNames(context), ...erasedBy(context)]),
    ...(responseNames(context).includes('Set-Cookie') && { addAuthCookiesToResponse: [SESSION_COOKIE] }),
  };
  const priority = 1_000_000;
  const dynamic = {
    http: {
      middlewares: { meshgate: { forwardAuth } },
      routers: Object.fromEntries(
        ownHosts(checkInput).map((host) => [
          `meshgate-${hostLabel(host)}`,
          { rule: ownRule(host), service: 'meshgate', priority, tls: {} },
        ]),
      ),
      services: { meshgate: { loadBalancer: { servers: [{ url: urlOf(sidecar) }], passHostHeader: true } } },
    },
  };
  const [name = 'meshgate', namespace = 'meshgate'] = sidecar.host.split('.');
  const objects = [
    {
      apiVersion: 'traefik.io/v1alpha1',
      kind: 'Middleware',
      metadata: { name: 'meshgate', namespace },
      spec: { forwardAuth },
    },
    {
      apiVersion: 'traefik.io/v1alpha1',
      kind: 'IngressRoute',
      metadata: { name: 'meshgate', namespace },
      spec: {
        entryPoints: ['websecure'],
        routes: ownHosts(checkInput).map((host) => ({
          kind: 'Rule',
          match: ownRule(host),
          priority,
          services: [{ name, port: sidecar.port, passHostHeader: true }],
        })),
        tls: {},
      },
    },
  ];
  return {
    files: {
      [fileOf('traefik-dynamic.yaml')]: YAML_HEAD + toYaml(dynamic),
      [fileOf('traefik-objects.yaml')]: YAML_HEAD + objects.map(toYaml).join('---\n'),
    },
    gaps: [
      {
        part: 'ingress.traefik',
        text: 'answers of services pass with all headers: a service can make browsers report the URLs of sign-ins, with codes (NEL, Report-To); remove the headers that docs/headers.md lists, with customResponseHeaders of a middleware',
      },
      ...(responseNames(context).includes('DPoP-Nonce')
        ? [{ part: 'ingress.traefik', text: 'a client gets the next DPoP nonce only with a refusal' }]
        : []),
      {
        part: 'ingress.traefik',
        text: 'Traefik cleans paths that are not canonical, instead of rejecting them: it asks about the clean path and sends that to the service (sanitizePath; leave it on)',
      },
      {
        part: 'ingress.traefik',
        text: 'only routers that name the middleware are checked: give it to every router of these hosts; at the entry point, it would also reject the sign-in',
      },
    ],
  };
}
