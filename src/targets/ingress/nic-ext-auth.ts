import { DEFAULTS } from '../../policy/forms/bounds.ts';
import { responseNames } from '../ext-authz/check-answer.ts';
import { ALLOWED, forms } from '../ext-authz/forms.ts';
import { answerBuffers, checkedLocation, ownLocations, refuseLocation } from '../ext-authz/ingress/nginx.ts';
import { gapIf } from '../kit/gaps.ts';
import { objectName } from '../kit/owner.ts';
import { ignoresAccel, unstored } from '../nginx/route/module.ts';
import { conf, template, variable } from '../nginx/text/directive.ts';
import { answerHeader } from '../nginx/text/names.ts';
import { printConf } from '../nginx/text/print.ts';
import type { Gap } from '../types.ts';
import { type BackendPath, type ExtAuthForm, type ExtAuthInput, ownPath } from './ext-auth.ts';
import { hostLabel, tlsSecret } from './objects.ts';

/** The path of the check in the servers that NIC renders. */
const CHECK = '/_external_auth/check';

/** The kinds of objects, and how NIC names the upstream of the sidecar: in the object's namespace, by the object. */
const KINDS = {
  virtualServer: { before: 'vs', after: 'vs_exauth' },
  ingress: { before: 'ing', after: 'exauth' },
} as const;

type Kind = keyof typeof KINDS;

/** The snippet of the Policy, in the location of the check. The variable shows that the location of the request has its
 * snippet, which erases the headers of clients: variables of a request are also those of its check. */
const authSnippet = (kind: Kind): string =>
  printConf(conf`
    # Without its snippet, a location is closed. This line only lets nginx know the variable.
    set $meshgate_location $meshgate_location;
    uninitialized_variable_warn off; if ($meshgate_location != 1) { return 403; }
    # What the client asked for.
    proxy_set_header X-Original-Method $request_method; proxy_set_header X-Original-URI $request_uri;
    ${kind === 'ingress' && conf`proxy_set_header Upgrade $http_upgrade;`}
    ${answerBuffers}
    proxy_intercept_errors off; ${unstored}
    ${ignoresAccel()}
  `);

/** The snippet of a server: how refusals are answered, and the way to the endpoints of the gateway. The upstream is the
 * one that NIC renders for the Policy. */
function serverSnippet({ checkInput, sidecar }: ExtAuthInput, kind: Kind): string {
  const { before, after } = KINDS[kind];
  const [namespace, name] = [variable('resource_namespace'), variable('resource_name')];
  const upstream = template(`http://${before}_`, namespace, '_', name, `_${after}_`, namespace, `_${sidecar.name}`);
  return printConf(conf`
    ${refuseLocation}
    # The gateway's own endpoints: the sign-in, and what clients read before they have a token.
    ${ownLocations(checkInput, upstream)}
  `);
}

/** The snippet of each location. */
const locationSnippet = ({ checkInput }: ExtAuthInput): string =>
  printConf(conf`
    set $meshgate_location 1;
    # Only NIC says what the client asked for. If the snippet of the Policy is lost, the client would say it.
    if ($http_x_original_uri) { return 400; }
    if ($http_x_original_method) { return 400; }
    error_page 401 403 = @meshgate_refuse;
    ${checkedLocation(checkInput, CHECK)}
    # After the check: only the answer of a sidecar names a file that exists, so a 200 of another service admits no request.
    auth_request_set $meshgate_allowed ${answerHeader(ALLOWED.name)};
    root ${ALLOWED.folder}; try_files /$meshgate_allowed =403;
  `);

const policyObject = ({ labels, sidecar }: ExtAuthInput, kind: Kind): object => ({
  apiVersion: 'k8s.nginx.org/v1',
  kind: 'Policy',
  // NIC names the upstream after the Policy and its Service: with one name for both, it is the same in each version.
  metadata: { name: sidecar.name, labels },
  spec: {
    ingressClassName: 'nginx',
    externalAuth: {
      authURI: forms.find(({ name }) => name === 'auth-request')?.path,
      authServiceName: sidecar.name,
      authServicePorts: [sidecar.port],
      authSnippets: authSnippet(kind),
    },
  },
});

const upstreamName = ({ backend: { name, port } }: BackendPath): string => `${name}-${port}`;

function virtualServer(input: ExtAuthInput, { name: host, paths }: ExtAuthInput['hosts'][number]): object {
  const snippet = locationSnippet(input);
  const upstreams = new Map(paths.map((path) => [upstreamName(path), path.backend]));
  // A prefix covers its own path, too. NIC's prefix with a slash at the end would redirect it before the check.
  const at = (one: BackendPath) => [
    ...(one.kind === 'exact' || ownPath(paths, one) ? [`=${one.path}`] : []),
    ...(one.kind === 'prefix' ? [`${one.path}/`] : []),
  ];
  return {
    apiVersion: 'k8s.nginx.org/v1',
    kind: 'VirtualServer',
    metadata: { name: objectName(input.owner, hostLabel(host)), labels: input.labels },
    spec: {
      ingressClassName: 'nginx',
      host,
      tls: { secret: tlsSecret(host), redirect: { enable: true } },
      policies: [{ name: input.sidecar.name }],
      'server-snippets': serverSnippet(input, 'virtualServer'),
      upstreams: [...upstreams].map(([name, { name: service, port, tls }]) => ({
        ...{ name, service, port },
        ...(tls && { tls: { enable: true } }),
      })),
      routes: paths.flatMap((one) =>
        at(one).map((path) => ({ path, 'location-snippets': snippet, action: { pass: upstreamName(one) } })),
      ),
    },
  };
}

