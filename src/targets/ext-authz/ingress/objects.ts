import { isWildcard } from '../../../base/host-name.ts';
import { toYaml } from '../../../base/yaml.ts';
import { YAML_HEAD } from '../../kit/yaml.ts';
import { endpointPaths } from '../../nginx/answers/endpoints.ts';
import { allHosts } from '../../nginx/render-context.ts';
import type { Gap } from '../../types.ts';
import { givenNames, responseNames } from '../check-answer.ts';
import { anyEnvoyGaps, ENVOY_PATH, TIMEOUT } from './envoy.ts';
import { type CheckInput, fileOf, GATEWAY_PATH, type IngressFiles, METADATA_PATH, ownHosts } from './kit.ts';

/* Objects of Kubernetes for ingresses that are Envoy. */

/** The name and the namespace of the sidecar's Service, of its name in the cluster. */
function serviceOf({ sidecar: { host, port } }: CheckInput) {
  const [name = 'meshgate', namespace = 'meshgate'] = host.split('.');
  return { name, namespace, port };
}

/** The gap of headers that no policy names: only an Envoy with a configuration of its own removes them. */
const trustedGap = (part: string): Gap => ({
  part,
  text: 'headers that applications trust, but that the policy does not name, such as X-Remote-User, pass from clients to services: name them in headers: of the policy, or remove them at the ingress',
});

const own = [
  { type: 'PathPrefix', value: GATEWAY_PATH.slice(0, -1) },
  { type: 'PathPrefix', value: METADATA_PATH },
];

/** Files for Envoy Gateway: the check for a whole Gateway, and the routes of the gateway's own endpoints. */
export function envoyGatewayFiles(checkInput: CheckInput): IngressFiles {
  const { context, read } = checkInput;
  const { name, namespace, port } = serviceOf(checkInput);
  const policy = (of: string, target: object, spec: object) => ({
    apiVersion: 'gateway.envoyproxy.io/v1alpha1',
    kind: 'SecurityPolicy',
    metadata: { name: of, namespace },
    spec: { targetRefs: [{ group: 'gateway.networking.k8s.io', ...target }], ...spec },
  });
  const extAuth = {
    failOpen: false,
    headersToExtAuth: read.filter((header) => header !== 'authorization'),
    http: {
      backendRefs: [{ name, port }],
      path: ENVOY_PATH,
      headersToBackend: givenNames(context),
    },
  };
  const route = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'meshgate-own', namespace },
    spec: {
      parentRefs: [{ name: 'meshgate' }],
      hostnames: ownHosts(checkInput),
      rules: [{ matches: own.map((path) => ({ path })), backendRefs: [{ name, port }] }],
    },
  };
  const open = { authorization: { defaultAction: 'Allow' } };
  const objects = [
    policy('meshgate', { kind: 'Gateway', name: 'meshgate' }, { extAuth }),
    route,
    policy('meshgate-own', { kind: 'HTTPRoute', name: 'meshgate-own' }, open),
  ];
  const head = `# For a Gateway meshgate in the namespace ${namespace}: change both names if yours differ.\n`;
  const part = 'ingress.envoy-gateway';
  return {
    files: { [fileOf('envoy-gateway.yaml')]: YAML_HEAD + head + objects.map(toYaml).join('---\n') },
    gaps: [
      ...anyEnvoyGaps(part),
      trustedGap(part),
      ...responseNames(context).map((header) => ({
        part,
        text: `${header} of an allowed check does not reach the client${header === 'Set-Cookie' ? ': a renewed session is stored only when a check is rejected, so people are sent to their provider more often' : ''}`,
      })),
      {
        part,
        text: 'a SecurityPolicy of a route replaces the one of the Gateway: anyone who may write one for a route can switch the check off there',
      },
    ],
  };
}

/** Files for Istio: the provider for meshConfig, the check of an ingress gateway, and the routes of the gateway's own
 * endpoints. */
export function istioFiles(checkInput: CheckInput): IngressFiles {
  const { context, sidecar, read } = checkInput;
  const { namespace } = serviceOf(checkInput);
  const provider = {
    extensionProviders: [
      {
        name: 'meshgate',
        envoyExtAuthzHttp: {
          service: sidecar.host,
          port: sidecar.port,
          pathPrefix: ENVOY_PATH,
          timeout: `${TIMEOUT}s`,
          failOpen: false,
          statusOnError: '503',
          includeRequestHeadersInCheck: read,
          headersToUpstreamOnAllow: givenNames(context).map((name) => name.toLowerCase()),
          ...(responseNames(context).length > 0 && {
            headersToDownstreamOnAllow: responseNames(context).map((name) => name.toLowerCase()),
          }),
          headersToDownstreamOnDeny: ['*'],
        },
      },
    ],
  };
  const paths = [...new Set(allHosts(context).flatMap((host) => endpointPaths(context, host)))];
  const objects = [
    {
      apiVersion: 'security.istio.io/v1',
      kind: 'AuthorizationPolicy',
      metadata: { name: 'meshgate-check', namespace: 'istio-system' },
      spec: {
        selector: { matchLabels: { istio: 'ingressgateway' } },
        action: 'CUSTOM',
        provider: { name: 'meshgate' },
        // Exact paths: below a prefix, a service could read a path such as `/.meshgate/..%2fadmin` as another one.
        rules: [{ to: [{ operation: { notPaths: paths.map((path) => (path.endsWith('/') ? `${path}*` : path)) } }] }],
      },
    },
    {
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata: { name: 'meshgate-own', namespace },
      spec: {
        hosts: ownHosts(checkInput),
        gateways: ['istio-system/meshgate'],
        http: [
          {
            match: [{ uri: { prefix: GATEWAY_PATH } }, { uri: { prefix: METADATA_PATH } }],
            route: [{ destination: { host: sidecar.host, port: { number: sidecar.port } } }],
          },
        ],
      },
    },
  ];
  const head =
    '# For the ingress gateway with the label istio: ingressgateway, and a Gateway meshgate in istio-system: change them if yours differ.\n';
  const part = 'ingress.istio';
  return {
    files: {
      [fileOf('istio-meshconfig.yaml')]: `${YAML_HEAD}# For meshConfig.\n${toYaml(provider)}`,
      [fileOf('istio.yaml')]: YAML_HEAD + head + objects.map(toYaml).join('---\n'),
    },
    gaps: [
      ...anyEnvoyGaps(part),
      trustedGap(part),
      {
        part,
        text: 'without the VirtualService, requests for the endpoints of the gateway reach a service unchecked; every host of the ingress gateway is checked, and one that is not in the policy is closed',
      },
      ...(ownHosts(checkInput).some(isWildcard)
        ? [
            {
              part,
              text: 'a VirtualService of a single host below a wildcard takes its requests: repeat the routes there',
            },
          ]
        : []),
    ],
  };
}