function ingress(input: ExtAuthInput, { name: host, paths }: ExtAuthInput['hosts'][number]): object {
  const backend = ({ backend: { name, port } }: BackendPath) => ({ service: { name, port: { number: port } } });
  const secure = [...new Set(paths.filter(({ backend: { tls } }) => tls).map(({ backend: { name } }) => name))];
  const at = (one: BackendPath) => [
    ...(one.kind === 'exact' || ownPath(paths, one)
      ? [{ path: one.path, pathType: 'Exact', backend: backend(one) }]
      : []),
    ...(one.kind === 'prefix' ? [{ path: `${one.path}/`, pathType: 'Prefix', backend: backend(one) }] : []),
  ];
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      name: objectName(input.owner, hostLabel(host)),
      labels: input.labels,
      annotations: {
        'nginx.org/policies': input.sidecar.name,
        'nginx.org/server-snippets': serverSnippet(input, 'ingress'),
        'nginx.org/location-snippets': locationSnippet(input),
        ...(secure.length > 0 && { 'nginx.org/ssl-services': secure.join(',') }),
      },
    },
    spec: {
      ingressClassName: 'nginx',
      tls: [{ hosts: [host], secretName: tlsSecret(host) }],
      rules: [{ host, http: { paths: paths.flatMap(at) } }],
    },
  };
}

function gaps({ policy: { gateway }, checkInput, hosts }: ExtAuthInput, kind: Kind): readonly Gap[] {
  const what = kind === 'ingress' ? 'the Ingress' : 'the VirtualServer';
  const part = 'ingress';
  const port = gateway.publicPort ?? DEFAULTS.publicPort;
  const rejected = [
    ...(gateway.session === undefined ? [] : ['unsafe requests with a session']),
    ...(gateway.proof === undefined ? [] : ['DPoP proofs']),
  ];
  return [
    ...hosts.map(({ name }) => ({
      part: `hosts.${name}`,
      text: `if ${what} loses both the Policy and the location snippets, the host is open, and nginx cannot notice it; run meshgate status with the policy as a probe: it asks each host without a credential`,
    })),
    ...hosts.map(({ name }) => ({
      part: `hosts.${name}`,
      text: `people who may write snippets for this host can switch the check off (auth_request off), or set the identity headers to other values: allow snippets only to people who may change the policy`,
    })),
    {
      part,
      text: 'requests that already have X-Original-URI or X-Original-Method are rejected with 400: a proxy in front of the controller must not set them',
    },
    {
      part,
      text: 'services receive the path that the client sent: rewrites of NIC (nginx.org/rewrites, rewritePath) do not work with the snippet',
    },
    ...gapIf(
      gateway.session !== undefined,
      'gateway.session',
      'auth_request passes no body on: instead of a page, a person who is signed in and may not pass sees the JSON of the refusal',
    ),
    ...gapIf(
      port !== DEFAULTS.publicPort && rejected.length > 0,
      'gateway.public_port',
      `NIC tells the sidecar the host without its port ${port}: ${rejected.join(' and ')} are rejected; use the port ${DEFAULTS.publicPort}`,
    ),
    ...gapIf(
      responseNames(checkInput.context).length > 0,
      part,
      'headers that NIC itself adds to all answers of a host, such as HSTS, are missing in answers of the services: the snippet adds headers, and nginx then inherits none',
    ),
    ...(kind === 'ingress'
      ? [
          {
            part,
            text: 'NIC opens no WebSockets for an Ingress unless the annotation nginx.org/websocket-services names the service',
          },
        ]
      : []),
  ];
}

const asks = (
  kind: Kind,
  object: (input: ExtAuthInput, host: ExtAuthInput['hosts'][number]) => object,
): ExtAuthForm => ({
  write: (input) => ({
    documents: { 'hosts.yaml': [policyObject(input, kind), ...input.hosts.map((host) => object(input, host))] },
    gaps: gaps(input, kind),
    notes: ['NIC reads snippets only with the flag -enable-snippets (Helm: controller.enableSnippets)'],
  }),
});

/** The forms in which NIC asks a sidecar. */
export const nicExtAuthForms = {
  'external-auth': asks('virtualServer', virtualServer),
  'external-auth-ingress': asks('ingress', ingress),
} as const satisfies Readonly<Record<string, ExtAuthForm>>;
